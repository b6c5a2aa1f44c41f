"""The engine trains segmentation: a broken-off training ends bit for bit as a whole one, and its pack labels volumes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
import torch

from medview.core.errors import CancelledError
from medview.core.job import Inline
from medview.ml.packs import load_pack
from medview.ml.predict import PredictRequest
from medview.ml.runners.run import let_go, predict
from medview.ml.runs.folder import RunFolder, RunSettings
from medview.ml.spec import Task
from medview.ml.training.engine.outcome import Outcome
from medview.ml.training.engine.processes import Processes
from medview.ml.training.engine.train import Training, event_log
from tests.helpers.segmentation_training import phantom_set, tiny_recipe

EXAMPLES = phantom_set(8)


def _run(folder: Path) -> RunFolder:
    folder.mkdir()
    run = RunFolder(folder)
    recipe = tiny_recipe(steps=9, check_every=3, average=0.5, options={"precision": "full"})
    settings = RunSettings(Task.SEGMENTATION, recipe, 1, "tiny", "Tiny", "1.0.0", "2026-01-01T00:00:00+00:00", device="cpu")
    run.write_json(run.settings_file, settings.document())
    return run


def _train(run: RunFolder, asked: Callable[[], bool] = lambda: False) -> Outcome:
    settings = run.settings()
    with event_log(run, settings, Processes()) as events:
        outcome = Training(run, settings, EXAMPLES, Inline(), asked).carry_out(Processes(), events)
    assert outcome is not None
    return outcome


def test_a_training_that_is_broken_off_ends_as_a_whole_one_and_its_pack_labels_volumes(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    whole, broken = _run(tmp_path / "whole"), _run(tmp_path / "broken")
    outcome = _train(whole)
    calls = count(1)
    with pytest.raises(CancelledError):
        _train(broken, lambda: next(calls) >= 5)
    again = _train(broken)
    assert again.figures == outcome.figures
    assert (broken.pack / "weights.safetensors").read_bytes() == (whole.pack / "weights.safetensors").read_bytes()
    pack = load_pack(whole.pack)
    volume = EXAMPLES.of_split("val")[0].volumes()[0]
    mask = predict(PredictRequest(volume, pack, device="cpu"), Inline()).mask
    let_go()
    assert mask is not None
    assert {segment.name for segment in mask.segments} == {"bright", "dark"}
    # Half precision: two bytes for a weight.
    assert (whole.pack / "weights.safetensors").stat().st_size < 2.2 * _weights(whole)


def _weights(run: RunFolder) -> int:
    """Return how many weights the plan counted."""
    plan = run.read_json(run.plan)
    assert plan is not None
    return int(plan["settings"]["weights"])
