"""Labels of a slice as pixels of the pane: fill, crisp outline, dashes, hatching."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage, QPainter

from medview.gui.drawing.viewport import Viewport

Cut = npt.NDArray[np.uint8]
_Pixels = npt.NDArray[np.uint32]
_Mask = npt.NDArray[np.bool_]
_Steps = npt.NDArray[np.int64]
_Read = Callable[[tuple[slice, slice]], Cut]

OUTLINE_PX = 2
_DASH_PX = 16
_HATCH_STEP_PX = 10

_STRIP_PIXELS = 200_000
"""Arrays of this size stay in the processor's cache; whole panes are four times slower for the memory they touch."""


@dataclass(frozen=True, slots=True)
class Paint:
    """How one label value is drawn.

    Attributes
    ----------
    colour : tuple of int
        RGB, 0-255.
    fill : float
        Opacity of the inside, 0 to 1; the outline is always solid.
    """

    value: int
    colour: tuple[int, int, int]
    fill: float


@dataclass(frozen=True, slots=True)
class Style:
    """What sets proposals and candidates apart from labels: dashes along the outline, hatching besides an even fill.

    Attributes
    ----------
    crossed : bool
        Hatches run both ways.
    """

    dashed: bool = False
    hatched: bool = False
    crossed: bool = False


class LabelRaster:
    """The labels of one slice of one layer, kept as premultiplied pixels of the pane.

    Working in pixels of the pane keeps the outline two pixels wide at any zoom and spacing, and lets a brush stamp redraw
    no more than the rectangle it touched.
    """

    def __init__(self, style: Style = Style()) -> None:
        self._style = style
        self._cut: Cut | None = None
        self._viewport: Viewport | None = None
        # Fill by label value, then outline by 256 + label value.
        self._table = np.zeros(512, dtype=np.uint32)
        self._shown = np.zeros(256, dtype=np.uint8)
        self._pixels: _Pixels = np.zeros((1, 1), dtype=np.uint32)
        self._used = QRect()

    def show(self, cut: Cut | None, paints: Iterable[Paint], viewport: Viewport) -> None:
        """Draw a slice anew.

        Parameters
        ----------
        cut : ndarray of uint8, shape (rows, columns), or None
            A view in screen orientation; it is read again at every ``refresh``.
        paints : iterable of Paint
            Values that are visible; all others are not drawn.
        """
        self._cut, self._viewport = cut, viewport
        self._set_paints(paints)
        ratio = viewport.device_ratio
        shape = (round(viewport.height_px * ratio), round(viewport.width_px * ratio))
        if self._pixels.shape != shape:
            self._pixels = np.zeros(shape, dtype=np.uint32)
        else:
            self._pixels[_slices(self._used)] = 0
        self._used = QRect()
        if cut is None:
            return
        if not self._shown.any():
            return
        shown = self._shown.take(cut)
        rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
        if rows.size:
            device = self._device(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)
            self._compose(device, lambda part: shown[part])

    def refresh(self, row0: int, row1: int, column0: int, column1: int, part: Cut | None = None) -> None:
        """Draw half-open ranges of rows and columns again after their labels changed.

        Parameters
        ----------
        part : ndarray of uint8, shape of the ranges, optional
            What they hold now, where the cut is no view into the labels.
        """
        cut = self._cut
        if cut is not None:
            if part is not None:
                cut[row0:row1, column0:column1] = part
            device = self._device(row0, row1, column0, column1)
            self._compose(device, lambda part: self._shown.take(cut[part]))

    def paint(self, painter: QPainter) -> None:
        """Draw the pixels; the painter's clip says which are needed."""
        if self._viewport is None or self._used.isEmpty():
            return
        used = self._used
        height, width = self._pixels.shape
        image = QImage(self._pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
        ratio = self._viewport.device_ratio
        target = QRect(used)
        if ratio == 1.0:
            painter.drawImage(target.topLeft(), image, used)
            return
        painter.save()
        painter.scale(1 / ratio, 1 / ratio)
        painter.drawImage(target.topLeft(), image, used)
        painter.restore()

    def _set_paints(self, paints: Iterable[Paint]) -> None:
        self._table[:], self._shown[:] = 0, 0
        for paint in paints:
            self._table[paint.value] = _premultiplied(paint.colour, paint.fill)
            self._table[256 + paint.value] = _premultiplied(paint.colour, 1.0)
            self._shown[paint.value] = paint.value

    def _device(self, row0: int, row1: int, column0: int, column1: int) -> QRect:
        """Device pixels of voxel ranges and of the outlines their change can reach, within the pane."""
        viewport = self._viewport
        assert viewport is not None
        ratio = viewport.device_ratio
        left = (viewport.left_px + column0 * viewport.column_px) * ratio
        right = (viewport.left_px + column1 * viewport.column_px) * ratio
        top = (viewport.top_px + row0 * viewport.row_px) * ratio
        bottom = (viewport.top_px + row1 * viewport.row_px) * ratio
        reach = self._line_width + 1
        x, y = int(np.floor(left)) - reach, int(np.floor(top)) - reach
        whole = QRect(x, y, int(np.ceil(right)) + reach - x, int(np.ceil(bottom)) + reach - y)
        height, width = self._pixels.shape
        return whole.intersected(QRect(0, 0, width, height))

    @property
    def _line_width(self) -> int:
        assert self._viewport is not None
        return max(1, round(OUTLINE_PX * self._viewport.device_ratio))

    def _compose(self, device: QRect, read: _Read) -> None:
        """Work the pixels of a device rectangle out from the labels, strip by strip."""
        if device.isEmpty():
            return
        rows = max(1, _STRIP_PIXELS // device.width())
        for top in range(device.top(), device.bottom() + 1, rows):
            self._compose_strip(device.intersected(QRect(device.left(), top, device.width(), rows)), read)
        self._used = self._used.united(device)

    def _compose_strip(self, device: QRect, read: _Read) -> None:
        """Read labels in voxels, spread them over pixels and paint these."""
        viewport = self._viewport
        assert viewport is not None
        ratio, reach = viewport.device_ratio, self._line_width
        y = np.arange(device.top() - reach, device.bottom() + 1 + reach)
        x = np.arange(device.left() - reach, device.right() + 1 + reach)
        # A pixel belongs to the voxel under its middle.
        rows = np.floor(((y + 0.5) / ratio - viewport.top_px) / viewport.row_px).astype(np.intp)
        columns = np.floor(((x + 0.5) / ratio - viewport.left_px) / viewport.column_px).astype(np.intp)
        labels = _sample(read, (viewport.rows, viewport.columns), rows, columns)
        strong = _edge(labels, reach)
        if self._style.dashed or self._style.hatched:
            down = y[reach:-reach, None] - int(viewport.top_px * ratio)
            right = x[None, reach:-reach] - int(viewport.left_px * ratio)
            strong = self._sketched(strong, down, right, ratio)
        index = labels[reach:-reach, reach:-reach].astype(np.uint16)
        index += strong.astype(np.uint16) << 8
        self._pixels[_slices(device)] = self._table.take(index)

    def _sketched(self, edge: _Mask, down: _Steps, right: _Steps, ratio: float) -> _Mask:
        """Break the outline into dashes and add hatches; both stay where they are on the slice when it is panned."""
        strong = edge
        if self._style.dashed:
            dash = max(2, round(_DASH_PX * ratio))
            # The slant makes dashes on upright and level outlines alike.
            strong = strong & ((right + 2 * down) % dash < dash * 5 // 8)
        if self._style.hatched:
            step = max(2, round(_HATCH_STEP_PX * ratio))
            strong = strong | ((right - down) % step < max(1, round(ratio)))
            if self._style.crossed:
                strong = strong | ((right + down) % step < max(1, round(ratio)))
        return strong


def _sample(read: _Read, shape: tuple[int, int], rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> Cut:
    """Return the labels at the given rows and columns; positions outside the slice hold background."""
    out = np.zeros((rows.size, columns.size), dtype=np.uint8)
    row_in = np.flatnonzero((rows >= 0) & (rows < shape[0]))
    column_in = np.flatnonzero((columns >= 0) & (columns < shape[1]))
    if not row_in.size or not column_in.size:
        return out
    down, right = slice(row_in[0], row_in[-1] + 1), slice(column_in[0], column_in[-1] + 1)
    r, c = rows[down], columns[right]
    part = read((slice(r[0], r[-1] + 1), slice(c[0], c[-1] + 1)))
    out[down, right] = part.take(c - c[0], axis=1).take(r - r[0], axis=0)
    return out


def _edge(labels: Cut, reach: int) -> _Mask:
    """Return which inner pixels are labelled and lie within ``reach`` pixels of another label."""
    height, width = labels.shape[0] - 2 * reach, labels.shape[1] - 2 * reach
    inner = labels[reach : reach + height, reach : reach + width]
    edge = np.zeros((height, width), dtype=bool)
    for n in range(1, reach + 1):
        edge |= inner != labels[reach - n : reach - n + height, reach : reach + width]
        edge |= inner != labels[reach + n : reach + n + height, reach : reach + width]
        edge |= inner != labels[reach : reach + height, reach - n : reach - n + width]
        edge |= inner != labels[reach : reach + height, reach + n : reach + n + width]
    edge &= inner != 0
    return edge


def _premultiplied(colour: tuple[int, int, int], opacity: float) -> int:
    red, green, blue = (round(c * opacity) for c in colour)
    return round(255 * opacity) << 24 | red << 16 | green << 8 | blue


def _slices(rect: QRect) -> tuple[slice, slice]:
    return slice(rect.top(), rect.bottom() + 1), slice(rect.left(), rect.right() + 1)
