"""Trainings of the project: a new one in two steps, those there are, and what came of them."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QSignalBlocker, QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from medview.core.language import _
from medview.gui.parts.bind import Subscriptions
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.icons import icon
from medview.gui.parts.run_compare import RunCompare
from medview.gui.parts.run_page import RunPage
from medview.gui.parts.theme_tokens import GRID_PX
from medview.gui.parts.train_setup import TrainSetup
from medview.gui.parts.version_table import VersionTable
from medview.workspace.training.run_view import RunPhase
from medview.workspace.training.run_words import run_state, run_title
from medview.workspace.workspace import Workspace

_SIZE = QSize(1000, 660)
_LIST_PX, _ROW_PX = 240, 44
_TICK_MS = 250
_NAME_ROLE = int(Qt.ItemDataRole.UserRole) + 1
_ICONS = {
    RunPhase.QUEUED: "mdi6.clock-outline",
    RunPhase.PAUSED: "mdi6.pause-circle-outline",
    RunPhase.DONE: "mdi6.check-circle-outline",
    RunPhase.FAILED: "mdi6.alert-circle-outline",
}


class TrainDialog(QDialog):
    """Stands beside the window; what trains goes on when it is closed."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("train")
        self.setWindowTitle(_("Train a model"))
        self._workspace, self._trainings = workspace, workspace.trainings
        self.new = text_button(_("New training"), _("Train a model on what is reviewed"), icon_name="mdi6.plus")
        self.new.setObjectName("train new")
        self.new.setAutoDefault(False)
        self.new.clicked.connect(self.begin)
        self.list = QListWidget()
        self.list.setObjectName("train runs")
        self.list.setToolTip(_("Trainings of this project, the newest first; choose two with Ctrl to compare them"))
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setIconSize(QSize(16, 16))
        self.list.itemSelectionChanged.connect(self._on_selection)
        tip = _("Which versions of the project's models there are, and which counts")
        self.versions_of = text_button(_("Versions"), tip, icon_name="mdi6.source-branch")
        self.versions_of.setObjectName("train versions")
        self.versions_of.setAutoDefault(False)
        self.versions_of.clicked.connect(self.show_versions)
        self.setup, self.page, self.compare = TrainSetup(workspace), RunPage(workspace), RunCompare(workspace)
        self.versions = VersionTable(workspace)
        self.versions.run_wanted.connect(self.show_run)
        self.page.case_wanted.connect(workspace.arrival.open_at)
        self.page.delete_wanted.connect(self._ask_to_delete)
        self.stack = QStackedWidget()
        for widget in (self.setup, self.page, self.compare, self.versions):
            self.stack.addWidget(widget)
        self._known: set[str] = set()
        self._arrange()
        self._tick = QTimer(self, interval=_TICK_MS)
        self._tick.timeout.connect(self.setup.tick)
        Subscriptions(self).add(self._trainings.changed, self.refresh)
        self.resize(_SIZE)

    def begin(self) -> None:
        """Show what can be trained, as the project is now."""
        self.list.clearSelection()
        self.stack.setCurrentWidget(self.setup)
        self._trainings.refuse(None)
        self._trainings.conductor.look_at_project()

    def show_versions(self) -> None:
        """Show the versions of the project's models."""
        self.list.clearSelection()
        self.stack.setCurrentWidget(self.versions)

    def show_run(self, name: str) -> None:
        """Show a training by its name."""
        for row in range(self.list.count()):
            if self.list.item(row).data(_NAME_ROLE) == name:
                self.list.setCurrentRow(row, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def refresh(self) -> None:
        """Show how the trainings are."""
        runs = self._trainings.runs
        names = [run.name for run in runs]
        if [self.list.item(row).data(_NAME_ROLE) for row in range(self.list.count())] != names:
            self._list(names)
        for row, run in enumerate(runs):
            item = self.list.item(row)
            item.setText(f"{run_title(run)}\n{run_state(run)}")
            item.setIcon(icon(_ICONS.get(run.phase, "mdi6.play-circle-outline")))
        if self._trainings.preparing is not None or self._trainings.looking is not None:
            self._tick.start()
        else:
            self._tick.stop()

    def showEvent(self, event: QShowEvent) -> None:
        """Look how they are."""
        super().showEvent(event)
        self._trainings.conductor.look()
        self._trainings.conductor.read_lines()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks: nothing ticks."""
        super().hideEvent(event)
        self._tick.stop()

    def _list(self, names: list[str]) -> None:
        chosen = self._chosen()
        blocker = QSignalBlocker(self.list)
        self.list.clear()
        for name in names:
            item = QListWidgetItem("")
            item.setData(_NAME_ROLE, name)
            item.setSizeHint(QSize(0, _ROW_PX))
            self.list.addItem(item)
            item.setSelected(name in chosen)
        blocker.unblock()
        fresh = [run.name for run in self._trainings.runs if run.name not in self._known and not run.phase.lasting]
        self._known = set(names)
        if fresh and not chosen:
            # What was just asked for is what somebody wants to see; what is over is not.
            self.show_run(fresh[0])
        elif chosen and not chosen & set(names):
            self.begin()

    def _chosen(self) -> set[str]:
        return {str(item.data(_NAME_ROLE)) for item in self.list.selectedItems()}

    def _on_selection(self) -> None:
        rows = sorted(self.list.row(item) for item in self.list.selectedItems())
        names = [str(self.list.item(row).data(_NAME_ROLE)) for row in rows]
        if len(names) == 1:
            self.page.show_run(names[0])
            self.stack.setCurrentWidget(self.page)
            self.page.refresh()
        elif len(names) > 1:
            # The older one first: the newer is compared with it.
            self.compare.show_runs(names[1], names[0])
            self.stack.setCurrentWidget(self.compare)

    def _ask_to_delete(self, name: str) -> None:
        run = self._trainings.run(name)
        if run is None:
            return
        box = QMessageBox(self)
        box.setWindowTitle(_("Delete a training"))
        box.setText(
            _("Delete {name}? Its labels, weights and report are removed and cannot come back.").format(name=run_title(run))
        )
        box.setInformativeText(_("A model that the project uses stays: it was copied."))
        delete = box.addButton(_("Delete"), QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(_("Keep"), QMessageBox.ButtonRole.RejectRole)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        delete.clicked.connect(lambda: self._trainings.conductor.delete(name))
        box.open()

    def _arrange(self) -> None:
        close = text_button(_("Close"), _("Close this window; trainings go on"))
        close.setAutoDefault(False)
        close.clicked.connect(self.reject)
        left = QVBoxLayout()
        left.setSpacing(GRID_PX * 2)
        left.addWidget(self.new)
        left.addWidget(words(_("Trainings"), "quiet"))
        left.addWidget(self.list, 1)
        left.addWidget(self.versions_of)
        left.addWidget(close)
        self.list.setFixedWidth(_LIST_PX)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 4)
        layout.addLayout(left)
        layout.addWidget(self.stack, 1)
