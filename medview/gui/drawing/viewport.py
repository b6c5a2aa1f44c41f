"""Where a slice lies in its pane."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF

from medview.workspace.view_state import Camera


@dataclass(frozen=True, slots=True)
class Viewport:
    """Maps screen rows and columns of a slice (integers are voxel centres) to logical pixels of a pane, x right, y down.

    Attributes
    ----------
    width_px, height_px : int
        Size of the pane.
    rows, columns : int
        Size of the slice in voxels.
    row_px, column_px : float
        Pixels from one row, or column, to the next.
    top_px, left_px : float
        Outer edge of the first row and column.
    mm_per_px : float
        Where the slice has no millimetres, pixels of the source per pixel of the pane.
    device_ratio : float
        Device pixels per logical pixel.
    """

    width_px: int
    height_px: int
    rows: int
    columns: int
    row_px: float
    column_px: float
    top_px: float
    left_px: float
    mm_per_px: float
    device_ratio: float = 1.0

    @classmethod
    def looking(
        cls,
        size_px: tuple[int, int],
        shape: tuple[int, int],
        spacing_mm: tuple[float, float],
        camera: Camera,
        device_ratio: float = 1.0,
        fit_mm: tuple[float, float] | None = None,
        finest_mm: float | None = None,
    ) -> Viewport:
        """Return what ``camera`` sees of a slice.

        Parameters
        ----------
        size_px : tuple of int
            Width and height of the pane.
        shape : tuple of int
            Rows and columns of the slice.
        spacing_mm : tuple of float
            Millimetres between rows and between columns.
        fit_mm : tuple of float, optional
            Height and width that fit into the pane at zoom 1; those of the slice unless given.
        finest_mm : float, optional
            What takes one pixel of the screen at 1:1; the smaller spacing unless given.
        """
        width, height = max(1, size_px[0]), max(1, size_px[1])
        high_mm, wide_mm = shape[0] * spacing_mm[0], shape[1] * spacing_mm[1]
        fit_high_mm, fit_wide_mm = fit_mm or (high_mm, wide_mm)
        finest = finest_mm or min(spacing_mm)
        unzoomed = finest * device_ratio if camera.actual else max(fit_high_mm / height, fit_wide_mm / width)
        mm_per_px = unzoomed / camera.zoom
        down, right = camera.center_offset_mm
        return cls(
            width,
            height,
            *shape,
            row_px=spacing_mm[0] / mm_per_px,
            column_px=spacing_mm[1] / mm_per_px,
            top_px=height / 2 - (high_mm / 2 + down) / mm_per_px,
            left_px=width / 2 - (wide_mm / 2 + right) / mm_per_px,
            mm_per_px=mm_per_px,
            device_ratio=device_ratio,
        )

    def x_px(self, column: float) -> float:
        """Pixel of a column; integers give the middle of a voxel."""
        return self.left_px + (column + 0.5) * self.column_px

    def y_px(self, row: float) -> float:
        """Pixel of a row; integers give the middle of a voxel."""
        return self.top_px + (row + 0.5) * self.row_px

    def point_px(self, row: float, column: float) -> QPointF:
        """Pixel of a position on the slice."""
        return QPointF(self.x_px(column), self.y_px(row))

    def row_column(self, x_px: float, y_px: float) -> tuple[float, float]:
        """Row and column under a pixel position; inverse of ``point_px``."""
        return (y_px - self.top_px) / self.row_px - 0.5, (x_px - self.left_px) / self.column_px - 0.5

    @property
    def slice_px(self) -> QRectF:
        """The slice with its outer voxel edges, in pixels; may reach beyond the pane."""
        return QRectF(self.left_px, self.top_px, self.columns * self.column_px, self.rows * self.row_px)

    @property
    def pane_px(self) -> QRect:
        """The pane."""
        return QRect(0, 0, self.width_px, self.height_px)

    def voxels_px(self, row0: int, row1: int, column0: int, column1: int) -> QRect:
        """Whole pixels that half-open ranges of rows and columns touch, within the pane."""
        left, right = self.left_px + column0 * self.column_px, self.left_px + column1 * self.column_px
        top, bottom = self.top_px + row0 * self.row_px, self.top_px + row1 * self.row_px
        x, y = math.floor(left), math.floor(top)
        return QRect(x, y, math.ceil(right) - x, math.ceil(bottom) - y).intersected(self.pane_px)
