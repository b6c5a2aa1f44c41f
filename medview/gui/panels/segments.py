"""The segments of the open series."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from medview.core.annotations import ImageLabel
from medview.core.language import _, in_language
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import action_button, clear_layout, icon_button, words
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.segment_row import SegmentRow
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.events import LabelsChanged
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.workspace import Workspace

_LEAST_HEIGHT_PX = 96
_MOST_HEIGHT_PX = 260


class SegmentsPanel(QWidget):
    """List with add, rename in place, colour, show, lock, delete; below it statements about the whole series."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.rows: dict[str, SegmentRow] = {}
        self._empty = words(_("No segments yet. Paint on a picture to make one, or add one here."), "quiet")
        self._read_only = words("", "warning")
        self.add = action_button(actions["segment.add"], text=True, flat=False)
        self.add.setObjectName("button segment.add")
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setAlignment(Qt.AlignmentFlag.AlignTop)
        inside = QWidget()
        inside.setLayout(self._list)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(inside)
        self._annotations = QVBoxLayout()
        self._annotations.setSpacing(0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        layout.setSpacing(GRID_PX)
        layout.addWidget(self._read_only)
        layout.addWidget(self._empty)
        layout.addWidget(self._area)
        layout.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addLayout(self._annotations)
        heard = Subscriptions(self)
        heard.add(workspace.active_changed, self._on_active)
        heard.add(workspace.labels_changed, self._on_labels)
        heard.add(workspace.load_changed, self._refresh_read_only)
        self._of_case = Subscriptions(self)
        self._on_active()

    def _on_active(self) -> None:
        self._of_case.clear()
        case = self._workspace.active
        if case is not None:
            self._of_case.add(field_signal(case.view, "active_segment_id"), self._on_active_segment)
        self.refresh()

    def _on_active_segment(self, segment_id: str) -> None:
        self.refresh()
        if segment_id in self.rows:
            self._area.ensureWidgetVisible(self.rows[segment_id])

    def _on_labels(self, event: LabelsChanged) -> None:
        case = self._workspace.active
        if case is not None and event.series_uid == case.key and not event.only_voxels:
            self.refresh()

    def refresh(self, *_values: object) -> None:
        """Bring the rows in line with the segments; rows that stay keep the focus."""
        case = self._workspace.active
        segments = case.labels.segmentation.segments if case else []
        wanted = [s.segment_id for s in segments]
        for gone in [key for key in self.rows if key not in wanted]:
            row = self.rows.pop(gone)
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        for position, segment in enumerate(segments):
            row = self.rows.get(segment.segment_id) or self._add_row(segment.segment_id)
            if self._list.indexOf(row) != position:
                self._list.removeWidget(row)
                self._list.insertWidget(position, row)
            row.update_segment(segment, active=case is not None and segment.segment_id == case.view.active_segment_id)
        self._empty.setVisible(not segments and not (case and case.read_only))
        self._area.setVisible(bool(segments))
        height = sum(self.rows[key].height() for key in wanted) + 2
        self._area.setFixedHeight(min(_MOST_HEIGHT_PX, max(height, _LEAST_HEIGHT_PX if len(wanted) > 2 else height)))
        self._refresh_read_only()
        self._refresh_annotations(case)

    def _refresh_read_only(self) -> None:
        case = self._workspace.active
        why = in_language(case.read_only) if case else ""
        self._read_only.setText(why)
        self._read_only.setVisible(bool(why))
        changeable = case is not None and not why and not case.reading
        self.add.setEnabled(changeable)
        for row in self.rows.values():
            row.set_changeable(changeable=changeable)

    def _add_row(self, segment_id: str) -> SegmentRow:
        case = self._workspace.active
        assert case is not None
        row = SegmentRow(case.labels.segmentation.segment(segment_id))
        row.chosen.connect(self._choose)
        row.renamed.connect(lambda key, name: self._with_case(lambda c: labels.rename_segment(c, key, name)))
        row.recoloured.connect(lambda key, rgb: self._with_case(lambda c: labels.recolour_segment(c, key, rgb)))
        row.shown.connect(lambda key, on: self._with_case(lambda c: labels.set_segment_visible(c, key, visible=on)))
        row.locked.connect(lambda key, on: self._with_case(lambda c: labels.set_segment_locked(c, key, locked=on)))
        row.deleted.connect(self._delete)
        self.rows[segment_id] = row
        return row

    def _choose(self, segment_id: str) -> None:
        if self._workspace.active is not None:
            self._workspace.active.view.active_segment_id = segment_id

    def _delete(self, segment_id: str) -> None:
        case = self._workspace.active
        if case is not None and case.editable:
            name = case.labels.segmentation.segment(segment_id).name
            labels.delete_segment(case, segment_id)
            self._workspace.say(_("Deleted {name}.").format(name=name), undo=True)

    def _with_case(self, change: Callable[[OpenCase], None]) -> None:
        if self._workspace.active is not None:
            change(self._workspace.active)

    def _refresh_annotations(self, case: OpenCase | None) -> None:
        clear_layout(self._annotations)
        if case is None:
            return
        for annotation_id, annotation in case.labels.annotations.items():
            if not isinstance(annotation, ImageLabel):
                continue  # the others have panels of their own
            row = QHBoxLayout()
            row.setSpacing(GRID_PX)
            label = ElidedLabel(_annotation_text(annotation))
            label.set_hint(in_language(annotation.source.title))
            remove = icon_button(
                "mdi6.trash-can-outline", _("Delete {label}; Undo brings it back").format(label=annotation.label)
            )
            remove.setEnabled(not case.read_only)
            remove.clicked.connect(
                lambda _checked=False, key=annotation_id: self._with_case(lambda c: labels.delete_annotation(c, key))
            )
            row.addWidget(label, 1)
            row.addWidget(remove)
            self._annotations.addLayout(row)


def _annotation_text(annotation: ImageLabel) -> str:
    score = f", {annotation.probability:.0%}" if annotation.probability is not None else ""
    return _("Whole series: {label}{score}").format(label=annotation.label, score=score)
