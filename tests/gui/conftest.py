"""What tests of the window share: no lane of the job threads outlives its test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QThread
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from medview.gui.app import Program
from medview.gui.jobs import job_thread
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.main_window import MainWindow
from medview.gui.parts.theme import apply_theme
from medview.workspace.workspace import Workspace
from tests.gui.windows import bare_workspace, make_window


@pytest.fixture(autouse=True)
def no_test_reads_the_users_settings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDVIEW_CONFIG", str(tmp_path_factory.mktemp("config")))


@pytest.fixture(autouse=True)
def no_lane_outlives_its_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Asked of the threads, not of the system: libraries keep threads of their own there, which inherit the lane's name.
    begun: list[QThread] = []
    start = QThread.start

    def started(thread: QThread, priority: QThread.Priority = QThread.Priority.InheritPriority) -> None:
        begun.append(thread)
        start(thread, priority)

    monkeypatch.setattr(job_thread._LaneThread, "start", started)
    yield
    assert not [thread.objectName() for thread in begun if isValid(thread) and thread.isRunning()]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with nothing open; a module may have its own instead."""
    return bare_workspace(tmp_path)


@pytest.fixture
def threads(qtbot: QtBot) -> Iterator[JobThreads]:
    made = JobThreads()
    yield made
    made.close()


@pytest.fixture
def window(qtbot: QtBot, workspace: Workspace, threads: JobThreads) -> MainWindow:
    """The main window on the screen, over ``workspace``."""
    return make_window(qtbot, workspace, threads)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for settings and labels."""
    monkeypatch.setenv("MEDVIEW_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MEDVIEW_CONFIG", str(tmp_path / "config"))
    return tmp_path


@pytest.fixture
def program(home: Path, qtbot: QtBot, qapp: QApplication) -> Iterator[Program]:
    """The whole program, its window on the screen; nothing is opened yet."""
    style = qapp.styleSheet()
    made = Program(qapp)
    qtbot.addWidget(made.window)
    made.show()
    yield made
    made.window.close()
    made.close()
    qapp.setStyleSheet(style)


@pytest.fixture
def themed(qapp: QApplication) -> Iterator[None]:
    """The style a person sees; it takes more room than Qt's own."""
    style, colours, font = qapp.styleSheet(), qapp.palette(), qapp.font()
    apply_theme(qapp, "dark")
    yield
    qapp.setStyleSheet(style)
    qapp.setPalette(colours)
    qapp.setFont(font)
