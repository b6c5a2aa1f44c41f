"""Which values the threshold brush paints, in the unit of the series it is used on."""

from __future__ import annotations

import numpy.typing as npt

from medview.core.oblique import PlaneLayout
from medview.core.volume import Volume
from medview.edit.sampled_range import Range, range_around
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Bench


def brush_range(bench: Bench, case: OpenCase) -> Range:
    """Return the range in use; before any was chosen, what the window shows between black and white."""
    known = bench.brush_ranges.get(_kind(case.anchor.volume))
    window = case.view.window
    return known or (window.center - window.width / 2, window.center + window.width / 2)


def set_brush_range(bench: Bench, case: OpenCase, found: Range) -> None:
    """Choose the range for this series and all of its kind: Hounsfield units mean nothing in a PET."""
    bench.brush_ranges = {**bench.brush_ranges, _kind(case.anchor.volume): (min(found), max(found))}


def learn(
    bench: Bench, case: OpenCase, index_kji: npt.ArrayLike, radius_mm: float, plane: PlaneLayout | None
) -> Range | None:
    """Take the range from the values around a place; None, and nothing changes, where there are none."""
    found = range_around(case.anchor.volume, index_kji, radius_mm, bench.brush_spread, plane)
    if found is not None:
        set_brush_range(bench, case, found)
    return found


def _kind(volume: Volume) -> tuple[str, str]:
    return volume.modality, volume.unit
