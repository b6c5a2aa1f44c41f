"""Slices on which everything is drawn: marked, found, and shown beside those that hold labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.changes import Command, MarksChange
from medview.core.oblique import PlaneLayout
from medview.core.plane import SlicePlane
from medview.workspace.open_case import OpenCase
from medview.workspace.shown_segments import shown_on_slices

Flags = npt.NDArray[np.bool_]

ACTIVE, OTHER = 1, 2
"""What ``SliceStrip.labelled`` holds: the active segment is on the slice, or only others are."""


@dataclass(frozen=True, slots=True, eq=False)
class SliceStrip:
    """What is known of the slices of a plane, from the one that the wheel comes to last (head, back, left) to the first.

    Attributes
    ----------
    labelled : ndarray of uint8, shape (slices,)
        0, ACTIVE or OTHER; segments that are not shown count for nothing.
    done : ndarray of bool, shape (slices,)
    colour : tuple of int
        RGB of the active segment.
    at : int
        The slice that is looked at.
    """

    labelled: npt.NDArray[np.uint8]
    done: Flags
    colour: tuple[int, int, int]
    at: int

    @property
    def empty(self) -> bool:
        """Whether nothing is labelled and nothing done."""
        return not (self.labelled.any() or self.done.any())


def slice_strip(case: OpenCase, layout: PlaneLayout) -> SliceStrip | None:
    """Return what is known of the slices of a plane, from the kept counts; None where the plane lies across the grid's."""
    if not isinstance(layout, SlicePlane):
        return None
    axis, segmentation = layout.normal_axis, case.labels.segmentation
    count = segmentation.geometry.shape_kji[axis]
    labelled = np.zeros(count, dtype=np.uint8)
    labelled[segmentation.counts_along(axis, shown_on_slices(case)) > 0] = OTHER
    active = case.active_segment
    if active is not None:
        labelled[segmentation.counts_along(axis, [active]) > 0] = ACTIVE
    done = np.zeros(count, dtype=np.bool_)
    done[list(case.labels.marks.done(axis))] = True
    colour = active.colour if active is not None else (0, 0, 0)
    step = 1 if layout.normal_flip else -1
    return SliceStrip(labelled[::step], done[::step], colour, place_on_strip(case, layout))


def place_on_strip(case: OpenCase, layout: SlicePlane) -> int:
    """Return where the slice that is looked at stands among those of a strip."""
    at, count = case.view.crosshair_kji[layout.normal_axis], case.volume.geometry.shape_kji[layout.normal_axis]
    return at if layout.normal_flip else count - 1 - at


def is_done(case: OpenCase, layout: PlaneLayout) -> bool:
    """Whether the slice of a plane that is looked at is marked done."""
    return isinstance(layout, SlicePlane) and case.labels.marks.is_done(
        case.view.crosshair_kji[layout.normal_axis], layout.normal_axis
    )


def set_done(case: OpenCase, layout: SlicePlane, *, done: bool) -> bool:
    """Mark the slice that is looked at as done, or no longer; False when nothing changed or the case cannot be changed."""
    axis = layout.normal_axis
    index = case.view.crosshair_kji[axis]
    before = case.labels.marks
    after = before.with_slice(index, done=done, axis=axis)
    if after == before:
        return False
    plane, number = layout.plane.value, index + 1
    change = MarksChange(before, after)
    if done:
        return case.do(Command(f"Mark {plane} slice {number} done", (change,), "marks"))
    return case.do(Command(f"Mark {plane} slice {number} not done", (change,), "marks"))


def go_to_open(case: OpenCase, layout: SlicePlane) -> bool:
    """Look at the next slice towards head, back or left that is not done, then at those before; False when all are."""
    axis = layout.normal_axis
    count, now = case.volume.geometry.shape_kji[axis], case.view.crosshair_kji[axis]
    step = -1 if layout.normal_flip else 1
    marks = case.labels.marks
    for n in range(1, count + 1):
        index = (now + step * n) % count
        if not marks.is_done(index, axis):
            if index != now:
                case.view.set_slice(axis, index)
            return True
    return False
