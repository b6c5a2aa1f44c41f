"""The window. It only arranges."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.chrome.left_column import LeftColumn
from medview.gui.chrome.project_banner import ProjectBanner
from medview.gui.chrome.side_column import SideColumn
from medview.gui.chrome.start_page import StartPage
from medview.gui.chrome.status_line import StatusLine
from medview.gui.chrome.top_bar import TopBar
from medview.gui.commands.case_commands import CaseCommands
from medview.gui.commands.effort_commands import EffortCommands
from medview.gui.commands.file_commands import FileCommands
from medview.gui.commands.film_export import FilmExport
from medview.gui.commands.form_commands import FormCommands
from medview.gui.commands.hand_commands import HandCommands
from medview.gui.commands.key_image_commands import KeyImageCommands
from medview.gui.commands.layout_menu import layout_menu
from medview.gui.commands.menus import fill_menu_bar, fill_recent
from medview.gui.commands.picture_export import PictureExport
from medview.gui.commands.queue_commands import QueueCommands
from medview.gui.commands.segment_commands import SegmentCommands
from medview.gui.commands.time_commands import TimeCommands
from medview.gui.commands.train_commands import TrainCommands
from medview.gui.commands.window_commands import WindowCommands
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.panes.cine_player import CinePlayer
from medview.gui.panes.pane_grid import PaneGrid
from medview.gui.parts.bind import Subscriptions, field_signal, follow
from medview.gui.parts.computer import computer_line
from medview.gui.parts.controls import words
from medview.gui.parts.message_line import MessageLine
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.theme_tokens import GRID_PX, Tokens
from medview.workspace.actions import ACTIONS
from medview.workspace.case_words import case_title
from medview.workspace.hands import Hands
from medview.workspace.links import Linker
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace

_LEFT_PX = 260
_RIGHT_PX = 300
_LEAST = QSize(1024, 640)


class MainWindow(QMainWindow):
    """Top bar, studies, centre, side column, message line and status line."""

    closing = Signal(QCloseEvent)
    """The person wants to leave; whoever keeps the data accepts or ignores the event."""
    theme_wanted = Signal(str)

    def __init__(self, workspace: Workspace, threads: JobThreads, hands: Hands, tokens: Tokens) -> None:
        super().__init__()
        self.workspace, self.hands = workspace, hands
        self.files = FileCommands(self, workspace)
        self.hand_commands = HandCommands(self, workspace, hands.scheme, self.files.open_series)
        self.panes = PaneGrid(workspace, hands)
        self.links = Linker(workspace)
        self.pictures = PictureExport(self, workspace, self.panes)
        self.films = FilmExport(self, workspace, self.panes)
        self.keys = KeyImageCommands(self, workspace, self.panes)
        self.times = TimeCommands(self, workspace)
        self.segments = SegmentCommands(self, workspace)
        self.queue = QueueCommands(self, workspace)
        self.cases = CaseCommands(self, workspace)
        self.efforts = EffortCommands(self, workspace)
        self.trainings = TrainCommands(self, workspace)
        self.forms = FormCommands(self, workspace)
        self.commands = WindowCommands(self, workspace, self.files, self.theme_wanted.emit)
        parts = (
            self.files,
            self.pictures,
            self.films,
            self.keys,
            self.times,
            self.segments,
            self.queue,
            self.cases,
            self.efforts,
            self.trainings,
            self.forms,
            self.hand_commands,
            self.commands,
        )
        table = (*ACTIONS, *(action for part in parts for action in part.actions()))
        self.actions_table = QtActions(self, workspace, hands.scheme, table)
        self.hand_commands.begin(self.actions_table)
        self.top = TopBar(self.actions_table, layout_menu(self.actions_table, self.commands.use_grid, self))
        self._recent = fill_menu_bar(self.top.menus, self.actions_table)
        self.banner = ProjectBanner()
        self.left = LeftColumn(workspace, self.actions_table, tokens)
        self.studies = self.left.studies
        self.start = StartPage()
        self.cine = CinePlayer(workspace, self)
        self.side = SideColumn(workspace, self.actions_table, hands.scheme)
        self.hand_commands.further = self.side.models.entries
        self.message = MessageLine(workspace, hands.scheme)
        self.status = StatusLine(workspace, threads, tokens)
        self.centre = QStackedWidget()
        self._arrange()
        self._connect()
        self.setMinimumSize(_LEAST)
        self.setAcceptDrops(True)
        self.start.computer.setText(computer_line())
        self.start.setFocus()

    def use_tokens(self, tokens: Tokens) -> None:
        """Take the colours of another theme."""
        self.studies.use_tokens(tokens)
        self.status.saved.use_tokens(tokens)

    def _arrange(self) -> None:
        self._choose = words(_("Double click a series on the left to open it."), "quiet")
        self._choose.setContentsMargins(GRID_PX * 6, GRID_PX * 6, GRID_PX * 6, 0)
        self._choose.setAlignment(self._choose.alignment().AlignTop)
        for page in (self.start, self._choose, self.panes):
            self.centre.addWidget(page)
        self.left.setFixedWidth(_LEFT_PX)
        self.side.setFixedWidth(_RIGHT_PX)
        middle = _column(self.centre, self.message)
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.left)
        layout.addWidget(middle, 1)
        layout.addWidget(self.side)
        self.setCentralWidget(_column(self.top, self.banner, row, self.status, stretch=row))

    def _connect(self) -> None:
        self.start.open_folder_wanted.connect(self.files.open_folder)
        self.start.open_demo_wanted.connect(self.files.open_demo)
        self.start.new_project_wanted.connect(self.cases.ask_new)
        self.start.open_project_wanted.connect(self.cases.ask_open)
        self.start.place_wanted.connect(lambda place: self.files.open(Path(place)))
        self.panes.pointed_at.connect(self.status.show_pointed)
        self.panes.menu_wanted.connect(partial(self.commands.show_pane_menu, self.actions_table))
        self.panes.series_dropped.connect(self.files.open_series)
        self.message.undo_wanted.connect(lambda: self.actions_table.run("undo"))
        self.status.check_wanted.connect(lambda: self.side.show_part("check"))
        self.studies.place_wanted.connect(lambda place: self.files.open(Path(place)))
        self.studies.damaged_wanted.connect(self.commands.show_damaged)
        self.studies.series_wanted.connect(self.files.open_series)
        self.studies.labels_wanted.connect(self.files.read_labels)
        self.studies.models_wanted.connect(self.queue.ask)
        self.left.cases.cases_dropped.connect(self.cases.add)
        self.side.queue.series_wanted.connect(self.files.open_series)
        self.side.models.queue_wanted.connect(self.queue.ask)
        for asks in (self.side.models.rules_wanted, self.status.rules_wanted):
            asks.connect(self.queue.show_rules)
        for part in (self.side.heat, self.side.form):
            part.wanted_changed.connect(self.actions_table.refresh)
        self.side.models.remove_wanted.connect(self.files.remove_model)
        self.side.models.add_zip_wanted.connect(self.files.add_model_zip)
        self.side.models.add_folder_wanted.connect(self.files.add_model_folder)
        self.side.models.add_address_wanted.connect(self.files.add_model_address)
        heard = Subscriptions(self)
        for signal in (self.workspace.active_changed, self.workspace.studies_changed):
            heard.add(signal, self._on_active)
        heard.add(self.workspace.settings_changed, self._on_settings)
        heard.add(self.workspace.worklist.changed, self._on_active)
        for show in (self._on_active, self._on_settings):
            heard.add(field_signal(self.workspace.bench, "identity_hidden"), show)
        follow(self, self.workspace.bench, "panels_visible", self._show_panels)
        self._on_active()
        self._on_settings()

    def _show_panels(self, visible: bool) -> None:
        self.left.setVisible(visible)
        self.side.setVisible(visible)

    def _on_active(self, *_values: object) -> None:
        case = self.workspace.active
        page = self.panes if case else self._choose if self.workspace.series else self.start
        self.centre.setCurrentWidget(page)
        hidden = self.workspace.bench.identity_hidden
        name = title_of(self.workspace, case) if case and not hidden else ""
        self.setWindowTitle(f"{name} – MedView" if name else "MedView")

    def _on_settings(self, *_values: object) -> None:
        # Folders are often named after patients.
        recent = () if self.workspace.bench.identity_hidden else self.workspace.settings.recent
        fill_recent(self._recent, recent, lambda place: self.files.open(Path(place)))
        self.start.show_recent(recent)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take series, folders and files of this computer."""
        if self.commands.takes(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        self.commands.drop(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Escape end what the hands or an effect have begun, wherever the keys go."""
        if event.key() != Qt.Key.Key_Escape or not self.hands.cancel():
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Leave only when everything is on disk."""
        self.hands.clicking.let_go()
        self.hands.cancel()
        self.side.form.view.commit()
        self.closing.emit(event)
        if event.isAccepted():
            self.panes.close_views()


def title_of(workspace: Workspace, case: OpenCase) -> str:
    """Return what the window is called while a case is open: never a patient's name."""
    row = None if workspace.worklist.personal else workspace.worklist.row_of(case)
    return case.series.description if row is None else case_title(row)


def _column(*widgets: QWidget, stretch: QWidget | None = None) -> QWidget:
    column = QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(2)
    for widget in widgets:
        layout.addWidget(widget, 1 if widget is (stretch or widgets[0]) else 0)
    return column
