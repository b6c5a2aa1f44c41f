"""The list of boxes, points and lines: found, shown, named, described, removed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from medview.core.annotations import Drawn
from medview.core.language import _
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import action_button, icon_button, words
from medview.gui.parts.drawn_detail import DrawnDetail
from medview.gui.parts.drawn_model import EYE, DrawnFilter, DrawnModel, rows_of
from medview.gui.parts.drawn_view import DrawnView
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.drawn import (
    all_drawn,
    chosen,
    clipboard_table,
    delete,
    jump_to,
    set_visible,
    title,
)
from medview.workspace.events import LabelsChanged
from medview.workspace.open_case import OpenCase
from medview.workspace.toolbox import ToolGroup, entry_of
from medview.workspace.workspace import Workspace

_PACE_MS = 120


class DrawnPanel(QWidget):
    """A table with a search; below it label and attributes of what is chosen there, and what can be done with it."""

    wanted_changed = Signal()
    """There may be something to list, or to draw, now, or no longer."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._quiet = False
        self.wanted = False
        self.model = DrawnModel(self)
        self.filter = DrawnFilter(self.model, self)
        self.empty = words(_("No boxes, points or lines yet. Take a tool of the row Mark and draw on a picture."), "quiet")
        self.search = QLineEdit()
        self.search.setPlaceholderText(_("Find by label, kind, slice or attribute"))
        self.search.setToolTip(_("Shows only what all these words stand in"))
        self.search.setAccessibleName(self.search.toolTip())
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self.filter.search)
        self.detail = DrawnDetail()
        self.view = DrawnView(self.filter)
        self.view.delete_wanted.connect(self._delete)
        self.view.label_wanted.connect(self.detail.focus_label)
        self.view.clicked.connect(self._on_clicked)
        self.view.selectionModel().currentRowChanged.connect(self._on_current)
        self.view.selectionModel().selectionChanged.connect(self._on_selection)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        layout.setSpacing(GRID_PX)
        layout.addWidget(self.empty)
        layout.addWidget(self.search)
        layout.addWidget(self.view)
        layout.addWidget(self.detail)
        layout.addLayout(self._make_buttons(actions))
        self._soon = QTimer(self, interval=_PACE_MS, singleShot=True)
        self._soon.timeout.connect(self.refresh)
        heard = Subscriptions(self)
        heard.add(workspace.active_changed, self._on_active)
        heard.add(workspace.labels_changed, self._on_labels)
        heard.add(workspace.load_changed, self._refresh_detail)
        heard.add(field_signal(workspace.bench, "tool"), self._tell_wanted)
        self._of_case = Subscriptions(self)
        self._on_active()

    def _make_buttons(self, actions: QtActions) -> QHBoxLayout:
        self.copy = icon_button("mdi6.content-copy", _("Copy the list as a table, for a spreadsheet"))
        self.copy.clicked.connect(self._copy)
        self.hide_all = action_button(actions["drawn.hide"])
        self.show_all = action_button(actions["drawn.show"])
        self.export = action_button(actions["file.export_drawn"])
        self.remove = icon_button(
            "mdi6.trash-can-outline", _("Delete what is chosen in the list (Del); Undo brings it back")
        )
        self.remove.clicked.connect(self._delete)
        row = QHBoxLayout()
        row.setSpacing(GRID_PX)
        for button in (self.hide_all, self.show_all, self.copy, self.export):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.remove)
        return row

    def refresh(self, *_values: object) -> None:
        """Bring the list in line with the case; what is chosen in it stays chosen."""
        case = self._workspace.active
        kept = {one.annotation_id for one in self.selected()}
        self._quiet = True
        self.model.take(rows_of(case, all_drawn(case)) if case is not None else [])
        self.view.choose(kept)
        self._quiet = False
        some = bool(self.model.rows)
        self.empty.setVisible(not some)
        for widget in (self.view, self.search, self.copy, self.hide_all, self.show_all, self.export, self.remove):
            widget.setVisible(some)
        self.view.fit(len(self.model.rows))
        self._show_active()
        self._refresh_detail()
        self._tell_wanted()

    def _tell_wanted(self, *_values: object) -> None:
        marking = entry_of(self._workspace.bench.tool).group is ToolGroup.MARK
        before, self.wanted = self.wanted, bool(self.model.rows) or marking
        if before != self.wanted:
            self.wanted_changed.emit()

    def selected(self) -> list[Drawn]:
        """Return the things that are chosen in the list, in its order."""
        return self.view.chosen()

    def _on_active(self) -> None:
        self._of_case.clear()
        case = self._workspace.active
        if case is not None:
            self._of_case.add(field_signal(case.view, "active_annotation_id"), self._on_touched)
        self.refresh()

    def _on_labels(self, event: LabelsChanged) -> None:
        case = self._workspace.active
        # While a hand pulls at a box the list follows at its own pace.
        mine = case is not None and event.series_uid == case.key and not event.only_voxels
        if mine and not self._soon.isActive():
            self._soon.start()

    def _on_touched(self, *_values: object) -> None:
        self._quiet = True
        self._show_active()
        self._quiet = False
        self._refresh_detail()

    def _show_active(self) -> None:
        """Choose in the list what was touched on a picture, unless it is among several that are chosen."""
        case = self._workspace.active
        one = chosen(case) if case is not None else None
        if one is None or one.annotation_id in {other.annotation_id for other in self.selected()}:
            return
        self._quiet = True
        self.view.choose({one.annotation_id})
        self._quiet = False

    def _on_current(self, current: QModelIndex, _before: QModelIndex) -> None:
        case = self._workspace.active
        if not self._quiet and case is not None and current.isValid():
            jump_to(case, self.filter.row_at(current).one)

    def _on_selection(self, *_values: object) -> None:
        if not self._quiet:
            self._refresh_detail()

    def _on_clicked(self, index: QModelIndex) -> None:
        case, one = self._workspace.active, self.filter.row_at(index).one
        if case is None:
            return
        if index.column() == EYE:
            set_visible(case, [one], visible=not one.visible)
        else:
            # A click on what is chosen already goes there again.
            jump_to(case, one)

    def _refresh_detail(self) -> None:
        case, some = self._workspace.active, self.selected()
        self.remove.setEnabled(case is not None and case.editable and bool(some))
        self.detail.show_things(case, some)

    def _delete(self, _checked: bool = False) -> None:
        case, some = self._workspace.active, self.selected()
        if case is not None and some and delete(case, some):
            self._say_deleted(some)

    def _say_deleted(self, some: Sequence[Drawn]) -> None:
        if len(some) == 1:
            self._workspace.say(_("Deleted {title}.").format(title=title(some[0])), undo=True)
        else:
            self._workspace.say(_("Deleted {count} boxes and marks.").format(count=len(some)), undo=True)

    def _copy(self, _checked: bool = False) -> None:
        case: OpenCase | None = self._workspace.active
        if case is not None:
            QGuiApplication.clipboard().setText(clipboard_table(case, self.view.shown()))
            self._workspace.say(_("Copied the boxes and marks as a table."))
