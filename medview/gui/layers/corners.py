"""Text in the corners of a pane, and words in its middle when there is no picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from medview.gui.drawing.picture_text import Align, TextBlock, TextLine
from medview.gui.drawing.viewport import Viewport

_MARGIN_PX = 8
_SCALE_BAR_PX = 56
"""Height of the scale bar with its length, which stands in the middle of the lower edge."""
_LETTER_PX = 24
"""Room in the middle of the upper edge for the orientation letter."""


@dataclass(frozen=True, slots=True)
class CornerTexts:
    """Lines for the four corners, for above the lower left one (``notes``), and for the middle."""

    top_left: tuple[TextLine, ...] = ()
    top_right: tuple[TextLine, ...] = ()
    bottom_left: tuple[TextLine, ...] = ()
    bottom_right: tuple[TextLine, ...] = ()
    notes: tuple[TextLine, ...] = ()
    middle: tuple[TextLine, ...] = ()


class CornersLayer:
    """Corner text; lines that do not fit beside their neighbour end in an ellipsis."""

    def __init__(self) -> None:
        self._blocks = {name: TextBlock() for name in CornerTexts.__dataclass_fields__}
        self._asked: dict[str, tuple[tuple[TextLine, ...], int, float]] = {}
        self._at: dict[str, QPointF] = {}
        self._top_px = 0

    def update(self, texts: CornerTexts, viewport: Viewport, font: QFont, middle_font: QFont, top_px: int = 0) -> None:
        """Take the lines; ``top_px`` of the pane's upper edge are taken by something else."""
        self._top_px = top_px
        width, height, ratio = viewport.width_px, viewport.height_px, viewport.device_ratio
        half = width / 2 - _MARGIN_PX - _LETTER_PX
        full = width - 2.0 * _MARGIN_PX
        for name, block in self._blocks.items():
            lines: tuple[TextLine, ...] = getattr(texts, name)
            # Most lines stay the same from slice to slice; measuring text costs more than comparing it.
            asked = (lines, width, ratio)
            if self._asked.get(name) == asked:
                continue
            self._asked[name] = asked
            if name == "middle":
                block.set(_wrapped(lines, middle_font, full * 0.8), middle_font, ratio, Align.CENTRE)
            elif name == "notes":
                block.set(_wrapped(lines, font, full), font, ratio)
            else:
                align = Align.RIGHT if name.endswith("right") else Align.LEFT
                block.set(_elided(lines, font, half), font, ratio, align)
        right, bottom = width - _MARGIN_PX, height - _MARGIN_PX
        size = {name: block.size for name, block in self._blocks.items()}
        lower_left = bottom - size["bottom_left"].height()
        self._at = {
            "top_left": QPointF(_MARGIN_PX, top_px + _MARGIN_PX),
            "top_right": QPointF(right - size["top_right"].width(), top_px + _MARGIN_PX),
            "bottom_left": QPointF(_MARGIN_PX, lower_left),
            "bottom_right": QPointF(right - size["bottom_right"].width(), bottom - size["bottom_right"].height()),
            "notes": QPointF(_MARGIN_PX, min(lower_left - 4, height - _SCALE_BAR_PX) - size["notes"].height()),
            "middle": QPointF((width - size["middle"].width()) / 2, (height - size["middle"].height()) / 2),
        }

    @property
    def below_top_px(self) -> float:
        """Where free room begins under the upper corners."""
        return self._top_px + _MARGIN_PX + max(self._blocks[name].size.height() for name in ("top_left", "top_right")) + 4

    @property
    def boxes_px(self) -> list[tuple[float, float, float, float]]:
        """Left, top, right, bottom of what is written."""
        found = []
        for name, at in self._at.items():
            size = self._blocks[name].size
            if name != "middle" and size.width() > 0:
                found.append((at.x(), at.y(), at.x() + size.width(), at.y() + size.height()))
        return found

    def paint(self, painter: QPainter) -> None:
        """Draw all blocks."""
        for name, at in self._at.items():
            self._blocks[name].paint(painter, at)


def _elided(lines: Sequence[TextLine], font: QFont, width_px: float) -> list[TextLine]:
    metrics = QFontMetricsF(font)
    return [TextLine(metrics.elidedText(n.text, Qt.TextElideMode.ElideRight, width_px), n.colour) for n in lines]


def _wrapped(lines: Sequence[TextLine], font: QFont, width_px: float) -> list[TextLine]:
    metrics = QFontMetricsF(font)
    result: list[TextLine] = []
    for line in lines:
        now = ""
        for word in line.text.split():
            longer = f"{now} {word}".strip()
            if now and metrics.horizontalAdvance(longer) > width_px:
                result.append(TextLine(now, line.colour))
                now = word
            else:
                now = longer
        result.append(TextLine(now, line.colour))
    return result
