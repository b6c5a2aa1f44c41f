"""The picture of a slice."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter

from medview.gui.viewport import Viewport

_SHRINK_BELOW = 0.5
"""Pixels of the pane per voxel under which neighbours have to be averaged: interpolation alone would skip voxels."""


class ImageLayer:
    """Grey or RGB levels, interpolated between voxel centres, on black."""

    def __init__(self) -> None:
        self._image: QImage | None = None
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
        self._image = None
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
        """Whether the levels kept suffice for a closer look; false once they were averaged."""
        image, viewport = self._image, self._viewport
        return image is None or (viewport is not None and image.width() == viewport.columns)

    def paint(self, painter: QPainter) -> None:
        """Draw the picture."""
        if self._image is not None and self._viewport is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
            painter.drawImage(self._viewport.slice_px, self._image)


def _shrunk(image: QImage, viewport: Viewport) -> QImage:
    ratio = viewport.device_ratio
    if min(viewport.row_px, viewport.column_px) * ratio >= _SHRINK_BELOW:
        return image
    width = min(image.width(), max(1, round(viewport.slice_px.width() * ratio)))
    height = min(image.height(), max(1, round(viewport.slice_px.height() * ratio)))
    return image.scaled(width, height, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
