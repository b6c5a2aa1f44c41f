"""Everything that is told of all segments, in one table."""

from __future__ import annotations

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QTableView, QWidget

from medview.core.language import _, plural
from medview.gui.parts.bind import Subscriptions
from medview.gui.parts.controls import swatch
from medview.gui.parts.copied_table import lay_out_table
from medview.workspace.events import LabelsChanged
from medview.workspace.figure_texts import SEGMENT_COLUMNS, segment_cells, segment_table
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.figures import want_all
from medview.workspace.workspace import Workspace

Index = QModelIndex | QPersistentModelIndex

_ROOT = QModelIndex()

_SIZE = QSize(1080, 560)
_WORDS = 4
"""Columns that hold words; the others hold numbers."""


class _Model(QAbstractTableModel):
    def __init__(self, case: OpenCase, parent: QObject) -> None:
        super().__init__(parent)
        self._case = case
        self._rows = self._read()

    def refresh(self) -> None:
        """Read everything again: 120 rows take no time, since nothing here looks at voxels."""
        self.beginResetModel()
        self._rows = self._read()
        self.endResetModel()

    def _read(self) -> list[tuple[str, ...]]:
        return [segment_cells(self._case, segment) for segment in self._case.labels.segmentation.segments]

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, _parent: Index = _ROOT) -> int:
        return len(SEGMENT_COLUMNS)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        if role == Qt.ItemDataRole.DisplayRole:
            return self._rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() >= _WORDS:
            return Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return swatch(self._case.labels.segmentation.segments[index.row()].colour)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return SEGMENT_COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section >= _WORDS else Qt.AlignmentFlag.AlignLeft
            return Qt.AlignmentFlag.AlignVCenter | side
        return None


class SegmentTableDialog(QDialog):
    """Measures what was not measured yet, one segment after the other, and follows changes while it is open."""

    def __init__(self, workspace: Workspace, case: OpenCase, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._case = workspace, case
        self.setWindowTitle(_("Table of all segments"))
        self.setObjectName("segment table")
        self.resize(_SIZE)
        self.model = _Model(case, self)
        self.view = QTableView()
        self.view.setModel(self.model)
        self.view.clicked.connect(self._choose)
        self.state, self.copy = lay_out_table(self, self.view, self._copy)
        heard = Subscriptions(self)
        heard.add(case.figures.changed, self._on_measured)
        heard.add(workspace.labels_changed, self._on_labels)
        heard.add(workspace.cases_changed, self._on_cases)
        want_all(workspace, case)
        self._refresh()

    def _on_cases(self) -> None:
        if self._workspace.cases.get(self._case.key) is not self._case:
            self.close()

    def _on_measured(self, _segment_id: str) -> None:
        self._refresh()

    def _on_labels(self, event: LabelsChanged) -> None:
        if event.series_uid == self._case.key and not event.only_figures and not self._case.in_gesture:
            want_all(self._workspace, self._case)
            self._refresh()

    def _refresh(self) -> None:
        self.model.refresh()
        segmentation, figures = self._case.labels.segmentation, self._case.figures
        missing = sum(figures.current(segmentation, s) is None for s in segmentation.segments)
        self.state.setText(
            plural("{n} segment is still measured", "{n} segments are still measured", missing).format(n=missing)
            if missing
            else ""
        )

    def _choose(self, index: QModelIndex) -> None:
        self._case.view.active_segment_id = self._case.labels.segmentation.segments[index.row()].segment_id

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(segment_table(self._case))
        self._workspace.say(_("Copied the segments as a table."))
