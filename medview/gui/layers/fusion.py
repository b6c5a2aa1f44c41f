"""A second series over the picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage, QPainter

from medview.gui.drawing.viewport import Viewport


class FusionLayer:
    """Colours of another series wherever it lies, see-through."""

    def __init__(self) -> None:
        self._viewport: Viewport | None = None
        self._pixels: npt.NDArray[np.uint8] | None = None
        self._image: QImage | None = None

    def update(self, rgba: npt.NDArray[np.uint8] | None, viewport: Viewport) -> None:
        """Take the pixels that cover the slice, premultiplied, shape (rows, columns, 4), C order; None draws nothing.

        They may be finer than the voxels of the slice.
        """
        self._viewport, self._pixels, self._image = viewport, rgba, None
        if rgba is not None:
            rows, columns = rgba.shape[:2]
            # The image borrows the array's memory.
            self._image = QImage(rgba.data, columns, rows, 4 * columns, QImage.Format.Format_RGBA8888_Premultiplied)

    def move(self, viewport: Viewport) -> None:
        """Show the same pixels from another camera."""
        self._viewport = viewport

    @property
    def empty(self) -> bool:
        """Whether nothing is drawn."""
        return self._image is None

    def paint(self, painter: QPainter) -> None:
        """Draw the pixels."""
        if self._image is not None and self._viewport is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
            painter.drawImage(self._viewport.slice_px, self._image)
