"""Boxes, points and lines of an open case: what they say, where they are, and what changes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from zlib import crc32

import numpy as np

from medview.core.annotations import BoxAnnotation, Drawn, Trace
from medview.core.attributes import Attributes
from medview.core.box_cut import cut_of
from medview.core.changes import AnnotationChange, Command
from medview.core.geometry import Calibration
from medview.core.language import _
from medview.core.plane import Plane
from medview.core.trace import TraceKind
from medview.core.volume import Volume
from medview.workspace.open_case import OpenCase

TOOL = "marks"
"""What the record calls the tool."""

ON_SLICE = 1e-3
"""How far points may stand off an acquired slice and still lie on its image, in slices; rounding of the affine."""

Colour = tuple[int, int, int]
LABEL_COLOURS: tuple[Colour, ...] = (
    (240, 228, 66),
    (86, 180, 233),
    (230, 159, 0),
    (204, 121, 167),
    (90, 200, 160),
    (255, 120, 90),
)
"""Light enough for thin lines on dark pictures, and apart for colour-blind eyes (after Okabe and Ito 2008)."""

_KINDS = {TraceKind.POINT: _("Point"), TraceKind.OPEN: _("Polyline"), TraceKind.CLOSED: _("Closed polyline")}


def all_drawn(case: OpenCase) -> list[Drawn]:
    """Return the boxes, points and lines of a case, those made first in front."""
    # One that is changed goes behind the others in the labels.
    found = (one for one in case.labels.annotations.values() if isinstance(one, BoxAnnotation | Trace))
    return sorted(found, key=lambda one: (one.source.created_utc, one.annotation_id))


def chosen(case: OpenCase) -> Drawn | None:
    """Return the box, point or line that was touched last, or None."""
    found = case.labels.annotations.get(case.view.active_annotation_id)
    return found if isinstance(found, BoxAnnotation | Trace) else None


def choose_none(case: OpenCase) -> bool:
    """Choose no box or mark any longer; False when none was."""
    was = bool(case.view.active_annotation_id)
    if was:
        case.view.active_annotation_id = ""
    return was


def kind_name(one: Drawn) -> str:
    """Return what a kind of thing is called."""
    if isinstance(one, Trace):
        return _KINDS[one.kind]
    return _("3-D box") if one.flat_edge is None else _("Box")


def title(one: Drawn) -> str:
    """Return what a thing is called: its label, else its kind."""
    return one.label or kind_name(one)


def size_text(volume: Volume, one: Drawn) -> str:
    """Return the edges of a box or the length of a line, in millimetres where they are true; empty for a point."""
    if isinstance(one, BoxAnnotation):
        return _box_size(volume, one)
    if one.kind is TraceKind.POINT:
        return ""
    if volume.geometry.calibration is Calibration.VOLUME:
        return f"{one.length_mm():.1f} mm {volume.pixel_scale.note}".rstrip()
    return _("{count} points").format(count=len(one.points_lps_mm))


def where(case: OpenCase, one: Drawn) -> str:
    """Return the plane and number of the slice a thing lies on, or the slices it reaches through: ``axial 12 to 15``."""
    flat = one.flat_edge if isinstance(one, BoxAnnotation) else None
    low, high = _reach(case, one)
    for plane, layout in case.layouts().items():
        first, last = low[layout.normal_axis], high[layout.normal_axis]
        wanted = flat is None or flat == layout.normal_axis
        if wanted and first == last and (isinstance(one, Trace) or _along(case, one)):
            return f"{plane.title.lower()} {first + 1}{_when(case, one)}"
    if flat is not None and isinstance(one, BoxAnnotation) and not _along(case, one):
        return _("on an oblique plane{when}").format(when=_when(case, one))
    plane = case.acquired_plane
    axis = case.layouts()[plane].normal_axis
    reach = _("{plane} {first} to {last}").format(plane=plane.title.lower(), first=low[axis] + 1, last=high[axis] + 1)
    return reach + _when(case, one)


def short_place(case: OpenCase, one: Drawn) -> str:
    """Return where a thing lies in few letters: ``12\u201315`` of the acquired slices, ``Cor 7`` across them."""
    low, high = _reach(case, one)
    flat = one.flat_edge if isinstance(one, BoxAnnotation) else None
    axis = flat if flat and _along(case, one) else 0
    plane = next(plane for plane, layout in case.layouts().items() if layout.normal_axis == axis)
    reach = str(low[axis] + 1) if low[axis] == high[axis] else f"{low[axis] + 1}\u2013{high[axis] + 1}"
    return reach if axis == 0 else f"{plane.title[:3]} {reach}"


def short_size(volume: Volume, one: Drawn) -> str:
    """Return the same as ``size_text`` in whole numbers where they are millimetres, without the unit."""
    if volume.geometry.calibration is not Calibration.VOLUME:
        return size_text(volume, one)
    if isinstance(one, Trace):
        return "" if one.kind is TraceKind.POINT else _round(one.length_mm())
    size = one.size_mm()
    return "\u00d7".join(_round(size[edge]) for edge in (2, 1, 0) if edge != one.flat_edge)


def middle_kji(case: OpenCase, one: Drawn) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the place to look at: the middle of a box, the middle point of a line."""
    geometry = case.volume.geometry
    if isinstance(one, BoxAnnotation):
        return geometry.index_kji(one.middle_lps_mm())
    points = one.points_kji(geometry)
    return np.asarray(points[(len(points) - 1) // 2])


def jump_to(case: OpenCase, one: Drawn) -> None:
    """Put the crosshair into the middle of a thing, at its time, and choose it."""
    case.view.time_index = min(case.images.time(one), len(case.times) - 1)
    case.view.look_at(middle_kji(case, one), case.volume.geometry.shape_kji)
    case.view.active_annotation_id = one.annotation_id


def label_choices(case: OpenCase) -> list[str]:
    """Return labels to choose from: names of segments, then labels in use, each once."""
    names = (segment.name for segment in case.labels.segmentation.segments)
    return list(dict.fromkeys([*names, *(one.label for one in all_drawn(case) if one.label)]))


def attribute_choices(case: OpenCase) -> dict[str, Attributes]:
    """Return the attributes in use by name, the latest value of each last."""
    found: dict[str, Attributes] = {}
    for one in all_drawn(case):
        for attribute in one.attributes:
            found[attribute.name] = (*found.get(attribute.name, ()), attribute)
    return found


def colour_of(label: str, named: Mapping[str, Colour]) -> Colour:
    """Return the colour things of a label have: that of the segment of this name, else always the same one of a few.

    Parameters
    ----------
    named : mapping
        Colours of segments by their name in small letters.
    """
    name = label.casefold()
    if not name:
        return LABEL_COLOURS[0]
    return named.get(name) or LABEL_COLOURS[crc32(name.encode("utf-8", "surrogatepass")) % len(LABEL_COLOURS)]


def delete(case: OpenCase, some: Sequence[Drawn]) -> bool:
    """Remove things, in one step; False when the case cannot be changed now."""
    changes = tuple(AnnotationChange(one, None) for one in some)
    if len(some) == 1:
        return case.do(Command(f"Delete {title(some[0])}", changes, TOOL))
    return case.do(Command(f"Delete {len(some)} boxes and marks", changes, TOOL))


def relabel(case: OpenCase, some: Sequence[Drawn], label: str) -> bool:
    """Give things another label, in one step; False when nothing changes."""
    words = " ".join(label.split())
    if not words:
        return _alter(case, _by_hand(some, lambda one: replace(one, label="")), "Take a label away")
    return _alter(case, _by_hand(some, lambda one: replace(one, label=words)), f"Label {words}")


def set_attributes(case: OpenCase, one: Drawn, attributes: Attributes) -> bool:
    """Give a thing other attributes; False when nothing changes."""
    return _alter(case, _by_hand([one], lambda thing: replace(thing, attributes=attributes)), f"Attributes of {title(one)}")


def set_visible(case: OpenCase, some: Sequence[Drawn], *, visible: bool) -> bool:
    """Show or hide things, in one step; False when nothing changes."""
    # Who drew a thing stays the same when it is hidden.
    changes = [AnnotationChange(one, replace(one, visible=visible)) for one in some if one.visible is not visible]
    if len(some) == 1:
        return _alter(case, changes, f"{'Show' if visible else 'Hide'} {title(some[0])}")
    return _alter(case, changes, f"{'Show' if visible else 'Hide'} {len(some)} boxes and marks")


def table(case: OpenCase, some: Sequence[Drawn]) -> list[list[str]]:
    """Return things as rows of a table, the names of its columns first."""
    names = list(dict.fromkeys(attribute.name for one in some for attribute in one.attributes))
    rows = [[_("Label"), _("Kind"), _("Slice"), _("Size"), _("Score"), _("Source"), *names]]
    for one in some:
        values = {attribute.name: attribute.words for attribute in one.attributes}
        score = "" if isinstance(one, Trace) or one.score is None else f"{one.score:.3f}"
        rows.append(
            [
                one.label,
                kind_name(one),
                where(case, one),
                size_text(case.volume, one),
                score,
                one.source.title,
                *(values.get(name, "") for name in names),
            ]
        )
    return rows


def clipboard_table(case: OpenCase, some: Sequence[Drawn]) -> str:
    """Return things as text with tabs between columns: what a spreadsheet takes from the clipboard."""
    plain = str.maketrans("\t\r\n", "   ")
    return "".join("\t".join(cell.translate(plain) for cell in row) + "\n" for row in table(case, some))


def on_image(case: OpenCase, one: Drawn, time_index: int) -> Drawn:
    """Return a thing with the acquired image it lies on at a time; with none where it lies on several or across them."""
    points = one.points_kji(case.volume.geometry) if isinstance(one, Trace) else _middle_plane(case, one)
    k = None
    if points is not None and float(np.abs(points[:, 0] - np.rint(points[0, 0])).max()) <= ON_SLICE:
        k = int(np.rint(points[0, 0]))
    inside = k is not None and 0 <= k < case.volume.geometry.shape_kji[0]
    uid, frame = case.images.image(time_index, k) if inside and k is not None else case.images.across(time_index)
    if (uid, frame) == (one.sop_instance_uid, one.frame_number):
        return one
    return replace(one, sop_instance_uid=uid, frame_number=frame)


def _middle_plane(case: OpenCase, one: BoxAnnotation) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None:
    """Return corners of a flat box in the middle of its thickness, as voxel indices; None for a 3-D box."""
    if one.flat_edge is None:
        return None
    edges = np.asarray(one.edges_lps_mm)
    half = np.asarray(one.corner_lps_mm) + edges[one.flat_edge] / 2
    a, b = (edge for number, edge in enumerate(edges) if number != one.flat_edge)
    return case.volume.geometry.index_kji(np.stack([half, half + a, half + a + b, half + b]))


def shows_on(case: OpenCase, one: Drawn, plane: Plane) -> bool:
    """Whether a thing lies on the slice that a plane shows now, not only near it."""
    layout, geometry = case.slice_plane(plane), case.volume.geometry
    index = case.position_on(layout)
    if isinstance(one, BoxAnnotation):
        return cut_of(one, layout, geometry, index) is not None
    across = [layout.screen(geometry, point)[0] - index for point in one.points_kji(geometry)]
    return min(across) <= 0.5 and max(across) >= -0.5


def _by_hand(some: Sequence[Drawn], change: Callable[[Drawn], Drawn]) -> list[AnnotationChange]:
    """Return what a person changes of things; of those that stay the same nothing."""
    changed = ((one, change(one)) for one in some)
    return [AnnotationChange(one, replace(after, source=one.source.by_hand())) for one, after in changed if after != one]


def _alter(case: OpenCase, changes: Sequence[AnnotationChange], name: str) -> bool:
    return bool(changes) and case.do(Command(name, tuple(changes), TOOL))


def _box_size(volume: Volume, box: BoxAnnotation) -> str:
    # Wide, high, deep: the last axis of a grid is the one that runs along rows.
    shown = [edge for edge in (2, 1, 0) if edge != box.flat_edge]
    note = volume.pixel_scale.note
    if volume.geometry.calibration is Calibration.VOLUME:
        size = box.size_mm()
        return f"{_times([f'{size[edge]:.1f}' for edge in shown])} mm {note}".rstrip()
    low, high = box.bounds_kji(volume.geometry)
    scale = volume.pixel_scale.along([(float(low[1]), float(low[2])), (float(high[1]), float(high[2]))])
    in_plane = high[1:] - low[1:]
    unit = "px" if scale.spacing_ji_mm is None else f"mm {scale.note}".rstrip()
    if scale.spacing_ji_mm is not None:
        in_plane = in_plane * np.asarray(scale.spacing_ji_mm)
    text = f"{_times([f'{float(in_plane[edge - 1]):.1f}' for edge in shown if edge > 0])} {unit}"
    deep = round(float(high[0] - low[0]))
    return text if 0 not in shown else _("{text}, {count} slices").format(text=text, count=deep)


def _round(size_mm: float) -> str:
    return f"{size_mm:.0f}" if size_mm >= 2.0 else f"{size_mm:.1f}"


def _times(numbers: Sequence[str]) -> str:
    return " \u00d7 ".join(numbers)


def _along(case: OpenCase, one: Drawn) -> bool:
    return isinstance(one, Trace) or one.along(case.volume.geometry)


def _reach(case: OpenCase, one: Drawn) -> tuple[list[int], list[int]]:
    """Return the first and the last slice a thing reaches, along every axis of the grid, inside the grid."""
    geometry = case.volume.geometry
    if isinstance(one, BoxAnnotation):
        bounds = one.bounds_kji(geometry)
        # A voxel that is only touched at its edge is not in the box.
        low, high = np.rint(bounds[0]), np.rint(bounds[1]) - 1
        low = np.minimum(low, high) if np.any(low > high) else low
    else:
        points = one.points_kji(geometry)
        low, high = np.rint(points.min(axis=0)), np.rint(points.max(axis=0))
    last = np.asarray(geometry.shape_kji) - 1
    return [int(n) for n in np.clip(low, 0, last)], [int(n) for n in np.clip(high, 0, last)]


def _when(case: OpenCase, one: Drawn) -> str:
    return _(", time {time}").format(time=case.images.time(one) + 1) if case.entry.time_points > 1 else ""
