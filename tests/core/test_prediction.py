from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from medview.core.annotations import BoxAnnotation
from medview.core.box import Box
from medview.core.errors import CancelledError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.source import Source, SourceKind

SHAPE_KJI = (6, 9, 11)
SEGMENTS = (PredictedSegment(1, "Lung", (1, 2, 3)), PredictedSegment(5, "Nodule", (4, 5, 6)))


def test_a_mask_keeps_only_its_box_and_gives_the_whole_back() -> None:
    labels = np.zeros(SHAPE_KJI, dtype=np.uint8)
    labels[2, 3:5, 4] = 1
    labels[4, 8, 10] = 5
    mask = PredictedMask.trimmed(labels, SEGMENTS)
    assert mask.box == Box((2, 3, 4), (5, 9, 11))
    assert np.array_equal(mask.on_grid(SHAPE_KJI), labels)
    assert mask.counts() == {1: 2, 5: 1}


def test_an_empty_mask_is_an_empty_box() -> None:
    mask = PredictedMask.trimmed(np.zeros(SHAPE_KJI, dtype=np.uint8), SEGMENTS)
    assert mask.box.empty
    assert not mask.on_grid(SHAPE_KJI).any()
    assert mask.counts() == {1: 0, 5: 0}


def test_voxels_are_counted_once_a_slab_at_a_time_for_all_masks_of_the_same_voxels() -> None:
    rng = np.random.default_rng(3)
    voxels = rng.integers(0, 6, (9, 1200, 1000)).astype(np.uint8)
    mask = PredictedMask(Box((0, 0, 0), voxels.shape), voxels, SEGMENTS)
    reduced = mask.reduced_to(SEGMENTS[:1])
    stopped = Inline()
    stopped.cancel()
    with pytest.raises(CancelledError):
        mask.histogram(stopped)
    tracemalloc.start()
    counted = mask.histogram(Inline())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counted.tolist() == np.bincount(voxels.ravel(), minlength=256).tolist()
    assert peak < 3 * voxels.size
    assert reduced.histogram(stopped) is counted
    assert reduced.counts() == {SEGMENTS[0].value: int(counted[SEGMENTS[0].value])}


def test_a_mask_cannot_be_written_and_does_not_follow_the_array_it_was_made_of() -> None:
    labels = np.ones(SHAPE_KJI, dtype=np.uint8)
    mask = PredictedMask.trimmed(labels, SEGMENTS)
    labels[:] = 5
    assert (mask.voxels == 1).all()
    with pytest.raises(ValueError, match="read-only"):
        mask.voxels[0, 0, 0] = 2


def test_a_mask_that_does_not_fill_its_box_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fill"):
        PredictedMask(Box((0, 0, 0), (2, 2, 2)), np.zeros((2, 2, 3), dtype=np.uint8), SEGMENTS)


def test_a_proposal_is_empty_when_nothing_is_left_to_accept() -> None:
    geometry = Geometry.from_spacing(SHAPE_KJI, (5.0, 0.9, 0.6))
    source = Source(SourceKind.MODEL, "organs", "1.2")
    mask = PredictedMask.trimmed(np.zeros(SHAPE_KJI, dtype=np.uint8), SEGMENTS)
    box = BoxAnnotation.on_grid("b", "nodule", geometry, (1, 1, 1), (2, 3, 4))
    assert Proposal("p", Prediction("segmentation", "Organs", source, geometry)).empty
    assert not Proposal("p", Prediction("segmentation", "Organs", source, geometry, mask=mask)).empty
    assert not Proposal("p", Prediction("detection", "Organs", source, geometry, boxes=(box,))).empty
    assert not Proposal("p", Prediction("classification", "Organs", source, geometry, scores={"nodule": 0.0})).empty
    assert source.title == "organs 1.2"
