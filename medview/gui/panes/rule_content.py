"""What the rules and the threshold brush show on a picture: people forget that they are on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.analysis.reslice import nearest_voxels
from medview.core.oblique import ObliquePlane, PlaneLayout
from medview.edit.value_range import ValueRange
from medview.gui.layers.proposal import Chip
from medview.workspace.brush_range import brush_range
from medview.workspace.load_state import SliceState
from medview.workspace.open_case import OpenCase
from medview.workspace.rule_words import rules_in_force
from medview.workspace.view_state import Bench, Mode, Tool

_TINTING = (Tool.THRESHOLD_BRUSH, Tool.VALUE_RANGE)


def rule_chips(case: OpenCase, bench: Bench) -> list[Chip]:
    """Return a badge with the rules that are not the usual ones, while labels are drawn."""
    found = rules_in_force(bench.rules, case.anchor.volume) if bench.mode is Mode.ANNOTATE else []
    text = " \u00b7 ".join(found)
    return [Chip(text[:1].upper() + text[1:], icon="mdi6.filter-check")] if found else []


def range_mask(case: OpenCase, bench: Bench, plane: PlaneLayout, index: float) -> npt.NDArray[np.bool_] | None:
    """Return which voxels of a picture the threshold brush paints, in screen orientation; None while it is not in hand.

    Labels lie on the first time point, and so do the values that decide.
    """
    volume = case.anchor.volume
    if bench.tool not in _TINTING or volume.colour or not bench.overlay_visible:
        return None
    found = ValueRange(*brush_range(bench, case))
    if isinstance(plane, ObliquePlane):
        sampled = nearest_voxels(volume.voxels, volume.geometry, plane.grid(volume.geometry, index))
        return np.asarray(found.holds(volume, sampled.stored) & sampled.inside)
    if plane.normal_axis == 0 and case.anchor.load.state(int(index)) is not SliceState.READY:
        return None
    return np.asarray(found.holds(volume, plane.extract(volume.voxels, int(index))))
