from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from medview.core.box import Box
from medview.core.case_labels import CaseLabels
from medview.core.changes import Change, SegmentChange
from medview.core.label_patch import LabelPatch
from medview.core.prediction import PredictedMask, PredictedSegment
from medview.core.segmentation import Code
from medview.core.source import Source, SourceKind
from medview.core.volume import Volume
from medview.edit.proposals import accept_segments
from medview.edit.rules import Area, EditRules, Overlap
from tests.edit.grids import SHAPE_KJI, segment, segmentation
from tests.helpers.strokes import fill_layer

MODEL = Source(SourceKind.MODEL, "organs", "1.0")
LUNG = PredictedSegment(1, "Lung", (10, 20, 30), Code("39607008", "SCT", "Lung"))
NODULE = PredictedSegment(4, "Nodule", (40, 50, 60))


def _mask(seed: int = 0) -> PredictedMask:
    labels = np.zeros(SHAPE_KJI, dtype=np.uint8)
    labels[3:11, 5:30, 7:35] = np.random.default_rng(seed).choice(np.array([0, 1, 4], dtype=np.uint8), (8, 25, 28))
    return PredictedMask.trimmed(labels, (LUNG, NODULE))


def _draw(labels: CaseLabels, where: tuple[int | slice, ...] | int, value: int) -> None:
    voxels = np.zeros(SHAPE_KJI, dtype=np.uint8)
    voxels[where] = value
    fill_layer(labels.segmentation, 0, voxels)


def _applied(labels: CaseLabels, changes: Iterable[Change | None]) -> list[Change]:
    done = []
    for change in changes:
        if change is not None:
            labels.apply((change,))
            done.append(change)
    return done


def test_accepted_segments_hold_exactly_the_proposed_voxels() -> None:
    mask = _mask()
    labels = CaseLabels(segmentation("oblique"))
    _applied(labels, accept_segments(labels.segmentation, mask, mask.segments, MODEL))
    lung, nodule = labels.segmentation.segments
    proposed = mask.on_grid(SHAPE_KJI)
    assert np.array_equal(labels.segmentation.mask(lung), proposed == 1)
    assert np.array_equal(labels.segmentation.mask(nodule), proposed == 4)
    assert (lung.name, lung.colour, lung.code, lung.source) == ("Lung", (10, 20, 30), LUNG.code, MODEL)
    assert lung.layer_id == nodule.layer_id == 0


@pytest.mark.parametrize("locked", [False, True])
def test_accepting_never_overwrites_what_is_drawn(locked: bool) -> None:
    drawn = segment(1, locked=locked, name="Lung")
    labels = CaseLabels(segmentation("oblique", drawn))
    _draw(labels, np.s_[5:7, 10:20, 12:30], 1)
    before = labels.segmentation.layer(0).voxels.copy()
    mask = _mask()
    _applied(labels, accept_segments(labels.segmentation, mask, mask.segments, MODEL))
    assert np.array_equal(labels.segmentation.layer(0).voxels, before)
    _, lung, nodule = labels.segmentation.segments
    assert {lung.layer_id, nodule.layer_id} == {1}
    assert lung.name == "Lung 2"
    proposed = mask.on_grid(SHAPE_KJI)
    assert np.array_equal(labels.segmentation.mask(lung), proposed == 1)
    assert np.array_equal(labels.segmentation.mask(nodule), proposed == 4)


def test_segments_that_do_not_overlap_share_a_layer() -> None:
    labels = CaseLabels(segmentation("oblique", segment(1)))
    _draw(labels, np.s_[12:, :, :], 1)
    before = labels.segmentation.layer(0).voxels.copy()
    mask = _mask()
    _applied(labels, accept_segments(labels.segmentation, mask, mask.segments, MODEL))
    assert [(s.layer_id, s.value) for s in labels.segmentation.segments] == [(0, 1), (0, 2), (0, 3)]
    assert np.array_equal(labels.segmentation.layer(0).voxels == 1, before == 1)


def test_only_the_wanted_segments_are_accepted() -> None:
    mask = _mask()
    labels = CaseLabels(segmentation("oblique", segment(1)))
    # What is drawn meets a voxel that is not wanted, and is not in the way.
    at = tuple(np.argwhere(mask.on_grid(SHAPE_KJI) == 1)[0])
    _draw(labels, at, 1)
    _applied(labels, accept_segments(labels.segmentation, mask, [NODULE], MODEL))
    drawn, nodule = labels.segmentation.segments
    assert nodule.layer_id == 0
    assert np.array_equal(labels.segmentation.mask(nodule), mask.on_grid(SHAPE_KJI) == 4)
    assert np.argwhere(labels.segmentation.mask(drawn)).tolist() == [list(at)]


def test_a_full_layer_is_passed_over() -> None:
    labels = CaseLabels(segmentation("oblique", *(segment(value) for value in range(1, 255))))
    mask = _mask()
    _applied(labels, accept_segments(labels.segmentation, mask, mask.segments, MODEL))
    assert [(s.layer_id, s.value) for s in labels.segmentation.segments[-2:]] == [(1, 1), (1, 2)]


def test_undoing_an_acceptance_leaves_the_labels_as_they_were() -> None:
    labels = CaseLabels(segmentation("oblique", segment(7)))
    _draw(labels, np.s_[0], 7)
    before = labels.segmentation.layer(0).voxels.copy()
    mask = _mask()
    changes = _applied(labels, accept_segments(labels.segmentation, mask, mask.segments, MODEL))
    labels.apply([change.inverse() for change in reversed(changes)])
    assert np.array_equal(labels.segmentation.layer(0).voxels, before)
    assert labels.segmentation.segments == [segment(7)]


def test_a_segment_without_voxels_is_accepted_as_an_empty_one() -> None:
    mask = PredictedMask(Box((0, 0, 0), (0, 0, 0)), np.zeros((0, 0, 0), dtype=np.uint8), (LUNG,))
    labels = CaseLabels(segmentation("oblique"))
    changes = _applied(labels, accept_segments(labels.segmentation, mask, mask.segments, MODEL))
    assert [type(change) for change in changes] == [SegmentChange]
    assert list(accept_segments(labels.segmentation, mask, [], MODEL)) == []


def test_accepting_is_one_write() -> None:
    mask = _mask()
    labels = CaseLabels(segmentation("oblique"))
    changes = _applied(labels, accept_segments(labels.segmentation, mask, mask.segments, MODEL))
    assert [type(change) for change in changes] == [SegmentChange, SegmentChange, LabelPatch]


def test_proposals_obey_the_area() -> None:
    labels = CaseLabels(segmentation("oblique", segment(1, name="Body")))
    _draw(labels, np.s_[:, 10:20, :], 1)
    body = labels.segmentation.mask(segment(1))
    mask = _mask()
    proposed = mask.on_grid(SHAPE_KJI)
    for area, where in ((Area.INSIDE, body), (Area.OUTSIDE, ~body)):
        rules = EditRules(area=area, area_segment="Body")
        changes = _applied(labels, accept_segments(labels.segmentation, mask, mask.segments, MODEL, rules))
        lung, nodule = labels.segmentation.segments[-2:]
        assert np.array_equal(labels.segmentation.mask(lung), (proposed == 1) & where)
        assert np.array_equal(labels.segmentation.mask(nodule), (proposed == 4) & where)
        labels.apply([change.inverse() for change in reversed(changes)])


def test_proposals_obey_the_range_of_values() -> None:
    labels = CaseLabels(segmentation("oblique"))
    values = np.random.default_rng(4).integers(-1000, 1000, SHAPE_KJI).astype(np.int16)
    volume = Volume(values, labels.segmentation.geometry)
    mask = _mask()
    rules = EditRules(value_range=(-200.0, 300.0))
    _applied(labels, accept_segments(labels.segmentation, mask, [LUNG], MODEL, rules, volume))
    expected = (mask.on_grid(SHAPE_KJI) == 1) & (values >= -200) & (values <= 300)
    assert np.array_equal(labels.segmentation.mask(labels.segmentation.segments[0]), expected)


def test_where_what_is_drawn_is_kept_whole_proposals_give_way_and_share_its_layer() -> None:
    labels = CaseLabels(segmentation("oblique", segment(1)))
    _draw(labels, np.s_[5:7, 10:20, 12:30], 1)
    drawn = labels.segmentation.mask(segment(1))
    mask = _mask()
    rules = EditRules(overlap=Overlap.KEEP)
    _applied(labels, accept_segments(labels.segmentation, mask, mask.segments, MODEL, rules))
    _, lung, nodule = labels.segmentation.segments
    proposed = mask.on_grid(SHAPE_KJI)
    assert np.array_equal(labels.segmentation.mask(segment(1)), drawn)
    assert np.array_equal(labels.segmentation.mask(lung), (proposed == 1) & ~drawn)
    assert np.array_equal(labels.segmentation.mask(nodule), (proposed == 4) & ~drawn)
    assert lung.layer_id == nodule.layer_id == 0
