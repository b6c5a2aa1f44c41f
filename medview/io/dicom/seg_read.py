"""A DICOM SEG to label layers. Frames are placed by their position in the patient, never by their number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import highdicom
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from medview.core.errors import GeometryError, ReadError
from medview.core.geometry import Calibration, Geometry
from medview.core.segmentation import COLOUR_CYCLE, Code, Segment
from medview.core.source import Source, SourceKind
from medview.core.study import Series
from medview.core.volume import Volume
from medview.io.dicom.attributes import first_item, integer, items, numbers, text
from medview.io.dicom.functional_groups import frame_infos
from medview.io.dicom.header import SEGMENTATIONS
from medview.io.dicom.instance import FrameInfo
from medview.io.dicom.pixel_mark import pixel_mark
from medview.io.dicom.pixels import PixelFile
from medview.io.dicom.seg_layers import LayerStack
from medview.io.imported_labels import ImportedLabels, Target
from medview.io.plain_header import check_size

FloatArray = npt.NDArray[np.float64]

ON_GRID_VOXELS = 0.1
"""How far a frame may lie from the source's slice; SEG writers round positions to text."""
DIRECTION = 0.999
"""Cosine above which two directions are one."""


@dataclass(frozen=True, slots=True)
class _Seg:
    file: PixelFile
    dataset: Dataset
    name: str
    frames: tuple[FrameInfo, ...]
    numbers: tuple[int, ...]
    """Segment number per frame; 0 for a label map, whose voxels hold the numbers."""
    fractional: bool
    label_map: bool


def read_seg(
    path: Path, source: Series | Volume | Target | None = None, *, threshold: float | None = None
) -> ImportedLabels:
    """Return the segments of a SEG.

    Parameters
    ----------
    source : Series, Volume or Target, optional
        What the labels have to belong to. Placed on the grid of a Volume or Target; otherwise on a grid of their own.
    threshold : float, optional
        Probability (0 to 1) from which a voxel of a FRACTIONAL segmentation belongs; such files are refused without it.

    Raises
    ------
    GeometryError
        When the SEG belongs to another series, to other images of it or to another frame of reference, or its frames do
        not lie on the grid.
    ReadError
        When it is damaged, no SEG, or fractional and no threshold is given.
    """
    seg = _open(path)
    if isinstance(source, Volume):
        source = Target.of(source)
    notes = _check_source(seg, source) if source is not None else ()
    if seg.fractional and threshold is None:
        raise ReadError(f"{seg.name} holds probabilities, not labels; say from which probability a voxel belongs.")
    pixels, drawn_on = pixel_mark(seg.dataset)
    geometry, places = _placed(seg, source.geometry if isinstance(source, Target) else None, drawn_on)
    # Positions far apart, or a grid somebody made up, would ask for any amount of memory.
    check_size(math.prod(geometry.shape_kji), seg.name)
    if isinstance(source, Target):
        notes += _named_elsewhere(seg, source, places)
    stack = LayerStack(geometry.shape_kji)
    described = _descriptions(seg.dataset)
    segments: list[Segment] = []
    shape = geometry.shape_kji[1:]
    masks = _label_map_masks(seg, places, shape) if seg.label_map else _masks(seg, places, shape, threshold or 0.5)
    for position, (number, frames) in enumerate(masks):
        layer_id, value = stack.add(frames)
        segments.append(_segment(described.get(number), number, layer_id, value, position))
    return ImportedLabels(geometry, tuple(segments), stack.layers, notes, pixels, drawn_on)


def referenced_series(path: Path) -> tuple[str, ...]:
    """Return the UIDs of the series a SEG was made on. Raises ReadError."""
    return _referenced_series(_open(path).dataset)


def _open(path: Path) -> _Seg:
    file = PixelFile(str(path))
    dataset = file.dataset
    sop_class = text(dataset, "SOPClassUID")
    if sop_class not in SEGMENTATIONS:
        raise ReadError(f"{path.name} is no DICOM segmentation; choose a SEG file.")
    if integer(dataset, "TotalPixelMatrixRows") or numbers(dataset, "ImageOrientationSlide"):
        raise ReadError(f"{path.name} was made on a microscope slide, which MedView does not read.")
    count = max(integer(dataset, "NumberOfFrames", 1), 1)
    file.check_frames(count)
    kind = text(dataset, "SegmentationType").upper()
    label_map = kind == "LABELMAP" or sop_class == "1.2.840.10008.5.1.4.1.1.66.7"
    frames = frame_infos(dataset, count)
    return _Seg(
        file=file,
        dataset=dataset,
        name=path.name,
        frames=frames,
        numbers=tuple(_number(dataset, n) for n in range(count)),
        fractional=kind == "FRACTIONAL",
        label_map=label_map,
    )


def _number(dataset: Dataset, frame: int) -> int:
    groups = items(dataset, "PerFrameFunctionalGroupsSequence")
    shared = first_item(dataset, "SharedFunctionalGroupsSequence")
    for group in (groups[frame] if frame < len(groups) else None, shared):
        item = first_item(group, "SegmentIdentificationSequence") if group is not None else None
        if item is not None:
            return integer(item, "ReferencedSegmentNumber")
    return 0


def _referenced_series(dataset: Dataset) -> tuple[str, ...]:
    return tuple(text(item, "SeriesInstanceUID") for item in items(dataset, "ReferencedSeriesSequence"))


def _check_source(seg: _Seg, source: Series | Target) -> tuple[str, ...]:
    """Return what the person has to know about a SEG that may belong to ``source``. Raises GeometryError when it cannot."""
    frame = source.geometry.frame_of_reference_uid if isinstance(source, Target) else _frame_of(source)
    own = text(seg.dataset, "FrameOfReferenceUID")
    if frame and own and frame != own:
        raise GeometryError(f"{seg.name} belongs to another examination: its frame of reference is a different one.")
    named = [uid for uid in _referenced_series(seg.dataset) if uid]
    if named and source.series_uid and source.series_uid not in named:
        raise GeometryError(f"{seg.name} was made on another series; open that series and import it there.")
    if not named and not (frame and own):
        study = text(seg.dataset, "StudyInstanceUID")
        if source.study_uid and study and study != source.study_uid:
            raise GeometryError(f"{seg.name} belongs to another study; open that study and import it there.")
    images = _referenced_images(seg.dataset)
    if isinstance(source, Target) and images and source.sop_instance_uids and images.isdisjoint(source.sop_instance_uids):
        raise GeometryError(f"{seg.name} was made on other images of this series; open those and import it there.")
    if not named and not images:
        return (f"{seg.name} does not say which images it was made on; only its place in the patient was compared.",)
    return ()


def _referenced_images(dataset: Dataset) -> set[str]:
    """SOP instance UIDs of the images a SEG says it was made on."""
    listed = {
        text(image, "ReferencedSOPInstanceUID")
        for series in items(dataset, "ReferencedSeriesSequence")
        for image in items(series, "ReferencedInstanceSequence")
    }
    per_frame = {uid for group in items(dataset, "PerFrameFunctionalGroupsSequence") for uid, _ in _source_images(group)}
    return (listed | per_frame) - {""}


def _source_images(group: Dataset) -> list[tuple[str, bool]]:
    """Images one frame says it was made from: SOP instance UID and whether it lies on the pixels of that image."""
    return [
        (text(image, "ReferencedSOPInstanceUID"), text(image, "SpatialLocationsPreserved").upper() != "NO")
        for derivation in items(group, "DerivationImageSequence")
        for image in items(derivation, "SourceImageSequence")
    ]


def _named_elsewhere(seg: _Seg, source: Target, places: Sequence[_Place]) -> tuple[str, ...]:
    """Frames are placed by position; say so where they name an image that lies elsewhere."""
    if any(any(place.flip_ji) for place in places):
        return (f"The rows or columns of {seg.name} run against those of the images; it is placed by its position.",)
    slices = {uid: k for k, uid in enumerate(source.sop_instance_uids)}
    groups = items(seg.dataset, "PerFrameFunctionalGroupsSequence")
    if len(slices) != source.geometry.shape_kji[0] or len(slices) < 2:
        return ()
    wrong = 0
    for place, group in zip(places, groups, strict=False):
        named = {slices[uid] for uid, preserved in _source_images(group) if preserved and uid in slices}
        wrong += bool(named) and place.k not in named
    if not wrong:
        return ()
    count = "1 frame names" if wrong == 1 else f"{wrong} frames name"
    return (f"{count} another slice than the position in {seg.name} says; all are placed by their position.",)


def _frame_of(series: Series) -> str:
    best = series.best
    return best.geometry.frame_of_reference_uid if best is not None and best.geometry is not None else ""


def _placed(seg: _Seg, wanted: Geometry | None, drawn_on: Geometry | None) -> tuple[Geometry, list[_Place]]:
    """Return the wanted grid, or else the whole one the file says it was drawn on, or else the one its frames span."""
    if wanted is not None:
        return wanted, [_place(frame, wanted, seg) for frame in seg.frames]
    size = integer(seg.dataset, "Rows"), integer(seg.dataset, "Columns")
    if drawn_on is not None and drawn_on.shape_kji[1:] == size:
        whole = Geometry(drawn_on.shape_kji, drawn_on.affine_lps, text(seg.dataset, "FrameOfReferenceUID"))
        try:
            return whole, [_place(frame, whole, seg) for frame in seg.frames]
        except GeometryError:
            # Somebody has moved the frames since.
            pass
    own = _own_grid(seg)
    return own, [_place(frame, own, seg) for frame in seg.frames]


def _own_grid(seg: _Seg) -> Geometry:
    """Return the grid the frames span; positions without a frame are empty slices."""
    first = seg.frames[0]
    if first.orientation is None or first.spacing_ji_mm is None or any(f.position_lps_mm is None for f in seg.frames):
        raise GeometryError(f"{seg.name} states no positions; open the series it was made on and import it there.")
    row, column = np.asarray(first.orientation[:3]), np.asarray(first.orientation[3:])
    normal = np.cross(row, column)
    positions = np.asarray([f.position_lps_mm for f in seg.frames], dtype=np.float64)
    along = positions @ normal
    levels = np.unique(np.round(along, 3))
    gaps = np.diff(levels)
    spacing = _slice_spacing(seg.dataset)
    step = spacing or (float(gaps.min()) if gaps.size else first.thickness_mm or 1.0)
    whole = gaps / step
    if gaps.size and np.abs(whole - np.rint(whole)).max() > ON_GRID_VOXELS:
        step = float(gaps.min())
        if np.abs(gaps / step - np.rint(gaps / step)).max() > ON_GRID_VOXELS:
            raise GeometryError(
                f"The frames of {seg.name} are unevenly spaced; open the series it was made on and import it there."
            )
    low = int(np.argmin(along))
    count = int(np.rint((along.max() - along.min()) / step)) + 1
    affine = np.eye(4)
    # From first to last frame, so that a tilted series keeps its shear.
    span = positions[int(np.argmax(along))] - positions[low]
    affine[:3, 0] = span / (count - 1) if count > 1 else normal * step
    affine[:3, 3] = positions[low]
    affine[:3, 1], affine[:3, 2] = column * first.spacing_ji_mm[0], row * first.spacing_ji_mm[1]
    shape = (count, integer(seg.dataset, "Rows"), integer(seg.dataset, "Columns"))
    return Geometry(shape, affine, text(seg.dataset, "FrameOfReferenceUID"))


def _slice_spacing(dataset: Dataset) -> float | None:
    shared = first_item(dataset, "SharedFunctionalGroupsSequence")
    measures = first_item(shared, "PixelMeasuresSequence") if shared is not None else None
    found = numbers(measures, "SpacingBetweenSlices") if measures is not None else ()
    return abs(found[0]) if found and found[0] else None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a frame goes: its slice, where its first voxel lies there, and whether its rows or columns run backwards."""

    k: int
    corner_ji: tuple[int, int]
    flip_ji: tuple[bool, bool]


def _place(frame: FrameInfo, geometry: Geometry, seg: _Seg) -> _Place:
    wrong = GeometryError(f"{seg.name} does not lie on the grid of this series; open the series it was made on.")
    rows, columns = integer(seg.dataset, "Rows"), integer(seg.dataset, "Columns")
    if geometry.calibration is not Calibration.VOLUME or frame.position_lps_mm is None or frame.orientation is None:
        raise GeometryError(f"{seg.name} cannot be placed: the series or the SEG states no positions.")
    directions = geometry.directions_kji
    along_i = float(directions[2] @ np.asarray(frame.orientation[:3]))
    along_j = float(directions[1] @ np.asarray(frame.orientation[3:]))
    if min(abs(along_i), abs(along_j)) < DIRECTION or frame.spacing_ji_mm is None:
        raise wrong
    _, dj, di = geometry.spacing_kji_mm
    if (
        max(abs(frame.spacing_ji_mm[0] / dj - 1) * rows, abs(frame.spacing_ji_mm[1] / di - 1) * columns)
        > ON_GRID_VOXELS * 5
    ):
        raise wrong
    index = geometry.index_kji(frame.position_lps_mm)
    k, j, i = (int(n) for n in np.rint(index))
    if np.abs(index - (k, j, i)).max() > ON_GRID_VOXELS:
        raise wrong
    flip = (along_j < 0, along_i < 0)
    corner = (j - (rows - 1) * flip[0], i - (columns - 1) * flip[1])
    inside = 0 <= k < geometry.shape_kji[0] and min(corner) >= 0
    if not inside or corner[0] + rows > geometry.shape_kji[1] or corner[1] + columns > geometry.shape_kji[2]:
        raise GeometryError(f"{seg.name} reaches outside this series; open the series it was made on.")
    return _Place(k, corner, flip)


Frames = list[tuple[int, npt.NDArray[np.bool_]]]


def _on_slice(values: npt.NDArray[np.bool_], place: _Place, shape_ji: tuple[int, int]) -> npt.NDArray[np.bool_]:
    values = values[:: -1 if place.flip_ji[0] else 1, :: -1 if place.flip_ji[1] else 1]
    if values.shape == shape_ji:
        return values
    whole = np.zeros(shape_ji, dtype=np.bool_)
    j, i = place.corner_ji
    whole[j : j + values.shape[0], i : i + values.shape[1]] = values
    return whole


def _masks(seg: _Seg, places: Sequence[_Place], shape: tuple[int, int], threshold: float) -> Iterable[tuple[int, Frames]]:
    """Yield (segment number, slices) in the order of the numbers; one segment in memory at a time."""
    largest = float(integer(seg.dataset, "MaximumFractionalValue", 255) or 255)
    declared = [integer(item, "SegmentNumber") for item in items(seg.dataset, "SegmentSequence")]
    for number in sorted(set(declared) | set(seg.numbers)):
        frames: Frames = []
        for index, (own, place) in enumerate(zip(seg.numbers, places, strict=True)):
            if own == number:
                stored = seg.file.stored(index)
                mask = stored >= threshold * largest if seg.fractional else stored != 0
                frames.append((place.k, _on_slice(mask, place, shape)))
        yield number, frames


def _label_map_masks(seg: _Seg, places: Sequence[_Place], shape: tuple[int, int]) -> Iterable[tuple[int, Frames]]:
    slices = [(place, seg.file.stored(index)) for index, place in enumerate(places)]
    background = integer(seg.dataset, "PixelPaddingValue", 0)
    declared = {integer(item, "SegmentNumber") for item in items(seg.dataset, "SegmentSequence")}
    found = {int(v) for _, stored in slices for v in np.unique(stored)}
    for number in sorted((declared | found) - {background, 0}):
        yield number, [(place.k, _on_slice(stored == number, place, shape)) for place, stored in slices]


def _descriptions(dataset: Dataset) -> dict[int, Dataset]:
    return {integer(item, "SegmentNumber"): item for item in items(dataset, "SegmentSequence")}


def _segment(item: Dataset | None, number: int, layer_id: int, value: int, position: int) -> Segment:
    colour = COLOUR_CYCLE[position % len(COLOUR_CYCLE)]
    if item is None:
        return Segment(f"seg-{number}", f"Segment {number}", colour, layer_id, value, source=Source(SourceKind.IMPORT))
    lab = numbers(item, "RecommendedDisplayCIELabValue")
    if len(lab) == 3 and all(0 <= v <= 65535 for v in lab):
        red, green, blue = highdicom.color.CIELabColor.from_dicom_value([int(v) for v in lab]).to_rgb(clip=True)
        colour = (int(red), int(green), int(blue))
    named = first_item(item, "SegmentedPropertyTypeCodeSequence")
    code = None
    if named is not None and text(named, "CodeValue") and text(named, "CodeValue") != "85756007":
        code = Code(text(named, "CodeValue"), text(named, "CodingSchemeDesignator"), text(named, "CodeMeaning"))
    return Segment(
        segment_id=f"seg-{number}",
        name=text(item, "SegmentLabel") or f"Segment {number}",
        colour=colour,
        layer_id=layer_id,
        value=value,
        code=code,
        source=_made_by(item),
    )


def _made_by(item: Dataset) -> Source:
    if text(item, "SegmentAlgorithmType").upper() == "MANUAL":
        return Source(SourceKind.IMPORT)
    algorithm = first_item(item, "SegmentationAlgorithmIdentificationSequence")
    name = text(algorithm, "AlgorithmName") if algorithm is not None else text(item, "SegmentAlgorithmName")
    if not name or name == "imported":
        return Source(SourceKind.IMPORT)
    version = text(algorithm, "AlgorithmVersion") if algorithm is not None else ""
    corrected = text(item, "SegmentAlgorithmType").upper() == "SEMIAUTOMATIC"
    return Source(SourceKind.MODEL, model_id=name, model_version=version, corrected=corrected)
