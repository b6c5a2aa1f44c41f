"""Slices nobody drew are filled; nobody else's voxels and no finished slice are touched."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medview.core.box import Box
from medview.core.errors import LabelError
from medview.core.job import Inline
from medview.core.marks import Marks
from medview.core.segmentation import Segment, Segmentation, SegmentRole
from medview.edit.effects.between import EFFECT
from medview.edit.effects.effect import Given
from tests.edit.effects.given import ONE, TWO, cropped, held, labels_of, volume_of, work
from tests.edit.grids import KINDS, SHAPE_KJI, segment


def stripes(axis: int, every: int = 4, width: int = 10) -> np.ndarray:
    """Return a block of which every few slices are drawn; it grows along the axis."""
    mask = np.zeros(SHAPE_KJI, dtype=bool)
    across = [n for n in range(3) if n != axis]
    for n in range(2, SHAPE_KJI[axis] - 1, every):
        place = [slice(None)] * 3
        place[axis] = n
        for other in across:
            middle = SHAPE_KJI[other] // 2
            place[other] = slice(max(0, middle - width // 3 - n // 5), middle + width // 3)
        mask[tuple(place)] = True
    return mask


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("axis", range(3))
def test_the_direction_slices_were_left_out_in_is_found_and_only_empty_ones_are_filled(kind: str, axis: int) -> None:
    mask = stripes(axis)
    labels = labels_of(kind, mask)
    worked = work(EFFECT, labels)
    became = held(labels, worked)
    others = tuple(n for n in range(3) if n != axis)
    drawn = np.flatnonzero(mask.any(axis=others))
    assert worked.candidate.across == axis
    assert np.array_equal(np.flatnonzero(became.any(axis=others)), np.arange(drawn[0], drawn[-1] + 1))
    assert np.array_equal(became.swapaxes(0, axis)[drawn], mask.swapaxes(0, axis)[drawn])
    assert worked.note == f"{drawn[-1] - drawn[0] + 1 - drawn.size} slices are filled"


def test_a_finished_segment_beside_it_keeps_every_voxel_even_where_others_give_way() -> None:
    mask = stripes(0)
    other = np.zeros(SHAPE_KJI, dtype=bool)
    other[3:11, 10:30, 18:22] = True
    other &= ~mask
    hidden = replace(TWO, visible=False)
    for segments in ((ONE, TWO), (ONE, hidden), (ONE, segment(1, layer=1, name="Elsewhere"))):
        labels = labels_of("oblique", mask, other, segments=segments)
        worked = work(EFFECT, labels)
        assert np.array_equal(held(labels, worked, segments[1]), other)
        assert not (held(labels, worked) & other).any()
        assert (held(labels, worked) & ~mask).any()


def test_only_the_active_segment_is_filled_unless_all_visible_ones_are_wanted() -> None:
    one = stripes(0) & (np.arange(SHAPE_KJI[2]) < 20)
    two = stripes(0) & (np.arange(SHAPE_KJI[2]) >= 20)
    labels = labels_of("axial", one, two)
    assert np.array_equal(held(labels, work(EFFECT, labels), TWO), two)
    worked = work(EFFECT, labels, which="visible")
    assert np.count_nonzero(held(labels, worked)) > np.count_nonzero(one)
    assert np.count_nonzero(held(labels, worked, TWO)) > np.count_nonzero(two)
    assert not (held(labels, worked) & held(labels, worked, TWO)).any()
    locked = labels_of("axial", one, two, segments=(ONE, replace(TWO, locked=True)))
    worked = work(EFFECT, locked, which="visible")
    assert [amount.name for amount in worked.candidate.amounts] == ["One"]


def test_what_nobody_is_sure_of_is_no_reason_to_stay_away() -> None:
    mask = stripes(0)
    unsure = np.zeros(SHAPE_KJI, dtype=bool)
    unsure[4, 12:20, 15:25] = True
    labels = labels_of("axial", mask, unsure, segments=(ONE, segment(1, layer=1, name="Unsure")))
    labels.segments[1] = replace(labels.segments[1], role=SegmentRole.IGNORE)
    assert (held(labels, work(EFFECT, labels)) & unsure).any()


def _given(labels: Segmentation, active: Segment, marks: Marks) -> Given:
    region = EFFECT.region(labels, active, EFFECT.defaults())
    part = cropped(labels, region)
    return Given(part, volume_of(part.geometry), active, region, labels.geometry, marks=marks)


def test_slices_that_are_marked_done_stay_as_they_are() -> None:
    mask = stripes(0, every=6)
    labels = labels_of("axial", mask)
    marks = Marks().with_slice(5, done=True).with_slice(18, done=True, axis=1)
    given = _given(labels, ONE, marks)
    result = EFFECT.work(given, EFFECT.defaults(), Inline())
    became = np.zeros(SHAPE_KJI, dtype=bool)
    became[given.region.slices] = result.masks[ONE.segment_id]
    new = became & ~mask
    assert not new[5].any()
    assert not new[:, 18].any()
    assert new[3].any()
    assert new[7].any()


def test_without_a_gap_it_says_what_to_do() -> None:
    full = np.zeros(SHAPE_KJI, dtype=bool)
    full[3:6, 5:9, 5:9] = True
    with pytest.raises(LabelError, match="no empty slice"):
        work(EFFECT, labels_of("axial", full))
    with pytest.raises(LabelError, match="nothing drawn"):
        work(EFFECT, labels_of("axial"))
    with pytest.raises(LabelError, match="no empty slice"):
        work(EFFECT, labels_of("axial", stripes(0)), plane="coronal")


def test_it_asks_for_the_box_of_what_is_filled_only() -> None:
    labels = labels_of("axial", stripes(0))
    box = labels.box(ONE)
    assert EFFECT.region(labels, ONE, EFFECT.defaults()) == box
    assert isinstance(box, Box)
