"""The list of cases: how far the work is, which case comes next, and any of them by choice."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, QPoint, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListView,
    QMenu,
    QProgressBar,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from medview.core.language import _, plural
from medview.core.reading_status import ReadingStatus
from medview.gui.browser.case_bar import CaseBar
from medview.gui.browser.case_drop import dropped_cases
from medview.gui.browser.case_rows import CASE_ROLE, CaseModel, CaseRows
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import action_button, icon_button, set_role, words
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.case_filter import SPLITS
from medview.workspace.workspace import Workspace

if TYPE_CHECKING:
    from medview.store.cases import CaseRow

_OF_PROJECT = (
    "project.add",
    "project.add_table",
    "project.import",
    "",
    "project.instructions",
    "project.rule",
    "",
    "train.open",
    "",
    "project.agree",
    "project.merge",
    "project.export",
    "",
    "project.new",
    "project.open",
)
_OF_CASE = ("case.done", "case.flag", "case.exclude")


class CasesPanel(QFrame):
    """A double click or Enter opens a case; a menu says more of those that are chosen. What is dropped becomes a case."""

    cases_dropped = Signal(list, list)
    """Places (Path) and series (Series) that are to become cases."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._workspace, self._cases, self._actions = workspace, workspace.worklist, actions
        self.name = ElidedLabel("", "heading")
        self.train = action_button(actions["train.open"])
        self.train.setObjectName("cases train")
        self.menu = icon_button("mdi6.dots-vertical", _("The project: add cases, instructions, who reads what"))
        self.menu.setObjectName("project menu")
        self.menu.setMenu(self._project_menu())
        self.menu.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.progress = words("", "quiet")
        self.progress.setObjectName("case progress")
        self.meter = QProgressBar()
        self.meter.setTextVisible(False)
        self.meter.setFixedHeight(4)
        self.next = action_button(actions["case.next"], text=True, flat=False)
        self.next.setObjectName("case next")
        self.bar = CaseBar(workspace)
        self.model = CaseModel(self)
        self.rows = CaseRows(self.model, self)
        self.list = self._make_list()
        self._none = words("", "quiet")
        self._none.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._none.setContentsMargins(GRID_PX * 3, GRID_PX * 2, GRID_PX * 3, 0)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._none)
        self._stack.addWidget(self.list)
        self._arrange()
        self.setAcceptDrops(True)
        heard = Subscriptions(self)
        heard.add(self._cases.changed, self.refresh)
        heard.add(workspace.active_changed, self._show_current)
        heard.add(field_signal(workspace.bench, "identity_hidden"), self.refresh)
        self.refresh()

    def refresh(self, *_values: object) -> None:
        """Show the list as it is."""
        cases = self._cases
        chosen = {row.case_id for row in self.chosen()}
        self.model.show(cases.shown, cases.who, cases.lacking, hidden=self._workspace.bench.identity_hidden)
        self._choose(chosen)
        name = _("Labelled without a project") if cases.personal else cases.name
        self.name.setText(name)
        done, asked = cases.counted
        named = not (cases.personal or cases.who.anyone) and cases.who.reader
        text = _("{done} of {n} done by {reader}") if named else _("{done} of {n} done")
        said = text.format(done=done, n=asked, reader=cases.who.reader)
        if lacking := cases.done_and_lacking:
            short = plural("{n} of them lacks answers", "{n} of them lack answers", lacking).format(n=lacking)
            said = f"{said}, {short}"
        self.progress.setText(said)
        set_role(self.progress, "warning" if lacking else "quiet")
        self.meter.setRange(0, max(1, asked))
        self.meter.setValue(done)
        self._none.setText(self._why_none())
        self._stack.setCurrentWidget(self.list if self.model.rowCount() else self._none)
        self._show_current()

    def chosen(self) -> list[CaseRow]:
        """Return the cases that are selected, in the order they are listed."""
        found = sorted(self.list.selectionModel().selectedIndexes(), key=lambda index: index.row())
        return [index.data(CASE_ROLE) for index in found]

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take what can become cases, and say so."""
        if dropped_cases(event.mimeData(), self._workspace) is not None:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.progress.setText(_("Drop it to add its series as cases."))

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        """It went elsewhere."""
        self.refresh()

    def dropEvent(self, event: QDropEvent) -> None:
        """Ask for what was dropped to become cases."""
        if (dropped := dropped_cases(event.mimeData(), self._workspace)) is not None:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.refresh()
            self.cases_dropped.emit(*dropped)

    def menu_of(self, rows: list[CaseRow]) -> QMenu:
        """Return what can be done with cases."""
        menu = QMenu(self)
        changes, ids = self._cases.changes, [row.case_id for row in rows]
        if len(rows) == 1:
            self._entry(menu, _("Open"), partial(self._cases.open, ids[0]))
            menu.addSeparator()
        for title, status in (
            (_("Done"), ReadingStatus.DONE),
            (_("Flagged"), ReadingStatus.FLAGGED),
            (_("Still to do"), ReadingStatus.IN_WORK),
        ):
            self._entry(menu, title, partial(changes.set_statuses, rows, status))
        menu.addSeparator()
        if any(not row.excluded for row in rows):
            self._entry(menu, _("Leave out..."), partial(self._leave_out, ids))
        if any(row.excluded for row in rows):
            self._entry(menu, _("Take in again"), partial(changes.include, ids))
        split = menu.addMenu(_("Split"))
        for name in (*SPLITS, ""):
            self._entry(split, name or _("None"), partial(changes.set_split, ids, name))
        return menu

    def _leave_out(self, case_ids: list[int]) -> None:
        from medview.gui.dialogs.leave_out import LeaveOutDialog

        LeaveOutDialog(self._workspace, case_ids, self.window()).open()

    def _make_list(self) -> QListView:
        view = QListView()
        view.setObjectName("cases")
        view.setAccessibleName(_("Cases"))
        view.setModel(self.model)
        view.setItemDelegate(self.rows)
        view.setUniformItemSizes(True)
        view.setMouseTracking(True)
        view.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._show_menu)
        view.doubleClicked.connect(lambda _index: self._open())
        # Not the signal "activated": some styles send it beside the double click.
        for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            enter = QShortcut(QKeySequence(key), view, context=Qt.ShortcutContext.WidgetShortcut)
            enter.activated.connect(self._open)
        return view

    def _arrange(self) -> None:
        heading = QHBoxLayout()
        heading.setContentsMargins(GRID_PX * 2, 0, GRID_PX, 0)
        heading.addWidget(self.name, 1)
        heading.addWidget(self.train)
        heading.addWidget(self.menu)
        work = QHBoxLayout()
        work.setContentsMargins(GRID_PX * 2, 0, GRID_PX, 0)
        work.setSpacing(GRID_PX)
        work.addWidget(self.next, 1)
        for name in _OF_CASE:
            button = action_button(self._actions[name])
            button.setObjectName(f"button {name}")
            work.addWidget(button)
        far = QVBoxLayout()
        far.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, 0)
        far.setSpacing(GRID_PX // 2)
        far.addWidget(self.progress)
        far.addWidget(self.meter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GRID_PX, 0, GRID_PX)
        layout.setSpacing(GRID_PX * 2)
        layout.addLayout(heading)
        layout.addLayout(far)
        layout.addLayout(work)
        layout.addWidget(self.bar)
        layout.addWidget(self._stack, 1)

    def _project_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for name in _OF_PROJECT:
            if name:
                menu.addAction(self._actions[name])
            else:
                menu.addSeparator()
        return menu

    def _entry(self, menu: QMenu, title: str, work: Callable[[], object]) -> None:
        menu.addAction(title).triggered.connect(lambda _checked: work())

    def _show_menu(self, place: QPoint) -> None:
        rows = self.chosen()
        if rows:
            menu = self.menu_of(rows)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.list.viewport().mapToGlobal(place))

    def _open(self) -> None:
        row: CaseRow | None = self.list.currentIndex().data(CASE_ROLE)
        if row is not None:
            self._cases.open(row.case_id)

    def _choose(self, case_ids: set[int]) -> None:
        """Select cases again after the rows were made anew."""
        model = self.list.selectionModel()
        if case_ids and not model.hasSelection():
            model.select(self.model.selection_of(case_ids), QItemSelectionModel.SelectionFlag.Select)

    def _show_current(self) -> None:
        row = self._cases.current
        number = row.case_id if row is not None else 0
        if number != self.rows.current:
            self.rows.current = number
            index = self.model.place_of(number)
            if index.isValid():
                self.list.setCurrentIndex(index)
                self.list.scrollTo(index)
        self.list.viewport().update()

    def _why_none(self) -> str:
        if self._cases.rows:
            return _("No case is like that. Clear the search, or list all cases.")
        return _("No cases yet. Drop folders with images here, or add them: each series becomes a case.")
