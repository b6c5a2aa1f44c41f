"""Starts the window and ends it without losing anything."""

from __future__ import annotations

import logging
import logging.handlers
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication

from medview.core.errors import MedViewError
from medview.core.job import JobContext
from medview.core.language import _
from medview.gui.commands.project_keeper import ProjectKeeper
from medview.gui.commands.project_switch import ProjectSwitch
from medview.gui.dialogs.notice import NoticeDialog
from medview.gui.jobs.end_on_signal import EndOnSignal
from medview.gui.jobs.garbage import GarbageInWindow
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.main_window import MainWindow
from medview.gui.panes.key_focus import KeyFocus
from medview.gui.parts.icons import icon
from medview.gui.parts.theme import apply_theme
from medview.gui.parts.theme_tokens import DARK
from medview.io.reader_pool import ReaderPool
from medview.workspace.events import Severity
from medview.workspace.hands import Hands
from medview.workspace.jobs import Lane, Outcome
from medview.workspace.models import data_folder, model_registry
from medview.workspace.scheme import Scheme
from medview.workspace.services import Services
from medview.workspace.settings import load_settings, save_settings
from medview.workspace.workspace import Workspace

LOG = logging.getLogger("medview.window")

_LOG_BYTES = 2_000_000
_START_SIZE = (1440, 900)


def run_window(paths: Sequence[str] = (), *, demo: bool = False) -> int:
    """Show the window until it is closed and return the exit code.

    Parameters
    ----------
    paths : sequence of str
        Folders and files to open.
    demo : bool
        Open the demo study.
    """
    log_to_file()
    app, program = build_program()
    program.show()
    QTimer.singleShot(0, lambda: program.begin(paths, demo=demo))
    signals = EndOnSignal(program.window.close, app)
    code = app.exec()
    signals.stop()
    return code


def build_program() -> tuple[QApplication, Program]:
    """Return the application and the program with its window, not shown yet."""
    # Every place the hand was at belongs to a stroke; the panes gather them, so that none is lost on a busy computer.
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents, False)
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("MedView")
    app.setDesktopFileName("medview")
    app.setWindowIcon(icon("mdi6.cube-scan", DARK.accent))
    return app, Program(app)


def build_window() -> tuple[QApplication, MainWindow]:
    """Return the application and its window, not shown yet; closing the window ends what it started."""
    app, program = build_program()
    return app, program.window


@dataclass(frozen=True, slots=True)
class _GetReady:
    """Request: import what opening the first series needs."""

    title: str = _("Getting ready")
    lane: Lane = Lane.READ

    def run(self, _context: JobContext) -> None:
        """Import in a worker, so that the window is not kept waiting."""
        import_module("medview.workspace.operations.open")
        import_module("medview.workspace.operations.run_queue")
        import_module("medview.workspace.operations.trainings")


class Program(QObject):
    """Everything that lives as long as the window: settings, threads, readers, project, workspace."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        settings = load_settings()
        self._garbage = GarbageInWindow(self)
        self.threads = JobThreads(self)
        self.pool = ReaderPool()
        self.workspace = Workspace(self.threads, Services(self.pool, model_registry()), settings)
        self.hands = Hands(self.workspace, Scheme.load(settings.scheme))
        self._key_focus = KeyFocus(app, self)
        self.window = MainWindow(self.workspace, self.threads, self.hands, apply_theme(app, settings.theme))
        self.window.theme_wanted.connect(self.use_theme)
        self.window.closing.connect(self.on_closing)
        self.workspace.settings_changed.connect(self._save_settings)
        self.keeper = ProjectKeeper(self.window, self.workspace)
        for show in (self.window.status.saved.show_state, self.window.banner.show_saved):
            self.keeper.saved_changed.connect(show)
        self.keeper.access_changed.connect(self.window.banner.show_access)
        self.window.banner.retry_wanted.connect(self.keeper.retry)
        self.window.banner.copy_wanted.connect(self.keeper.save_copy)
        self.window.banner.write_wanted.connect(self.keeper.write)
        self.window.banner.recover_wanted.connect(self.keeper.repair)
        self.switch = ProjectSwitch(self.keeper, self.workspace)
        self.window.cases.open_project = self.window.files.open_project = self.switch.open
        self.window.cases.make_project = self.switch.make
        self._closed = False
        sys.excepthook = self.on_unexpected

    def show(self) -> None:
        """Put the window on the screen, as large as the screen allows."""
        room = self.window.screen().availableGeometry()
        self.window.resize(min(_START_SIZE[0], room.width()), min(_START_SIZE[1], room.height()))
        self.window.show()

    def begin(self, paths: Sequence[str], *, demo: bool) -> None:
        """Do what can wait until the window stands: readers, project, notice, the first data."""
        if not self.workspace.settings.notice_seen:
            self._show_notice()
        self.pool.start()
        self.keeper.open()
        self.threads.submit(_GetReady(), Outcome(lambda _value: self._read_lists()))
        if demo:
            self.window.files.open_demo()
        for path in paths:
            self.window.files.open(Path(path))

    def _read_lists(self) -> None:
        self.workspace.worklist.load()
        self.workspace.trainings.conductor.look()

    def use_theme(self, name: str) -> None:
        """Dress the window anew and remember it."""
        self.window.use_tokens(apply_theme(self._app, name))
        self.workspace.settings = replace(self.workspace.settings, theme=name)
        self._save_settings()

    def on_closing(self, event: QCloseEvent) -> None:
        """Let the window go when every change is on disk, or when the person gives the changes up."""
        event.setAccepted(self.keeper.closed())
        if event.isAccepted():
            self.close()

    def close(self) -> None:
        """End threads, readers and project. Safe to call again."""
        if self._closed:
            return
        self._closed = True
        self.threads.close()
        self.pool.close()
        self.keeper.stop()
        self._key_focus.stop()
        self._garbage.stop()
        sys.excepthook = sys.__excepthook__

    def on_unexpected(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Report an error nobody expected in one sentence; details go to the log."""
        LOG.error("%s", "".join(traceback.format_exception(kind, error, trace)))
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, MedViewError):
            # Listeners of signals wrap what went wrong.
            cause = cause.__cause__
        sentence = cause.sentence if cause is not None else _("Something failed unexpectedly; details are in the log.")
        self.workspace.say(sentence, Severity.ERROR)

    def _show_notice(self) -> None:
        dialog = NoticeDialog(self.window)
        dialog.finished.connect(self._on_notice)
        dialog.open()

    def _on_notice(self, result: int) -> None:
        if result:
            self.workspace.settings = replace(self.workspace.settings, notice_seen=True)
            self._save_settings()

    def _save_settings(self) -> None:
        radius = self.workspace.bench.brush_radius_mm
        self.workspace.settings = replace(self.workspace.settings, brush_radius_mm=radius)
        save_settings(self.workspace.settings)


def log_file() -> Path:
    """Where the log is written."""
    return data_folder() / "logs" / "medview.log"


def log_to_file() -> None:
    """Write the log of this process to a file that never grows beyond a few megabytes; without one, go on."""
    root = logging.getLogger("medview")
    root.setLevel(logging.INFO)
    try:
        log_file().parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = logging.handlers.RotatingFileHandler(
            log_file(), maxBytes=_LOG_BYTES, backupCount=2, encoding="utf-8", delay=True
        )
    except OSError:
        handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root.addHandler(handler)
