"""A training that somebody works beside gives way; one from a terminal does not."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from medview.core.errors import CancelledError, ModelError
from medview.core.job import Inline
from medview.ml.runs.events import Event, EventLog
from medview.ml.runs.folder import RunFolder
from medview.workspace.training import process
from medview.workspace.training.breaks import breaks
from medview.workspace.training.process import NICE, follow, start_training, wait_for
from tests.ml.runs.test_runs import settings


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, Any]]]:
    found: list[tuple[list[str], dict[str, Any]]] = []
    monkeypatch.setattr(process.subprocess, "Popen", lambda command, **how: found.append((command, how)))
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    return found


def test_what_runs_in_the_background_lets_others_have_the_processor_and_the_disk(
    started: list[tuple[list[str], dict[str, Any]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process.shutil, "which", lambda name: f"/usr/bin/{name}")
    start_training(tmp_path, background=True)
    start_training(tmp_path, background=True, enough=True)
    start_training(tmp_path)
    (behind, how), (ending, _), (alone, plainly) = started
    assert behind[:3] == ["/usr/bin/ionice", "-c", "3"]
    assert behind[-5:] == ["train", "--run", str(tmp_path), "--background", "--quiet"]
    assert ending[-5:] == ["train", "--stop", str(tmp_path), "--background", "--quiet"]
    assert alone[-4:] == ["train", "--run", str(tmp_path), "--quiet"]
    assert how["env"]["OMP_WAIT_POLICY"] == "PASSIVE"
    assert "OMP_WAIT_POLICY" not in plainly["env"]


@pytest.mark.skipif(sys.platform == "win32", reason="the priority is set by who starts it there")
def test_giving_way_lowers_the_priority_of_the_process() -> None:
    script = "from medview.workspace.training.process import give_way; import os; give_way(); print(os.nice(0))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(told.stdout) == min(19, os.nice(0) + NICE)


_CALM = """
import pathlib, signal, sys
def end(*_):
    pathlib.Path(sys.argv[1]).write_text("kept")
    sys.exit(1)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
signal.pause()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals to send")
def test_ctrl_c_lets_the_training_end_its_step_whatever_is_being_told_meanwhile(tmp_path: Path) -> None:
    with contextlib.closing(EventLog(RunFolder(tmp_path).events)) as log:
        log.add("step", step=1)
    checkpoint = tmp_path / "checkpoint"
    training = subprocess.Popen([sys.executable, "-c", _CALM, str(checkpoint)], stdout=subprocess.PIPE)

    def told(_event: Event) -> None:
        assert training.stdout is not None
        training.stdout.readline()
        os.kill(os.getpid(), signal.SIGINT)

    with training, breaks() as asked, pytest.raises(CancelledError, match="go on with medview train --run"):
        wait_for(training, tmp_path, told, asked)
    assert checkpoint.read_text() == "kept"


def ended(path: Path, *events: dict[str, Any]) -> RunFolder:
    """Return a training nobody is at any more, which said something at last."""
    run = RunFolder(path)
    run.write_json(run.settings_file, settings().document())
    with contextlib.closing(EventLog(run.events)) as log:
        for event in events:
            log.add(**event)
    return run


STEP = {"kind": "step", "step": 1, "steps": 9, "loss": 0.5}
PAUSED = {"kind": "stopped", "reason": "asked"}
FAILED = {"kind": "failed", "text": "The disk has no room."}


@pytest.mark.parametrize(
    ("events", "code", "error", "said"),
    [
        ([STEP, PAUSED], 1, CancelledError, "Training stopped; go on with medview train --run"),
        ([STEP, FAILED], 1, ModelError, "The disk has no room."),
        ([PAUSED, STEP, FAILED], 1, ModelError, "The disk has no room."),
        ([FAILED, STEP, PAUSED], 1, CancelledError, "Training stopped"),
        ([STEP, {"kind": "stopped", "reason": "steps", "step": 9}], 1, ModelError, "ended by itself"),
        ([STEP], 1, ModelError, "ended by itself"),
        ([STEP, FAILED], 3, ModelError, "ended by itself"),
    ],
)
def test_whoever_waits_for_a_training_is_told_how_it_ended(
    tmp_path: Path, events: list[dict[str, Any]], code: int, error: type[Exception], said: str
) -> None:
    ended(tmp_path, *events)
    with (
        subprocess.Popen([sys.executable, "-S", "-c", f"raise SystemExit({code})"]) as training,
        pytest.raises(error, match=said) as raised,
    ):
        wait_for(training, tmp_path, lambda _event: None, lambda: False)
    assert type(raised.value) is error


def test_whoever_follows_a_training_is_told_that_it_failed_unless_it_went_on(tmp_path: Path) -> None:
    seen: list[str] = []
    ended(tmp_path, STEP, FAILED)
    with pytest.raises(ModelError, match="no room"):
        follow(tmp_path, lambda event: seen.append(event["kind"]), Inline())
    assert seen == ["step", "failed"]
    run = ended(tmp_path, {"kind": "resumed", "step": 1}, PAUSED)
    assert follow(tmp_path, lambda _event: None, Inline()) == {}
    ended(tmp_path, FAILED)
    run.write_json(run.result, {"steps": 9})
    assert follow(tmp_path, lambda _event: None, Inline()) == {"steps": 9}


def test_following_a_training_leaves_nothing_in_its_folder(tmp_path: Path) -> None:
    ended(tmp_path, STEP, PAUSED)
    before = sorted(tmp_path.iterdir())
    assert follow(tmp_path, lambda _event: None, Inline()) == {}
    assert sorted(tmp_path.iterdir()) == before
