"""Why a mask that was handed to the writer changed nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum

import numpy as np

from medview.core.box import Box
from medview.core.segmentation import Segment, Segmentation, SegmentRole
from medview.core.volume import Volume
from medview.edit.rules import Area, EditRules, LabelWriter, Mask, Overlap


class Hindrance(Enum):
    """What kept voxels from being changed."""

    SEGMENT_LOCKED = "segment locked"
    SEGMENT_ABSENT = "segment absent"
    AREA = "area"
    VALUES = "values"
    OTHERS_KEPT = "others kept"
    OTHER_LOCKED = "other locked"


_LIFTED: dict[Hindrance, Callable[[EditRules], EditRules]] = {
    Hindrance.AREA: lambda rules: replace(rules, area=Area.EVERYWHERE),
    Hindrance.VALUES: lambda rules: replace(rules, value_range=None),
    Hindrance.OTHERS_KEPT: lambda rules: replace(rules, overlap=Overlap.REPLACE),
}


_FIELDS = {
    Hindrance.AREA: ("area", "area_segment"),
    Hindrance.VALUES: ("value_range",),
    Hindrance.OTHERS_KEPT: ("overlap",),
}


def hindrances(
    segmentation: Segmentation,
    segment: Segment,
    box: Box,
    mask: Mask,
    rules: EditRules,
    volume: Volume | None = None,
    *,
    erase: bool = False,
) -> list[Hindrance]:
    """Return what kept a segment from being changed; empty where there was nothing to change in the first place.

    A rule is to blame where lifting it alone would let something through; where only several together would, those are
    without which the others would not.
    """
    if segment.locked:
        return [Hindrance.SEGMENT_LOCKED]
    if segment.absent and not erase:
        return [Hindrance.SEGMENT_ABSENT]

    def changes(tried: EditRules) -> bool:
        writer = LabelWriter(segmentation, box, tried, volume)
        (writer.erase if erase else writer.add)(segment, mask)
        return bool(writer.changes())

    on = [one for one, without in _LIFTED.items() if without(rules) != rules]
    alone = [one for one in on if changes(_LIFTED[one](rules))]
    if alone:
        return alone
    if changes(EditRules()):
        return [one for one in on if not changes(_only(rules, one))] or on
    if not erase and _locked_under(segmentation, segment, box, mask):
        return [Hindrance.OTHER_LOCKED]
    return []


def _only(rules: EditRules, one: Hindrance) -> EditRules:
    """Return the usual rules but for one."""
    return replace(EditRules(), **{name: getattr(rules, name) for name in _FIELDS[one]})


def _locked_under(segmentation: Segmentation, segment: Segment, box: Box, mask: Mask) -> bool:
    for other in segmentation.segments:
        layer = segmentation.layers.get(other.layer_id)
        covers = other.locked and other is not segment and other.role is not SegmentRole.IGNORE and layer is not None
        if covers and layer is not None and bool(np.any(mask & (layer.voxels[box.slices] == other.value))):
            return True
    return False
