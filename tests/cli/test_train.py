"""``medview train``: what it refuses, what it answers, and that Ctrl-C costs nothing."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from medview.cli.main import run_command
from medview.core.resources import resource_path
from medview.ml.packs import load_pack
from medview.ml.runs.events import EventLog, read_events
from medview.ml.runs.folder import RunFolder
from tests.ml.runs.test_runs import settings
from tests.workspace.training.test_freeze import parent_of, pictures

ROOT = Path(__file__).resolve().parents[2]


def recipe_file(folder: Path, **changes: Any) -> Path:
    document = json.loads(resource_path("recipes/classification-small-cnn.json").read_text())
    document |= {"batch": 4, "network_options": {"width": 8}, **changes}
    file = folder / "mine.json"
    file.write_text(json.dumps(document))
    return file


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "medview", "train", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Name a project to train on"),
        (["P", "--run", "R"], "one of them"),
        (["P", "--task", "classification"], "-o RUN"),
        (["P", "--task", "cooking", "-o", "R"], "cooking"),
        (["P", "--task", "classification", "-o", "R", "--recipe", "best"], "no recipe best"),
        (["P", "--task", "classification", "-o", "R", "--device", "abacus"], "abacus"),
        (["P", "--task", "classification", "-o", "R", "--tune", "strings"], "--tune strings"),
        (["P", "--task", "classification", "-o", "R", "--rename", "a"], "OLD=NEW"),
        (["P", "--task", "classification", "-o", "R", "--rename", "a=b"], "--parent"),
    ],
)
def test_wrong_use_ends_with_two(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["train", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_what_cannot_be_trained_on_ends_with_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").mkdir()
    for arguments in (
        [str(tmp_path / "x"), "--task", "classification", "-o", str(tmp_path / "run")],
        ["--run", str(tmp_path / "x")],
        ["--watch", str(tmp_path / "x")],
    ):
        assert run_command(["train", *arguments]) == 1
        said = capsys.readouterr().err.strip()
        assert said.count("\n") == 0
        assert said.endswith(".")


@pytest.mark.parametrize("more", [[], ["--json"], ["--quiet"]])
def test_watching_a_training_that_failed_ends_with_one_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    run = RunFolder(tmp_path)
    run.write_json(run.settings_file, settings().document())
    with contextlib.closing(EventLog(run.events)) as log:
        log.add("failed", text="The disk has no room.")
    assert run_command(["train", "--watch", str(tmp_path), *more]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines()[-1] == "The disk has no room."


def test_a_training_answers_with_its_model_and_what_it_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = pictures(tmp_path / "chests", count=20)
    recipe = recipe_file(tmp_path, steps=8, check_every=4)
    run = tmp_path / "run"
    process = started(str(data), "--task", "classification", "--recipe", str(recipe), "-o", str(run), "--json", "--yes")
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    result = json.loads(out)
    assert set(result) == {
        "run", "model", "task", "recipe", "seed", "steps", "seconds", "score", "validation", "pack", "stopped",
    }  # fmt: skip
    assert (result["steps"], result["stopped"], result["task"]) == (8, "steps", "classification")
    assert result["validation"]["split"] == "val"
    card = load_pack(run / "pack").spec.card
    assert card.metrics["Accuracy"] == round(result["validation"]["accuracy"], 4)
    assert "seed" in card.training_data
    assert "guards" in json.loads((run / "report.json").read_text())
    assert "<h2>Training</h2>" in (run / "report.html").read_text()
    # What is done is not done again, and can be followed after the fact.
    for way in ("--run", "--watch"):
        assert run_command(["train", way, str(run), "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == result


def test_a_training_that_begins_with_a_model_says_what_it_takes_over(tmp_path: Path) -> None:
    data = pictures(tmp_path / "chests", count=20)
    parent = parent_of(data, tmp_path / "parent")
    run = tmp_path / "run"
    process = started(
        str(data), "--task", "classification", "--parent", str(parent.folder), "--tune", "head", "--rename", "a=b",
        "--recipe", str(recipe_file(tmp_path, steps=2, check_every=2)), "-o", str(run), "--yes",
    )  # fmt: skip
    _, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    said = json.loads((run / "borrowed.json").read_text())
    assert said["classes"] == [{"name": "a", "from": None, "how": "new"}, {"name": "b", "from": "a", "how": "renamed"}]
    assert (said["gone"], said["rung"]) == (["b"], "head")
    assert said["sentence"] in err
    assert "renamed: a as b; new: a; gone: b" in said["sentence"]
    assert said["sentence"] in (run / "pack" / "MODEL_CARD.md").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals to send")
def test_ctrl_c_ends_the_training_with_a_checkpoint_and_says_how_to_go_on(tmp_path: Path) -> None:
    data = pictures(tmp_path / "chests", count=20)
    recipe = recipe_file(tmp_path, steps=200_000, check_every=3, patience=0)
    run = tmp_path / "run"
    process = started(str(data), "--task", "classification", "--recipe", str(recipe), "-o", str(run), "--yes")
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Step "):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=240)
    assert process.returncode == 1
    assert f"go on with medview train --run {run}" in err
    ends = [event for event in read_events(run / "events.jsonl") if event["kind"] == "stopped"]
    assert [event["reason"] for event in ends] == ["asked"]
    last = [event for event in read_events(run / "events.jsonl") if event["kind"] in ("step", "checkpoint")][-1]
    assert last["kind"] == "checkpoint"
    assert list((run / "checkpoints").iterdir())
