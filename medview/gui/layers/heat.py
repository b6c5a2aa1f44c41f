"""A heat map over the picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage, QPainter

from medview.gui.drawing.viewport import Viewport


class HeatLayer:
    """Colours of a heat map, see-through, smooth between its places."""

    def __init__(self) -> None:
        self._viewport: Viewport | None = None
        self._pixels: npt.NDArray[np.uint8] | None = None

    def update(self, rgba: npt.NDArray[np.uint8] | None, viewport: Viewport) -> None:
        """Take the pixels that cover the slice; None draws nothing.

        Parameters
        ----------
        rgba : ndarray of uint8, shape (rows, columns, 4)
            Premultiplied, C order; they may be finer or coarser than the voxels of the slice.
        """
        self._viewport, self._pixels = viewport, rgba

    def move(self, viewport: Viewport) -> None:
        """Show the same from another camera."""
        self._viewport = viewport

    @property
    def empty(self) -> bool:
        """Whether nothing is drawn."""
        return self._pixels is None

    def paint(self, painter: QPainter) -> None:
        """Draw the pixels."""
        if self._pixels is None or self._viewport is None:
            return
        rows, columns = self._pixels.shape[:2]
        # Borrows the array's memory until it is drawn.
        image = QImage(self._pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGBA8888_Premultiplied)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        painter.drawImage(self._viewport.slice_px, image)
