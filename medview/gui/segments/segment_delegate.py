"""Draws the rows of the segment list, and lets a name be typed with codes suggested."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from medview.core.language import _
from medview.core.segmentation import SegmentStatus
from medview.gui.parts.icons import icon
from medview.gui.parts.theme import tokens_in_use, ui_font
from medview.gui.parts.theme_tokens import ICON_SMALL_PX, TEXT_SMALL_PX
from medview.gui.segments.name_edit import NameEdit
from medview.gui.segments.segment_cells import BAR_PX, ROW_PX, Cell, Row, badges, cells, icon_of, is_off, tip_of
from medview.gui.segments.segment_model import ROW_ROLE, GroupRow, SegmentRow

Index = QModelIndex | QPersistentModelIndex

_SELECTED = QStyle.StateFlag.State_Selected.value
_UNDER_POINTER = QStyle.StateFlag.State_MouseOver.value
_BUTTONS = (Cell.EYE, Cell.CUBE, Cell.LOCK)
_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight


class SegmentDelegate(QStyledItemDelegate):
    """One row of the list.

    Attributes
    ----------
    active_id : str
        The segment that tools work on: its row has a bar.
    folded : frozenset of str
        Groups that are folded away.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.active_id = ""
        self.folded: frozenset[str] = frozenset()
        self._glyphs = _Glyphs()

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return the height of a row."""
        return QSize(0, ROW_PX)

    def cells_at(self, rect: QRect, index: Index) -> dict[Cell, QRect]:
        """Return the parts of a row that lies in ``rect``."""
        row: Row | None = index.data(ROW_ROLE)
        return cells(rect, row, member=index.parent().isValid()) if row is not None else {}

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        row: Row | None = index.data(ROW_ROLE)
        if row is None:
            return
        painter.save()
        view: Any = option
        rect, palette = QRect(view.rect), QApplication.palette()
        parts = self.cells_at(rect, index)
        self._background(painter, rect, row, int(view.state.value))
        if isinstance(row, GroupRow):
            self._heading(painter, parts, row)
        else:
            self._segment(painter, parts, row)
        for cell in _BUTTONS:
            self._glyphs.draw(painter, parts[cell], icon_of(cell, row), quiet=is_off(cell, row))
        painter.setPen(palette.color(QPalette.ColorRole.Text))
        painter.restore()

    def helpEvent(self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index) -> bool:
        """Say what the part under the pointer is."""
        row: Row | None = index.data(ROW_ROLE)
        if event.type() is not QEvent.Type.ToolTip or row is None:
            return super().helpEvent(event, view, option, index)
        here: Any = option
        for cell, place in self.cells_at(QRect(here.rect), index).items():
            if place.contains(event.pos()):
                folded = isinstance(row, GroupRow) and row.name in self.folded
                QToolTip.showText(event.globalPos(), tip_of(cell, row, folded=folded), view)
                return True
        return False

    def createEditor(self, parent: QWidget, _option: QStyleOptionViewItem, index: Index) -> QWidget:
        """Return a field for the name; codes are suggested for a segment."""
        if isinstance(index.data(ROW_ROLE), GroupRow):
            field = QLineEdit(parent)
            field.setToolTip(_("Enter keeps the name, Escape the old one"))
            return field
        return NameEdit(parent)

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """Put the name into the field."""
        if isinstance(editor, QLineEdit):
            editor.setText(str(index.data(Qt.ItemDataRole.EditRole)))
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        """Take the name, and the code when one was picked."""
        if isinstance(editor, NameEdit):
            model.setData(index, (editor.text(), editor.picked))
        elif isinstance(editor, QLineEdit):
            model.setData(index, editor.text())

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        """Give the field the room of the name and the size."""
        here: Any = option
        parts = self.cells_at(QRect(here.rect), index)
        name = parts[Cell.NAME]
        editor.setGeometry(name.united(parts.get(Cell.SIZE, name)))

    def _background(self, painter: QPainter, rect: QRect, row: Row, state: int) -> None:
        palette = QApplication.palette()
        active = isinstance(row, SegmentRow) and row.segment.segment_id == self.active_id
        if state & _SELECTED or active:
            painter.fillRect(rect, palette.color(QPalette.ColorRole.Base))
        elif state & _UNDER_POINTER:
            hover = palette.color(QPalette.ColorRole.Base)
            hover.setAlpha(120)
            painter.fillRect(rect, hover)
        if active:
            painter.fillRect(rect.left(), rect.top(), BAR_PX, rect.height(), palette.color(QPalette.ColorRole.Accent))

    def _heading(self, painter: QPainter, parts: dict[Cell, QRect], row: GroupRow) -> None:
        palette = QApplication.palette()
        self._glyphs.draw(painter, parts[Cell.FOLD], icon_of(Cell.FOLD, row, folded=row.name in self.folded))
        painter.setFont(ui_font(TEXT_SMALL_PX, bold=True))
        painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
        _draw_text(painter, parts[Cell.NAME], f"{row.name}  {len(row.members)}", _LEFT)

    def _segment(self, painter: QPainter, parts: dict[Cell, QRect], row: SegmentRow) -> None:
        segment, palette = row.segment, QApplication.palette()
        seen = segment.visible and not row.hidden
        colour = QColor(*segment.colour)
        box = QRect(0, 0, 14, 14)
        box.moveCenter(parts[Cell.COLOUR].center())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if segment.outline_only:
            painter.setPen(colour)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 3, 3)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRoundedRect(box, 3, 3)
        self._glyphs.draw(painter, parts[Cell.STATUS], icon_of(Cell.STATUS, row), colour=_status_colour(segment.status))
        for number, name in enumerate(badges(row)):
            place = parts[Cell.BADGES]
            left = place.left() + number * (ICON_SMALL_PX + 1)
            self._glyphs.draw(painter, QRect(left, place.top(), ICON_SMALL_PX, place.height()), name, quiet=True)
        painter.setFont(ui_font())
        role = QPalette.ColorRole.Text if seen else QPalette.ColorRole.PlaceholderText
        painter.setPen(palette.color(role))
        _draw_text(painter, parts[Cell.NAME], segment.name, _LEFT)
        painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
        if Cell.SIZE in parts:
            _draw_text(painter, parts[Cell.SIZE], row.size, _RIGHT)


def _draw_text(painter: QPainter, place: QRect, text: str, flags: Qt.AlignmentFlag) -> None:
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, place.width())
    painter.drawText(place, flags, shown)


class _Glyphs:
    """Icons as pixels: a list of 120 segments draws the same few over and over."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, float], QPixmap] = {}

    def draw(self, painter: QPainter, place: QRect, name: str, *, quiet: bool = False, colour: str = "") -> None:
        """Draw an icon in the middle of a place, in the colour of text, of quiet text, or another."""
        role = QPalette.ColorRole.PlaceholderText if quiet else QPalette.ColorRole.ButtonText
        key = (name, colour or QApplication.palette().color(role).name(), painter.device().devicePixelRatioF())
        if key not in self._known:
            self._known[key] = self._made(*key)
        corner = place.center() - QPoint(ICON_SMALL_PX // 2 - 1, ICON_SMALL_PX // 2 - 1)
        painter.drawPixmap(corner, self._known[key])

    def _made(self, name: str, colour: str, ratio: float) -> QPixmap:
        side = round(ICON_SMALL_PX * ratio)
        picture = QPixmap(side, side)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        middle, whole = Qt.AlignmentFlag.AlignCenter, QRect(0, 0, side, side)
        icon(name, colour).paint(painter, whole, middle, QIcon.Mode.Normal, QIcon.State.Off)
        painter.end()
        picture.setDevicePixelRatio(ratio)
        return picture


def _status_colour(status: SegmentStatus) -> str:
    tokens = tokens_in_use()
    return {
        SegmentStatus.TO_DO: tokens.quiet,
        SegmentStatus.IN_WORK: tokens.accent,
        SegmentStatus.DONE: tokens.good,
        SegmentStatus.FLAGGED: tokens.warning,
    }[status]
