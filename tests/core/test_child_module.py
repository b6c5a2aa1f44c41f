"""What runs in a process of its own is started from a frozen program as from an installed one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from medview.core.child_module import CONVERT, SELF_TEST, child_command, run_as_child


def _frozen(monkeypatch: pytest.MonkeyPatch, module: str, *arguments: str) -> list[str]:
    """Return the command line of a frozen program, with this Python and the entry point in place of the program."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    program, *rest = child_command(module, *arguments)
    assert program == sys.executable
    return [program, "-m", "medview", *rest]


def test_an_installed_program_gives_the_module_to_its_python() -> None:
    assert child_command(CONVERT, "a", "b") == [sys.executable, "-P", "-s", "-m", "medview.ml.convert", "a", "b"]


def test_a_frozen_program_runs_the_self_test_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    done = subprocess.run(_frozen(monkeypatch, SELF_TEST), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ok"] is True


def test_a_frozen_program_converts_itself_and_hands_on_the_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "notes.txt").write_text("no model")
    command = _frozen(monkeypatch, CONVERT, str(foreign), str(tmp_path / "room" / "pack"))
    (tmp_path / "room").mkdir()
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path / "room", check=False)
    assert done.returncode == 1
    assert "foreign" in done.stderr.strip().splitlines()[-1]


def test_no_other_module_is_run_that_way() -> None:
    assert not run_as_child(["--run-module", "this"])
    assert not run_as_child(["--run-module"])
    assert not run_as_child(["scan", CONVERT])
