"""The picture of a slice."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from medview.gui.drawing.viewport import Viewport

_SHRINK_BELOW = 0.5
"""Pixels of the pane per voxel under which neighbours have to be averaged: interpolation alone would skip voxels."""


class ImageLayer:
    """Grey or RGB levels, interpolated between voxel centres, on black."""

    def __init__(self) -> None:
        self._image: QImage | None = None
        self._whole: QImage | None = None
        self._pixels: npt.NDArray[np.uint32] = np.empty((0, 0), dtype=np.uint32)
        self._viewport: Viewport | None = None

    def update(
        self,
        levels: npt.NDArray[np.uint8] | None,
        viewport: Viewport,
        colours: npt.NDArray[np.uint8] | None = None,
    ) -> None:
        """Take the levels of a slice.

        Parameters
        ----------
        levels : ndarray of uint8, shape (rows, columns) or (rows, columns, 3), C order; or None
            None shows nothing.
        colours : ndarray of uint8, shape (256, 3), optional
            RGB of every grey level.
        """
        self._viewport = viewport
        self._image = self._whole = None
        if levels is None:
            return
        rows, columns = levels.shape[:2]
        if self._pixels.shape != (rows, columns):
            self._pixels = np.empty((rows, columns), dtype=np.uint32)
        pixels = self._pixels
        if levels.ndim == 2 and colours is not None:
            red, green, blue = (colours[:, n].astype(np.uint32) for n in range(3))
            np.take(red << 16 | green << 8 | blue, levels, out=pixels)
        elif levels.ndim == 2:
            np.multiply(levels, np.uint32(0x010101), out=pixels)
        else:
            red, green, blue = (levels[..., n].astype(np.uint32) for n in range(3))
            pixels[...] = red << 16 | green << 8 | blue
        # Of all formats Qt interpolates this one fastest. The image borrows the array's memory.
        image = QImage(pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32)
        self._whole = image
        self._image = _shrunk(image, viewport)

    def move(self, viewport: Viewport) -> None:
        """Show the same levels from another camera."""
        self._viewport = viewport

    @property
    def empty(self) -> bool:
        """Whether there is no picture."""
        return self._image is None

    @property
    def fine_enough(self) -> bool:
        """Whether the levels kept suffice for the present look; false when it is closer than the one they were made for."""
        image, viewport = self._image, self._viewport
        if image is None or viewport is None:
            return image is None
        size, ratio = viewport.slice_px, viewport.device_ratio
        wide = image.width() >= min(viewport.columns, int(size.width() * ratio))
        return wide and image.height() >= min(viewport.rows, int(size.height() * ratio))

    def paint(self, painter: QPainter) -> None:
        """Draw the picture."""
        if self._image is not None and self._viewport is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
            painter.drawImage(self._viewport.slice_px, self._image)

    def paint_larger(self, painter: QPainter, around_px: QRectF, factor: float) -> None:
        """Draw a part of the picture with a painter that makes it larger, as finely as the voxels are.

        Parameters
        ----------
        around_px : QRectF
            Where, in logical pixels of the pane before they are made larger.
        """
        whole, viewport = self._whole, self._viewport
        if whole is None or viewport is None:
            return
        row0, column0 = viewport.row_column(around_px.left(), around_px.top())
        row1, column1 = viewport.row_column(around_px.right(), around_px.bottom())
        # A margin of two voxels, so that the edge of the part is interpolated like its middle.
        left, top = max(0, math.floor(column0) - 2), max(0, math.floor(row0) - 2)
        right, bottom = min(whole.width(), math.ceil(column1) + 3), min(whole.height(), math.ceil(row1) + 3)
        if right <= left or bottom <= top:
            return
        part = whole.copy(left, top, right - left, bottom - top)
        place = QRectF(
            viewport.left_px + left * viewport.column_px,
            viewport.top_px + top * viewport.row_px,
            (right - left) * viewport.column_px,
            (bottom - top) * viewport.row_px,
        )
        ratio = viewport.device_ratio * factor
        if min(viewport.row_px, viewport.column_px) * ratio < _SHRINK_BELOW:
            part = _scaled(part, round(place.width() * ratio), round(place.height() * ratio))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        painter.drawImage(place, part)


def _shrunk(image: QImage, viewport: Viewport) -> QImage:
    ratio = viewport.device_ratio
    if min(viewport.row_px, viewport.column_px) * ratio >= _SHRINK_BELOW:
        return image
    return _scaled(image, round(viewport.slice_px.width() * ratio), round(viewport.slice_px.height() * ratio))


def _scaled(image: QImage, width: int, height: int) -> QImage:
    """Return the image with at most its own number of pixels each way, neighbours averaged."""
    width, height = min(image.width(), max(1, width)), min(image.height(), max(1, height))
    return image.scaled(width, height, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
