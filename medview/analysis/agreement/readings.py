"""What one reader drew in one case, as it is compared with others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.box_annotation import BoxAnnotation
from medview.core.case_labels import CaseLabels
from medview.core.errors import GeometryError
from medview.core.geometry import Geometry
from medview.core.marks import Marks
from medview.core.segmentation import Segment, Segmentation, SegmentRole, SegmentStatus
from medview.core.trace import Trace

Mask = npt.NDArray[np.bool_]


class Presence(Enum):
    """What a reader says of a thing."""

    DRAWN = "drawn"
    """It has voxels."""
    ABSENT = "absent"
    """The reader looked for it and confirms that there is none."""
    EMPTY = "empty"
    """It is listed and holds no voxel."""
    MISSING = "missing"
    """It is not listed: nothing was found, so nothing was begun."""
    TO_DO = "to do"
    """It is listed as still to be drawn: nothing is known, and nothing is compared."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One reader's labels of a case. They are read, never changed.

    Attributes
    ----------
    reader : str
        A person, or a model with its version.
    boxes : tuple of BoxAnnotation
    traces : tuple of Trace
        In any order.
    """

    reader: str
    segmentation: Segmentation
    marks: Marks = Marks()
    boxes: tuple[BoxAnnotation, ...] = ()
    traces: tuple[Trace, ...] = ()

    @classmethod
    def of(cls, reader: str, labels: CaseLabels) -> Reading:
        """Return the reading of a case's labels; they are not copied."""
        boxes = tuple(one for one in labels.annotations.values() if isinstance(one, BoxAnnotation))
        traces = tuple(one for one in labels.annotations.values() if isinstance(one, Trace))
        return cls(reader, labels.segmentation, labels.marks, boxes, traces)

    def presence(self, segments: Sequence[Segment]) -> Presence:
        """Return what the reader says of a thing of which these are the segments."""
        if not segments:
            return Presence.MISSING
        if any(self.segmentation.count(segment) for segment in segments):
            return Presence.DRAWN
        if any(segment.absent for segment in segments):
            return Presence.ABSENT
        to_do = all(segment.status is SegmentStatus.TO_DO for segment in segments)
        return Presence.TO_DO if to_do else Presence.EMPTY

    def box(self, segments: Sequence[Segment]) -> Box | None:
        """Return the box around segments, None where there is nothing."""
        return Box.union_of(box for segment in segments if (box := self.segmentation.box(segment)) is not None)

    def mask(self, segments: Sequence[Segment], box: Box) -> Mask:
        """Return the voxels of any of the segments inside a box, shape ``box.shape_kji``."""
        held = np.zeros(box.shape_kji, dtype=np.bool_)
        for segment in segments:
            layer = self.segmentation.layers.get(segment.layer_id)
            if layer is not None:
                held |= layer.voxels[box.slices] == segment.value
        return held


def common_grid(readings: Sequence[Reading]) -> Geometry:
    """Return the grid all readings lie on. Raises GeometryError when they lie on several."""
    geometry = readings[0].segmentation.geometry
    for reading in readings[1:]:
        if not reading.segmentation.geometry.same_grid(geometry):
            raise GeometryError(
                "Labels of different grids cannot be compared: bring them onto one grid first.",
                detail=f"{reading.segmentation.geometry.shape_kji} and {geometry.shape_kji}",
            )
    return geometry


def known_in(box: Box, readings: Sequence[Reading]) -> Mask | None:
    """Return where all readers know what is there, shape ``box.shape_kji``; None for everywhere.

    Nothing is known under a segment of role IGNORE and, of a reader who marked slices as done, on all other slices.
    """
    unknown = np.zeros(box.shape_kji, dtype=np.bool_)
    for reading in readings:
        for segment in reading.segmentation.segments:
            around = reading.box((segment,)) if segment.role is SegmentRole.IGNORE else None
            if around is not None and not (common := around.intersection(box)).empty:
                unknown[common.within(box).slices] |= reading.mask((segment,), common)
        done = [_done_within(reading.marks, axis, box) for axis in range(3)]
        if reading.marks.done_slices or reading.marks.done_across:
            k, j, i = done
            unknown |= ~(k[:, np.newaxis, np.newaxis] | j[np.newaxis, :, np.newaxis] | i[np.newaxis, np.newaxis, :])
    return ~unknown if unknown.any() else None


def known_at(index_kji: npt.ArrayLike, readings: Sequence[Reading]) -> bool:
    """Whether all readers know what is there at a place, as in ``known_in``; outside the grid as at its edge."""
    last = np.array(readings[0].segmentation.geometry.shape_kji) - 1
    k, j, i = (int(n) for n in np.clip(np.rint(np.asarray(index_kji, dtype=np.float64)), 0, last))
    return known_in(Box((k, j, i), (k + 1, j + 1, i + 1)), readings) is None


def _done_within(marks: Marks, axis: int, box: Box) -> Mask:
    slices = np.arange(box.min_kji[axis], box.max_kji[axis])
    return np.asarray(np.isin(slices, marks.done(axis)))
