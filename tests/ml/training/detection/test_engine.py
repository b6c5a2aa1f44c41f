"""The engine trains detection: a broken-off training ends bit for bit as a whole one, and its pack finds boxes."""

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
from tests.ml.training.pictures import discs, recipe

EXAMPLES = discs(count=8, channels=3)


def _run(folder: Path) -> RunFolder:
    folder.mkdir()
    run = RunFolder(folder)
    made = recipe(
        "detection",
        "fpn_detector",
        network_options={"channels": [8, 12, 16, 24, 24], "width": 16},
        loss="focal",
        optimiser={"name": "adamw", "rate": 0.01},
        batch=4,
        steps=30,
        check_every=10,
        average=0.5,
        augment={"flip_i": 0.5, "scale": 0.1},
        options={"precision": "full"},
    )
    settings = RunSettings(Task.DETECTION, made, 1, "tiny", "Tiny", "1.0.0", "2026-01-01T00:00:00+00:00", device="cpu")
    run.write_json(run.settings_file, settings.document())
    return run


def _train(run: RunFolder, asked: Callable[[], bool] = lambda: False) -> Outcome:
    settings = run.settings()
    with event_log(run, settings, Processes()) as events:
        outcome = Training(run, settings, EXAMPLES, Inline(), asked).carry_out(Processes(), events)
    assert outcome is not None
    return outcome


def test_a_training_that_is_broken_off_ends_as_a_whole_one_and_its_pack_finds_boxes(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    whole, broken = _run(tmp_path / "whole"), _run(tmp_path / "broken")
    outcome = _train(whole)
    calls = count(1)
    with pytest.raises(CancelledError):
        _train(broken, lambda: next(calls) >= 20)
    again = _train(broken)
    assert again.figures == outcome.figures
    assert (broken.pack / "weights.safetensors").read_bytes() == (whole.pack / "weights.safetensors").read_bytes()
    assert outcome.figures["map50"] > 0.3
    # A picture in colour, given as its three parts; the classes are those of the set.
    volumes = EXAMPLES.of_split("val")[0].volumes()
    found = predict(PredictRequest(volumes[0], load_pack(whole.pack), device="cpu", others=volumes[1:]), Inline()).boxes
    let_go()
    assert {box.label for box in found} <= {"bright", "dark"}
    assert found
