"""The rungs of fine-tuning beside each other, on few cases of a dataset: what the defaults of ``ml.lineage`` rest on.

    python -m tests.accuracy.ladder RUN/dataset -o FOLDER [--situation contrast|split|added] [--cases 5 10] [--seeds 1]

Of the dataset folder only training cases are used: some make the parent, others are gone on with, others judge. Steps are
counted, not time, so that other work on the computer changes nothing but the seconds.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from medview.core.job import Inline
from medview.core.volume import Rescale, Volume
from medview.io.datasets.neutral_read import read_neutral
from medview.ml.examples import Example, ExampleSet, TrainingClass, Truth
from medview.ml.lineage.recipe import recipe_from_parent
from medview.ml.packs import ModelPack, copy_pack, load_pack
from medview.ml.recipes.recipe import Recipe
from medview.ml.recipes.table import choose
from medview.ml.runs.folder import RunFolder, RunSettings
from medview.ml.spec import Task
from medview.ml.training.engine.plan_file import read_plan
from medview.ml.training.engine.processes import Processes
from medview.ml.training.engine.train import Training, event_log
from medview.ml.training.segmentation.task import SegmentationTask
from medview.ml.weights import load_network
from medview.workspace.training.examples import examples_of

VARIANTS: dict[str, dict[str, Any] | None] = {
    "nothing": None,
    "head": {"tune": "head"},
    "decoder": {"tune": "decoder"},
    "all": {"tune": "all"},
    "all, encoder as fast": {"tune": "all", "encoder_rate": 1.0},
    "adapters": {"tune": "adapters"},
}

PARENT, VALIDATION, JUDGES = 40, 6, 16
"""Cases."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Why a model is gone on with.

    Attributes
    ----------
    before, after : callable
        What an example of the parent, and one of those gone on with, becomes.
    classes_before, classes : tuple of str
    keeps : bool
        Whether the parent's cases are learnt from as well, as a project's are.
    renames : dict of str to str
    """

    before: Callable[[Example], Example]
    after: Callable[[Example], Example]
    classes_before: tuple[str, ...]
    classes: tuple[str, ...]
    keeps: bool = False
    renames: dict[str, str] | None = None


def _same(example: Example) -> Example:
    return example


def _other_contrast(example: Example) -> Example:
    """Return what another scanner might show: another contrast, less signal on one side, and noise."""

    def volumes() -> tuple[Volume, ...]:
        (volume,) = example.volumes()
        values = volume.values().astype(np.float32)
        values = (values - values.min()) / max(float(values.max() - values.min()), 1.0)
        other = values**1.8 * np.linspace(1.0, 0.4, values.shape[2], dtype=np.float32)
        other += np.random.default_rng(sum(example.key.encode())).normal(0, 0.04, values.shape).astype(np.float32)
        return (replace(volume, voxels=(other * 1000.0).astype(np.int16), rescale=Rescale()),)

    return replace(example, volumes=volumes)


def _labelled(table: Sequence[int], open_classes: frozenset[int] = frozenset()) -> Callable[[Example], Example]:
    """Return what renumbers classes; 0 to 2 become what stands at their places."""
    numbers = np.arange(256, dtype=np.uint8)
    numbers[: len(table)] = table

    def of(example: Example) -> Example:
        def truth() -> Truth:
            layers = example.truth().layers
            assert layers is not None
            return Truth(numbers[layers], open_classes)

        return replace(example, truth=truth)

    return of


SITUATIONS = {
    # The same classes in images of another contrast.
    "contrast": Situation(_same, _other_contrast, ("Anterior", "Posterior"), ("Anterior", "Posterior")),
    # A class becomes two.
    "split": Situation(
        _labelled((0, 1, 1)), _same, ("Hippocampus",), ("Anterior", "Posterior"), renames={"Hippocampus": "Anterior"}
    ),
    # A class is added; the cases of before say nothing of it.
    "added": Situation(_labelled((0, 1, 0)), _same, ("Anterior",), ("Anterior", "Posterior"), keeps=True),
}


def _of_split(examples: Sequence[Example], split: str, made: Callable[[Example], Example] = _same) -> tuple[Example, ...]:
    return tuple(replace(made(one), split=split) for one in examples)


def _set(base: ExampleSet, names: Sequence[str], *parts: Sequence[Example]) -> ExampleSet:
    classes = tuple(TrainingClass(name) for name in names)
    return replace(base, classes=classes, examples=tuple(one for part in parts for one in part))


def _train(folder: Path, recipe: Recipe, examples: ExampleSet, parent: ModelPack | None, **more: Any) -> ModelPack:
    """Train, or return what an earlier call made."""
    run = RunFolder(folder)
    if not (run.pack / "model.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        seed = int(more.pop("seed"))
        key = "" if parent is None else parent.spec.key
        settings = RunSettings(
            Task.SEGMENTATION, recipe, seed, "ladder", "Ladder", "1", "2026-01-01T00:00:00+00:00", parent=key, **more
        )
        if parent is not None:
            copy_pack(parent, run.parent)
        run.write_json(run.settings_file, settings.document())
        with event_log(run, settings, Processes()) as events:
            Training(run, settings, examples, Inline(), lambda: False).carry_out(Processes(), events)
    return load_pack(run.pack)


def _judged(folder: Path, judges: Sequence[Example]) -> dict[str, float]:
    """Return the mean Dice of each class on cases no training of it has seen."""
    run, task = RunFolder(folder), SegmentationTask()
    plan = read_plan(run)
    assert plan is not None
    for one in judges:
        task.store(one, plan, run.cache, Inline())
    data = task.open(run.cache, [one.key for one in judges], plan)
    found = task.check(load_network(load_pack(run.pack)), data, plan, Inline())
    return {name.removeprefix("dice_"): round(value, 4) for name, value in found.items() if name != "score"}


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Train what is not there yet, and print the table."""
    asked = argparse.ArgumentParser()
    asked.add_argument("dataset", type=Path)
    asked.add_argument("-o", "--output", type=Path, required=True)
    asked.add_argument("--situation", choices=SITUATIONS, nargs="+", default=list(SITUATIONS))
    asked.add_argument("--cases", type=int, nargs="+", default=[5, 10])
    asked.add_argument("--seeds", type=int, default=1)
    asked.add_argument("--steps", type=int, default=120)
    asked.add_argument("--parent-steps", type=int, default=400)
    asked.add_argument("--rates", type=float, nargs="+", default=[0.3])
    asked.add_argument("--variants", nargs="+", default=list(VARIANTS))
    asked.add_argument("--features", type=int, default=8)
    asked.add_argument("--room", type=float, default=0.5)
    asked.add_argument("--threads", type=int, default=2)
    given = asked.parse_args()
    torch.set_num_threads(given.threads)
    base = examples_of(read_neutral(given.dataset, check=False), Task.SEGMENTATION)
    usual = choose(Task.SEGMENTATION)
    options = {**usual.options, "precision": "full", "room": given.room}
    usual = replace(usual, network_options={"features": given.features, "millions": 1.2}, options=options)
    for name in given.situation:
        _table(name, base, usual, given)


def _table(name: str, base: ExampleSet, usual: Recipe, given: argparse.Namespace) -> None:
    how, place = SITUATIONS[name], given.output / name
    training = sorted(base.of_split("train"), key=lambda one: one.key)
    order = np.random.default_rng(7).permutation(len(training))
    picked = [training[n] for n in order]
    first, judges, rest = picked[:PARENT], picked[PARENT : PARENT + JUDGES], picked[PARENT + JUDGES :]
    validation, rest = rest[:VALIDATION], rest[VALIDATION:]
    known = _set(base, how.classes_before, _of_split(first, "train", how.before), _of_split(validation, "val", how.before))
    recipe = replace(usual, steps=given.parent_steps, check_every=max(1, given.parent_steps // 4))
    parent = _train(place / "parent", recipe, known, None, seed=0)
    _say(f"{name}, the parent: {json.dumps(_judged(place / 'parent', _of_split(judges, 'test', how.before)))}")
    for cases in given.cases:
        for variant in given.variants:
            changes = VARIANTS[variant]
            for rate in given.rates if changes is not None else [1.0]:
                found, seconds = [], 0.0
                for seed in range(given.seeds):
                    some = rest[seed * cases : (seed + 1) * cases]
                    old = _of_split(first, "train", _labelled((0, 1, 0), frozenset({2}))) if how.keeps else ()
                    learnt = _set(
                        base, how.classes, old, _of_split(some, "train", how.after), _of_split(validation, "val", how.after)
                    )
                    made = replace(usual, steps=given.steps, check_every=max(1, given.steps // 3))
                    if changes is not None:
                        made = replace(made, options={**made.options, **changes, "tune_rate": rate})
                        made = recipe_from_parent(made, parent.spec, given=False)
                    folder = place / f"{variant.replace(' ', '-').replace(',', '')}-{rate:g}-{cases}-{seed}"
                    begun = time.monotonic()
                    renames = how.renames or {}
                    _train(folder, made, learnt, None if changes is None else parent, seed=seed, renames=renames)
                    seconds += time.monotonic() - begun
                    found.append(_judged(folder, _of_split(judges, "test", how.after)))
                means = {key: round(float(np.mean([one[key] for one in found])), 4) for key in found[0]}
                row = {"cases": cases, "variant": variant, "rate": rate, **means, "seconds": round(seconds, 1)}
                _say(json.dumps(row))


if __name__ == "__main__":
    main()
