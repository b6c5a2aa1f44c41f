"""The tags of the current slice: of the right file, and never while the identity is hidden."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from medview.core.errors import MedViewError
from medview.core.study import Frame
from medview.io.dicom.tag_list import TagList
from medview.workspace.events import Message
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.tags import read_tags
from medview.workspace.workspace import Workspace
from tests.helpers.dicom_series import asymmetric, write_ct


@pytest.fixture
def files(tmp_path: Path, case: OpenCase) -> list[Path]:
    write_ct(tmp_path / "ct", asymmetric((12, 10, 13)))
    paths = sorted((tmp_path / "ct").iterdir())
    case.entry = replace(case.entry, frames=tuple(Frame(str(p), 0, f"1.2.{n}") for n, p in enumerate(paths)))
    return paths


def read(workspace: Workspace) -> tuple[list[TagList], list[MedViewError], list[Message]]:
    shown: list[TagList] = []
    failed: list[MedViewError] = []
    said: list[Message] = []
    workspace.message.connect(said.append)
    read_tags(workspace, shown.append, failed.append)
    return shown, failed, said


def test_the_file_of_the_slice_under_the_crosshair_is_read(workspace: Workspace, case: OpenCase, files: list[Path]) -> None:
    case.view.crosshair_kji = (9, 0, 0)
    shown, failed, said = read(workspace)
    assert [tags.file for tags in shown] == [files[9].name]
    assert (failed, said) == ([], [])


def test_nothing_is_read_while_the_identity_is_hidden(workspace: Workspace, files: list[Path]) -> None:
    workspace.bench.identity_hidden = True
    shown, _, said = read(workspace)
    assert shown == []
    assert said[-1].text == "Tags name the patient; show the identity again to read them."


def test_what_was_read_is_not_shown_when_the_identity_was_hidden_meanwhile(
    workspace: Workspace, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = workspace.services.pool.call

    def call_and_hide(*args: object, **more: object) -> object:
        workspace.bench.identity_hidden = True
        return whole(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(workspace.services.pool, "call", call_and_hide)
    shown, _, said = read(workspace)
    assert shown == []
    assert "identity" in said[-1].text


def test_an_image_without_a_dicom_file_has_no_tags_and_says_so(workspace: Workspace) -> None:
    shown, _, said = read(workspace)
    assert shown == []
    assert said[-1].text == "This image does not come from a DICOM file, so it has no tags."


def test_a_file_that_vanished_is_one_sentence(workspace: Workspace, case: OpenCase, files: list[Path]) -> None:
    files[6].unlink()
    shown, failed, _ = read(workspace)
    assert shown == []
    assert files[6].name in failed[0].sentence
