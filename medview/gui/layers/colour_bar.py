"""Which colour stands for which value."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

from medview.gui.drawing.picture_text import draw_haloed
from medview.gui.drawing.viewport import Viewport
from medview.gui.parts.theme_tokens import PICTURE_TEXT

_WIDTH_PX = 10
_PART = 0.4
"""Height of the bar as a part of the pane's."""
_RIGHT_PX = 30
"""Room at the right edge for the orientation letter."""
_PITCH_PX = 64


class ColourBarLayer:
    """A bar of the colours with the values at its ends."""

    def __init__(self) -> None:
        self._viewport: Viewport | None = None
        self._colours: npt.NDArray[np.uint8] | None = None
        self._ends: tuple[str, str] = ("", "")

    def update(self, colours: npt.NDArray[np.uint8] | None, ends: tuple[str, str], viewport: Viewport) -> None:
        """Take the colours from the lowest level up, shape (256, 3), and the texts below and above; None for no bar."""
        self._viewport, self._ends = viewport, ends
        self._colours = None if colours is None else np.ascontiguousarray(colours[::-1])

    def move(self, viewport: Viewport) -> None:
        """Stand in a pane of another size."""
        self._viewport = viewport

    @property
    def empty(self) -> bool:
        """Whether there is no bar."""
        return self._colours is None

    def paint(self, painter: QPainter, font: QFont, place: int = 0, middle: float = 0.5, part: float = _PART) -> None:
        """Draw the bar at the right edge, or further left in place 1.

        Parameters
        ----------
        middle, part : float
            Where its middle is and how high it is, as parts of the pane's height.
        """
        if self._colours is None or self._viewport is None:
            return
        # Borrowed by the image until it is drawn.
        image = QImage(self._colours.data, 1, len(self._colours), 3, QImage.Format.Format_RGB888)
        height = self._viewport.height_px * part
        bar = QRectF(
            self._viewport.width_px - _RIGHT_PX - place * _PITCH_PX - _WIDTH_PX,
            self._viewport.height_px * middle - height / 2,
            _WIDTH_PX,
            height,
        )
        painter.fillRect(bar.adjusted(-1, -1, 1, 1), QColor(0, 0, 0))
        painter.drawImage(bar, image)
        metrics = QFontMetricsF(font)
        for text, y in ((self._ends[1], bar.top() - 4), (self._ends[0], bar.bottom() + metrics.ascent() + 3)):
            x = bar.right() - metrics.horizontalAdvance(text)
            draw_haloed(painter, QPointF(round(x), round(y)), text, font, PICTURE_TEXT)
