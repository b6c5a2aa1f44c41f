"""A training that is broken off and goes on, beside one that nobody interrupts."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
import torch

from medview.core.errors import CancelledError
from medview.core.job import Inline
from medview.ml.examples import ExampleSet
from medview.ml.recipes.recipe import Recipe
from medview.ml.runs.folder import RunFolder, RunSettings
from medview.ml.training.engine.outcome import Outcome
from medview.ml.training.engine.processes import Processes
from medview.ml.training.engine.train import Training, event_log


def ends_the_same(place: Path, recipe: Recipe, examples: ExampleSet, after: int) -> tuple[RunFolder, Outcome]:
    """Train twice, once with a break before step ``after``; both packs are the same bit for bit. Return the whole one."""
    torch.set_num_threads(1)
    whole, broken = _new(place / "whole", recipe), _new(place / "broken", recipe)
    outcome = _train(whole, examples)
    calls = count(1)
    with pytest.raises(CancelledError):
        _train(broken, examples, lambda: next(calls) >= after)
    assert _train(broken, examples).figures == outcome.figures
    assert (broken.pack / "weights.safetensors").read_bytes() == (whole.pack / "weights.safetensors").read_bytes()
    return whole, outcome


def _new(folder: Path, recipe: Recipe) -> RunFolder:
    folder.mkdir()
    run = RunFolder(folder)
    settings = RunSettings(recipe.task, recipe, 1, "tiny", "Tiny", "1.0.0", "2026-01-01T00:00:00+00:00", device="cpu")
    run.write_json(run.settings_file, settings.document())
    return run


def _train(run: RunFolder, examples: ExampleSet, asked: Callable[[], bool] = lambda: False) -> Outcome:
    settings = run.settings()
    with event_log(run, settings, Processes()) as events:
        outcome = Training(run, settings, examples, Inline(), asked).carry_out(Processes(), events)
    assert outcome is not None
    return outcome
