"""Train and judge what ``docs/accuracy.md`` publishes.

    python -m tests.accuracy.trainings                        all rows, one after the other
    python -m tests.accuracy.trainings pneumonia bccd-15min   these; sunnybrook runs all whose name begins so
    python -m tests.accuracy.trainings --list                 rows, minutes, and what is done
    python -m tests.accuracy.trainings --write-docs           no training: docs/accuracy.md from what is done

What is done is not done again, what was broken off goes on. MEDVIEW_TEST_DATA names the folder of the data;
MEDVIEW_ACCURACY_SHARE=0.02 gives every training that part of its time, to try whether it works.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from medview.core.errors import MedViewError
from tests.accuracy.trainings.bench import Bench
from tests.accuracy.trainings.command_line import ROOT, CommandError
from tests.accuracy.trainings.page import keep_results, write_page
from tests.accuracy.trainings.row import Row
from tests.accuracy.trainings.rows import ROWS

WORK = ROOT / "build" / "accuracy"


def bench_of_environment(work: Path = WORK) -> Bench:
    """Return the bench that the environment describes. Raises KeyError without data."""
    data = Path(os.environ["MEDVIEW_TEST_DATA"]).resolve()
    return Bench(work.resolve(), data, float(os.environ.get("MEDVIEW_ACCURACY_SHARE", "1")), _say)


def chosen(names: list[str]) -> list[Row]:
    """Return rows by name, or by how names begin; all for none. Raises ValueError for a name that is none."""
    found: dict[str, Row] = {}
    for name in names or [""]:
        own = [ROWS[name]] if name in ROWS else [row for row in ROWS.values() if row.name.startswith(name)]
        if not own:
            raise ValueError(f"{name} is no row; --list tells them")
        found |= {row.name: row for row in own}
    return [row for row in ROWS.values() if row.name in found]


def main() -> int:
    """Run the command line; 1 where a row failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW")
    parser.add_argument("--work", type=Path, default=WORK, help="projects, trainings and results (build/accuracy)")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--write-docs", action="store_true", help="only write docs/accuracy.md from what is done")
    options = parser.parse_args()
    try:
        bench, rows = bench_of_environment(options.work), chosen(options.rows)
    except KeyError:
        parser.error("MEDVIEW_TEST_DATA does not name the folder of the data")
    except ValueError as error:
        parser.error(str(error))
    if options.list:
        for row in rows:
            print(_listed(bench, row))
        return 0
    try:
        failed = [] if options.write_docs else [row.name for row in rows if not _carried_out(bench, row)]
    except KeyboardInterrupt:
        print("Stopped; the same command goes on.", file=sys.stderr)
        return 130
    keep_results(bench)
    write_page()
    if failed:
        print(f"Did not end: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


def _carried_out(bench: Bench, row: Row) -> bool:
    """Run a row and tell its figures; the others go on where one fails."""
    try:
        result = bench.carry_out(row)
    except (CommandError, MedViewError, FileNotFoundError) as error:
        print(f"{row.name}: {error}", file=sys.stderr, flush=True)
        return False
    figures = ", ".join(f"{name} {one['value']:.4f}" for name, one in result["figures"].items() if one["value"] is not None)
    missed = [one["figure"] for one in result["thresholds"] if not one["reached"]]
    print(f"{row.name}: {figures}{'; missed: ' + ', '.join(missed) if missed else ''}", flush=True)
    return True


def _listed(bench: Bench, row: Row) -> str:
    steps = f"{bench.recipe(row)['steps']} steps" if row.minutes is None else f"{row.minutes:g} min"
    budget = f"{row.folds} x {steps}" if row.folds else steps
    state = "done" if bench.result(row) else "begun" if bench.folder(row).exists() else ""
    return f"{row.name:<34}{budget:<14}{state:<7}{row.title}"


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    # Ended by the system is as by Ctrl-C: the training that runs writes a checkpoint first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
