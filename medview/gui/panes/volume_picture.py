"""The newest picture of a volume, with what is drawn over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen

from medview.core.plane import letters
from medview.gui.drawing.picture_text import Align, TextBlock, TextLine, draw_haloed
from medview.gui.parts.theme_tokens import GRID_PX, PICTURE_QUIET, PICTURE_TEXT, PICTURE_WARNING
from medview.scene.camera import FloatArray, Orbit, Shot
from medview.scene.messages import Picture

_MARKER_PX = 26
"""Length of an axis of the orientation marker."""
_LETTER_PX = 9
_CROSS_PX = 9
_MIDDLE_PX = 14


@dataclass(frozen=True, slots=True)
class Words:
    """What is written on the picture.

    Attributes
    ----------
    middle : str
        Instead of a picture.
    below : str
        In the lower right corner.
    warning : bool
        The words in the middle report a problem.
    """

    middle: str = ""
    below: str = ""
    warning: bool = False


class VolumePicture:
    """Draws a Picture on black, letters of the patient's sides, and a cross at a point of the patient."""

    def __init__(self) -> None:
        self._image: QImage | None = None
        self._rgb = b""
        self._middle, self._below = TextBlock(), TextBlock()

    def take(self, picture: Picture | None) -> None:
        """Show another picture, or none."""
        self._image = None
        if picture is None:
            self._rgb = b""
            return
        # The image borrows the bytes.
        self._rgb = picture.rgb
        width, height = picture.look.size_px
        self._image = QImage(self._rgb, width, height, 3 * width, QImage.Format.Format_RGB888)

    @property
    def empty(self) -> bool:
        """Whether there is no picture."""
        return self._image is None

    def paint(self, painter: QPainter, area: QRectF, font: QFont, ratio: float, words: Words) -> None:
        """Draw the picture over ``area``, or the words in its middle."""
        painter.fillRect(area, QColor(0, 0, 0))
        if self._image is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
            painter.drawImage(area, self._image, QRectF(self._image.rect()))
        if words.middle:
            colour = PICTURE_WARNING if words.warning else PICTURE_QUIET
            self._draw_middle(painter, area, font, words.middle, colour)
        self._below.set([TextLine(words.below, PICTURE_TEXT)] if words.below else [], font, ratio, Align.RIGHT)
        corner = area.bottomRight() - QPointF(self._below.size.width() + 8, self._below.size.height() + 8)
        self._below.paint(painter, corner)

    def _draw_middle(self, painter: QPainter, area: QRectF, font: QFont, text: str, colour: str) -> None:
        large = QFont(font)
        large.setPixelSize(_MIDDLE_PX)
        painter.setFont(large)
        painter.setPen(QColor(colour))
        room = area.adjusted(8 * GRID_PX, 8 * GRID_PX, -8 * GRID_PX, -8 * GRID_PX)
        painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), text)

    def paint_marker(self, painter: QPainter, area: QRectF, font: QFont, orbit: Orbit) -> None:
        """Draw the six directions of the patient in the lower left corner; those pointing away from the eye are dim."""
        middle = area.bottomLeft() + QPointF(_MARKER_PX + 18, -_MARKER_PX - 18)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        metrics = painter.fontMetrics()
        directions = [sign * np.eye(3)[axis] for axis in range(3) for sign in (1.0, -1.0)]
        for direction in sorted(directions, key=lambda d: _toward_eye(orbit, d)):
            right, up, eye = orbit.axes_lps @ direction
            length = float(np.hypot(right, up))
            if length < 0.2:
                continue  # it points at the eye: its letter would hide the others
            colour = PICTURE_TEXT if eye >= -1e-6 else PICTURE_QUIET
            tip = middle + QPointF(right, -up) * _MARKER_PX
            pen = QPen(QColor(colour), 1.5 if eye >= -1e-6 else 1.0)
            painter.setPen(pen)
            painter.drawLine(middle, tip)
            at = tip + QPointF(right, -up) / length * _LETTER_PX
            letter = letters(direction)[:1]
            left = at.x() - metrics.horizontalAdvance(letter) / 2
            base = at.y() + metrics.capHeight() / 2
            draw_haloed(painter, QPointF(round(left), round(base)), letter, font, colour)

    def paint_cross(self, painter: QPainter, shot: Shot, point_lps_mm: FloatArray, colour: str) -> None:
        """Draw where a point of the patient lies, whatever is in front of it."""
        x, y, _ = shot.pixel(point_lps_mm)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for width, shade in ((3.0, QColor(0, 0, 0, 160)), (1.25, QColor(colour))):
            painter.setPen(QPen(shade, width))
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                way = QPointF(dx, dy)
                painter.drawLine(QPointF(x, y) + way * 3, QPointF(x, y) + way * _CROSS_PX)


def _toward_eye(orbit: Orbit, direction: FloatArray) -> float:
    return float(orbit.axes_lps[2] @ direction)
