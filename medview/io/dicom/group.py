"""Instances to groups of frames that may form one volume.

Only identifiers and geometry decide: series UID, SOP class, frame of reference, matrix, pixel spacing, orientation, stack.
Series numbers and file names never do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from medview.core.study import Reason
from medview.io.dicom.instance import FrameInfo, Instance
from medview.io.dicom.reasons import Code

ORIENTATION_TOLERANCE = 1e-3
"""Direction cosines closer than this are one orientation; 0.06 degrees."""
SPACING_TOLERANCE = 1e-3
"""Pixel sizes that differ by less than this part are one; writers round to six digits, some to three."""


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
    digest = hashlib.sha256("\n".join(sorted(names)).encode("utf-8", "surrogatepass")).digest()
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


Key = Callable[[Slice], object]
Same = Callable[[Slice, Slice], bool]


def split(instances: Sequence[Instance]) -> list[Group]:
    """Split the images of one series into groups, the largest first. Nothing is dropped."""
    slices = [Slice(instance, frame) for instance in instances if instance.image for frame in instance.frames]
    groups: list[list[Slice]] = [slices] if slices else []
    reasons: list[Reason] = []
    for code, what, key, same in _SPLITS:
        parts = [part for group in groups for part in _clusters(group, key, same)]
        if len(parts) > len(groups):
            reasons.append(Reason(code, f"The series holds {len(parts)} {what}; each is shown apart."))
        groups = parts
    groups.sort(key=lambda part: (-len(part), part[0].instance.sop_instance_uid, part[0].frame.number))
    return [Group(tuple(part), (*reasons, *_localiser(part))) for part in groups]


def by_image_type(group: Group) -> list[Group]:
    """Split a group by what kind of image ImageType says each is; one group when all are of one kind."""
    parts = _clusters(list(group.slices), _image_type_key, _always)
    if len(parts) == 1:
        return [group]
    text = f"The series holds {len(parts)} kinds of images at the same positions; each is shown apart."
    reasons = (*group.reasons, Reason(Code.MIXED_CLASS, text))
    parts.sort(key=lambda part: (-len(part), part[0].instance.sop_instance_uid, part[0].frame.number))
    return [Group(tuple(part), reasons) for part in parts]


def _clusters(slices: list[Slice], key: Key, same: Same) -> list[list[Slice]]:
    """Put slices together whose keys are equal and that are the same as the first of their cluster."""
    found: dict[object, list[list[Slice]]] = {}
    for one in slices:
        clusters = found.setdefault(key(one), [])
        for cluster in clusters:
            if same(cluster[0], one):
                cluster.append(one)
                break
        else:
            clusters.append([one])
    return [cluster for clusters in found.values() for cluster in clusters]


def _always(first: Slice, one: Slice) -> bool:
    return True


def _class_key(one: Slice) -> object:
    return (one.instance.sop_class_uid, one.instance.localiser, one.instance.mosaic)


def _frame_key(one: Slice) -> object:
    return one.instance.frame_of_reference_uid


def _matrix_key(one: Slice) -> object:
    pixels = one.instance.pixels
    # One image in a format that is not read must not take the others with it.
    return (pixels.rows, pixels.columns, pixels.colour, pixels.kind[:5] == "float", pixels.readable)


def _spacing_key(one: Slice) -> object:
    return (one.frame.spacing_ji_mm is None, one.frame.spacing_source)


def _plane_key(one: Slice) -> object:
    return (one.frame.orientation is None, one.frame.position_lps_mm is None, one.frame.stack_id)


def _image_type_key(one: Slice) -> object:
    return dict(one.frame.keys).get("ImageType", ())


def _same_spacing(first: Slice, one: Slice) -> bool:
    mine, theirs = first.frame.spacing_ji_mm, one.frame.spacing_ji_mm
    if mine is None or theirs is None or mine == theirs:
        return mine == theirs
    return max(abs(a / b - 1.0) for a, b in zip(mine, theirs, strict=True)) <= SPACING_TOLERANCE


def _same_orientation(first: Slice, one: Slice) -> bool:
    mine, theirs = first.frame.orientation, one.frame.orientation
    if mine is None or theirs is None or mine == theirs:
        return mine == theirs
    return bool(np.abs(np.subtract(mine, theirs)).max() <= ORIENTATION_TOLERANCE)


_SPLITS: tuple[tuple[Code, str, Key, Same], ...] = (
    (Code.MIXED_CLASS, "kinds of images", _class_key, _always),
    (Code.MIXED_FRAME_OF_REFERENCE, "frames of reference", _frame_key, _always),
    (Code.MIXED_SIZE, "image sizes", _matrix_key, _always),
    (Code.MIXED_SPACING, "pixel sizes", _spacing_key, _same_spacing),
    (Code.MIXED_ORIENTATION, "orientations", _plane_key, _same_orientation),
)


def _localiser(slices: list[Slice]) -> tuple[Reason, ...]:
    if slices[0].instance.localiser:
        return (Reason(Code.LOCALISER, "These are scout images."),)
    return ()
