"""Measurements on the slice they were drawn on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from medview.gui.picture_text import draw_haloed
from medview.gui.theme_tokens import PICTURE_MEASURE, PICTURE_MEASURE_ACTIVE
from medview.gui.viewport import Viewport

_LINE_PX = 1.5
_HANDLE_PX = 3.5
_TEXT_GAP_PX = 8


@dataclass(frozen=True, slots=True)
class FigureOnSlice:
    """One measurement in screen rows and columns, where integers are voxel centres.

    Attributes
    ----------
    lines : tuple
        Each a row of (row, column).
    handles : tuple of (row, column)
        Points that can be pulled; also the mark of a probe.
    text : tuple of str
        What it says.
    text_at : (row, column)
        Beside this point.
    """

    lines: tuple[tuple[tuple[float, float], ...], ...]
    handles: tuple[tuple[float, float], ...]
    text: tuple[str, ...]
    text_at: tuple[float, float]
    active: bool = False


class MeasurementsLayer:
    """Lines with a dark rim, handles, and the numbers beside them."""

    def __init__(self) -> None:
        self._figures: tuple[FigureOnSlice, ...] = ()
        self._viewport: Viewport | None = None

    def update(self, figures: Sequence[FigureOnSlice], viewport: Viewport) -> None:
        """Take the figures of a slice."""
        self._figures, self._viewport = tuple(figures), viewport

    def paint(self, painter: QPainter, font: QFont) -> None:
        """Draw figures and numbers."""
        if self._viewport is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for figure in self._figures:
            self._paint(painter, font, figure, self._viewport)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint(self, painter: QPainter, font: QFont, figure: FigureOnSlice, viewport: Viewport) -> None:
        colour = QColor(PICTURE_MEASURE_ACTIVE if figure.active else PICTURE_MEASURE)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        shapes = [QPolygonF([viewport.point_px(row, column) for row, column in line]) for line in figure.lines]
        for pen in (QPen(QColor(0, 0, 0, 150), _LINE_PX + 2), QPen(colour, _LINE_PX)):
            painter.setPen(pen)
            for shape in shapes:
                painter.drawPolyline(shape)
        painter.setPen(QPen(QColor(0, 0, 0, 150), 1))
        painter.setBrush(colour)
        for row, column in figure.handles:
            painter.drawEllipse(viewport.point_px(row, column), _HANDLE_PX, _HANDLE_PX)
        self._paint_text(painter, font, figure, viewport, colour)

    def _paint_text(
        self, painter: QPainter, font: QFont, figure: FigureOnSlice, viewport: Viewport, colour: QColor
    ) -> None:
        metrics = QFontMetricsF(font)
        wide = max((metrics.horizontalAdvance(line) for line in figure.text), default=0.0)
        high = metrics.height() * len(figure.text)
        at = viewport.point_px(*figure.text_at)
        # Kept inside the pane: a number that cannot be read measures nothing.
        x = min(max(at.x() + _TEXT_GAP_PX, 2.0), max(2.0, viewport.width_px - wide - 4))
        y = min(max(at.y() - high / 2, 2.0), max(2.0, viewport.height_px - high - 4))
        for number, line in enumerate(figure.text):
            baseline = QPointF(round(x), round(y + metrics.ascent() + number * metrics.height()))
            draw_haloed(painter, baseline, line, font, colour.name())
