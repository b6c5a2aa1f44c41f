"""Where the values lie that the threshold brush paints."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor, QImage, QPainter

from medview.gui.drawing.viewport import Viewport
from medview.gui.parts.theme_tokens import PICTURE_WARNING

_ALPHA = 88


class RangeTintLayer:
    """A faint colour over every voxel in the range, with hard edges: a voxel is painted whole or not at all."""

    def __init__(self) -> None:
        self._viewport: Viewport | None = None
        self._image: QImage | None = None
        self._pixels: npt.NDArray[np.uint8] = np.empty((0, 0), dtype=np.uint8)

    def update(self, mask: npt.NDArray[np.bool_] | None, viewport: Viewport) -> None:
        """Take which voxels of a slice are in range, shape (rows, columns) in screen orientation; None draws nothing."""
        self._viewport, self._image = viewport, None
        if mask is None:
            return
        rows, columns = mask.shape
        # Rows of an image begin at multiples of four bytes.
        self._pixels = np.zeros((rows, -(-columns // 4) * 4), dtype=np.uint8)
        self._pixels[:, :columns] = mask
        # The image borrows the array's memory.
        image = QImage(self._pixels.data, columns, rows, self._pixels.shape[1], QImage.Format.Format_Indexed8)
        tint = QColor(PICTURE_WARNING)
        tint.setAlpha(_ALPHA)
        image.setColorTable([QColor(0, 0, 0, 0).rgba(), tint.rgba()])
        self._image = image

    def move(self, viewport: Viewport) -> None:
        """Show the same from another camera."""
        self._viewport = viewport

    def paint(self, painter: QPainter) -> None:
        """Draw it."""
        if self._image is not None and self._viewport is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            painter.drawImage(self._viewport.slice_px, self._image)
