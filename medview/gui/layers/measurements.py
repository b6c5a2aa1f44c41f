"""Measurements, boxes, points and lines on a slice, with what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from medview.gui.drawing.picture_text import KeptTexts
from medview.gui.drawing.text_places import Box, Labelled, Place, TextPlaces
from medview.gui.drawing.viewport import Viewport
from medview.gui.parts.theme_tokens import PICTURE_MEASURE, PICTURE_MEASURE_ACTIVE

_LINE_PX = 1.5
_HANDLE_PX = 3.5
_RING_PX = 6.5
_SQUARE = 1e-6
_LABEL_PX, _CHOSEN_PX = 2.0, 3.0
"""Lines of what has a colour of its own, and of the one of them that is chosen."""
_NEAR_ALPHA, _NEAR_RIM_ALPHA = 190, 90


class Style(Enum):
    """How a figure is drawn."""

    SOLID = "solid"
    NEAR = "near"
    """It lies on slices beside this one: faint dashes, nothing to pull."""
    PROPOSED = "proposed"
    """No person has accepted it: dashes."""


@dataclass(frozen=True, slots=True)
class FigureOnSlice:
    """One figure in screen rows and columns, where integers are voxel centres.

    Attributes
    ----------
    lines : tuple
        Each a row of (row, column).
    handles : tuple of (row, column)
        Points that can be pulled; also the mark of a probe.
    text : tuple of str
        What it says.
    text_at : (row, column)
        Beside this point, where there is room.
    key : str
        What the figure is known by while it changes.
    colour : str
        ``#rrggbb``; empty is that of measurements.
    rings : tuple of (row, column)
        Places with a ring around them: points.
    """

    lines: tuple[tuple[tuple[float, float], ...], ...]
    handles: tuple[tuple[float, float], ...]
    text: tuple[str, ...]
    text_at: tuple[float, float]
    active: bool = False
    key: str = ""
    colour: str = ""
    style: Style = Style.SOLID
    rings: tuple[tuple[float, float], ...] = ()


class MeasurementsLayer:
    """Lines with a dark rim, handles, and the numbers beside them."""

    def __init__(self) -> None:
        self._figures: tuple[FigureOnSlice, ...] = ()
        self._viewport: Viewport | None = None
        self._places = TextPlaces()
        self._texts = KeptTexts()
        self._free: tuple[Box, ...] = ()
        self._placed: list[Place] = []
        self._placed_for: tuple[object, ...] = ()

    def update(self, figures: Sequence[FigureOnSlice], viewport: Viewport) -> None:
        """Take the figures of a slice."""
        self._figures, self._viewport = tuple(figures), viewport

    def keep_free(self, boxes: Sequence[Box]) -> None:
        """Put no number where other texts stand, as long as there is other room."""
        self._free = tuple(boxes)

    def paint(self, painter: QPainter, font: QFont) -> None:
        """Draw figures and numbers; numbers lie over all figures."""
        if self._viewport is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for figure in self._figures:
            self._paint(painter, figure, self._viewport)
        for figure, place in zip(self._figures, self.places(font), strict=True):
            _paint_text(painter, font, figure, place, self._texts)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def places(self, font: QFont) -> list[Place]:
        """Return where the text of each figure stands, in the order of the figures."""
        asked = (self._figures, self._viewport, self._free, font.key())
        if self._viewport is not None and asked != self._placed_for:
            # Many parts of a pane are drawn more often than their figures change.
            self._placed_for = asked
            viewport, metrics = self._viewport, QFontMetricsF(font)
            labelled = [_labelled(figure, viewport, metrics) for figure in self._figures]
            self._placed = self._places.of(labelled, (viewport.width_px, viewport.height_px), self._free)
        return self._placed

    def _paint(self, painter: QPainter, figure: FigureOnSlice, viewport: Viewport) -> None:
        colour = _colour(figure)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        shapes = [QPolygonF([viewport.point_px(row, column) for row, column in line]) for line in figure.lines]
        upright = len(shapes) == 1 and _upright(figure.lines[0])
        for pen in _pens(figure, colour):
            painter.setPen(pen)
            # Lines along pixels are sharper without smoothing, and many times as fast.
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, not upright)
            for shape in shapes:
                if upright:
                    painter.drawRect(QRectF(shape.at(0), shape.at(2)).normalized())
                else:
                    painter.drawPolyline(shape)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
            for row, column in figure.rings:
                painter.drawEllipse(viewport.point_px(row, column), _RING_PX, _RING_PX)
        painter.setPen(QPen(QColor(0, 0, 0, 150), 1))
        painter.setBrush(colour)
        for at in _apart([viewport.point_px(row, column) for row, column in figure.handles]):
            painter.drawEllipse(at, _HANDLE_PX, _HANDLE_PX)


def _upright(line: Sequence[tuple[float, float]]) -> bool:
    """Whether a line is a rectangle whose sides run along rows and columns."""
    if len(line) != 5 or line[0] != line[4]:
        return False
    (r0, c0), (r1, c1), (r2, c2), (r3, c3) = line[:4]
    down_first = abs(c0 - c1) + abs(r1 - r2) + abs(c2 - c3) + abs(r3 - r0)
    right_first = abs(r0 - r1) + abs(c1 - c2) + abs(r2 - r3) + abs(c3 - c0)
    return min(down_first, right_first) < _SQUARE


def _apart(places: Sequence[QPointF]) -> list[QPointF]:
    """Return the places that leave room between them, the first ones before the others: a small box has few handles."""
    found: list[QPointF] = []
    for place in places:
        if all((place - other).manhattanLength() > 2 * _HANDLE_PX + 2 for other in found):
            found.append(place)
    return found


def _pens(figure: FigureOnSlice, colour: QColor) -> tuple[QPen, ...]:
    if figure.style is Style.NEAR:
        faint = QColor(colour)
        faint.setAlpha(_NEAR_ALPHA)
        return QPen(QColor(0, 0, 0, _NEAR_RIM_ALPHA), 2.0), QPen(faint, 1.0, Qt.PenStyle.DashLine)
    if figure.style is Style.PROPOSED:
        return QPen(QColor(0, 0, 0, 150), _LABEL_PX + 2), QPen(colour, _LABEL_PX, Qt.PenStyle.DashLine)
    wide = _LINE_PX if not figure.colour else _CHOSEN_PX if figure.active else _LABEL_PX
    return QPen(QColor(0, 0, 0, 150), wide + 2), QPen(colour, wide)


def _colour(figure: FigureOnSlice) -> QColor:
    if figure.colour:
        return QColor(figure.colour)
    return QColor(PICTURE_MEASURE_ACTIVE if figure.active else PICTURE_MEASURE)


def _labelled(figure: FigureOnSlice, viewport: Viewport, metrics: QFontMetricsF) -> Labelled:
    at = viewport.point_px(*figure.text_at)
    wide = max((metrics.horizontalAdvance(line) for line in figure.text), default=0.0)
    handles = _pixels((*figure.handles, *figure.rings), viewport)
    lines = [_pixels(line, viewport) for line in figure.lines]
    points = np.concatenate([*lines, handles]) if lines or len(handles) else np.array([[at.x(), at.y()]])
    size = (wide, metrics.height() * len(figure.text))
    return Labelled(figure.key or str(id(figure)), points, handles, (at.x(), at.y()), size)


def _pixels(points: Sequence[tuple[float, float]], viewport: Viewport) -> npt.NDArray[np.float64]:
    """Return x and y of rows and columns, shape (points, 2)."""
    rows, columns = np.asarray(points, dtype=np.float64).reshape(-1, 2).T
    x_px = viewport.left_px + (columns + 0.5) * viewport.column_px
    return np.column_stack([x_px, viewport.top_px + (rows + 0.5) * viewport.row_px])


def _paint_text(painter: QPainter, font: QFont, figure: FigureOnSlice, place: Place, texts: KeptTexts) -> None:
    colour, metrics = _colour(figure), QFontMetricsF(font)
    if place.leader_px is not None:
        leader = QLineF(*place.leader_px)
        for pen in (QPen(QColor(0, 0, 0, 150), 2.5), QPen(colour, 0.8, Qt.PenStyle.DotLine)):
            painter.setPen(pen)
            painter.drawLine(leader)
    for number, line in enumerate(figure.text):
        top_left = QPointF(round(place.left_px), round(place.top_px + number * metrics.height()))
        texts.draw(painter, top_left, line, font, colour.name())
