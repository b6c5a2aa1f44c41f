"""Boxes, points and lines of a case as rows of a table that can be searched and sorted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtGui import QIcon

from medview.core.annotations import BoxAnnotation, Drawn
from medview.core.language import _, in_language
from medview.gui.parts.controls import swatch
from medview.gui.parts.icons import icon
from medview.workspace.drawn import colour_of, kind_name, middle_kji, short_place, short_size, size_text, title, where
from medview.workspace.open_case import OpenCase

EYE, LABEL, SIZE, PLACE = range(4)
"""Columns."""

_SORT_ROLE = int(Qt.ItemDataRole.UserRole) + 1
_SWATCH_PX = 10
_NOTHING = QModelIndex()
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """One row: the thing and what is said of it.

    Attributes
    ----------
    said : str
        Where it is, in full.
    """

    one: Drawn
    label: str
    size: str
    place: str
    said: str
    colour: tuple[int, int, int]
    tip: str
    order: tuple[Any, ...]
    """What each column is sorted by."""

    @property
    def search_text(self) -> str:
        """What the search looks through."""
        attributes = " ".join(f"{one.name} {one.words}" for one in self.one.attributes)
        return f"{self.label} {kind_name(self.one)} {self.said} {self.one.source.title} {attributes}".casefold()


def rows_of(case: OpenCase, things: Sequence[Drawn]) -> list[DrawnRow]:
    """Return what the table shows."""
    named = {segment.name.casefold(): segment.colour for segment in case.labels.segmentation.segments}
    found = []
    for one in things:
        size, place = size_text(case.volume, one), where(case, one)
        score = f", {one.score:.2f}" if isinstance(one, BoxAnnotation) and one.score is not None else ""
        found.append(
            DrawnRow(
                one,
                title(one),
                short_size(case.volume, one),
                short_place(case, one),
                place,
                colour_of(one.label, named),
                _tip(one, size, place, score),
                (one.visible, title(one).casefold(), _extent(one), float(middle_kji(case, one)[0])),
            )
        )
    return found


class DrawnModel(QAbstractTableModel):
    """An eye, label, size and slice of everything that is drawn."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[DrawnRow] = []
        self._swatches: dict[tuple[int, int, int], QIcon] = {}

    def take(self, rows: list[DrawnRow]) -> None:
        """Show other rows; those of the same things keep their place and selection."""
        before = [row.one.annotation_id for row in self.rows]
        if before == [row.one.annotation_id for row in rows]:
            self.rows = rows
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, PLACE))
            return
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = _NOTHING) -> int:
        """Return how many things there are."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NOTHING) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else PLACE + 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the name of a column."""
        if orientation is not Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return ("", _("Label"), _("Size, mm"), _("Slice"))[section]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a cell shows."""
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return ("", row.label, row.size, row.place)[column]
        if role == Qt.ItemDataRole.DecorationRole and column == EYE:
            return icon("mdi6.eye-outline" if row.one.visible else "mdi6.eye-off-outline")
        if role == Qt.ItemDataRole.DecorationRole and column == LABEL:
            return self._swatches.setdefault(row.colour, swatch(row.colour, _SWATCH_PX))
        if role == Qt.ItemDataRole.ToolTipRole:
            return (_("Hide it") if row.one.visible else _("Show it")) if column == EYE else row.tip
        if role == _SORT_ROLE:
            return row.order[column]
        return None


class DrawnFilter(QSortFilterProxyModel):
    """The rows in which every word of a search stands."""

    def __init__(self, model: DrawnModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: list[str] = []
        self._model = model
        self.setSourceModel(model)
        self.setSortRole(_SORT_ROLE)

    def search(self, text: str) -> None:
        """Show only rows with these words."""
        self._words = text.casefold().split()
        self.invalidate()

    def filterAcceptsRow(self, source_row: int, _source_parent: Index) -> bool:
        """Whether a row is shown."""
        text = self._model.rows[source_row].search_text
        return all(word in text for word in self._words)

    def row_at(self, index: Index) -> DrawnRow:
        """Return the row behind a cell of the view."""
        return self._model.rows[self.mapToSource(index).row()]


def _extent(one: Drawn) -> float:
    if isinstance(one, BoxAnnotation):
        a, b, c = one.size_mm()
        return a * b * c
    return one.length_mm()


def _tip(one: Drawn, size: str, place: str, score: str) -> str:
    said = [f"{kind_name(one)}{score}", size, place, in_language(one.source.title)]
    return "\n".join([*filter(None, said), *(f"{a.name}: {a.words}" for a in one.attributes), _("Click to go there")])
