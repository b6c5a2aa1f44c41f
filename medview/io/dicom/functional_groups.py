"""Frames of enhanced multi-frame objects: shared and per-frame functional groups (PS3.3 C.7.6.16)."""

from __future__ import annotations

from pydicom.dataset import Dataset

from medview.core.voi_table import VoiTable
from medview.core.volume import Rescale
from medview.core.window import Window
from medview.io.dicom.attributes import first_item, items, numbers, text, texts
from medview.io.dicom.instance import FrameInfo
from medview.io.dicom.plane import frame_plane, group_plane
from medview.io.dicom.values import rescale_of, windows_of
from medview.io.dicom.voi_tables import voi_tables_of

_POSITION_POINTERS = frozenset({0x00209057, 0x00209056, 0x00200032, 0x00209111, 0x00209301})
"""Dimension indices that count positions or stacks: InStackPositionNumber, StackID, ImagePosition(Patient) ..."""


def frame_infos(dataset: Dataset, count: int) -> tuple[FrameInfo, ...]:
    """Return one FrameInfo per frame; a frame without groups of its own has the shared ones."""
    shared = first_item(dataset, "SharedFunctionalGroupsSequence")
    per_frame = items(dataset, "PerFrameFunctionalGroupsSequence")
    fallback = frame_plane(dataset)
    top_rescale, top_windows, top_tables = rescale_of(dataset), windows_of(dataset), voi_tables_of(dataset)
    top_type = text(dataset, "RescaleType").upper()
    pointers = [_tag(item, "DimensionIndexPointer") for item in items(dataset, "DimensionIndexSequence")]
    frames: list[FrameInfo] = []
    for index in range(count):
        own = per_frame[index] if index < len(per_frame) else None
        plane = group_plane(shared, own, fallback)
        rescale, rescale_type = _rescale(shared, own)
        frames.append(
            FrameInfo(
                number=index,
                position_lps_mm=plane.position_lps_mm,
                orientation=plane.orientation,
                spacing_ji_mm=plane.spacing_ji_mm,
                spacing_source=plane.spacing_source,
                thickness_mm=plane.thickness_mm,
                stack_id=plane.stack_id,
                rescale=rescale or top_rescale,
                rescale_type=rescale_type if rescale else top_type,
                windows=_windows(shared, own) or top_windows,
                voi_tables=_voi_tables(shared, own) or top_tables,
                keys=_keys(shared, own, pointers),
            )
        )
    return tuple(frames)


def _rescale(shared: Dataset | None, own: Dataset | None) -> tuple[Rescale | None, str]:
    for group in (own, shared):
        item = first_item(group, "PixelValueTransformationSequence") if group is not None else None
        found = rescale_of(item) if item is not None else None
        if item is not None and found is not None:
            return found, text(item, "RescaleType").upper()
    return None, ""


def _windows(shared: Dataset | None, own: Dataset | None) -> tuple[Window, ...]:
    for group in (own, shared):
        item = first_item(group, "FrameVOILUTSequence") if group is not None else None
        found = windows_of(item) if item is not None else ()
        if found:
            return found
    return ()


def _voi_tables(shared: Dataset | None, own: Dataset | None) -> tuple[VoiTable, ...]:
    for group in (own, shared):
        item = first_item(group, "FrameVOILUTSequence") if group is not None else None
        found = voi_tables_of(item) if item is not None else ()
        if found:
            return found
    return ()


_GROUP_KEYS = (
    ("FrameContentSequence", "TemporalPositionIndex"),
    ("TemporalPositionSequence", "TemporalPositionTimeOffset"),
    ("MREchoSequence", "EffectiveEchoTime"),
    ("MRDiffusionSequence", "DiffusionBValue"),
    ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
    ("MRImageFrameTypeSequence", "FrameType"),
    ("CTImageFrameTypeSequence", "FrameType"),
    ("FrameContentSequence", "FrameAcquisitionNumber"),
    ("FrameContentSequence", "FrameAcquisitionDateTime"),
)


def _keys(shared: Dataset | None, own: Dataset | None, pointers: list[int]) -> tuple[tuple[str, tuple[object, ...]], ...]:
    found: list[tuple[str, tuple[object, ...]]] = []
    content = first_item(own, "FrameContentSequence") if own is not None else None
    if content is not None and pointers:
        values = numbers(content, "DimensionIndexValues")
        if len(values) == len(pointers):
            rest = tuple(v for v, p in zip(values, pointers, strict=True) if p not in _POSITION_POINTERS)
            if rest:
                found.append(("DimensionIndexValues", rest))
    for sequence, keyword in _GROUP_KEYS:
        for group in (own, shared):
            item = first_item(group, sequence) if group is not None else None
            if item is None:
                continue
            value: tuple[object, ...] = numbers(item, keyword) or texts(item, keyword)
            if value:
                found.append((keyword, value))
                break
    direction = _gradient(own) or _gradient(shared)
    if direction:
        found.append(("DiffusionGradientOrientation", direction))
    return tuple(found)


def _gradient(group: Dataset | None) -> tuple[object, ...]:
    """Return how diffusion was weighted in a frame: directionality and gradient direction."""
    diffusion = first_item(group, "MRDiffusionSequence") if group is not None else None
    if diffusion is None:
        return ()
    direction = first_item(diffusion, "DiffusionGradientDirectionSequence")
    orientation = numbers(direction, "DiffusionGradientOrientation") if direction is not None else ()
    return (text(diffusion, "DiffusionDirectionality"), *orientation)


def _tag(dataset: Dataset, keyword: str) -> int:
    value = dataset.get(keyword)
    return int(value) if isinstance(value, int) else 0
