"""Answers are told whole where stdout knows fewer letters than they hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from medview.store.project import Project
from medview.workspace.jobs import InlineRunner
from medview.workspace.operations.open import open_series
from tests.cli.conftest import Cli, piped
from tests.ml.small_packs import small_pack
from tests.workspace.queued import queue_workspace, scanned, write_small_ct

NAME = "K\u00f6ln \u8182"
"""Letters that some code pages have, and some that none of the western ones has."""
ESCAPED = {"ascii": rb"K\xf6ln \u8182", "cp1252": b"K\xf6ln \\u8182"}


@pytest.mark.parametrize("encoding", sorted(ESCAPED))
def test_letters_that_stdout_does_not_have_are_told_of_models_as_escapes(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    del cli  # It has set where models are.
    pack = small_pack(tmp_path / "user-data" / "models" / "small", name=NAME)
    for arguments in (["list"], ["info", pack.spec.id]):
        code, told = piped(monkeypatch, encoding, "models", *arguments)
        assert code == 0
        assert ESCAPED[encoding] in told


@pytest.mark.parametrize("encoding", sorted(ESCAPED))
def test_letters_that_stdout_does_not_have_are_told_of_projects_as_escapes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    place = tmp_path / "p.medview"
    with Project.create(place, NAME) as project:
        open_series(queue_workspace(tmp_path, InlineRunner(), project), *scanned(write_small_ct(tmp_path, "s0")))
        project.worklist.exclude([1], NAME)
    for command in ("info", "list"):
        code, told = piped(monkeypatch, encoding, "project", command, place)
        assert code == 0
        assert ESCAPED[encoding] in told
