"""The hand of a person at work: strokes and figures, drawn with the tools of the window at places chosen by chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from medview.core.plane import Plane, SlicePlane
from medview.core.segmentation import Segment
from medview.edit.rules import Area, EditRules, Overlap
from medview.workspace.brush_range import set_brush_range
from medview.workspace.hands import Hands
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Button, Modifiers, Pointer
from medview.workspace.view_state import Mode, Tool
from medview.workspace.workspace import Workspace

_FIGURES = (Tool.LENGTH, Tool.BIDIRECTIONAL, Tool.ANGLE, Tool.COBB, Tool.PROBE, Tool.ELLIPSE, Tool.RECTANGLE, Tool.FREEHAND)

_DRAWN = (Tool.THRESHOLD_BRUSH, Tool.BOX, Tool.BOX_3D, Tool.POINT, Tool.LASSO, Tool.SCISSORS)


class Hand:
    """Draws on the active case of a workspace. What it needs of tools and places it sets itself, each time."""

    def __init__(self, workspace: Workspace, hands: Hands, seed: int) -> None:
        self._workspace = workspace
        self._hands = hands
        self._seed = seed
        assert workspace.active is not None
        self.case: OpenCase = workspace.active
        self._rng = np.random.default_rng(seed)

    def _brush(self) -> None:
        self._stroke(Tool.BRUSH)

    def _erase(self) -> None:
        self._stroke(Tool.ERASER)

    def _escape(self) -> None:
        self._stroke(Tool.BRUSH, give_up=True)

    def _brush_by_rules(self) -> None:
        rng = self._rng
        area = (Area.EVERYWHERE, Area.INSIDE, Area.OUTSIDE)[int(rng.integers(3))]
        overlap = (Overlap.REPLACE, Overlap.KEEP, Overlap.ALLOW)[int(rng.integers(3))]
        value_range = (-400.0, 700.0) if rng.random() < 0.4 else None
        self._stroke(Tool.BRUSH, rules=EditRules(area, "", value_range, overlap))

    def _stroke(self, tool: Tool, *, rules: EditRules = EditRules(), give_up: bool = False) -> None:
        rng, bench = self._rng, self._workspace.bench
        bench.mode, bench.tool, bench.rules = Mode.ANNOTATE, tool, rules
        bench.brush_radius_mm = float(rng.uniform(1.0, 7.0))
        bench.brush_sphere = bool(rng.random() < 0.4)
        self._activate()
        plane = self._plane()
        keys = Modifiers.CTRL if rng.random() < 0.1 else Modifiers.NONE
        way = [replace(p, modifiers=keys) for p in self._way(plane, int(rng.integers(1, 5)))]
        self._hands.press(way[0])
        for at in way[1:]:
            self._hands.move(at)
        if give_up:
            self._hands.cancel()
        self._hands.release(way[-1])
        bench.rules = EditRules()

    def _measure(self) -> None:
        bench = self._workspace.bench
        bench.mode, bench.tool = Mode.ANNOTATE, _FIGURES[int(self._rng.integers(len(_FIGURES)))]
        way = self._way(self._plane(), 3)
        self._hands.press(way[0])
        for at in way[1:]:
            self._hands.move(at)
        self._hands.release(way[-1])

    def _by_hand(self) -> None:
        """Draw with a tool that takes a drag."""
        bench = self._workspace.bench
        bench.mode, bench.tool = Mode.ANNOTATE, _DRAWN[int(self._rng.integers(len(_DRAWN)))]
        bench.brush_radius_mm, bench.brush_sphere = 4.0, bool(self._rng.random() < 0.3)
        set_brush_range(bench, self.case, (-400.0, 700.0))
        self._activate()
        way = self._way(self._plane(), 4)
        self._hands.press(way[0])
        for at in way[1:]:
            self._hands.move(at)
        self._hands.release(way[-1])
        # What goes on with clicks is closed where it can be.
        self._hands.clicking.close()
        self._hands.cancel()

    def _segment(self) -> Segment | None:
        there = self.case.labels.segmentation.segments
        return there[int(self._rng.integers(len(there)))] if there else None

    def _activate(self) -> None:
        segment = self._segment()
        self.case.view.active_segment_id = segment.segment_id if segment is not None else ""

    def _plane(self) -> SlicePlane:
        layout = self.case.layouts()[list(Plane)[int(self._rng.integers(3))]]
        self.case.view.set_slice(layout.normal_axis, int(self._rng.integers(layout.count(self.case.volume.geometry))))
        return layout

    def _way(self, layout: SlicePlane, steps: int) -> list[Pointer]:
        """Return a way across a plane, long enough to be no click."""
        geometry = self.case.volume.geometry
        rows, columns = layout.screen_shape(geometry)
        row_mm, column_mm = layout.screen_spacing_mm(geometry)
        index = self.case.view.crosshair_kji[layout.normal_axis]
        at = self._rng.uniform((0, 0), (rows - 1, columns - 1))
        way = []
        for _ in range(steps + 1):
            row, column = float(at[0]), float(at[1])
            x_px, y_px = column * column_mm * 5, row * row_mm * 5
            way.append(Pointer(layout, index, row, column, x_px, y_px, 0.2, Button.LEFT))
            at = np.clip(at + self._rng.normal(0, 6.0, 2) / (row_mm, column_mm), 0, (rows - 1, columns - 1))
        return way
