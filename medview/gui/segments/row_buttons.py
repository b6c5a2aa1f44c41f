"""What a press on a part of a row of the segment list does."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QWidget

from medview.core.language import _
from medview.gui.segments.segment_cells import Cell
from medview.gui.segments.segment_model import GroupRow, SegmentRow
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import segments as ops


def press(case: OpenCase, cell: Cell | None, row: SegmentRow | GroupRow) -> bool:
    """Fold, show, hide, lock; False where a press on the part does none of it."""
    if isinstance(row, GroupRow) and cell in (Cell.FOLD, Cell.NAME):
        case.view.folded_groups = case.view.folded_groups ^ {row.name}
        return True
    segments = row.members if isinstance(row, GroupRow) else (row.segment,)
    ids = [segment.segment_id for segment in segments]
    if cell is Cell.EYE:
        ops.set_visible(case, ids, visible=not any(s.visible for s in segments))
    elif cell is Cell.CUBE:
        ops.set_visible_3d(case, ids, visible=not any(s.visible_3d for s in segments))
    elif cell is Cell.LOCK:
        ops.set_locked(case, ids, locked=not all(s.locked for s in segments))
    else:
        return False
    return True


def ask_colour(case: OpenCase, ids: list[str], parent: QWidget) -> None:
    """Ask for a colour for segments."""
    segment = case.labels.segmentation.find(ids[0]) if ids else None
    if segment is None or not case.editable:
        return
    dialog = QColorDialog(parent)
    dialog.setWindowTitle(_("Colour of the segment"))
    dialog.setCurrentColor(QColor(*segment.colour))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.colorSelected.connect(lambda c: ops.set_colour(case, ids, (c.red(), c.green(), c.blue())))
    dialog.open()
