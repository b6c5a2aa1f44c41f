from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtGui import QGuiApplication, QImage
from pytestqt.qtbot import QtBot

from medview.gui.commands import picture_export
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.main_window import MainWindow
from tests.gui.cases import make_case, pixels
from tests.gui.windows import bare_workspace, make_window


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> MainWindow:
    workspace = bare_workspace(tmp_path)
    case = make_case()
    case.series = replace(case.series, patient_name="Doe^Jane", patient_id="MRN-77")
    workspace.add_case(case)
    return make_window(qtbot, workspace, JobThreads())


def saved_to(monkeypatch: pytest.MonkeyPatch, path: Path | None) -> None:
    monkeypatch.setattr(picture_export, "ask_new_file", lambda *_: path)


def test_the_file_holds_what_the_pane_under_the_pointer_shows(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.workspace.bench.pointed = "coronal"
    saved_to(monkeypatch, tmp_path / "a.png")
    shown = pixels(window.panes.panes["coronal"])
    window.actions_table.run("picture.save")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png").convert("RGB")), shown)
    assert window.message.label.text().startswith("Wrote a.png. It shows the patient")


def test_a_hidden_identity_stays_hidden_in_the_file(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved_to(monkeypatch, tmp_path / "a.png")
    window.actions_table.run("picture.save")
    window.workspace.bench.identity_hidden = True
    saved_to(monkeypatch, tmp_path / "b.png")
    window.actions_table.run("picture.save")
    open_, hidden = (np.asarray(Image.open(tmp_path / name).convert("RGB")) for name in ("a.png", "b.png"))
    np.testing.assert_array_equal(hidden, pixels(window.panes.panes[window.workspace.bench.pointed]))
    assert not np.array_equal(open_, hidden)
    assert b"Jane" not in (tmp_path / "b.png").read_bytes()


def test_the_clipboard_takes_the_picture(window: MainWindow) -> None:
    window.actions_table.run("picture.copy")
    copied = QGuiApplication.clipboard().image().convertToFormat(QImage.Format.Format_RGB888)
    pane = window.panes.panes[window.workspace.bench.pointed]
    assert (copied.width(), copied.height()) == (pane.width(), pane.height())


def test_a_folder_that_is_gone_is_one_sentence(window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved_to(monkeypatch, tmp_path / "gone" / "a.png")
    window.actions_table.run("picture.save")
    assert "a.png" in window.message.label.text()
    assert "gone" in window.message.label.text()


def test_a_person_who_thinks_better_of_it_writes_nothing(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved_to(monkeypatch, None)
    before = sorted(tmp_path.rglob("*.png"))
    window.actions_table.run("picture.save")
    assert sorted(tmp_path.rglob("*.png")) == before
