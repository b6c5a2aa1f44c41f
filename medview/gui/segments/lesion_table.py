"""The pieces of the active segment as a table: a click goes there."""

from __future__ import annotations

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Slot
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QTableView, QVBoxLayout, QWidget

from medview.analysis.segment_figures import Component
from medview.core.language import _, plural
from medview.core.volume import Volume
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.theme_tokens import CONTROL_HEIGHT_PX, GRID_PX
from medview.gui.segments.figure_watch import FigureWatch
from medview.workspace.figure_texts import component_cells, component_table
from medview.workspace.workspace import Workspace

Index = QModelIndex | QPersistentModelIndex

_ROOT = QModelIndex()

_COLUMNS = ("#", _("Size"), _("Axes"), _("Mean"))
_AXES = 2
_MOST_ROWS = 6


class ComponentModel(QAbstractTableModel):
    """One row for each piece."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.components: tuple[Component, ...] = ()
        self._volume: Volume | None = None

    def show_components(self, components: tuple[Component, ...], volume: Volume | None) -> None:
        """Take other pieces."""
        if components is self.components and volume is self._volume:
            return
        self.beginResetModel()
        self.components, self._volume = components, volume
        self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Pieces."""
        return 0 if parent.isValid() else len(self.components)

    def columnCount(self, _parent: Index = _ROOT) -> int:
        """Number, size, axes, mean."""
        return len(_COLUMNS)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        """Return a cell."""
        if role == Qt.ItemDataRole.DisplayRole and self._volume is not None:
            return component_cells(self.components[index.row()], self._volume)[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        if role == Qt.ItemDataRole.ToolTipRole:
            return _("Click to go there")
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        """Return the name of a column."""
        if role == Qt.ItemDataRole.DisplayRole and orientation is Qt.Orientation.Horizontal:
            unit = self.components[0].extent.unit if self.components else ""
            # Beside every number the unit would take a second line where the column is narrow.
            return f"{_COLUMNS[section]}, {unit}" if section == _AXES and unit else _COLUMNS[section]
        if role == Qt.ItemDataRole.ToolTipRole and section == _AXES:
            return _("Longest diameter on any slice, in volumes any axial one, and the longest at right angles to it")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        return None


class LesionTable(QWidget):
    """Follows the active segment; measured while it can be seen."""

    def __init__(self, workspace: Workspace, watch: FigureWatch, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._watch = workspace, watch
        self.model = ComponentModel(self)
        self.said = words("", "quiet")
        self.view = QTableView()
        self.view.setObjectName("lesions")
        self.view.setAccessibleName(_("Pieces of the segment"))
        self.view.setModel(self.model)
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(CONTROL_HEIGHT_PX)
        header = self.view.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_AXES, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(20)
        header.setHighlightSections(False)
        self.view.setShowGrid(False)
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.selectionModel().currentRowChanged.connect(self._go)
        self.view.clicked.connect(self._go)
        self.copy = text_button(
            _("Copy as table"), _("Number, volume, axes, mean and centre in columns, for a spreadsheet")
        )
        self.copy.clicked.connect(self._copy)
        row = QHBoxLayout()
        row.addWidget(self.copy)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        layout.setSpacing(GRID_PX)
        layout.addWidget(self.said)
        layout.addWidget(self.view)
        layout.addLayout(row)
        watch.changed.connect(self.refresh)
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Measure while it can be seen."""
        super().showEvent(event)
        self._watch.watch("pieces", awake=True)
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        """Measure no longer."""
        super().hideEvent(event)
        self._watch.watch("pieces", awake=False)

    @Slot()
    def refresh(self) -> None:
        """Show the pieces of the active segment."""
        case, segment = self._watch.case, self._watch.segment
        # Rows of a moment ago are better than none while the new ones are worked out.
        figures = self._watch.figures or self._watch.last
        known = figures is not None and segment is not None and case is not None
        components = figures.components if figures is not None and known else ()
        self.model.show_components(components, case.anchor.volume if case is not None else None)
        self.view.setVisible(bool(components))
        self.copy.setVisible(bool(components))
        rows = min(_MOST_ROWS, len(components))
        self.view.setFixedHeight(rows * CONTROL_HEIGHT_PX + self.view.horizontalHeader().sizeHint().height() + 2)
        self.said.setText(self._words())

    def _words(self) -> str:
        case, segment, figures = self._watch.case, self._watch.segment, self._watch.figures or self._watch.last
        if case is None or segment is None:
            return _("No segment is chosen.")
        if not case.labels.segmentation.count(segment):
            return _("{name} holds no voxels.").format(name=segment.name)
        if figures is None or not figures.component_count:
            return _("Measuring {name}").format(name=segment.name)
        count = figures.component_count
        pieces = plural("{n} piece", "{n} pieces", count).format(n=count)
        listed = len(figures.components)
        if listed < count:
            return _("{name}: {pieces}, the {listed} largest are listed").format(
                name=segment.name, pieces=pieces, listed=listed
            )
        return _("{name}: {pieces}").format(name=segment.name, pieces=pieces)

    def _go(self, index: QModelIndex, _before: QModelIndex | None = None) -> None:
        case = self._watch.case
        if case is not None and index.isValid():
            component = self.model.components[index.row()]
            case.view.look_at(component.centre_kji, case.volume.geometry.shape_kji)

    def _copy(self) -> None:
        case, segment, figures = self._watch.case, self._watch.segment, self._watch.figures
        if case is None or segment is None:
            return
        if figures is None:
            # The rows are those of a moment ago: of voxels that may be gone.
            self._workspace.say(_("{name} is still being measured; copy it in a moment.").format(name=segment.name))
        else:
            QGuiApplication.clipboard().setText(component_table(segment, figures, case.anchor.volume))
            self._workspace.say(_("Copied the pieces of {name} as a table.").format(name=segment.name))
