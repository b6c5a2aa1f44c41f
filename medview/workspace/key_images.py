"""Key images of an open case: marked, found again, told in words."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from medview.core.axes import Axes
from medview.core.changes import AnnotationChange, Command
from medview.core.geometry import Calibration
from medview.core.key_image import SAME_SLICE, KeyImage, positions_on
from medview.core.language import _
from medview.core.oblique import ObliquePlane, PlaneLayout
from medview.core.plane import Plane, SlicePlane
from medview.core.source import Source
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Turn

TOOL = _("key image")
"""What the record calls the tool."""


def key_images(case: OpenCase) -> list[KeyImage]:
    """Return the key images of a case in the order they were marked."""
    # A note puts an annotation behind the others.
    marked = (a for a in case.labels.annotations.values() if isinstance(a, KeyImage))
    return sorted(marked, key=lambda one: one.source.created_utc)


def on_slice(case: OpenCase, layout: PlaneLayout, index: float) -> KeyImage | None:
    """Return the key image that a slice is at the time shown, or None; between two steps at an angle the nearer counts."""
    return next(iter(_all_on(case, layout, index)), None)


def shown(case: OpenCase) -> list[KeyImage]:
    """Return the key images that a plane of the case, as it stands now, shows."""
    layouts = [case.slice_plane(plane) for plane in Plane]
    return [one for layout in layouts for one in _all_on(case, layout, case.position_on(layout))]


def _all_on(case: OpenCase, layout: PlaneLayout, index: float) -> list[KeyImage]:
    marked = [one for one in key_images(case) if case.images.time(one) == case.view.time_index]
    at = positions_on(marked, layout, case.volume.geometry)
    return [one for one, mine in zip(marked, at, strict=True) if mine is not None and abs(mine - index) <= SAME_SLICE]


def toggle(case: OpenCase, layout: PlaneLayout, index: float) -> Command | None:
    """Mark a slice, or take its mark away; return the command, or None when the case cannot be changed now."""
    marked = on_slice(case, layout, index)
    if marked is not None:
        return delete(case, marked)
    image = case.image_of(round(index)) if layout.acquired else case.images.across(case.view.time_index)
    source = Source(created_utc=datetime.now(UTC).isoformat(timespec="milliseconds"))
    through = case.view.at_kji if isinstance(layout, ObliquePlane) else None
    fresh = KeyImage.of_slice(uuid.uuid4().hex, layout, case.volume.geometry, index, image, source, through)
    return _do(case, Command("Mark key image", (AnnotationChange(None, fresh),), TOOL))


def delete(case: OpenCase, one: KeyImage) -> Command | None:
    """Take a mark away; return the command, or None when the case cannot be changed now."""
    return _do(case, Command("Unmark key image", (AnnotationChange(one, None),), TOOL))


def note(case: OpenCase, one: KeyImage, text: str) -> Command | None:
    """Write a note on a key image; return the command, or None when nothing changes."""
    noted = replace(one, label=" ".join(text.split()))
    if noted == one:
        return None
    return _do(case, Command("Note on key image", (AnnotationChange(one, noted),), TOOL))


def placed(case: OpenCase, one: KeyImage) -> tuple[PlaneLayout, float] | None:
    """Return how a pane would lay a key image out, and where across; None where its grid is not what it was."""
    for plane, along in case.layouts().items():
        index = one.slice_index(along, case.volume.geometry)
        if index is not None:
            return case.view.turns.get(plane, Turn()).of(along), index
    if case.volume.geometry.calibration is not Calibration.VOLUME:
        return None
    plane, axes = _axes_through(case, one)
    layout = case.view.turns.get(plane, Turn()).of(ObliquePlane.of(plane, axes, case.volume.geometry))
    at = one.position_on(layout, case.volume.geometry)
    return None if at is None else (layout, at)


def acquired_slice(case: OpenCase, one: KeyImage) -> int | None:
    """Return the slice of the files, counted through all time points, that a key image is; None where it is none."""
    geometry = case.volume.geometry
    k = one.slice_index(case.layouts()[case.acquired_plane], geometry)
    return None if k is None else case.images.time(one) * geometry.shape_kji[0] + k


def where(case: OpenCase, one: KeyImage) -> str:
    """Return the plane and number of the slice, and the time where there are several: ``Axial 41, time 3``."""
    found = placed(case, one)
    if found is None:
        return _("Elsewhere")
    layout, at = found
    name = layout.plane.title
    when = _(", time {time}").format(time=case.images.time(one) + 1) if case.entry.time_points > 1 else ""
    return (
        f"{name} {round(at) + 1}{when}"
        if isinstance(layout, SlicePlane)
        else _("{name}, at an angle{when}").format(name=name, when=when)
    )


def jump_to(case: OpenCase, one: KeyImage) -> None:
    """Show the slice at its time in its plane; planes along the grid stay where they are in the other two directions."""
    found = placed(case, one)
    if found is None:
        return
    layout, at = found
    case.view.time_index = min(case.images.time(one), len(case.times) - 1)
    if isinstance(layout, SlicePlane):
        if isinstance(case.slice_plane(layout.plane), ObliquePlane):
            case.view.axes = None
        case.view.set_slice(layout.normal_axis, round(at))
        return
    case.view.axes = _axes_through(case, one)[1]
    case.view.look_at(case.volume.geometry.index_kji(one.point_lps_mm), case.volume.geometry.shape_kji)


def _axes_through(case: OpenCase, one: KeyImage) -> tuple[Plane, Axes]:
    """Return the plane nearest to a key image, and the present axes turned as little as makes that plane lie along it."""
    axes = case.view.axes or Axes.of_grid(case.volume.geometry)
    wanted = np.asarray(one.normal_lps)
    plane = max(Plane, key=lambda name: abs(float(axes.screen(name)[2] @ wanted)))
    now = axes.screen(plane)[2]
    wanted = wanted if float(now @ wanted) > 0 else -wanted
    around = np.cross(now, wanted)
    sine = float(np.linalg.norm(around))
    return plane, axes.turned(around, float(np.arctan2(sine, now @ wanted))) if sine > 0 else axes


def _do(case: OpenCase, command: Command) -> Command | None:
    return command if case.do(command) else None
