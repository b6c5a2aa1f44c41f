"""Playing through the slices of a pane, or through time, at a true rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

from medview.core.plane import Plane, SlicePlane
from medview.workspace.focus import moved_to
from medview.workspace.open_case import OpenCase

SLOWEST_HZ, FASTEST_HZ = 0.5, 60.0
USUAL_HZ = 12.0
"""Where the file says nothing: quick enough to see motion, slow enough to see slices."""
USUAL_IN_TIME_HZ = 5.0
"""For volumes that were taken seconds apart: nobody waits for contrast as long as the scanner did."""
MOTION_S = 0.5
"""Volumes closer in time than this show motion, which is played as fast as it was."""


@dataclass(frozen=True, slots=True)
class Cine:
    """One run of the player.

    Attributes
    ----------
    plane : Plane or None
        Whose slices are played; None for time.
    start_slice : int
        Where it stood when it began.
    start_s : float
        When it began, on the clock that ``slice_at`` is asked with.
    """

    plane: Plane | None
    count: int
    start_slice: int
    start_s: float
    rate_hz: float
    step: int = 1

    def slice_at(self, now_s: float) -> int:
        """Return the slice, or time point, to show now.

        It follows the clock: slices are left out where drawing is slow, never the rate.
        """
        passed = int((now_s - self.start_s) * self.rate_hz + 1e-9)
        return (self.start_slice + self.step * passed) % self.count

    def next_s(self, now_s: float) -> float:
        """Return how long the present slice still stands, in seconds."""
        passed = int((now_s - self.start_s) * self.rate_hz + 1e-9)
        return max(0.0, (passed + 1) / self.rate_hz - (now_s - self.start_s))

    def stands(self, case: OpenCase) -> int:
        """Return which slice, or time point, a case shows."""
        if self.plane is None:
            return case.view.time_index
        return slice_shown(case, self.plane)

    def show(self, case: OpenCase, index: int) -> None:
        """Let a case show a slice, or a time point."""
        if self.plane is None:
            case.view.time_index = index
        else:
            show_slice(case, self.plane, index)


def begin(case: OpenCase, plane: Plane, rate_hz: float, now_s: float, *, in_time: bool = False) -> Cine | None:
    """Return a run through a plane of a case, or through time, from where it stands; None where there is only one slice.

    Parameters
    ----------
    in_time : bool
        Play time where there are several time points; slices all the same where there is one.
    """
    if in_time and case.entry.time_points > 1:
        count = len(case.times)
        return Cine(None, count, case.view.time_index, now_s, rate_hz) if count > 1 else None
    layout = case.slice_plane(plane)
    count = layout.count(case.volume.geometry)
    if count < 2:
        return None
    # Towards the head, as the wheel goes; pictures without directions in the order they were taken.
    placed = case.volume.patient_orientation is None
    backwards = isinstance(layout, SlicePlane) and placed and layout.normal_flip
    return Cine(plane, count, slice_shown(case, plane), now_s, rate_hz, -1 if backwards else 1)


def slice_shown(case: OpenCase, plane: Plane) -> int:
    """Return which slice of a plane is shown, from 0; of a plane at an angle to the grid the nearest whole step."""
    layout = case.slice_plane(plane)
    at = case.position_on(layout)
    if isinstance(layout, SlicePlane):
        return round(at)
    # Not round(), which goes to even numbers and would show some steps twice and leave others out.
    return min(2 * layout.half_steps, max(0, math.floor(at + 0.5) + layout.half_steps))


def show_slice(case: OpenCase, plane: Plane, index: int) -> None:
    """Show a slice of a plane, from 0; of a plane at an angle to the grid the whole step."""
    layout = case.slice_plane(plane)
    if isinstance(layout, SlicePlane):
        case.view.set_slice(layout.normal_axis, index)
        return
    geometry = case.volume.geometry
    case.view.look_at(moved_to(geometry, layout, case.view.at_kji, index - layout.half_steps), geometry.shape_kji)


def rate_of(case: OpenCase) -> float:
    """Return the rate a series asks to be played at, within bounds."""
    return min(FASTEST_HZ, max(SLOWEST_HZ, case.entry.frame_rate_hz or _rate_in_time(case) or USUAL_HZ))


def _rate_in_time(case: OpenCase) -> float:
    """Return the rate of a 4-D series, 0 for others: that of what moved, else one at which contrast can be followed."""
    times_s = case.entry.times_s
    if case.entry.time_points < 2:
        return 0.0
    interval_s = (times_s[-1] - times_s[0]) / (len(times_s) - 1) if len(times_s) > 1 else 0.0
    return 1.0 / interval_s if 0.0 < interval_s <= MOTION_S else USUAL_IN_TIME_HZ
