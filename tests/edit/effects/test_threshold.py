"""Threshold: every voxel of a range, on any grid, and where Otsu puts the limit."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from medview.core.changes import SegmentChange
from medview.core.errors import LabelError
from medview.core.job import Inline
from medview.core.volume import Rescale, Volume
from medview.edit.effects.threshold import EFFECT, counted, in_range, otsu
from medview.edit.rules import Area, EditRules
from tests.edit.effects.given import ONE, TWO, held, labels_of, volume_of, work
from tests.edit.grids import KINDS, SHAPE_KJI, grid


def two_groups() -> np.ndarray:
    random = np.random.default_rng(3)
    dark = random.normal(40, 12, SHAPE_KJI)
    bright = random.normal(300, 30, SHAPE_KJI)
    return np.rint(np.where(random.random(SHAPE_KJI) < 0.2, bright, dark)).astype(np.int16)


@pytest.mark.parametrize("kind", KINDS)
def test_the_segment_becomes_all_voxels_in_the_range_both_ends_included(kind: str) -> None:
    stored = two_groups()
    before = np.zeros(SHAPE_KJI, dtype=bool)
    before[3, 4:9, 5:8] = True
    labels = labels_of(kind, before)
    worked = work(EFFECT, labels, volume=volume_of(labels.geometry, stored), way="range", range=(35.0, 41.0))
    assert np.array_equal(held(labels, worked), (stored >= 35) & (stored <= 41))
    added = work(EFFECT, labels, volume=volume_of(labels.geometry, stored), way="range", range=(35.0, 41.0), replace=False)
    assert np.array_equal(held(labels, added), (stored >= 35) & (stored <= 41) | before)


def test_values_are_compared_in_the_unit_of_the_picture_and_padding_is_none() -> None:
    stored = np.arange(np.prod(SHAPE_KJI), dtype=np.int32).reshape(SHAPE_KJI)
    volume = Volume(stored, grid("axial"), rescale=Rescale(0.5, -100.0), padding=(300, 310))
    mask = in_range(volume, 40.0, 60.0, Inline())
    assert np.array_equal(np.flatnonzero(mask), [n for n in range(280, 321) if not 300 <= n <= 310])


def test_otsu_parts_two_groups_where_another_program_does() -> None:
    stored = two_groups()
    counts, edges = counted(volume_of(grid("axial"), stored), Inline())
    filter_ = sitk.OtsuThresholdImageFilter()
    filter_.SetNumberOfHistogramBins(256)
    filter_.Execute(sitk.GetImageFromArray(stored))
    assert np.array_equal(stored >= otsu(counts, edges), stored > filter_.GetThreshold())
    # Halfway between the last of one group and the first of the other.
    assert 120 < otsu(counts, edges) < 220


def test_a_case_without_segments_gets_one() -> None:
    labels = labels_of("oblique", segments=())
    stored = two_groups()
    worked = work(EFFECT, labels, None, volume=volume_of(labels.geometry, stored), way="above")
    assert isinstance(worked.changes[0], SegmentChange)
    assert worked.changes[0].after is not None
    low, high = worked.found["range"]  # type: ignore[misc]
    assert np.array_equal(held(labels, worked, worked.changes[0].after), (stored >= low) & (stored <= high))
    assert worked.candidate.amounts[0].after == np.count_nonzero(stored >= low)


def test_locked_neighbours_and_the_area_are_left_alone() -> None:
    stored = two_groups()
    mine, theirs = np.zeros(SHAPE_KJI, dtype=bool), np.zeros(SHAPE_KJI, dtype=bool)
    mine[2, 2, 2] = True
    theirs[5:9, 10:20] = True
    locked = TWO.__class__("two", "Two", (1, 2, 3), 0, 2, locked=True)
    labels = labels_of("oblique", mine, theirs, segments=(ONE, locked))
    volume = volume_of(labels.geometry, stored)
    worked = work(EFFECT, labels, volume=volume, way="range", range=(200.0, 4000.0))
    assert np.array_equal(held(labels, worked), (stored >= 200) & ~theirs)
    assert np.array_equal(held(labels, worked, locked), theirs)
    inside = work(
        EFFECT, labels_of("oblique", mine, theirs), volume=volume, rules=EditRules(Area.INSIDE, "Two"), way="range",
        range=(200.0, 4000.0),
    )  # fmt: skip
    assert np.array_equal(held(labels_of("oblique", mine, theirs), inside), (stored >= 200) & theirs | mine)


def test_one_value_everywhere_has_no_threshold() -> None:
    with pytest.raises(LabelError, match="same value"):
        work(EFFECT, labels_of("axial", np.ones(SHAPE_KJI, dtype=bool)), way="above")
