"""Points of a thing on a picture (COCO's keypoints) to points in the patient, and back.

A keypoint counts pixels from 0 and stands on the middle of its pixel; edges of boxes count from the outer corner of the
first one. A point knows its thing by the attribute ``of`` (its category) and, where there are several, ``thing`` (which).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from medview.core.attributes import Attribute, Attributes
from medview.core.geometry import Geometry
from medview.core.trace import Trace, TraceKind
from medview.core.vector import triple
from medview.io.coco import UNNAMED
from medview.io.datasets.masks import IMPORTED

OF, THING, HIDDEN = "of", "thing", "hidden"
"""Attributes of a point: the category of its thing, which one of several, and ``yes`` where it is there and not seen."""
SAME_EDGE = 0.5


@dataclass(frozen=True, slots=True)
class KeyPoint:
    """One point of a thing.

    Attributes
    ----------
    x, y : float
        Column and row, from 0; whole numbers are middles of pixels.
    seen : bool
        Whether it is visible; otherwise it is known where it is all the same.
    """

    name: str
    x: float
    y: float
    seen: bool = True


Edges = tuple[float, float, float, float]


def around_points(points: Sequence[KeyPoint]) -> Edges:
    """Return the edges around the pixels of points: left, top, right, bottom."""
    xs, ys = [point.x for point in points], [point.y for point in points]
    return min(xs), min(ys), max(xs) + 1.0, max(ys) + 1.0


def only_around(points: Sequence[KeyPoint], box: Edges) -> bool:
    """Whether a box says no more than where the points are."""
    return bool(points) and all(abs(a - b) <= SAME_EDGE for a, b in zip(around_points(points), box, strict=True))


def traces_of(things: Iterable[tuple[str, Sequence[KeyPoint], Attributes]], geometry: Geometry, uid: str) -> list[Trace]:
    """Return the points of things on a picture, each with its category and attributes, as traces.

    Parameters
    ----------
    things : iterable of (str, sequence of KeyPoint, attributes)
        A thing of one point called as itself is that point and no more.
    uid : str
        SOP instance UID of the picture, where it has one.
    """
    every = [one for one in things if one[1]]
    counts: Counter[str] = Counter(label for label, _, _ in every)
    numbers: Counter[str] = Counter()
    found: list[Trace] = []
    for label, points, attributes in every:
        numbers[label] += 1
        of: Attributes = attributes
        if [point.name for point in points] != [label]:
            which = (Attribute(THING, float(numbers[label])),) if counts[label] > 1 else ()
            of = (Attribute(OF, label), *which)
        for point in points:
            hidden = () if point.seen else (Attribute(HIDDEN, "yes"),)
            place = triple(geometry.point_lps_mm([(0.0, point.y, point.x)])[0])
            identity = f"import-point-{len(found) + 1}"
            found.append(
                Trace(
                    identity,
                    TraceKind.POINT,
                    (place,),
                    point.name,
                    (*of, *hidden),
                    sop_instance_uid=uid,
                    source=IMPORTED,
                )
            )
    return found


def things_of(points: Sequence[Trace], geometry: Geometry) -> dict[int, list[tuple[str, list[KeyPoint], Attributes]]]:
    """Return the things that points are of by slice k: category, points and attributes; those off the grid are left out."""
    found: dict[int, list[tuple[str, list[KeyPoint], Attributes]]] = {}
    whose: dict[tuple[int, str, str], list[list[KeyPoint]]] = {}
    for trace in points:
        k, y, x = (float(n) for n in trace.points_kji(geometry)[0])
        if not on_grid((k, y, x), geometry):
            continue
        said = {one.name: one.words for one in trace.attributes}
        name = trace.label or UNNAMED
        point = KeyPoint(name, x, y, said.get(HIDDEN) != "yes")
        here = found.setdefault(round(k), [])
        if OF not in said:
            kept = tuple(one for one in trace.attributes if one.name != HIDDEN)
            here.append((name, [point], kept))
            continue
        parts = whose.setdefault((round(k), said[OF], said.get(THING, "")), [])
        # A thing has each of its points once.
        free = next((part for part in parts if all(other.name != name for other in part)), None)
        if free is None:
            free = []
            parts.append(free)
            here.append((said[OF], free, ()))
        free.append(point)
    return found


def on_grid(index_kji: tuple[float, float, float], geometry: Geometry) -> bool:
    """Whether a point lies on a voxel of a grid."""
    return all(-0.5 <= at <= size - 0.5 for at, size in zip(index_kji, geometry.shape_kji, strict=True))


def lost_attributes(points: Sequence[Trace]) -> int:
    """Return how many attributes points of things have that COCO keeps for things only."""
    known = (OF, THING, HIDDEN)
    said = [[one.name for one in trace.attributes] for trace in points]
    return sum(name not in known for names in said if OF in names for name in names)


def left_out(points: Sequence[Trace], geometry: Geometry) -> int:
    """Return how many points lie beside a grid."""
    return sum(not on_grid(triple(trace.points_kji(geometry)[0]), geometry) for trace in points)
