"""Keeps the strip of slices of a pane up to date."""

from __future__ import annotations

from medview.core.oblique import PlaneLayout
from medview.core.plane import SlicePlane
from medview.gui.drawing.viewport import Viewport
from medview.gui.layers.slice_strip import SliceStripLayer
from medview.workspace.open_case import OpenCase
from medview.workspace.slice_marks import place_on_strip, slice_strip
from medview.workspace.view_state import Bench


class PaneStrip(SliceStripLayer):
    """The layer, fed from a case."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench

    def changed(self, case: OpenCase, layout: PlaneLayout) -> bool:
        """Whether other slices hold labels, or are done, than when it was drawn."""
        return self._bench.overlay_visible and not self.shows(slice_strip(case, layout))

    def show(self, case: OpenCase, layout: PlaneLayout, viewport: Viewport) -> None:
        """Take which slices hold labels and which are done."""
        known = slice_strip(case, layout) if self._bench.overlay_visible else None
        self.update(known, viewport.width_px, viewport.height_px)

    def go(self, case: OpenCase, layout: PlaneLayout) -> None:
        """Take the slice that is looked at; the others are known."""
        if isinstance(layout, SlicePlane):
            self.look_at(place_on_strip(case, layout))
