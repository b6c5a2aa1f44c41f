"""Playing through the slices of a pane at a true rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

from medview.core.plane import Plane, SlicePlane
from medview.workspace.focus import moved_to
from medview.workspace.open_case import OpenCase

SLOWEST_HZ, FASTEST_HZ = 0.5, 60.0
USUAL_HZ = 12.0
"""Where the file says nothing: quick enough to see motion, slow enough to see slices."""


@dataclass(frozen=True, slots=True)
class Cine:
    """One run of the player.

    Attributes
    ----------
    start_slice : int
        Where it stood when it began.
    start_s : float
        When it began, on the clock that ``slice_at`` is asked with.
    """

    plane: Plane
    count: int
    start_slice: int
    start_s: float
    rate_hz: float
    step: int = 1

    def slice_at(self, now_s: float) -> int:
        """Return the slice to show now. It follows the clock: slices are left out where drawing is slow, never the rate."""
        passed = int((now_s - self.start_s) * self.rate_hz + 1e-9)
        return (self.start_slice + self.step * passed) % self.count

    def next_s(self, now_s: float) -> float:
        """Return how long the present slice still stands, in seconds."""
        passed = int((now_s - self.start_s) * self.rate_hz + 1e-9)
        return max(0.0, (passed + 1) / self.rate_hz - (now_s - self.start_s))


def begin(case: OpenCase, plane: Plane, rate_hz: float, now_s: float) -> Cine | None:
    """Return a run through a plane of a case from where it stands; None where there is only one slice."""
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
    return min(FASTEST_HZ, max(SLOWEST_HZ, case.entry.frame_rate_hz or USUAL_HZ))
