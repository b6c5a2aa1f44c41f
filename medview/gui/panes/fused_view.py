"""What other series add to a pane: one laid over its picture, and outlines of their labels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from PySide6.QtGui import QFont, QPainter

from medview.analysis.reslice import sample_voxels
from medview.core.geometry import Geometry
from medview.core.oblique import PlaneLayout
from medview.core.plane import SlicePlane
from medview.gui.drawing.label_raster import Paint
from medview.gui.drawing.picture_text import TextLine
from medview.gui.drawing.viewport import Viewport
from medview.gui.layers.colour_bar import ColourBarLayer
from medview.gui.layers.foreign_labels import ForeignCut, ForeignLabelsLayer
from medview.gui.layers.fusion import FusionLayer
from medview.gui.panes.corner_lines import window_ends
from medview.gui.panes.fusion_text import foreign_note, fusion_notes
from medview.workspace.colour_maps import palette
from medview.workspace.foreign_labels import ForeignLabels, foreign_labels
from medview.workspace.fusion import Fusion
from medview.workspace.fusion_picture import FusedOverlay, fused_overlay, refined, refinement, slab_grid
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Bench


class FusedView:
    """Feeds the layers that other open series bring to a pane.

    Parameters
    ----------
    cases : Mapping of str to OpenCase
        The open cases by key; it may change.
    """

    def __init__(self, bench: Bench, cases: Mapping[str, OpenCase]) -> None:
        self._bench, self._cases = bench, cases
        self._layer = FusionLayer()
        self._outlines = ForeignLabelsLayer()
        self._bar = ColourBarLayer()
        self._made: tuple[tuple[object, ...], FusedOverlay | None] = ((), None)
        self._notes: tuple[TextLine, ...] = ()
        self._viewport: Viewport | None = None

    def show(self, case: OpenCase, layout: PlaneLayout, index: float, viewport: Viewport) -> None:
        """Take what lies over a slice of a case."""
        self._viewport = viewport
        bench = self._bench
        fusion = bench.fusions.get(case.key)
        overlay = None if fusion is None else self._cases.get(fusion.overlay_key)
        self._notes = ()
        fused = None
        if fusion is not None and overlay is not None:
            fused = self._overlay(fusion, case, overlay)
            self._notes = fusion_notes(fusion, case, overlay, bench)
        if fused is None or fusion is None or overlay is None:
            self._layer.update(None, viewport)
            self._bar.update(None, ("", ""), viewport)
        else:
            grid = slab_grid(layout, case.volume.geometry, index, bench.slab)
            fine = refined(grid, refinement(grid, min(fused.volume.geometry.spacing_kji_mm)))
            self._layer.update(fused.rgba(fine, bench.slab), viewport)
            self._bar.update(palette(fusion.colour_map), window_ends(overlay, as_stored=True), viewport)
        self._show_outlines(case, layout, index, viewport)

    def move(self, viewport: Viewport) -> None:
        """Show the same from another camera."""
        if self._viewport is not None:
            self._viewport = viewport
            self._layer.move(viewport)
            self._outlines.move(viewport)
            self._bar.move(viewport)

    def clear(self) -> None:
        """Forget everything: another case is shown."""
        self._made, self._notes = ((), None), ()
        if self._viewport is not None:
            self._layer.update(None, self._viewport)
            self._bar.update(None, ("", ""), self._viewport)
            self._outlines.update((), self._viewport)
        self._viewport = None

    def release(self, case: OpenCase | None) -> None:
        """Let go of the upper series when it lies over a case no longer; a hidden pane would keep it in memory."""
        if case is None or case.key not in self._bench.fusions:
            self._made = ((), None)

    @property
    def notes(self) -> tuple[TextLine, ...]:
        """What the picture has to say about it."""
        return self._notes

    def paint_picture(self, painter: QPainter) -> None:
        """Draw the series that lies over the picture."""
        self._layer.paint(painter)

    def paint_outlines(self, painter: QPainter) -> None:
        """Draw the labels of other series."""
        self._outlines.paint(painter)

    @property
    def bar_empty(self) -> bool:
        """Whether there is no bar of colours."""
        return self._bar.empty

    def paint_bar(self, painter: QPainter, font: QFont, place: int) -> None:
        """Draw which colour stands for which value."""
        self._bar.paint(painter, font, place)

    def _overlay(self, fusion: Fusion, case: OpenCase, overlay: OpenCase) -> FusedOverlay | None:
        """Return what draws the overlay, made anew only when something it depends on changed."""
        depends = (fusion, case.volume, overlay.volume, overlay.view.window)
        if self._made[0] != depends:
            self._made = (depends, fused_overlay(fusion, case, overlay))
        return self._made[1]

    def _show_outlines(self, case: OpenCase, layout: PlaneLayout, index: float, viewport: Viewport) -> None:
        cuts: list[ForeignCut] = []
        whose: list[OpenCase] = []
        for foreign in foreign_labels(self._bench, self._cases, case):
            found = _cuts(foreign, case, layout, index)
            cuts += found
            whose += [foreign.case] if found else []
        self._outlines.update(cuts, viewport)
        self._notes = (*self._notes, *foreign_note(whose, case, self._bench))


def _cuts(foreign: ForeignLabels, case: OpenCase, layout: PlaneLayout, index: float) -> list[ForeignCut]:
    here = case.volume.geometry
    same = isinstance(layout, SlicePlane) and _same_grid(here, foreign.placed)
    grid = layout.grid(here, index)
    fine = refined(grid, refinement(grid, min(foreign.placed.spacing_kji_mm)))
    found = []
    for layer_id, layer in foreign.case.labels.segmentation.layers.items():
        segments = foreign.visible_segments(layer_id)
        if not segments:
            continue
        voxels = layer.voxels.view(np.uint8)
        if same and isinstance(layout, SlicePlane):
            # Registered or resampled series often share a grid; then there is nothing to sample.
            cut = np.asarray(layout.extract(voxels, int(index)), dtype=np.uint8)
        else:
            cut = sample_voxels(voxels, foreign.placed, fine)
        shown = np.zeros(256, dtype=np.bool_)
        shown[[s.value for s in segments]] = True
        if shown.take(cut).any():
            found.append(ForeignCut(cut, tuple(Paint(s.value, s.colour, 0.0) for s in segments)))
    return found


@lru_cache(maxsize=256)
def _same_grid(one: Geometry, other: Geometry) -> bool:
    return one.same_grid(other)
