"""Whoever follows a training by its folder sees where it stands, and its curves without steps that were made again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medview.ml.runs.control import Ask, ask
from medview.ml.runs.events import EventLog
from medview.ml.runs.folder import RunFolder
from medview.workspace.training.run_tail import MOST_POINTS, QUEUED, STARTING_S, Curve, RunTail
from medview.workspace.training.run_view import RunPhase
from tests.ml.runs.test_runs import settings


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path)
    run.write_json(run.settings_file, settings().document())
    return run


def steps(log: EventLog, first: int, last: int, loss: float = 1.0) -> None:
    for step in range(first, last + 1):
        log.add("step", step=step, steps=40, rate=0.1, loss=loss)


def test_a_training_goes_through_its_phases(run: RunFolder) -> None:
    now = [0.0]
    tail = RunTail(run.path, lambda: now[0])
    assert tail.look().phase is RunPhase.PAUSED
    (run.path / QUEUED).touch()
    assert tail.look().phase is RunPhase.QUEUED
    (run.path / QUEUED).unlink()
    tail.started_at = now[0]
    assert tail.look().phase is RunPhase.STARTING
    now[0] = STARTING_S
    assert tail.look().phase is RunPhase.PAUSED
    with run.held():
        log = EventLog(run.events)
        log.add("stage", name="train")
        steps(log, 1, 8)
        log.add("check", step=8, best=True, score=0.5, dice_a=0.4)
        view = tail.look()
        assert (view.phase, view.step, view.steps) == (RunPhase.TRAINING, 8, 40)
        assert view.can_pause
        assert view.can_stop
        assert view.best is not None
        assert view.best.figures == {"score": 0.5, "dice_a": 0.4}
        # The settings give it 12.5 minutes.
        assert view.left_s == pytest.approx(750.0, abs=5.0)
        ask(run, Ask.PAUSE)
        assert tail.look().phase is RunPhase.STOPPING
        run.control.unlink()
        log.add("stopped", reason="asked")
    view = tail.look()
    assert (view.phase, view.text) == (RunPhase.PAUSED, "")
    assert view.can_go_on
    with run.held():
        log.add("stage", name="train")
        log.add("resumed", step=4)
        steps(log, 5, 6, loss=2.0)
    view = tail.look()
    assert (view.phase, view.looks) == (RunPhase.PAUSED, ())
    assert "broken off" in view.text
    assert np.allclose(view.loss.losses, [1, 1, 1, 1, 2, 2])
    log.add("failed", text="The loss is no number any longer.")
    assert (tail.look().phase, tail.look().text) == (RunPhase.FAILED, "The loss is no number any longer.")
    with run.held():
        log.add("stage", name="evaluate")
        assert tail.look().phase is RunPhase.JUDGING
        run.write_json(run.result, {"score": 0.5})
        log.add("done", score=0.5)
    log.close()
    view = tail.look()
    assert (view.phase, view.fraction, view.result) == (RunPhase.DONE, 1.0, {"score": 0.5})
    assert view.can_delete
    assert not view.can_go_on


def test_one_that_begins_anew_from_nothing_and_a_newer_one_are_seen_as_they_are(run: RunFolder) -> None:
    tail = RunTail(run.path)
    run.write_json(run.pace, {"step_seconds": 0.5})
    run.write_json(run.plan, {"batch": 4})
    view = tail.look()
    assert (view.pace, view.batch) == ({"step_seconds": 0.5}, 4)
    run.write_json(run.path / "gate.json", {"verdict": "kept", "sentence": "It is not better."})
    gate = tail.look().gate
    assert gate is not None
    assert gate["verdict"] == "kept"


@pytest.mark.parametrize("code", [1, -9])
def test_a_process_that_ends_before_its_first_event_has_failed_and_says_why(run: RunFolder, code: int) -> None:
    tail = RunTail(run.path)
    log = EventLog(run.events)
    log.add("stopped", reason="asked")
    log.close()
    run.log.write_text("Traceback\nImportError: libgomp.so.1 is missing\n\n")
    tail.look()
    tail.started()
    with run.held():
        assert tail.look().phase is RunPhase.TRAINING
    tail.ended(code)
    view = tail.look()
    assert view.phase is RunPhase.FAILED
    assert view.can_go_on
    # What it says there may be older where somebody killed it.
    assert ("libgomp" in view.text) == (code == 1)
    assert ("log.txt" in view.text) == (code != 1)
    (run.path / QUEUED).touch()
    assert tail.look().phase is RunPhase.QUEUED
    (run.path / QUEUED).unlink()
    tail.started()
    tail.ended(0)
    assert tail.look().phase is RunPhase.PAUSED
    # One that has said something is broken off, whatever its code.
    tail.started()
    log = EventLog(run.events)
    log.add("stage", name="plan")
    log.close()
    tail.ended(code)
    assert "broken off" in tail.look().text


def test_a_long_curve_keeps_its_shape_in_few_points() -> None:
    curve = Curve()
    for step in range(1, 20_001):
        curve.add(step, 1.0 / step)
    drawn = curve.curve()
    assert MOST_POINTS <= len(drawn.steps) <= 2 * MOST_POINTS
    assert np.all(np.diff(drawn.steps) > 0)
    assert np.allclose(drawn.losses[5:] * drawn.steps[5:], 1.0, rtol=0.05)
    curve.back_to(10_000)
    assert curve.curve().steps.max() <= 10_000
