"""Play the loop whose figures ``docs/accuracy.md`` tells.

    python -m tests.accuracy.loop                       all rows with all seeds, one after the other
    python -m tests.accuracy.loop worse few-steps       these
    python -m tests.accuracy.loop ladder --seeds 0      with this seed only
    python -m tests.accuracy.loop --list                rows, and what is done
    python -m tests.accuracy.loop --write-docs          nothing is trained: docs/accuracy.md from what is done

What is done is not done again, what was broken off goes on. MEDVIEW_TEST_DATA names the folder of the data; --share 0.1, or
MEDVIEW_ACCURACY_SHARE, gives every training that part of its steps, to try whether it works.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from medview.core.errors import MedViewError
from tests.accuracy.loop.bench import LoopBench
from tests.accuracy.loop.page import RESULTS
from tests.accuracy.loop.rows import ROWS, SEEDS, LoopRow
from tests.accuracy.loop.scene import write
from tests.accuracy.trainings.command_line import ROOT, CommandError
from tests.accuracy.trainings.page import write_page

WORK = ROOT / "build" / "accuracy"


def main() -> int:
    """Run the command line; 1 where a row failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW")
    parser.add_argument("--work", type=Path, default=WORK, help="projects, trainings and results (build/accuracy)")
    parser.add_argument("--seeds", type=int, nargs="+", metavar="SEED", help="those of each row unless given")
    parser.add_argument(
        "--share", type=float, default=float(os.environ.get("MEDVIEW_ACCURACY_SHARE", "1")), help="part of the steps"
    )
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--write-docs", action="store_true", help="only write docs/accuracy.md from what is done")
    options = parser.parse_args()
    if "MEDVIEW_TEST_DATA" not in os.environ:
        parser.error("MEDVIEW_TEST_DATA does not name the folder of the data")
    if unknown := [name for name in options.rows if name not in ROWS]:
        parser.error(f"{unknown[0]} is no row; --list tells them")
    bench = LoopBench(options.work.resolve(), Path(os.environ["MEDVIEW_TEST_DATA"]).resolve(), options.share, _say)
    rows = [row for row in ROWS.values() if row.name in (options.rows or ROWS)]
    if options.list:
        for row in rows:
            print(_listed(bench, row, options.seeds or row.seeds))
        return 0
    failed: list[str] = []
    try:
        # Seed by seed: a table of one seed is told sooner, and rows of a seed share their parent.
        for seed in [] if options.write_docs else options.seeds or SEEDS:
            own = [row for row in rows if options.seeds or seed in row.seeds]
            failed += [f"{row.name}, seed {seed}" for row in own if not _played(bench, row, seed)]
    except KeyboardInterrupt:
        print("Stopped; the same command goes on.", file=sys.stderr)
        return 130
    keep_results(bench)
    write_page()
    if failed:
        print(f"Did not end: {'; '.join(failed)}", file=sys.stderr)
    return bool(failed)


def keep_results(bench: LoopBench, results: Path = RESULTS) -> None:
    """Copy results of full size to where the page is made from them."""
    if bench.share != 1.0:
        return
    for name, documents in bench.results(list(ROWS.values()), SEEDS).items():
        results.mkdir(exist_ok=True)
        for one in documents:
            write(results / f"{name}-{one['seed']}.json", one)


def _played(bench: LoopBench, row: LoopRow, seed: int) -> bool:
    """Play a row; the others go on where one fails."""
    try:
        found = bench.play(row, seed)
    except (CommandError, MedViewError, FileNotFoundError, LookupError) as error:
        print(f"{row.name}, seed {seed}: {error}", file=sys.stderr, flush=True)
        return False
    print(f"{row.name}, seed {seed}: done ({found['seconds']:.0f} s)", flush=True)
    return True


def _listed(bench: LoopBench, row: LoopRow, seeds: Sequence[int]) -> str:
    states = (
        "done" if bench.played(row, seed) else "begun" if bench.folder(row, seed).exists() else _DASH for seed in seeds
    )
    told = "  ".join(f"{seed}: {state}" for seed, state in zip(seeds, states, strict=True))
    return f"{row.name:<14}{row.minutes:>3} min a seed  {told:<32}{row.title}"


_DASH = "-"


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    # Ended by the system is as by Ctrl-C: the training that runs writes a checkpoint first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
