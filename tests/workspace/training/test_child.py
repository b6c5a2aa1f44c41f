"""A training in its folder: paused by a file, gone on with, and ended with the best it has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from medview.cli.main import run_command
from medview.core.errors import CancelledError, ModelError
from medview.core.job import Inline
from medview.core.resources import resource_path
from medview.io.reader_pool import InlinePool
from medview.ml.packs import load_pack
from medview.ml.recipes.reader import read_recipe
from medview.ml.runs import control
from medview.ml.runs.control import Ask, ask
from medview.ml.runs.events import read_events
from medview.ml.runs.folder import RunBusyError, RunFolder
from medview.ml.spec import Task
from medview.workspace.training.child import train_run
from medview.workspace.training.freeze import Wanted, freeze
from tests.workspace.training.test_freeze import pictures


class AtStep(Inline):
    """A context of somebody who asks for something while steps are made."""

    def __init__(self, run: RunFolder, what: Ask) -> None:
        super().__init__()
        self._run, self._what = run, what

    def progress(self, fraction: float, text: str) -> None:
        if text.startswith("Step "):
            ask(self._run, self._what)


def small_run(folder: Path) -> RunFolder:
    document: dict[str, Any] = json.loads(resource_path("recipes/classification-small-cnn.json").read_text())
    document |= {"batch": 4, "network_options": {"width": 8}, "steps": 100_000, "check_every": 50_000, "patience": 0}
    source = pictures(folder / "d", count=20)
    wanted = Wanted(source, Task.CLASSIFICATION, read_recipe(json.dumps(document)), confirmed=True, device="cpu")
    return freeze(wanted, folder / "run", Inline(), InlinePool(), lambda _said: None)


def test_a_pause_ends_with_a_checkpoint_and_stop_makes_a_pack_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(control, "LOOK_S", 0.0)
    torch.set_num_threads(1)
    run = small_run(tmp_path)
    # A kill may leave a checkpoint that was never whole.
    left = [run.checkpoints / ".medview-a.tmp", run.cache / ".medview-b.tmp", run.cache / ".part-c" / "values.npy"]
    for file in left:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    with pytest.raises(ModelError, match="no steps to keep"):
        train_run(run.path, Inline(), lambda: False, enough=True)
    # What was asked before it began counts for nothing.
    ask(run, Ask.STOP)
    with pytest.raises(CancelledError):
        train_run(run.path, AtStep(run, Ask.PAUSE), lambda: False)
    assert not run.control.exists()
    # What a killed process was writing is gone.
    assert not any(file.exists() for file in left)
    stopped = [event for event in read_events(run.events) if event["kind"] == "stopped"]
    assert [event["reason"] for event in stopped] == ["asked"]
    assert run_command(["train", "--pause", str(run.path)]) == 1
    assert "Nobody trains in run" in capsys.readouterr().err
    assert run_command(["train", "--stop", str(run.path), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["stopped"] == "ended early"
    assert load_pack(run.pack).spec.key == result["model"]
    # What only going on would need takes no room any longer.
    assert not run.cache.exists()
    assert not run.checkpoints.exists()
    assert run_command(["train", "--stop", str(run.path)]) == 1
    assert "is over" in capsys.readouterr().err


def test_who_trains_elsewhere_is_asked_by_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = small_run(tmp_path)
    with run.held():
        for option, what in (("--pause", "pause"), ("--stop", "stop")):
            assert run_command(["train", option, str(run.path)]) == 0
            assert json.loads(run.control.read_text()) == {"ask": what}
    assert "ends with its next step" in capsys.readouterr().err


def test_processes_on_other_computers_that_share_the_disk_leave_the_lock_to_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = small_run(tmp_path)
    monkeypatch.setattr("medview.ml.training.engine.train.Training.carry_out", lambda *_given: None)
    for name, value in {"TORCHELASTIC_RUN_ID": "a", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"}.items():
        monkeypatch.setenv(name, value)
    with run.held():
        ask(run, Ask.STOP)
        monkeypatch.setenv("RANK", "1")
        assert train_run(run.path, Inline(), lambda: False) == {}
        assert run.control.exists()
        monkeypatch.setenv("RANK", "0")
        with pytest.raises(RunBusyError):
            train_run(run.path, Inline(), lambda: False)
