"""The segments of a case as rows: headings of groups with their members, and segments without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractItemModel, QMimeData, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from medview.core.segmentation import Code, Segment, SegmentStatus
from medview.workspace.figure_texts import size_text
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import segments as ops
from medview.workspace.segment_order import in_groups

ROW_ROLE = int(Qt.ItemDataRole.UserRole) + 1
"""Where an index keeps its SegmentRow or GroupRow."""

_MIME = "application/x-medview-segments"

Index = QModelIndex | QPersistentModelIndex

_ROOT = QModelIndex()


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One segment as it is listed.

    Attributes
    ----------
    size : str
        ``12.3 mL``, or empty.
    hidden : bool
        It is not seen because others are shown alone.
    """

    segment: Segment
    size: str
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class GroupRow:
    """The heading of a group, with the members that are listed."""

    name: str
    members: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class _Top:
    """A row at the left edge: a group, or one segment without (``group`` empty)."""

    group: str
    ids: tuple[str, ...]


class SegmentModel(QAbstractItemModel):
    """Rows of one case. What a person does with them goes to the operations; the rows follow from the labels.

    Nothing here looks at voxels: sizes come from the kept counts.
    """

    structure_changed = Signal()
    """Rows came, went, or lie elsewhere: what was unfolded or chosen has to be restored."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._case: OpenCase | None = None
        self._tops: list[_Top] = []
        self._rows: dict[str, SegmentRow] = {}
        self._places: dict[str, tuple[int, int]] = {}
        self._words: list[str] = []
        self._status: SegmentStatus | None = None

    def take(self, case: OpenCase | None) -> None:
        """List the segments of another case, or of none."""
        self._case = case
        self.refresh()

    def set_filter(self, text: str, status: SegmentStatus | None) -> None:
        """List only segments that have all words in name, group or code, and the status, where one is given."""
        self._words, self._status = text.casefold().split(), status
        self.refresh()

    def refresh(self) -> None:
        """Bring the rows in line with the case; rows that stay where they are stay themselves."""
        rows = {segment.segment_id: self._row(segment) for segment in self._segments() if self._fits(segment)}
        tops = [
            _Top(group, tuple(member.segment_id for member in members))
            for group, members in in_groups(row.segment for row in rows.values())
        ]
        if tops != self._tops:
            self.beginResetModel()
            self._tops, self._rows = tops, rows
            self._places = {one: (number, at) for number, top in enumerate(tops) for at, one in enumerate(top.ids)}
            self.endResetModel()
            self.structure_changed.emit()
            return
        changed = [one for one, row in rows.items() if row != self._rows[one]]
        self._rows = rows
        headings = set()
        for one in changed:
            index = self.index_of(one)
            self.dataChanged.emit(index, index)
            if index.parent().isValid():
                headings.add(index.parent().row())
        for number in headings:
            self.dataChanged.emit(self.index(number, 0), self.index(number, 0))

    @property
    def listed(self) -> list[str]:
        """Ids of the listed segments, from top to bottom, folded or not."""
        return [one for top in self._tops for one in top.ids]

    def index_of(self, segment_id: str) -> QModelIndex:
        """Return where a segment is listed; an invalid index when it is not."""
        place = self._places.get(segment_id)
        if place is None:
            return QModelIndex()
        number, at = place
        if not self._tops[number].group:
            return self.index(number, 0)
        return self.index(at, 0, self.index(number, 0))

    def groups(self) -> Iterator[tuple[str, QModelIndex]]:
        """Yield the listed groups with their headings."""
        for number, top in enumerate(self._tops):
            if top.group:
                yield top.group, self.index(number, 0)

    def segment_id(self, index: Index) -> str:
        """Return the id of the segment at an index; empty for a heading or nothing."""
        row = self.data(index, ROW_ROLE)
        return row.segment.segment_id if isinstance(row, SegmentRow) else ""

    def ids_under(self, index: Index) -> list[str]:
        """Return the segments a row stands for: itself, or the listed members of a group."""
        row = self.data(index, ROW_ROLE)
        if isinstance(row, GroupRow):
            return [member.segment_id for member in row.members]
        return [row.segment.segment_id] if isinstance(row, SegmentRow) else []

    # ------------------------------------------------------------------------------------ what Qt asks

    def index(self, row: int, column: int, parent: Index = _ROOT) -> QModelIndex:
        """Return an index; members of a group know the number of its row."""
        if column != 0 or not 0 <= row < self.rowCount(parent):
            return QModelIndex()
        return self.createIndex(row, 0, parent.row() + 1 if parent.isValid() else 0)

    def parent(self, child: Index = _ROOT) -> QModelIndex:  # type: ignore[override]  # QObject.parent() too
        """Return the heading above a member."""
        number = int(child.internalId()) if child.isValid() else 0
        return self.createIndex(number - 1, 0, 0) if number else QModelIndex()

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Rows at the left edge, or members of a group."""
        if not parent.isValid():
            return len(self._tops)
        if parent.internalId() or parent.row() >= len(self._tops):
            return 0
        top = self._tops[parent.row()]
        return len(top.ids) if top.group else 0

    def columnCount(self, _parent: Index = _ROOT) -> int:
        """One: the delegate divides the row."""
        return 1

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        """Return a row, or its name."""
        if not index.isValid():
            return None
        number = int(index.internalId())
        top = self._tops[number - 1 if number else index.row()]
        if top.group and not number:
            members = tuple(self._rows[one].segment for one in top.ids)
            row: SegmentRow | GroupRow = GroupRow(top.group, members)
        else:
            row = self._rows[top.ids[index.row() if number else 0]]
        if role == ROW_ROLE:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole, Qt.ItemDataRole.AccessibleTextRole):
            return row.name if isinstance(row, GroupRow) else row.segment.name
        return None

    def setData(self, index: Index, value: object, role: int = int(Qt.ItemDataRole.EditRole)) -> bool:
        """Rename a segment or a group; a segment may be given (name, Code)."""
        case, row = self._case, self.data(index, ROW_ROLE)
        if case is None or role != Qt.ItemDataRole.EditRole:
            return False
        if isinstance(row, GroupRow):
            # All members, listed or not: a search must not tear a group apart.
            members = [s.segment_id for s in self._segments() if s.group == row.name]
            return bool(str(value).strip()) and ops.set_group(case, members, str(value))
        if not isinstance(row, SegmentRow):
            return False
        name, code = value if isinstance(value, tuple) else (str(value), None)
        assert code is None or isinstance(code, Code)
        return ops.rename(case, row.segment.segment_id, str(name), code)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Rows can be chosen, renamed and moved where the case can be changed."""
        flag = Qt.ItemFlag
        if not index.isValid():
            return flag.ItemIsDropEnabled
        found = flag.ItemIsEnabled | flag.ItemIsDropEnabled
        segment = bool(self.segment_id(index))
        if segment:
            found |= flag.ItemIsSelectable
        if self._case is not None and self._case.editable:
            found |= flag.ItemIsEditable | flag.ItemIsDragEnabled
        return found

    def supportedDropActions(self) -> Qt.DropAction:
        """Rows are moved, never copied."""
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        """Rows go nowhere but into this list."""
        return [_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """Return the ids of what is dragged, in the order of the list."""
        dragged = {one for index in indexes for one in self.ids_under(index)}
        data = QMimeData()
        data.setData(_MIME, "\n".join(one for one in self.listed if one in dragged).encode())
        return data

    def dropMimeData(self, data: QMimeData, _action: Qt.DropAction, row: int, _column: int, parent: Index) -> bool:
        """Move segments before a row, to the end, or under a heading."""
        if self._case is None or not data.hasFormat(_MIME):
            return False
        ids = bytes(data.data(_MIME).data()).decode().split("\n")
        order = [s.segment_id for s in self._segments()]
        before, group = _dropped_at(self._tops, order, row, parent)
        ops.move(self._case, ids, before, group)
        # Rows follow from the labels: Qt must not remove the ones that were dragged.
        return False

    def _segments(self) -> list[Segment]:
        return self._case.labels.segmentation.segments if self._case is not None else []

    def _row(self, segment: Segment) -> SegmentRow:
        case = self._case
        assert case is not None
        solo = case.view.solo_segment_ids
        return SegmentRow(segment, size_text(case, segment), bool(solo) and segment.segment_id not in solo)

    def _fits(self, segment: Segment) -> bool:
        if self._status is not None and segment.status is not self._status:
            return False
        said = f"{segment.name} {segment.group} {segment.code.meaning if segment.code else ''}".casefold()
        return all(word in said for word in self._words)


def _dropped_at(tops: Sequence[_Top], order: list[str], row: int, parent: Index) -> tuple[str, str]:
    """Return the segment that a drop comes before (empty at the end) and the group it falls into.

    Parameters
    ----------
    order : list of str
        Ids of all segments, listed or not.
    """
    if not parent.isValid():
        after = tops[row] if 0 <= row < len(tops) else None
        return (after.ids[0] if after is not None else ""), ""
    number = int(parent.internalId())
    top = tops[number - 1 if number else parent.row()]
    if number or not top.group:
        # Onto a segment: before it, and into its group.
        return top.ids[parent.row() if number else 0], top.group
    if 0 <= row < len(top.ids):
        return top.ids[row], top.group
    at = order.index(top.ids[-1]) + 1
    return (order[at] if at < len(order) else ""), top.group
