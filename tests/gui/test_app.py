"""Start, first notice, remembered settings, unexpected errors, leaving."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from pytestqt.qtbot import QtBot

from medview.core.errors import DiskFullError
from medview.gui.app import Program
from medview.gui.commands import project_keeper
from medview.gui.dialogs.give_up import Leaving
from medview.gui.dialogs.notice import NoticeDialog
from medview.io.reader_pool import ReaderPool
from medview.store.entry import SavedKind
from medview.workspace.operations import labels
from medview.workspace.settings import load_settings
from tests.gui.cases import make_case

_START = """
import sys, time
from medview.gui.app import build_window
from PySide6.QtCore import QTimer
application, window = build_window()
window.show()
def report():
    print(" ".join(sorted(m for m in sys.modules if "." not in m)))
    window.close()
    application.quit()
QTimer.singleShot(0, report)
application.exec()
"""


def acknowledge(home: Path) -> None:
    (home / "config").mkdir()
    (home / "config" / "settings.json").write_text(json.dumps({"notice_seen": True}), encoding="utf-8")


def test_the_window_stands_without_torch_and_without_readers(home: Path) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, "-c", _START], env=environment, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "PySide6" in loaded
    assert not loaded & {
        "torch",
        "monai",
        "safetensors",
        "pydicom",
        "highdicom",
        "SimpleITK",
        "skimage",
        "scipy",
        "sqlalchemy",
    }


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_a_polite_kill_end_the_program_in_order(home: Path, number: signal.Signals) -> None:
    acknowledge(home)
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", "import sys; from medview.gui.app import run_window; sys.exit(run_window())"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as window:
        database = home / "data" / "personal.medview" / "project.db"
        end = time.monotonic() + 30
        while not database.exists() and time.monotonic() < end:
            assert window.poll() is None
            time.sleep(0.05)
        window.send_signal(number)
        _, errors = window.communicate(timeout=30)
    assert window.returncode == 0
    assert "Traceback" not in errors


def test_the_notice_is_shown_until_it_is_acknowledged_and_never_again(program: Program, qtbot: QtBot) -> None:
    program.begin([], demo=False)
    notice = program.window.findChild(NoticeDialog)
    assert notice is not None
    assert notice.isVisible()
    assert load_settings().notice_seen is False
    qtbot.mouseClick(notice.agree, Qt.MouseButton.LeftButton)
    assert load_settings().notice_seen is True


def test_closing_the_notice_leaves_it_unacknowledged(program: Program, qtbot: QtBot) -> None:
    program.begin([], demo=False)
    notice = program.window.findChild(NoticeDialog)
    assert notice is not None
    qtbot.keyClick(notice, Qt.Key.Key_Escape)
    assert load_settings().notice_seen is False


def test_the_theme_is_remembered(home: Path, program: Program) -> None:
    dark = program.window.palette().window().color()
    program.window.actions_table["window.light"].trigger()
    assert load_settings().theme == "light"
    assert program.window.palette().window().color() != dark


def test_a_dropped_folder_is_opened(home: Path, program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(program.window.files, "open_dropped", opened.append)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path)), QUrl("https://example.org/x")])
    action, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), action, data, button, keys)
    program.window.dragEnterEvent(enter)
    assert enter.isAccepted()
    program.window.dropEvent(QDropEvent(QPointF(5, 5), action, data, button, keys))
    assert opened == [tmp_path]


def test_an_unexpected_error_is_one_sentence_and_a_traceback_in_the_log(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "medview.window"):
        try:
            raise ValueError("boom")
        except ValueError as error:
            program.on_unexpected(ValueError, error, error.__traceback__)
    assert program.window.message.label.text() == "Something failed unexpectedly; details are in the log."
    assert "boom" in caplog.text


def test_the_saved_dot_is_green_once_a_change_is_on_disk(home: Path, program: Program, qtbot: QtBot) -> None:
    acknowledge(home)
    program.keeper.open()
    dot = program.window.status.saved
    assert dot.isVisible()
    project = program.workspace.services.project
    assert project is not None
    case = make_case()
    from medview.store.case_images import CaseKey, CaseSources
    from medview.workspace.keeping import StoredCase, keep

    row = project.reading(CaseKey("1.2.3", case.key, "1.2.3"), case.volume.geometry, CaseSources((), (), "CT", ""))
    keep(case, project, StoredCase(row.reading_id, project.load_reading(row.reading_id)))
    program.workspace.add_case(case)
    states: list[SavedKind] = []
    program.keeper.saved_changed.connect(lambda state: states.append(state.kind))
    labels.add_segment(case, "Liver")
    qtbot.waitUntil(lambda: states[-1:] == [SavedKind.SAVED])
    assert states[0] is SavedKind.WRITING
    assert dot.label.text() == "Saved"


def test_leaving_is_refused_while_changes_cannot_be_written(
    home: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        """A project on a full disk."""

        discarded = False

        def close(self, *, discard: bool = False) -> None:
            if not discard:
                raise DiskFullError("2 changes are not saved yet. The disk is full; free some room.")
            self.discarded = True

    full, asked, answer = Full(), [], [Leaving.STAY]
    copied: list[bool] = []
    monkeypatch.setattr(program.keeper, "save_copy", lambda: copied.append(True))
    program.workspace.services.project = full  # type: ignore[assignment]
    monkeypatch.setattr(project_keeper, "ask_to_give_up", lambda _parent, sentence: asked.append(sentence) or answer[0])
    assert not program.window.close()
    assert program.window.isVisible()
    answer[0] = Leaving.COPY
    assert not program.window.close()
    assert copied == [True]
    answer[0] = Leaving.LEAVE
    assert program.window.close()
    assert full.discarded
    assert asked == ["2 changes are not saved yet. The disk is full; free some room."] * 3


def test_readers_end_with_the_window(home: Path, program: Program, qtbot: QtBot) -> None:
    acknowledge(home)
    program.workspace.settings = load_settings()
    program.begin([], demo=False)
    pool = program.pool
    assert isinstance(pool, ReaderPool)
    program.window.close()
    assert pool.process_ids() == []
    assert program.threads.jobs == []
