"""The segments of the open series."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QToolButton, QVBoxLayout, QWidget

from medview.core.language import _, in_language
from medview.core.segmentation import SegmentStatus
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import action_button, icon_button, words
from medview.gui.parts.icons import icon
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.steady import SteadyComboBox
from medview.gui.parts.theme_tokens import GRID_PX
from medview.gui.segments.annotation_rows import AnnotationRows
from medview.gui.segments.figure_watch import FigureWatch
from medview.gui.segments.segment_cells import ROW_PX, STATUS_ICONS
from medview.gui.segments.segment_details import SegmentDetails
from medview.gui.segments.segment_menu import segment_menu, status_menu
from medview.gui.segments.segment_tree import SegmentTree
from medview.workspace.events import LabelsChanged
from medview.workspace.figure_texts import STATUS_TEXTS
from medview.workspace.workspace import Workspace

_LEAST_ROWS, _MOST_ROWS = 3, 11
_SEARCHED_FROM = 6
"""Fewer segments than this are seen at a glance."""
_PACE_MS = 60
"""Sizes follow a stroke at this pace: faster than anyone reads, slower than the hand."""

_BUTTONS = ("segment.instance", "segment.solo", "segment.delete")
_MORE = ("labelset.apply", "labelset.save", "segments.table")


class SegmentsPanel(QWidget):
    """Search, list and details of the active segment; below them statements about the whole series."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._actions = workspace, actions
        self.watch = FigureWatch(workspace, self)
        self._empty = words(
            _("No segments yet. Paint on a picture to make one, add one here, or take a label set."), "quiet"
        )
        self.sets = action_button(actions["labelset.apply"], text=True, flat=False)
        self.sets.setObjectName("button labelset.apply")
        self._read_only = words("", "warning")
        self._solo = words(_("Only some segments are shown."), "accent")
        self.search = QLineEdit()
        self.search.setPlaceholderText(_("Find a segment"))
        self.search.setToolTip(_("Lists only segments whose name, group or code has these words"))
        self.search.setClearButtonEnabled(True)
        self.search.setObjectName("segment search")
        self.status = SteadyComboBox()
        self.status.setToolTip(_("Lists only segments that are as far as this"))
        self.status.setObjectName("segment status")
        self.status.addItem(_("All"), None)
        for status in SegmentStatus:
            self.status.addItem(icon(STATUS_ICONS[status]), STATUS_TEXTS[status.value], status)
        self.tree = SegmentTree()
        self.details = SegmentDetails(self.watch, actions)
        self.annotations = AnnotationRows()
        self.add = action_button(actions["segment.add"], text=True, flat=False)
        self.add.setObjectName("button segment.add")
        self._searching = QWidget()
        self._of_chosen: list[QToolButton] = []
        self._build()
        self._pace = QTimer(self, interval=_PACE_MS, singleShot=True)
        self._pace.timeout.connect(self._show_sizes)
        self.search.textChanged.connect(self._filter)
        self.status.currentIndexChanged.connect(self._filter)
        self.tree.menu_wanted.connect(self._show_menu)
        self.tree.delete_wanted.connect(lambda: actions.run("segment.delete"))
        self.tree.status_wanted.connect(self._show_statuses)
        heard = Subscriptions(self)
        heard.add(workspace.active_changed, self._on_active)
        heard.add(workspace.labels_changed, self._on_labels)
        heard.add(workspace.load_changed, self._refresh_state)
        self._of_case = Subscriptions(self)
        self._on_active()

    def refresh(self, *_values: object) -> None:
        """Bring everything in line with the case."""
        self.tree.rows.refresh()
        self._refresh_state()
        self.annotations.show_case(self._workspace.active)

    def _build(self) -> None:
        finding = QHBoxLayout(self._searching)
        finding.setContentsMargins(0, 0, 0, 0)
        finding.setSpacing(GRID_PX)
        finding.addWidget(self.search, 1)
        finding.addWidget(self.status)
        buttons = QHBoxLayout()
        buttons.setSpacing(2)
        buttons.addWidget(self.add)
        buttons.addWidget(self.sets)
        buttons.addStretch(1)
        for action_id in _BUTTONS:
            button = action_button(self._actions[action_id])
            button.setObjectName(f"button {action_id}")
            buttons.addWidget(button)
            self._of_chosen.append(button)
        buttons.addWidget(self._more_button())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        layout.setSpacing(GRID_PX)
        parts: Sequence[QWidget] = (self._read_only, self._empty, self._searching, self._solo, self.tree)
        for part in parts:
            layout.addWidget(part)
        layout.addLayout(buttons)
        layout.addWidget(self.details)
        layout.addWidget(self.annotations)

    def _more_button(self) -> QToolButton:
        more = icon_button("mdi6.dots-horizontal", _("Label sets and the table of all segments"))
        more.setObjectName("button segments more")
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(more)
        menu.setToolTipsVisible(True)
        for action_id in _MORE:
            menu.addAction(self._actions[action_id])
        more.setMenu(menu)
        return more

    def _on_active(self) -> None:
        self._of_case.clear()
        case = self._workspace.active
        self.tree.take(case)
        if case is not None:
            self._of_case.add(field_signal(case.view, "solo_segment_ids"), self._refresh_state)
            self._of_case.add(field_signal(case.view, "folded_groups"), self._refresh_state)
        self.refresh()

    def _on_labels(self, event: LabelsChanged) -> None:
        case = self._workspace.active
        if case is None or event.series_uid != case.key:
            return
        if event.only_voxels:
            if not self._pace.isActive():
                self._pace.start()
        elif not event.only_figures:
            self.refresh()

    def _show_sizes(self) -> None:
        self.tree.rows.refresh()
        self.details.show_size()

    def _filter(self, *_values: object) -> None:
        self.tree.rows.set_filter(self.search.text(), self.status.currentData())
        self._refresh_state()

    def _refresh_state(self, *_values: object) -> None:
        case = self._workspace.active
        segments = case.labels.segmentation.segments if case is not None else []
        why = in_language(case.read_only) if case is not None else ""
        self._read_only.setText(why)
        self._read_only.setVisible(bool(why))
        self._empty.setVisible(not segments and not why)
        self.sets.setVisible(not segments)
        for button in self._of_chosen:
            button.setVisible(bool(segments))
        self._solo.setVisible(case is not None and bool(case.view.solo_segment_ids))
        filtered = bool(self.search.text()) or self.status.currentData() is not None
        self._searching.setVisible(len(segments) >= _SEARCHED_FROM or filtered)
        self.tree.setVisible(bool(segments))
        rows = len(segments) + sum(1 for _name, _index in self.tree.rows.groups())
        self.tree.setFixedHeight(ROW_PX * max(_LEAST_ROWS, min(_MOST_ROWS, rows)) + 2)
        self.details.refresh()

    def _show_menu(self, place: QPoint) -> None:
        case = self._workspace.active
        if case is not None:
            self._popup(segment_menu(case, self.tree, self._actions, self), place)

    def _show_statuses(self, ids: list[str], place: QPoint) -> None:
        case = self._workspace.active
        if case is not None:
            self._popup(status_menu(case, ids, self), place)

    def _popup(self, menu: QMenu, place: QPoint) -> None:
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(place)
