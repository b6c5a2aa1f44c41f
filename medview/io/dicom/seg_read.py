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

from medview.core.errors import GeometryError, OtherGridError, ReadError
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
from medview.io.dicom.seg_place import ON_GRID_VOXELS, Place, on_slice, place_by_image, place_in_patient, source_images
from medview.io.imported_labels import ImportedLabels, Target
from medview.io.plain_header import check_size

FloatArray = npt.NDArray[np.float64]


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
        Probability (0 to 1) from which a voxel of a FRACTIONAL segmentation belongs; without it such files are refused
        unless every voxel of theirs is nothing or all.

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
    if seg.fractional and threshold is None and not _whole_numbers(seg):
        raise ReadError(f"{seg.name} holds probabilities, not labels; say from which probability a voxel belongs.")
    pixels, drawn_on = pixel_mark(seg.dataset)
    target = source if isinstance(source, Target) else None
    wanted, uids = (target.geometry, target.sop_instance_uids) if target is not None else (None, ())
    geometry, places = _placed(seg, wanted, drawn_on, uids)
    # Positions far apart, or a grid somebody made up, would ask for any amount of memory.
    check_size(math.prod(geometry.shape_kji), seg.name)
    left_out = _of_other_images(seg, target.sop_instance_uids) if target is not None else frozenset()
    if target is not None:
        notes += (*_named_elsewhere(seg, target, places), *_left_out(seg, len(left_out)))
    drawn = tuple((index, place) for index, place in enumerate(places) if index not in left_out)
    stack = LayerStack(geometry.shape_kji)
    described = _descriptions(seg.dataset)
    segments: list[Segment] = []
    shape = geometry.shape_kji[1:]
    masks = _label_map_masks(seg, drawn, shape) if seg.label_map else _masks(seg, drawn, shape, threshold or 0.5)
    for position, (number, frames) in enumerate(masks):
        layer_id, value = stack.add(frames)
        segments.append(_segment(described.get(number), number, layer_id, value, position))
    return ImportedLabels(geometry, tuple(segments), stack.layers, notes, pixels, drawn_on, left_out=bool(left_out))


def lies_on(path: str, geometries: Sequence[Geometry]) -> tuple[bool, ...]:
    """Whether every frame of a SEG lies on each of some grids by its position in the patient. Raises ReadError."""
    seg = _open(Path(path))
    found = []
    for geometry in geometries:
        try:
            _places_on(seg, geometry)
        except GeometryError:
            found.append(False)
        else:
            found.append(True)
    return tuple(found)


def holds_probabilities(path: str) -> bool:
    """Whether a SEG has voxels that are neither nothing nor all, so that a threshold has to be chosen. Raises ReadError."""
    seg = _open(Path(path))
    return seg.fractional and not _whole_numbers(seg)


def study_of(path: str) -> str:
    """Return the UID of the study a SEG says it belongs to; empty where it says none. Raises ReadError."""
    return text(_open(Path(path)).dataset, "StudyInstanceUID")


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
    if isinstance(source, Target) and source.by_place:
        return _by_place(seg, source)
    if named and source.series_uid and source.series_uid not in named:
        # In one frame of reference somebody may look at where it would come down.
        kind = OtherGridError if frame and own else GeometryError
        raise kind(f"{seg.name} was made on another series; open that series and import it there.")
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


def _by_place(seg: _Seg, target: Target) -> tuple[str, ...]:
    own, study = text(seg.dataset, "FrameOfReferenceUID"), text(seg.dataset, "StudyInstanceUID")
    if not own or own != target.geometry.frame_of_reference_uid:
        raise GeometryError(f"{seg.name} belongs to another examination: its frame of reference is a different one.")
    if study and target.study_uid and study != target.study_uid:
        raise GeometryError(f"{seg.name} belongs to another study; open that study and import it there.")
    if not _referenced_images(seg.dataset) and not any(_referenced_series(seg.dataset)):
        return (f"{seg.name} does not say which images it was made on; only its place in the patient was compared.",)
    return (f"{seg.name} was made on other images of this frame of reference; it is placed by its position.",)


def _referenced_images(dataset: Dataset) -> set[str]:
    """SOP instance UIDs of the images a SEG says it was made on: those its frames name, or else those it lists."""
    per_frame = {uid for group in items(dataset, "PerFrameFunctionalGroupsSequence") for uid, _ in source_images(group)}
    listed = {
        text(image, "ReferencedSOPInstanceUID")
        for series in items(dataset, "ReferencedSeriesSequence")
        for image in items(series, "ReferencedInstanceSequence")
    }
    # Listed may be a whole series, of which one time point was drawn on.
    return (per_frame - {""}) or (listed - {""})


def _named_elsewhere(seg: _Seg, source: Target, places: Sequence[Place]) -> tuple[str, ...]:
    """Frames are placed by position; say so where they name an image that lies elsewhere."""
    if any(any(place.flip_ji) for place in places):
        return (f"The rows or columns of {seg.name} run against those of the images; it is placed by its position.",)
    slices = {uid: k for k, uid in enumerate(source.sop_instance_uids)}
    groups = items(seg.dataset, "PerFrameFunctionalGroupsSequence")
    if len(slices) != source.geometry.shape_kji[0] or len(slices) < 2:
        return ()
    wrong = 0
    for place, group in zip(places, groups, strict=False):
        named = {slices[uid] for uid, preserved in source_images(group) if preserved and uid in slices}
        wrong += bool(named) and place.k not in named
    if not wrong:
        return ()
    count = "1 frame names" if wrong == 1 else f"{wrong} frames name"
    return (f"{count} another slice than the position in {seg.name} says; all are placed by their position.",)


def _of_other_images(seg: _Seg, uids: Sequence[str]) -> frozenset[int]:
    """Return the frames, from 0, that name other images than these alone, as those of another time point do.

    Empty where no frame names one of these: what such a file was made on is judged as a whole.
    """
    groups = items(seg.dataset, "PerFrameFunctionalGroupsSequence")[: len(seg.frames)]
    named = [{uid for uid, _ in source_images(group)} - {""} for group in groups]
    here = frozenset(uids)
    if all(here.isdisjoint(one) for one in named):
        return frozenset()
    return frozenset(index for index, one in enumerate(named) if one and here.isdisjoint(one))


def _left_out(seg: _Seg, count: int) -> tuple[str, ...]:
    if not count:
        return ()
    frames = "1 frame was" if count == 1 else f"{count} frames were"
    return (f"{frames} left out of {seg.name}: drawn on other images of this series; open those and import it there.",)


def _frame_of(series: Series) -> str:
    best = series.best
    return best.geometry.frame_of_reference_uid if best is not None and best.geometry is not None else ""


def _placed(
    seg: _Seg, wanted: Geometry | None, drawn_on: Geometry | None, uids: Sequence[str]
) -> tuple[Geometry, list[Place]]:
    """Return the wanted grid, or else the whole one the file says it was drawn on, or else the one its frames span."""
    if wanted is not None:
        return wanted, _places_on(seg, wanted, uids)
    size = integer(seg.dataset, "Rows"), integer(seg.dataset, "Columns")
    if drawn_on is not None and drawn_on.shape_kji[1:] == size:
        whole = Geometry(drawn_on.shape_kji, drawn_on.affine_lps, text(seg.dataset, "FrameOfReferenceUID"))
        try:
            return whole, _places_on(seg, whole)
        except GeometryError:
            # Somebody has moved the frames since.
            pass
    own = _own_grid(seg)
    return own, _places_on(seg, own)


def _places_on(seg: _Seg, geometry: Geometry, uids: Sequence[str] = ()) -> list[Place]:
    size = integer(seg.dataset, "Rows"), integer(seg.dataset, "Columns")
    if geometry.calibration is Calibration.VOLUME or len(uids) != geometry.shape_kji[0]:
        return [place_in_patient(frame, geometry, size, seg.name) for frame in seg.frames]
    slices = {uid: k for k, uid in enumerate(uids)}
    groups = items(seg.dataset, "PerFrameFunctionalGroupsSequence")
    own = (groups[n] if n < len(groups) else None for n in range(len(seg.frames)))
    return [place_by_image(group, slices, geometry, size, seg.name) for group in own]


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


Frames = list[tuple[int, npt.NDArray[np.bool_]]]
Drawn = Sequence[tuple[int, Place]]
"""Frames of the file, counted from 0, and where each goes."""


def _masks(seg: _Seg, drawn: Drawn, shape: tuple[int, int], threshold: float) -> Iterable[tuple[int, Frames]]:
    """Yield (segment number, slices) in the order of the numbers; one segment in memory at a time."""
    largest = float(integer(seg.dataset, "MaximumFractionalValue", 255) or 255)
    declared = [integer(item, "SegmentNumber") for item in items(seg.dataset, "SegmentSequence")]
    for number in sorted(set(declared) | set(seg.numbers)):
        frames: Frames = []
        for index, place in drawn:
            if seg.numbers[index] == number:
                stored = seg.file.stored(index)
                mask = stored >= threshold * largest if seg.fractional else stored != 0
                frames.append((place.k, on_slice(mask, place, shape)))
        yield number, frames


def _whole_numbers(seg: _Seg) -> bool:
    """Whether every voxel of a fractional file is nothing or all, so that no probability has to be chosen."""
    largest = integer(seg.dataset, "MaximumFractionalValue", 255) or 255
    return all(np.isin(seg.file.stored(index), (0, largest)).all() for index in range(len(seg.frames)))


def _label_map_masks(seg: _Seg, drawn: Drawn, shape: tuple[int, int]) -> Iterable[tuple[int, Frames]]:
    slices = [(place, seg.file.indices(index)) for index, place in drawn]
    background = integer(seg.dataset, "PixelPaddingValue", 0)
    declared = {integer(item, "SegmentNumber") for item in items(seg.dataset, "SegmentSequence")}
    found = {int(v) for _, stored in slices for v in np.unique(stored)}
    for number in sorted((declared | found) - {background, 0}):
        yield number, [(place.k, on_slice(stored == number, place, shape)) for place, stored in slices]


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
    # Codes of more than 16 characters, as those of extensions of SNOMED CT, stand elsewhere (PS3.3 8.8).
    kinds = ("CodeValue", "LongCodeValue", "URNCodeValue")
    number_of_code = "" if named is None else next((found for kind in kinds if (found := text(named, kind))), "")
    if named is not None and number_of_code and number_of_code != "85756007":
        code = Code(number_of_code, text(named, "CodingSchemeDesignator"), text(named, "CodeMeaning"))
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
