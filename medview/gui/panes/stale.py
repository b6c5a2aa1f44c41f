"""Which parts of a pane a change makes stale."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Flag, auto

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from medview.core.box import Box
from medview.core.label_patch import LabelPatch
from medview.core.oblique import ObliquePlane, PlaneLayout
from medview.gui.panes.oblique_content import box_outline
from medview.gui.panes.slice_content import screen_ranges
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.workspace.events import LabelsChanged
from medview.workspace.open_case import OpenCase

Ranges = tuple[int, int, int, int]
"""Half-open (row0, row1, column0, column1)."""

_LOAD_PACE_MS = 100


class Stale(Flag):
    """Parts of a pane that no longer show the workspace."""

    NONE = 0
    PICTURE = auto()
    CAMERA = auto()
    LABELS = auto()
    PROPOSALS = auto()
    LINES = auto()
    TEXT = auto()
    MEASURES = auto()
    FUSED = auto()
    TINT = auto()
    STRIP = auto()
    HEAT = auto()
    SLICE = PICTURE | LABELS | PROPOSALS | LINES | TEXT | MEASURES | FUSED | TINT | HEAT
    ALL = SLICE | CAMERA | STRIP


_OVERLAY = Stale.LABELS | Stale.PROPOSALS | Stale.MEASURES | Stale.STRIP
_WORDS = Stale.TEXT | Stale.PICTURE | Stale.FUSED
_SEEN = Stale.PICTURE | Stale.TEXT

OF_BENCH = {
    "overlay_opacity": _OVERLAY,
    "overlay_visible": _OVERLAY | Stale.TINT,
    "identity_hidden": _WORDS,
    "graphics_visible": _WORDS,
    "slab": _WORDS | Stale.HEAT,
    "corners": _WORDS,
    "names_read_as": _WORDS,
    "crosshair_visible": Stale.LINES,
    "reference_lines": Stale.LINES,
    "tool": Stale.LINES | Stale.TINT | Stale.MEASURES,
    "prompts": Stale.MEASURES,
    "brush_ranges": Stale.TINT,
    "rules": Stale.TEXT,
    "mode": Stale.TEXT,
    "effect": Stale.PROPOSALS | Stale.TEXT,
    "review": Stale.PROPOSALS | Stale.TEXT,
    "pointed": Stale.NONE,
}
"""Field of the bench -> what its change makes stale in every pane; nothing but the frame around it for some."""

OF_VIEW = {
    "window": _SEEN | Stale.TINT,
    "inverted": _SEEN,
    "colour_map": _SEEN,
    "active_annotation_id": Stale.MEASURES,
    "least_scores": Stale.MEASURES,
    "proposed_box_id": Stale.MEASURES,
    "active_segment_id": Stale.MEASURES,
    "heat": Stale.HEAT | Stale.TEXT | Stale.PROPOSALS,
    "heat_visible": Stale.HEAT | Stale.TEXT | Stale.PROPOSALS,
    "heat_opacity": Stale.HEAT,
    "unfinished": Stale.PROPOSALS | Stale.TEXT,
    "solo_segment_ids": Stale.LABELS | Stale.STRIP,
}
"""Field of a case's view -> what its change makes stale in the panes of the case."""


def hear(subscriptions: Subscriptions, model: object, table: dict[str, Stale], mark: Callable[[Stale], None]) -> None:
    """Call ``mark`` with what becomes stale whenever a field of the table changes."""
    for name, parts in table.items():
        subscriptions.add(field_signal(model, name), _marking(mark, parts))


def _marking(mark: Callable[[Stale], None], parts: Stale) -> Callable[..., None]:
    # A function of its own: signals do not find a partial again when they are to let it go.
    def on_change(*_values: object) -> None:
        mark(parts)

    return on_change


def of_labels(event: LabelsChanged) -> Stale:
    """Return what a change of labels makes stale besides the voxels it wrote."""
    if event.only_figures:
        return Stale.MEASURES
    return Stale.NONE if event.only_voxels else _OVERLAY | Stale.TEXT


def written_ranges(
    event: LabelsChanged, case: OpenCase, layout: PlaneLayout, knows: Callable[[int], bool]
) -> list[tuple[int, Ranges]] | None:
    """Return (layer id, screen ranges) of voxels written on the slice shown; None when all is to be drawn anew.

    Parameters
    ----------
    knows : callable
        Whether a layer id was drawn before.
    """
    found = []
    for change in event.changes:
        ranges = _ranges(case, layout, change.box) if isinstance(change, LabelPatch) else None
        if isinstance(change, LabelPatch) and ranges is not None:
            if not knows(change.layer_id):
                return None
            found.append((change.layer_id, ranges))
    return found


def _ranges(case: OpenCase, layout: PlaneLayout, box: Box) -> Ranges | None:
    """Return where a box of voxels is seen on the slice shown, or None."""
    geometry = case.volume.geometry
    if not isinstance(layout, ObliquePlane):
        seen = box.touches_slice(layout.normal_axis, case.view.crosshair_kji[layout.normal_axis])
        return screen_ranges(layout, geometry, box) if seen else None
    low, high = np.asarray(box.min_kji) - 0.5, np.asarray(box.max_kji) - 0.5
    cut = box_outline(layout, geometry, case.position_on(layout), low, high)
    if cut is None:
        return None
    top, bottom, left, right = cut
    rows, columns = layout.screen_shape(geometry)
    row0, column0 = max(0, math.floor(top)), max(0, math.floor(left))
    row1, column1 = min(rows, math.ceil(bottom) + 1), min(columns, math.ceil(right) + 1)
    return (row0, row1, column0, column1) if row1 > row0 and column1 > column0 else None


class LoadPace(QObject):
    """Lets arriving slices be shown ten times a second, since reading needs the processor more than the screen does."""

    due = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._timer = QTimer(self, interval=_LOAD_PACE_MS, singleShot=True)
        self._timer.timeout.connect(self.due)

    def arrived(self) -> None:
        """Take notice of a slice that can wait a little."""
        if not self._timer.isActive():
            self._timer.start()
