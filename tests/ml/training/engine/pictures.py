"""A small set of pictures to learn from, in memory, and a training of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.volume import Volume
from medview.ml.examples import Example, ExampleSet, TrainingClass, Truth
from medview.ml.recipes.reader import read_recipe
from medview.ml.recipes.recipe import Recipe
from medview.ml.runs.folder import RunFolder, RunSettings
from medview.ml.spec import Task
from medview.ml.training.engine.outcome import Outcome
from medview.ml.training.engine.processes import Processes
from medview.ml.training.engine.train import Training, event_log
from medview.ml.training.task import TrainingTask

CLASSES = ("plain", "spot")


def recipe(**changes: Any) -> Recipe:
    """Return a recipe of some steps; keys as in its file."""
    document = {
        "recipe_version": 1, "name": "tiny", "task": "classification", "network": "small_cnn",
        "network_options": {"dropout": 0.2}, "batch": 6, "optimiser": {"name": "adamw", "rate": 0.003}, "loss": "ce",
        "augment": {"shift": 0.1, "noise": 0.1}, "steps": 12, "check_every": 4, "average": 0.9,
    }  # fmt: skip
    return read_recipe(json.dumps({**document, **changes}))


def examples(count: int = 20) -> ExampleSet:
    """Return pictures, every other one with a bright spot; a fifth of them for validation."""
    made = [_example(n) for n in range(count)]
    return ExampleSet(Task.CLASSIFICATION, tuple(TrainingClass(name) for name in CLASSES), ("image",), (*made, locked()))


def _example(n: int) -> Example:
    spot = n % 2
    pixels = np.random.default_rng(n).normal(100, 15, (1, 16, 16))
    pixels[:, 4:9, 6:12] += 60 * spot
    affine = np.eye(4)[[2, 1, 0, 3]]
    grid = Geometry((1, 16, 16), affine, calibration=Calibration.PIXELS)
    volume = Volume(pixels.clip(0, 255).astype(np.uint8), grid)
    answers = {name: float(number == spot) for number, name in enumerate(CLASSES)}
    split = "val" if n % 5 == 4 else "train"
    return Example(f"case_{n:04d}", f"P{n:04d}", split, lambda: (volume,), lambda: Truth(answers=answers))


def locked() -> Example:
    """Return a test case that must not be looked at."""

    def look() -> NoReturn:
        raise AssertionError("a locked test case was looked at")

    return Example("case_9999", "P9999", "test", look, look)


def new_run(folder: Path, *, seed: int = 1, minutes: float | None = None, **changes: Any) -> RunFolder:
    """Make the folder of a training; ``changes`` are of the recipe."""
    folder.mkdir(parents=True)
    run = RunFolder(folder)
    settings = RunSettings(
        Task.CLASSIFICATION, recipe(**changes), seed, "tiny", "Tiny", "1", "2026-01-01T00:00:00+00:00", minutes=minutes,
        device="cpu",
    )  # fmt: skip
    run.write_json(run.settings_file, settings.document())
    return run


def train(
    run: RunFolder,
    asked: Callable[[], bool] = lambda: False,
    task: TrainingTask | None = None,
    settings: RunSettings | None = None,
) -> Outcome:
    """Train in this process."""
    settings = settings or run.settings()
    with event_log(run, settings, Processes()) as events:
        outcome = Training(run, settings, examples(), Inline(), asked, task).carry_out(Processes(), events)
    assert outcome is not None
    return outcome


def weights(run: RunFolder) -> bytes:
    """Return the weights of the pack, byte for byte."""
    return (run.pack / "weights.safetensors").read_bytes()
