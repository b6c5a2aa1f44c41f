"""Graphics that come with the image: lines and letters the scanner drew."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor, QImage, QPainter

from medview.gui.drawing.viewport import Viewport
from medview.gui.parts.theme_tokens import PICTURE_GRAPHICS


class GraphicsLayer:
    """One colour wherever a file's overlay planes have a mark."""

    def __init__(self) -> None:
        self._viewport: Viewport | None = None
        self._image: QImage | None = None
        self._pixels: npt.NDArray[np.uint32] = np.empty((0, 0), dtype=np.uint32)

    def update(self, mask: npt.NDArray[np.bool_] | None, viewport: Viewport) -> None:
        """Take the marks of a slice, shape (rows, columns) in screen orientation; None draws nothing."""
        self._viewport, self._image = viewport, None
        if mask is None or not mask.any():
            return
        rows, columns = mask.shape
        self._pixels = np.where(mask, np.uint32(QColor(PICTURE_GRAPHICS).rgba()), np.uint32(0)).astype(np.uint32)
        # The image borrows the array's memory.
        self._image = QImage(self._pixels.data, columns, rows, 4 * columns, QImage.Format.Format_ARGB32_Premultiplied)

    def move(self, viewport: Viewport) -> None:
        """Show the same marks from another camera."""
        self._viewport = viewport

    def paint(self, painter: QPainter) -> None:
        """Draw the marks."""
        if self._image is not None and self._viewport is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
            painter.drawImage(self._viewport.slice_px, self._image)
