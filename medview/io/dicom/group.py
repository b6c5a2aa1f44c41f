"""Instances to groups of frames that may form one volume.

Only identifiers and geometry decide: series UID, SOP class, frame of reference, matrix, pixel spacing, orientation, stack.
Series numbers and file names never do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from medview.core.study import Reason
from medview.io.dicom.instance import FrameInfo, Instance
from medview.io.dicom.reasons import Code

ORIENTATION_TOLERANCE = 1e-3
"""Direction cosines closer than this are one orientation; 0.06 degrees."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One frame with the file it is in."""

    instance: Instance
    frame: FrameInfo


@dataclass(frozen=True, slots=True)
class Group:
    """Slices of one series that share class, frame of reference, matrix, spacing and orientation."""

    slices: tuple[Slice, ...]
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class SeriesFiles:
    """The instances of one series and the UID it goes by."""

    uid: str
    instances: tuple[Instance, ...]
    reasons: tuple[Reason, ...] = ()


def by_series(instances: Iterable[Instance]) -> list[SeriesFiles]:
    """Put instances together by study and series UID; those without one by everything else that identifies a series."""
    found: dict[tuple[str, ...], list[Instance]] = {}
    for instance in instances:
        found.setdefault(_series_key(instance), []).append(instance)
    series: list[SeriesFiles] = []
    for members in found.values():
        members.sort(key=_steady)
        uid = members[0].series_uid
        reasons: tuple[Reason, ...] = ()
        if not uid:
            uid = made_uid(m.sop_instance_uid or m.path for m in members)
            reasons = (
                Reason(Code.NO_UID, "The files name no series; they were put together by study, class and geometry."),
            )
        series.append(SeriesFiles(uid, tuple(members), reasons))
    return series


def made_uid(names: Iterable[str]) -> str:
    """Return a UID under 2.25 that is the same whenever the names are, in any order."""
    digest = hashlib.sha256("\n".join(sorted(names)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def _series_key(instance: Instance) -> tuple[str, ...]:
    if instance.series_uid:
        return (instance.study_uid, instance.series_uid)
    return (
        "",
        instance.study_uid,
        instance.patient_id,
        instance.modality,
        instance.sop_class_uid,
        instance.frame_of_reference_uid,
        instance.description,
    )


def _steady(instance: Instance) -> tuple[str, str]:
    # Any order of files gives the same result; the path only decides between equals.
    return (instance.sop_instance_uid, instance.path)


def split(instances: Sequence[Instance]) -> list[Group]:
    """Split the images of one series into groups, the largest first. Nothing is dropped."""
    slices = [Slice(instance, frame) for instance in instances if instance.image for frame in instance.frames]
    groups: list[list[Slice]] = [slices] if slices else []
    reasons: list[Reason] = []
    for code, what, key in (
        (Code.MIXED_CLASS, "kinds of images", _class_key),
        (Code.MIXED_FRAME_OF_REFERENCE, "frames of reference", _frame_key),
        (Code.MIXED_SIZE, "image sizes", _matrix_key),
    ):
        parts = [part for group in groups for part in _partition(group, key)]
        if len(parts) > len(groups):
            reasons.append(Reason(code, f"The series holds {len(parts)} {what}; each is shown apart."))
        groups = parts
    parts = [part for group in groups for part in _by_orientation(group)]
    if len(parts) > len(groups):
        reasons.append(
            Reason(Code.MIXED_ORIENTATION, f"The series holds images in {len(parts)} orientations; each is shown apart.")
        )
    parts.sort(key=lambda part: (-len(part), part[0].instance.sop_instance_uid, part[0].frame.number))
    return [Group(tuple(part), (*reasons, *_localiser(part))) for part in parts]


def _partition(slices: list[Slice], key: object) -> list[list[Slice]]:
    found: dict[object, list[Slice]] = {}
    for one in slices:
        found.setdefault(key(one), []).append(one)  # type: ignore[operator]
    return list(found.values())


def _class_key(one: Slice) -> object:
    return (one.instance.sop_class_uid, one.instance.localiser, one.instance.mosaic)


def _frame_key(one: Slice) -> object:
    return one.instance.frame_of_reference_uid


def _matrix_key(one: Slice) -> object:
    pixels = one.instance.pixels
    spacing = one.frame.spacing_ji_mm
    rounded = tuple(float(f"{s:.4g}") for s in spacing) if spacing else None
    return (pixels.rows, pixels.columns, pixels.colour, pixels.kind[:5] == "float", rounded)


def _by_orientation(slices: list[Slice]) -> list[list[Slice]]:
    clusters: list[tuple[object, list[Slice]]] = []
    for one in slices:
        own = one.frame.orientation
        for reference, members in clusters:
            if _same_orientation(reference, own, members[0], one):
                members.append(one)
                break
        else:
            clusters.append((own, [one]))
    return [members for _, members in clusters]


def _same_orientation(reference: object, own: object, first: Slice, one: Slice) -> bool:
    if first.frame.stack_id != one.frame.stack_id:
        return False
    if reference is None or own is None:
        return reference is own
    return bool(np.abs(np.subtract(reference, own)).max() <= ORIENTATION_TOLERANCE)  # type: ignore[call-overload]


def _localiser(slices: list[Slice]) -> tuple[Reason, ...]:
    if slices[0].instance.localiser:
        return (Reason(Code.LOCALISER, "These are scout images."),)
    return ()
