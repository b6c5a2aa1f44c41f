"""How a row of the segment list is divided: where each part lies, what it shows and what it says."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QRect

from medview.core.language import _, in_language, plural
from medview.core.segmentation import SegmentRole, SegmentStatus
from medview.core.source import SourceKind
from medview.gui.parts.theme_tokens import CONTROL_HEIGHT_PX, GRID_PX, ICON_SMALL_PX
from medview.gui.segments.segment_model import GroupRow, SegmentRow
from medview.workspace.figure_texts import source_text, status_text

ROW_PX = CONTROL_HEIGHT_PX
BAR_PX = 3
_BUTTON_PX = 20
_INDENT_PX = 10
_SIZE_PX = 64


class Cell(Enum):
    """A part of a row."""

    FOLD = "fold"
    STATUS = "status"
    COLOUR = "colour"
    NAME = "name"
    BADGES = "badges"
    SIZE = "size"
    EYE = "eye"
    CUBE = "cube"
    LOCK = "lock"


Row = SegmentRow | GroupRow

STATUS_ICONS = {
    SegmentStatus.TO_DO: "mdi6.circle-outline",
    SegmentStatus.IN_WORK: "mdi6.circle-half-full",
    SegmentStatus.DONE: "mdi6.check-circle",
    SegmentStatus.FLAGGED: "mdi6.flag",
}


def cells(rect: QRect, row: Row, *, member: bool = False) -> dict[Cell, QRect]:
    """Return where the parts of a row lie; the name takes what is left.

    Parameters
    ----------
    member : bool
        It is listed under a heading.
    """
    found: dict[Cell, QRect] = {}
    left, right = rect.left() + BAR_PX + GRID_PX, rect.right()
    for cell in (Cell.LOCK, Cell.CUBE, Cell.EYE):
        found[cell] = QRect(right - _BUTTON_PX + 1, rect.top(), _BUTTON_PX, rect.height())
        right -= _BUTTON_PX
    if isinstance(row, GroupRow):
        found[Cell.FOLD] = QRect(left - GRID_PX, rect.top(), ICON_SMALL_PX + GRID_PX, rect.height())
        left += ICON_SMALL_PX + GRID_PX
    else:
        left += _INDENT_PX if member else 0
        for cell in (Cell.STATUS, Cell.COLOUR):
            found[cell] = QRect(left - 2, rect.top(), ICON_SMALL_PX + 4, rect.height())
            left += ICON_SMALL_PX + GRID_PX
        if row.size:
            found[Cell.SIZE] = QRect(right - _SIZE_PX - GRID_PX + 1, rect.top(), _SIZE_PX, rect.height())
            right -= _SIZE_PX + GRID_PX
        if shown := badges(row):
            width = len(shown) * (ICON_SMALL_PX + 1)
            found[Cell.BADGES] = QRect(right - width + 1, rect.top(), width, rect.height())
            right -= width
    found[Cell.NAME] = QRect(left, rect.top(), max(0, right - left - GRID_PX), rect.height())
    return found


def badges(row: SegmentRow) -> list[str]:
    """Return the icons behind a name: who made it, and whether anybody is sure."""
    segment, found = row.segment, []
    if segment.role is SegmentRole.IGNORE:
        found.append("mdi6.help-circle-outline")
    if segment.source.kind is not SourceKind.HAND:
        made = "mdi6.robot-outline" if segment.source.kind is SourceKind.MODEL else "mdi6.import"
        found.append("mdi6.account-edit-outline" if segment.source.corrected else made)
    return found


def icon_of(cell: Cell, row: Row, *, folded: bool = False) -> str:
    """Return the icon of a part that is one."""
    segments = row.members if isinstance(row, GroupRow) else (row.segment,)
    if cell is Cell.FOLD:
        return "mdi6.chevron-right" if folded else "mdi6.chevron-down"
    if cell is Cell.EYE:
        return "mdi6.eye-outline" if any(s.visible for s in segments) else "mdi6.eye-off-outline"
    if cell is Cell.CUBE:
        return "mdi6.cube-outline" if any(s.visible_3d for s in segments) else "mdi6.cube-off-outline"
    if cell is Cell.LOCK:
        return "mdi6.lock-outline" if all(s.locked for s in segments) else "mdi6.lock-open-variant-outline"
    if cell is Cell.STATUS:
        return STATUS_ICONS[segments[0].status]
    return ""


def is_off(cell: Cell, row: Row) -> bool:
    """Whether the icon of a part is drawn quietly, since it says the usual or that something is not there."""
    segments = row.members if isinstance(row, GroupRow) else (row.segment,)
    if cell is Cell.EYE:
        return not any(s.visible for s in segments)
    if cell is Cell.CUBE:
        return not any(s.visible_3d for s in segments)
    return cell is Cell.LOCK and not all(s.locked for s in segments)


def tip_of(cell: Cell, row: Row, *, folded: bool = False) -> str:
    """Return what a part says when the pointer rests on it."""
    if isinstance(row, GroupRow):
        return _group_tip(cell, row, folded=folded)
    segment = row.segment
    if cell is Cell.EYE:
        return _("Hide on slices") if segment.visible else _("Show on slices")
    if cell is Cell.CUBE:
        return _("Hide in 3-D") if segment.visible_3d else _("Show in 3-D")
    if cell is Cell.LOCK:
        return _("Unlock") if segment.locked else _("Lock: nothing may change its voxels")
    if cell is Cell.STATUS:
        return _("{status}; click to say how far it is").format(status=status_text(segment))
    if cell is Cell.COLOUR:
        return _("Change the colour")
    said = [segment.name, source_text(segment)]
    if segment.role is SegmentRole.IGNORE:
        said.append(_("Unsure: training leaves its voxels out"))
    if segment.absent:
        said.append(_("Confirmed absent: somebody looked for it and found none"))
    if segment.code is not None:
        said.append(f"{segment.code.meaning} ({segment.code.scheme} {segment.code.value})")
    if row.hidden:
        said.append(_("Not shown now: others are shown alone"))
    return "\n".join([*said, _("Double click to rename, drag to move, right click for more")])


def _group_tip(cell: Cell, row: GroupRow, *, folded: bool) -> str:
    if cell is Cell.EYE:
        return _("Hide the group on slices") if any(s.visible for s in row.members) else _("Show the group on slices")
    if cell is Cell.CUBE:
        return _("Hide the group in 3-D") if any(s.visible_3d for s in row.members) else _("Show the group in 3-D")
    if cell is Cell.LOCK:
        return _("Unlock the group") if all(s.locked for s in row.members) else _("Lock the group")
    count = plural("{n} segment", "{n} segments", len(row.members)).format(n=len(row.members))
    what = _("click to unfold") if folded else _("click to fold away")
    return f"{in_language(row.name)}: {count}\n{what}"
