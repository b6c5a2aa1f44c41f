"""How rows of the study tree are drawn: thumbnail, two lines, verdict chip."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from medview.core.study import Series, Verdict
from medview.gui.browser.study_tree import ROW_ROLE, VERDICT_WORDS, Row, RowKind, verdict_word
from medview.gui.parts.theme_tokens import GRID_PX, TEXT_SMALL_PX, Tokens

THUMBNAIL_PX = 48
_SERIES_HEIGHT_PX = THUMBNAIL_PX + 2 * GRID_PX
_PATIENT_HEIGHT_PX = 28
_STUDY_HEIGHT_PX = 28

Index = QModelIndex | QPersistentModelIndex


class StudyRows(QStyledItemDelegate):
    """Draws Rows.

    Parameters
    ----------
    thumbnail : callable
        Gives the picture of a series, or None while there is none; called only for rows that are seen.
    is_open : callable
        Whether the volume of a row is shown; such rows carry an accent bar.
    """

    def __init__(
        self,
        tokens: Tokens,
        thumbnail: Callable[[Series], QPixmap | None],
        is_open: Callable[[Row], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.tokens = tokens
        self._thumbnail, self._is_open = thumbnail, is_open

    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the height of a row by its kind."""
        row: Row = index.data(ROW_ROLE)
        heights = {
            RowKind.PATIENT: _PATIENT_HEIGHT_PX,
            RowKind.STUDY: _STUDY_HEIGHT_PX,
            RowKind.SERIES: _SERIES_HEIGHT_PX,
        }
        return QSize(100, heights[row.kind])

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        row: Row = index.data(ROW_ROLE)
        area, t = QRect(option.rect), self.tokens
        painter.save()
        selected = bool(option.state & QStyle.StateFlag.State_Selected) and row.kind is RowKind.SERIES
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(QRect(0, area.y(), area.right() + 1, area.height()), QColor(t.raised))
        if row.kind is RowKind.SERIES and row.series is not None:
            self._paint_series(painter, area, row, row.series, selected=selected)
        else:
            self._paint_heading(painter, area, row)
        painter.restore()

    def _paint_heading(self, painter: QPainter, area: QRect, row: Row) -> None:
        font = painter.font()
        font.setBold(row.kind is RowKind.PATIENT)
        painter.setFont(font)
        inner = area.adjusted(GRID_PX, 0, -GRID_PX * 2, 0)
        detail_width = painter.fontMetrics().horizontalAdvance(row.detail) + GRID_PX * 2 if row.detail else 0
        detail_width = min(detail_width, inner.width() // 2)
        left = inner.adjusted(0, 0, -detail_width, 0)
        _line(painter, left, row.title, self.tokens.text)
        font.setBold(False)
        painter.setFont(font)
        right = QRect(inner.right() - detail_width + 1, inner.y(), detail_width, inner.height())
        _line(painter, right, row.detail, self.tokens.quiet, Qt.AlignmentFlag.AlignRight)

    def _paint_series(self, painter: QPainter, area: QRect, row: Row, series: Series, *, selected: bool) -> None:
        t = self.tokens
        if self._is_open(row):
            painter.fillRect(QRect(0, area.y() + 2, 3, area.height() - 4), QColor(t.accent))
        box = QRect(area.x() + GRID_PX, area.y() + GRID_PX, THUMBNAIL_PX, THUMBNAIL_PX)
        painter.fillRect(box, QColor("#000000"))
        picture = self._thumbnail(series) if series.volumes else None
        if picture is not None:
            ratio = picture.devicePixelRatio()
            size = QSize(round(picture.width() / ratio), round(picture.height() / ratio))
            painter.drawPixmap(box.center() - QPoint(size.width() // 2 - 1, size.height() // 2 - 1), picture)
        text = QRect(box.right() + GRID_PX * 2, area.y() + GRID_PX, 0, THUMBNAIL_PX)
        text.setRight(area.right() - GRID_PX * 2)
        half = text.height() // 2
        _line(painter, QRect(text.x(), text.y() + 2, text.width(), half - 2), row.title, t.text)
        word = verdict_word(row)
        font = painter.font()
        font.setPixelSize(TEXT_SMALL_PX)
        painter.setFont(font)
        width = painter.fontMetrics().horizontalAdvance(word) + 3 * GRID_PX
        chip = QRect(text.right() - width, text.y() + half + 2, width, half - 6)
        _line(painter, QRect(text.x(), text.y() + half, text.width() - width - GRID_PX, half - 2), row.detail, t.quiet)
        colour = {VERDICT_WORDS[Verdict.STACK]: t.warning, VERDICT_WORDS[Verdict.REFUSED]: t.error}.get(word, t.quiet)
        painter.setPen(QColor(colour if colour != t.quiet else t.line))
        painter.drawRoundedRect(chip, GRID_PX, GRID_PX)
        painter.setPen(QColor(colour))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, word)


def _line(
    painter: QPainter, area: QRect, text: str, colour: str, side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft
) -> None:
    painter.setPen(QColor(colour))
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter, shown)
