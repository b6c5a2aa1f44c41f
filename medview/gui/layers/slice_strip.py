"""Which slices hold labels and which are done, along the right edge of a pane."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QImage, QPainter

from medview.gui.parts.theme_tokens import DARK, PICTURE_QUIET, PICTURE_TEXT
from medview.workspace.slice_marks import ACTIVE, OTHER, SliceStrip

WIDTH_PX = 5
"""Letters and texts keep further from the edge than this."""

_MARGIN_PX = 2
_LANE_PX = 2

_GROUND = 0xFF1B1F24
_DONE = 0xFF000000 | int(DARK.good[1:], 16)
_OTHER = 0xFF000000 | int(PICTURE_QUIET[1:], 16)


class SliceStripLayer:
    """Two lanes: labels at the left, done at the right; a line across where the pane is."""

    def __init__(self) -> None:
        self._strip: SliceStrip | None = None
        self._known: SliceStrip | None = None
        self._size_px = (0, 0)
        self._pixels: npt.NDArray[np.uint32] = np.zeros((1, 1), dtype=np.uint32)

    def update(self, strip: SliceStrip | None, width_px: int, height_px: int) -> None:
        """Take what is known of the slices; None, or nothing known, draws nothing."""
        self._known = strip
        shown = strip is not None and not strip.empty and len(strip.done) > 1 and height_px > 4 * _MARGIN_PX
        self._strip, self._size_px = strip if shown else None, (width_px, height_px)
        if self._strip is not None:
            self._pixels = _lanes(self._strip, height_px - 2 * _MARGIN_PX)

    def shows(self, strip: SliceStrip | None) -> bool:
        """Whether this is what it was given last, but for the slice that is looked at."""
        known = self._known
        if known is None or strip is None:
            return known is strip
        same = np.array_equal(known.labelled, strip.labelled) and np.array_equal(known.done, strip.done)
        return same and known.colour == strip.colour

    def look_at(self, at: int) -> None:
        """Take another slice that is looked at; what is known of all stays the same."""
        if self._strip is not None and at != self._strip.at:
            strip = self._strip
            self._strip = SliceStrip(strip.labelled, strip.done, strip.colour, at)

    @property
    def cover_px(self) -> QRect:
        """What it can cover of a pane of the last size."""
        width, height = self._size_px
        return QRect(width - WIDTH_PX - 1, 0, WIDTH_PX + 1, height)

    def paint(self, painter: QPainter) -> None:
        """Draw the lanes and where the pane is."""
        strip = self._strip
        if strip is None:
            return
        width, height = self._size_px
        rows, columns = self._pixels.shape
        image = QImage(self._pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32)
        left = width - WIDTH_PX
        painter.drawImage(QRect(left, _MARGIN_PX, columns, rows), image)
        span = height - 2 * _MARGIN_PX
        y = _MARGIN_PX + (strip.at + 0.5) * span / len(strip.done)
        painter.fillRect(QRect(left - 1, round(y) - 1, WIDTH_PX + 1, 2), QColor(PICTURE_TEXT))


def _lanes(strip: SliceStrip, rows: int) -> npt.NDArray[np.uint32]:
    """Return the strip as pixels, shape (rows, WIDTH_PX).

    Where several slices share a row it is labelled when one of them is, and done only when all of them are.
    """
    count = len(strip.done)
    first = np.arange(rows) * count // rows
    red, green, blue = strip.colour
    colours = np.zeros(3, dtype=np.uint32)
    colours[:] = _GROUND
    colours[ACTIVE], colours[OTHER] = 0xFF000000 | red << 16 | green << 8 | blue, _OTHER
    if count > rows:
        active = np.logical_or.reduceat(strip.labelled == ACTIVE, first)
        other = np.logical_or.reduceat(strip.labelled == OTHER, first)
        labelled = np.where(active, ACTIVE, np.where(other, OTHER, 0))
        done = np.logical_and.reduceat(strip.done, first)
    else:
        labelled, done = strip.labelled[first], strip.done[first]
    pixels = np.full((rows, WIDTH_PX), _GROUND, dtype=np.uint32)
    pixels[:, :_LANE_PX] = colours[labelled][:, np.newaxis]
    pixels[:, WIDTH_PX - _LANE_PX :] = np.where(done, np.uint32(_DONE), np.uint32(_GROUND))[:, np.newaxis]
    return pixels
