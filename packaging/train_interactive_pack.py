"""Train, judge and ship the pack that finds one object from prompts, on phantoms, hippocampi and hearts.

    python packaging/train_interactive_pack.py RUN --minutes 120     train in a folder; again to go on
    python packaging/train_interactive_pack.py RUN --ship            write resources/packs/prompted-objects

RUN/report.html tells how good it is beside growing, RUN/events.jsonl how it goes, tensorboard --logdir RUN shows curves.
The real images are looked for where MEDVIEW_TEST_DATA says. What is read stands in interactive_examples.py; the recipe and
the engine are those of ``medview train --task interactive``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import torch
from interactive_examples import DATA, LICENCE, interactive_examples

import medview
from medview.core.errors import CancelledError
from medview.core.job import Inline
from medview.ml.examples import ExampleSet
from medview.ml.guards.finding import Severity
from medview.ml.guards.guard import guard
from medview.ml.packs import ModelPack, load_pack, write_pack
from medview.ml.recipes.table import choose
from medview.ml.runs.folder import RunFolder, RunSettings
from medview.ml.spec import Task
from medview.ml.training.engine.processes import Processes
from medview.ml.training.engine.train import Training, event_log
from medview.ml.training.interactive.task import InteractiveTask
from medview.workspace.evaluation.model_card import CARD_FILE
from medview.workspace.requests_prompt import grow_first
from medview.workspace.training.breaks import breaks
from medview.workspace.training.judged import judge

ROOT = Path(__file__).resolve().parents[1]
PACK_ID = "prompted-objects"
NAME = "Single objects from prompts"
SUMMARY = "One object from clicks, scribbles, boxes and lassos, in volumes and pictures."
NOTICE = "Learnt on few kinds of objects: check what it finds."
LICENCE_TEXT = """\
These weights are licensed under the Creative Commons Attribution-ShareAlike 4.0 International licence (CC BY-SA 4.0):
https://creativecommons.org/licenses/by-sa/4.0/legalcode

They were trained on, among others, images and labels of hippocampi of the Medical Segmentation Decathlon, Task04
(A. L. Simpson and others, https://arxiv.org/abs/1902.09063; data of Vanderbilt University Medical Center), CC BY-SA 4.0,
cut to patches and prepared by MedView; and on the Sunnybrook Cardiac Data, which are in the public domain.
"""
LARGEST_BYTES = 10_000_000


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of the training")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("MEDVIEW_TEST_DATA", ROOT / "../shared/data")))
    parser.add_argument("--minutes", type=float, default=None, help="wall time; the recipe's steps unless given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--recipe", default=None, help="name or file; interactive-clicks unless given")
    parser.add_argument("--threads", type=int, default=0, help="of torch; as many as there are cores unless given")
    parser.add_argument("--every", type=int, default=1, help="take every n-th example only, for a quick try")
    parser.add_argument("--ship", action="store_true")
    options = parser.parse_args()
    run = RunFolder(options.run)
    if options.ship:
        print(f"{ship(run).folder} {json.dumps(load_pack(run.pack).spec.card.metrics, indent=1)}")
        return
    if options.threads:
        torch.set_num_threads(options.threads)
    with (
        tempfile.TemporaryDirectory(prefix="medview-") as room,
        interactive_examples(options.data, Path(room), Inline()) as examples,
    ):
        if options.every > 1:
            thinned = [one for split in ("train", "val") for one in examples.of_split(split)[:: options.every]]
            examples = replace(examples, examples=tuple(thinned))
        train(run, examples, options)


def train(run: RunFolder, examples: ExampleSet, options: argparse.Namespace) -> None:
    """Train from wherever an earlier process ended, judge, and write the report and the card."""
    began = time.monotonic()
    run.path.mkdir(parents=True, exist_ok=True)
    if not run.settings_file.exists():
        found = guard(examples, Inline())
        run.write_json(run.guards, found.document())
        if found.blocked:
            raise SystemExit("\n".join(finding.sentence for finding in found.of(Severity.BLOCK)))
        run.write_json(run.settings_file, made_settings(options).document())
    settings = run.settings()
    processes = Processes.of_environment()
    with run.held(), breaks() as asked, event_log(run, settings, processes, time.monotonic() - began) as log:
        try:
            outcome = Training(run, settings, examples, Inline(), asked, InteractiveTask(grow_first)).carry_out(
                processes, log
            )
        except CancelledError as stopped:
            print(stopped.sentence)
            return
        finally:
            processes.part()
        if outcome is None or log is None:
            return
        report = judge(run, settings, examples, outcome, log.used, Inline())
        log.add("done", model=outcome.pack.spec.key, steps=outcome.steps, seconds=round(log.used, 1))
    print(json.dumps(report.metrics(), indent=1))
    print(f"clicks: {report.document()['click_seconds']}; the report is {run.report_page}")


def made_settings(options: argparse.Namespace) -> RunSettings:
    """Return what the training is started with."""
    return RunSettings(
        task=Task.INTERACTIVE,
        recipe=choose(Task.INTERACTIVE, options.recipe),
        seed=options.seed,
        model_id=PACK_ID,
        model_name=NAME,
        model_version="1.0.0",
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        minutes=options.minutes,
        device="auto",
        versions={"medview": medview.__version__, "python": platform.python_version(), "torch": str(torch.__version__)},
    )


def ship(run: RunFolder) -> ModelPack:
    """Write the pack of a run into the resources, with card and licence; if it is too large the one that is there stays."""
    pack = load_pack(run.pack)
    content = {name: value for name, value in pack.spec.document.items() if name != "files"}
    said = str(content["licence"])
    content |= {"summary": SUMMARY, "notice": NOTICE, "licence": LICENCE}
    card = dict(content["card"])  # type: ignore[call-overload]
    card["training_data"] = f"{DATA} {card['training_data']}".replace(said, LICENCE)[:2000]
    content["card"] = card
    text = (run.pack / CARD_FILE).read_text(encoding="utf-8").replace(said, LICENCE)
    files = {
        "weights.safetensors": pack.weights.read_bytes(),
        "LICENSE": LICENCE_TEXT.encode(),
        CARD_FILE: text.replace("## Data\n", f"## Data\n\n{DATA}\n").encode(),
    }
    folder = ROOT / "resources" / "packs" / PACK_ID
    with tempfile.TemporaryDirectory(prefix="medview-") as room:
        made = write_pack(Path(room) / PACK_ID, content, files)
        if sum(file.stat().st_size for file in made.folder.iterdir()) > LARGEST_BYTES:
            raise SystemExit(f"{PACK_ID} is larger than a pack that is shipped may be.")
    return write_pack(folder, content, files)


if __name__ == "__main__":
    main()
