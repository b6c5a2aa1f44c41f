"""An RT structure set to label layers on the grid of a series.

Contours are placed by their position in the patient along the normal of the images, whatever they name, and filled as
``contour_fill`` says. Contours between two slices go onto the nearer one. What has no area or lies elsewhere is left out,
which is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from medview.core.errors import GeometryError, ReadError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline, JobContext
from medview.core.segmentation import COLOUR_CYCLE, Segment
from medview.core.volume import Volume
from medview.io.dicom.attributes import text
from medview.io.dicom.contour_fill import filled
from medview.io.dicom.header import STRUCTURE_SET, parse
from medview.io.dicom.pixel_mark import pixel_mark
from medview.io.dicom.rtstruct_content import CLOSED, References, Region, references_of, regions_of
from medview.io.dicom.seg_layers import LayerStack
from medview.io.imported_labels import ImportedLabels, Target
from medview.io.sources import name_of, open_source

FloatArray = npt.NDArray[np.float64]
Slices = list[tuple[int, npt.NDArray[np.bool_]]]

ON_SLICE = 0.05
"""How far from a slice a contour may lie, as part of the spacing, and still be on it; positions are rounded to text."""
SAME_PLANE_MM = 0.1
"""Contours this close along the normal were drawn on one plane; positions are rounded to text."""
SAME_PLANE = 0.2
"""The same where slices are thin, as part of their spacing."""
ACROSS_SLICES = 0.5
"""A contour that covers more of the spacing between two slices lies on none."""
FARTHEST_VOXELS = 1e6
"""No contour reaches further outside."""
MOST_REGIONS = 2000
NAMED_AT_MOST = 5


def read_rtstruct(path: Path, source: Volume | Target | None) -> ImportedLabels:
    """Return the regions of a structure set as segments.

    Parameters
    ----------
    source : Volume or Target
        The series they are drawn on; without one there is no grid to fill.

    Raises
    ------
    GeometryError
        When there is no series, or nothing of the structure set lies on it.
    ReadError, RefusedError
        When the file is damaged, no structure set, or holds no area at all.
    """
    name = name_of(str(path))
    with open_source(str(path)) as file:
        dataset, _ = parse(file, name, stop_before_pixels=True)
    if text(dataset, "SOPClassUID") != STRUCTURE_SET:
        raise ReadError(f"{name} is no RT structure set; choose an RTSTRUCT file.")
    if source is None:
        raise GeometryError(f"{name} holds outlines and no voxels; name the series it was drawn on with --reference.")
    return labels_of(dataset, Target.of(source) if isinstance(source, Volume) else source, name)


def labels_of(dataset: Dataset, target: Target, name: str, context: JobContext | None = None) -> ImportedLabels:
    """Return what a parsed structure set draws on a series; raises as ``read_rtstruct``, and CancelledError."""
    context = context or Inline()
    geometry = target.geometry
    if geometry.calibration is not Calibration.VOLUME:
        raise GeometryError(f"{name} cannot be placed: the series states no positions.")
    regions = tuple(regions_of(dataset))
    if len(regions) > MOST_REGIONS:
        raise ReadError(f"{name} has {len(regions)} regions, more than {MOST_REGIONS}; it was not opened.")
    belonging = _Belonging(target, references_of(dataset), text(dataset, "StudyInstanceUID"), name)
    here = [region for region in regions if belonging.take(region)]
    if not here:
        belonging.refuse_all()
    pixels, drawn_on = pixel_mark(dataset)
    placing = _Placing(geometry, {uid: k for k, uid in enumerate(target.sop_instance_uids)})
    stack = LayerStack(geometry.shape_kji)
    segments: list[Segment] = []
    for number, region in enumerate(here):
        context.progress(number / len(here), "Filling the contours")
        context.raise_if_cancelled()
        slices = placing.slices(region)
        if slices:
            layer_id, value = stack.add(slices)
            segments.append(_segment(region, layer_id, value, len(segments)))
    left_out = placing.notes()
    notes = (*belonging.notes(), *left_out)
    if not segments:
        raise (GeometryError if placing.elsewhere else ReadError)(
            " ".join((f"{name} has nothing to draw on this series.", *notes))
        )
    return ImportedLabels(
        geometry,
        tuple(segments),
        stack.layers,
        notes,
        pixels,
        drawn_on,
        left_out=bool(left_out) or len(here) < len(regions),
        other_images=belonging.other_images,
    )


class _Belonging:
    """Whether regions belong to a series: to its frame of reference, or to its images."""

    def __init__(self, target: Target, listed: References, study_uid: str, name: str) -> None:
        self._target, self._listed, self._study_uid, self._name = target, listed, study_uid, name
        self._images = frozenset(target.sop_instance_uids)
        self._elsewhere: list[str] = []
        self._by_images = self.other_images = self._names_none = False

    def take(self, region: Region) -> bool:
        """Say whether a region belongs here. Raises GeometryError where the structure set is of another examination."""
        named = {uid for contour in region.contours for uid in contour.images} | self._listed.images
        series = self._target.series_uid in self._listed.series if self._target.series_uid else False
        on_these = not self._images.isdisjoint(named) or (series and not named)
        mine, theirs = self._target.geometry.frame_of_reference_uid, region.frame_of_reference_uid
        if mine and theirs and mine == theirs:
            if named and not on_these:
                self._refuse_other_study()
            self.other_images |= bool(named and self._images) and not on_these
            self._names_none |= not named and not series
            return True
        if mine and theirs:
            # Some writers make up a frame of their own; the images they name were the ones they drew on.
            self._by_images |= on_these
            if not on_these:
                self._elsewhere.append(region.name)
            return on_these
        if not on_these and (named or self._listed.series):
            raise GeometryError(f"{self._name} was drawn on another series; open that series and import it there.")
        if not on_these:
            self._refuse_other_study()
        self._names_none |= not on_these
        return True

    def _refuse_other_study(self) -> None:
        if self._study_uid and self._target.study_uid and self._study_uid != self._target.study_uid:
            raise GeometryError(f"{self._name} belongs to another study; open that study and import it there.")

    def notes(self) -> tuple[str, ...]:
        """Return what the person has to know. Raises GeometryError where everything lies in another frame of reference."""
        found = []
        if self._by_images:
            found.append(f"{self._name} states another frame of reference than the images it names; it is placed on these.")
        if self.other_images:
            found.append(
                f"{self._name} was drawn on other images of this frame of reference; it is placed by its position."
            )
        if self._names_none:
            found.append(
                f"{self._name} does not say which images it was drawn on; only its place in the patient was compared."
            )
        if self._elsewhere:
            found.append(f"In another frame of reference and left out: {_listed(self._elsewhere)}.")
        return tuple(found)

    def refuse_all(self) -> None:
        """Raise GeometryError when regions were left out because their frame of reference is another one."""
        if self._elsewhere:
            raise GeometryError(f"{self._name} belongs to another examination: its frame of reference is a different one.")


@dataclass(slots=True)
class _Left:
    """What was left out or moved, counted over all regions; names of regions where these matter."""

    empty: list[str] = field(default_factory=list)
    no_area: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    crossing: list[str] = field(default_factory=list)
    sparse: list[str] = field(default_factory=list)
    damaged: int = 0
    across: int = 0
    outside: int = 0
    cut: int = 0
    between: int = 0
    farthest_mm: float = 0.0
    named_elsewhere: int = 0


class _Placing:
    """Puts contours onto the slices of a grid."""

    def __init__(self, geometry: Geometry, slices: dict[str, int]) -> None:
        self._geometry = geometry
        self._k_of = slices if len(slices) == geometry.shape_kji[0] else {}
        normal = np.cross(geometry.directions_kji[2], geometry.directions_kji[1])
        self._apart_mm = float(abs(geometry.affine_lps[:3, 0] @ (normal / np.linalg.norm(normal))))
        self._left = _Left()

    @property
    def elsewhere(self) -> bool:
        """Whether contours were left out because of where they lie."""
        return bool(self._left.outside or self._left.across)

    def slices(self, region: Region) -> Slices:
        """Return the masks of a region by slice; none where it holds no voxel, which is noted."""
        left = self._left
        if not region.contours:
            left.empty.append(region.name)
            return []
        closed = [contour for contour in region.contours if contour.kind in CLOSED]
        if not closed:
            left.no_area.append(region.name)
            return []
        if len(closed) < len(region.contours):
            left.no_area.append(region.name)
        planes: dict[int, list[tuple[float, FloatArray]]] = defaultdict(list)
        for contour in closed:
            if not contour.area:
                left.damaged += 1
                continue
            index = self._geometry.index_kji(contour.points_lps_mm)
            place = self._plane(index)
            if place is not None:
                k, plane = place
                planes[k].append((plane, index[:, 1:]))
                left.named_elsewhere += bool(self._k_of) and any(self._k_of.get(uid, k) != k for uid in contour.images)
        found = self._filled(region, planes)
        if planes and not found:
            left.missed.append(region.name)
        if len(planes) > 2 and np.diff(sorted(planes)).min() > 1:
            left.sparse.append(region.name)
        return found

    def _plane(self, index_kji: FloatArray) -> tuple[int, float] | None:
        """Return the slice a contour goes onto and its own plane, in slices; None where it has none, which is noted."""
        left, count = self._left, self._geometry.shape_kji[0]
        along = index_kji[:, 0]
        if np.abs(index_kji).max() > FARTHEST_VOXELS:
            left.outside += 1
            return None
        if np.ptp(along) > ACROSS_SLICES:
            left.across += 1
            return None
        plane = float(along.mean())
        k = int(np.floor(plane + 0.5))
        if not -0.5 - ON_SLICE <= plane <= count - 0.5 + ON_SLICE:
            left.outside += 1
            return None
        k = min(max(k, 0), count - 1)
        off = abs(plane - k)
        if off > ON_SLICE:
            left.between += 1
            left.farthest_mm = max(left.farthest_mm, off * self._apart_mm)
        rows, columns = self._geometry.shape_kji[1:]
        low, high = index_kji[:, 1:].min(axis=0), index_kji[:, 1:].max(axis=0)
        left.cut += bool((low < -1.0).any() or high[0] > rows or high[1] > columns)
        return k, plane

    def _filled(self, region: Region, planes: dict[int, list[tuple[float, FloatArray]]]) -> Slices:
        shape = self._geometry.shape_kji[1:]
        found: Slices = []
        crossing = False
        for k, contours in sorted(planes.items()):
            whole = np.zeros(shape, dtype=np.bool_)
            # Contours of two planes that come onto one slice cut no holes into each other.
            for of_one_plane in _by_plane(contours, min(SAME_PLANE_MM / self._apart_mm, SAME_PLANE)):
                one = filled(of_one_plane, shape)
                whole |= one.mask
                crossing |= one.crossing
            if whole.any():
                found.append((k, whole))
        if crossing and any(contour.kind != "CLOSEDPLANAR_XOR" for contour in region.contours):
            self._left.crossing.append(region.name)
        return found

    def notes(self) -> tuple[str, ...]:
        """Return sentences about what was left out or moved."""
        left = self._left
        said = []
        if left.empty:
            said.append(f"Left out because there is no contour: {_listed(left.empty)}.")
        if left.no_area:
            said.append(f"Points and open lines are no regions and were left out: {_listed(left.no_area)}.")
        if left.missed:
            said.append(f"Left out because no centre of a voxel lies inside: {_listed(left.missed)}.")
        if left.between:
            said.append(
                f"Between two slices, up to {left.farthest_mm:.2g} mm from the nearer one, onto which they were put: "
                f"{_contours(left.between)}."
            )
        if left.outside:
            said.append(f"Outside of these images and left out: {_contours(left.outside)}.")
        if left.across:
            said.append(f"Across the slices and left out: {_contours(left.across)}.")
        if left.cut:
            said.append(f"Partly outside of these images and cut off there: {_contours(left.cut)}.")
        if left.damaged:
            said.append(f"Left out because they are damaged or have fewer than three points: {_contours(left.damaged)}.")
        if left.named_elsewhere:
            said.append(f"Placed by position and not by the image that is named: {_contours(left.named_elsewhere)}.")
        if left.crossing:
            said.append(f"Contours overlap in part, and where two do is taken for a hole: {_listed(left.crossing)}.")
        if left.sparse:
            said.append(f"Drawn on some of the slices only, with gaps to be filled between slices: {_listed(left.sparse)}.")
        return tuple(said)


def _by_plane(contours: Iterable[tuple[float, FloatArray]], thick: float) -> Iterator[list[FloatArray]]:
    """Yield contours that lie within ``thick`` slices of the first of them, so that dense ones are no chain."""
    first: float | None = None
    together: list[FloatArray] = []
    for plane, contour in sorted(contours, key=lambda one: one[0]):
        if first is None or plane - first > thick:
            if together:
                yield together
            first, together = plane, []
        together.append(contour)
    yield together


def _contours(count: int) -> str:
    return "1 contour" if count == 1 else f"{count} contours"


def _listed(names: Sequence[str]) -> str:
    once = list(dict.fromkeys(names))
    more = [f"and {len(once) - NAMED_AT_MOST} more"] if len(once) > NAMED_AT_MOST else []
    return ", ".join((*once[:NAMED_AT_MOST], *more))


def _segment(region: Region, layer_id: int, value: int, position: int) -> Segment:
    return Segment(
        segment_id=f"roi-{region.number}",
        name=region.name,
        colour=region.colour or COLOUR_CYCLE[position % len(COLOUR_CYCLE)],
        layer_id=layer_id,
        value=value,
        code=region.code,
        source=region.source,
        group=region.group,
    )
