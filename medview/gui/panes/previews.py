"""What the hands want drawn before anything is done: brush, outlines, regions, loupe."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from medview.core.box import Box
from medview.core.oblique import PlaneLayout
from medview.core.plane import SlicePlane
from medview.core.prediction import PredictedMask
from medview.gui.drawing.label_raster import Cut
from medview.gui.drawing.viewport import Viewport
from medview.gui.layers.brush_preview import BrushPreviewLayer
from medview.gui.layers.grip_preview import GripPreviewLayer
from medview.gui.layers.magnifier import MagnifierLayer
from medview.gui.layers.outline_preview import OutlinePreviewLayer
from medview.gui.layers.region_preview import RegionPreviewLayer
from medview.gui.layers.shape_preview import ShapePreviewLayer
from medview.gui.panes.slice_content import mask_cut
from medview.gui.parts.theme import ui_font
from medview.gui.parts.theme_tokens import TEXT_PX
from medview.workspace.open_case import OpenCase
from medview.workspace.preview import (
    BrushPreview,
    GripPreview,
    LoupePreview,
    OutlinePreview,
    Preview,
    RegionPreview,
    ShapePreview,
)


class Previews:
    """The layers of previews, of which one shows something at a time."""

    def __init__(self) -> None:
        self._brush = BrushPreviewLayer()
        self._outline = OutlinePreviewLayer()
        self._shape = ShapePreviewLayer()
        self._region = RegionPreviewLayer()
        self._grip = GripPreviewLayer()
        self._loupe = MagnifierLayer()
        self._font = ui_font(TEXT_PX)

    def show(
        self,
        preview: Preview | None,
        pane_id: str,
        case: OpenCase | None,
        layout: PlaneLayout | None,
        viewport: Viewport | None,
    ) -> None:
        """Take what is to be drawn, or None; but for regions only the pane the hand is in shows it."""
        self._show_region(preview if isinstance(preview, RegionPreview) else None, pane_id, case, layout, viewport)
        if preview is not None and preview.pane_id != pane_id:
            preview = None
        self._brush.update(preview if isinstance(preview, BrushPreview) else None, viewport)
        self._outline.update(preview if isinstance(preview, OutlinePreview) else None, viewport)
        self._shape.update(preview if isinstance(preview, ShapePreview) else None, viewport)
        self._grip.update(preview if isinstance(preview, GripPreview) else None, viewport)
        self._loupe.update(preview if isinstance(preview, LoupePreview) else None, viewport)

    def move(self, viewport: Viewport) -> None:
        """Show the same through another camera."""
        self._brush.move(viewport)
        self._outline.move(viewport)
        self._shape.move(viewport)
        self._grip.move(viewport)
        self._loupe.move(viewport)

    @property
    def cover_px(self) -> QRect:
        """The logical pixels that are covered."""
        found = QRect()
        for layer in (self._brush, self._outline, self._shape, self._region, self._grip, self._loupe):
            found = found.united(layer.cover_px)
        return found

    @property
    def loupe_px(self) -> QRect:
        """The logical pixels that the loupe covers."""
        return self._loupe.cover_px

    def paint(self, painter: QPainter, paint_larger: Callable[[QPainter, float], None]) -> None:
        """Draw them.

        Parameters
        ----------
        paint_larger : callable
            Draws the picture for the loupe with a painter that is set up for it; takes the factor too.
        """
        self._brush.paint(painter)
        self._outline.paint(painter)
        self._region.paint(painter)
        self._shape.paint(painter)
        self._grip.paint(painter)
        self._loupe.paint(painter, paint_larger)

    def _show_region(
        self,
        preview: RegionPreview | None,
        pane_id: str,
        case: OpenCase | None,
        layout: PlaneLayout | None,
        viewport: Viewport | None,
    ) -> None:
        if preview is None or case is None or layout is None or preview.case_key != case.key:
            self._region.update(None, None, viewport, self._font)
            return
        cut = _region_cut(preview, case, layout)
        self._region.update(preview, cut, viewport, self._font, text=preview.pane_id == pane_id)


def _region_cut(preview: RegionPreview, case: OpenCase, layout: PlaneLayout) -> Cut | None:
    """Return the cut of a region with the picture that a case shows on a plane; None where it holds nothing there."""
    box, at = preview.box, case.position_on(layout)
    if box is None:
        return None
    if isinstance(layout, SlicePlane):
        if not box.touches_slice(layout.normal_axis, int(at)):
            return None
        # Along the grid one slice of it is enough.
        low, high = list(box.min_kji), list(box.max_kji)
        low[layout.normal_axis], high[layout.normal_axis] = int(at), int(at) + 1
        box = Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
    mask = PredictedMask(box, preview.held(box).view(np.uint8), ())
    return mask_cut(mask, case.volume.geometry, layout, at)
