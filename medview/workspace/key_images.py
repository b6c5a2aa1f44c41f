"""Key images of an open case: marked, found again, told in words."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import numpy as np

from medview.core.changes import AnnotationChange, Command
from medview.core.key_image import KeyImage
from medview.core.plane import SlicePlane
from medview.core.source import Source
from medview.workspace.open_case import OpenCase

TOOL = "key image"
"""What the record calls the tool."""


def key_images(case: OpenCase) -> list[KeyImage]:
    """Return the key images of a case in the order they were marked."""
    return [a for a in case.labels.annotations.values() if isinstance(a, KeyImage)]


def on_slice(case: OpenCase, plane: SlicePlane, index: int) -> KeyImage | None:
    """Return the key image that a slice is, or None."""
    geometry = case.volume.geometry
    return next((one for one in key_images(case) if one.slice_index(plane, geometry) == index), None)


def toggle(case: OpenCase, plane: SlicePlane, index: int) -> Command | None:
    """Mark a slice, or take its mark away; return the command, or None when the case cannot be changed now."""
    marked = on_slice(case, plane, index)
    if marked is not None:
        return _do(case, Command("Unmark key image", (AnnotationChange(marked, None),), TOOL))
    image = case.image_of(index) if plane.normal_axis == 0 else ("", 0)
    source = Source(created_utc=datetime.now(UTC).isoformat(timespec="seconds"))
    fresh = KeyImage.of_slice(uuid.uuid4().hex, plane, case.volume.geometry, index, image, source)
    return _do(case, Command("Mark key image", (AnnotationChange(None, fresh),), TOOL))


def delete(case: OpenCase, one: KeyImage) -> Command | None:
    """Take a mark away; return the command, or None when the case cannot be changed now."""
    return _do(case, Command("Unmark key image", (AnnotationChange(one, None),), TOOL))


def placed(case: OpenCase, one: KeyImage) -> tuple[SlicePlane, int] | None:
    """Return the plane and slice that a key image is, or None when it lies across all of them."""
    for layout in case.layouts().values():
        index = one.slice_index(layout, case.volume.geometry)
        if index is not None:
            return layout, index
    return None


def where(case: OpenCase, one: KeyImage) -> str:
    """Return the plane and number of the slice: ``Axial 41``."""
    found = placed(case, one)
    return f"{found[0].plane.value.capitalize()} {found[1] + 1}" if found is not None else "Oblique"


def jump_to(case: OpenCase, one: KeyImage) -> None:
    """Show the slice in its plane; the others stay where they are."""
    found = placed(case, one)
    if found is not None:
        case.view.set_slice(found[0].normal_axis, found[1])
        return
    middle = np.rint(case.volume.geometry.index_kji(one.point_lps_mm)).astype(int)
    k, j, i = (int(min(max(n, 0), count - 1)) for n, count in zip(middle, case.volume.geometry.shape_kji, strict=True))
    case.view.crosshair_kji = (k, j, i)


def _do(case: OpenCase, command: Command) -> Command | None:
    return command if case.do(command) else None
