"""Which side of the patient lies at which edge."""

from __future__ import annotations

from PySide6.QtCore import QPointF
from PySide6.QtGui import QFont, QPainter

from medview.gui.drawing.picture_text import TextBlock, TextLine
from medview.gui.drawing.viewport import Viewport
from medview.gui.parts.theme_tokens import PICTURE_TEXT

_MARGIN_PX = 6
_RIGHT_PX = 11
"""Further in than the others: the strip of the slices lies along this edge."""


class LettersLayer:
    """Orientation letters in the middle of the four edges."""

    def __init__(self) -> None:
        self._blocks = tuple(TextBlock() for _ in range(4))
        self._corners: tuple[QPointF, ...] = ()

    def update(self, letters: tuple[str, str, str, str], viewport: Viewport, font: QFont, top_px: int = 0) -> None:
        """Take the letters at the left, right, top and bottom edge; ``top_px`` of the top are taken by something else."""
        for block, letter in zip(self._blocks, letters, strict=True):
            block.set([TextLine(letter, PICTURE_TEXT)], font, viewport.device_ratio)
        left, right, top, bottom = (block.size for block in self._blocks)
        width, height = viewport.width_px, viewport.height_px
        self._corners = (
            QPointF(_MARGIN_PX, (height - left.height()) / 2),
            QPointF(width - _RIGHT_PX - right.width(), (height - right.height()) / 2),
            QPointF((width - top.width()) / 2, top_px + _MARGIN_PX),
            QPointF((width - bottom.width()) / 2, height - _MARGIN_PX - bottom.height()),
        )

    @property
    def boxes_px(self) -> list[tuple[float, float, float, float]]:
        """Left, top, right, bottom of each letter."""
        placed = zip(self._blocks, self._corners, strict=False)
        return [(c.x(), c.y(), c.x() + b.size.width(), c.y() + b.size.height()) for b, c in placed]

    def paint(self, painter: QPainter) -> None:
        """Draw the letters."""
        for block, corner in zip(self._blocks, self._corners, strict=False):
            block.paint(painter, corner)
