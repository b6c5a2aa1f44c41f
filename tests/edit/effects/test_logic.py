"""Logic between two segments, in one layer and in two, within the rules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medview.core.errors import LabelError
from medview.edit.effects.logic import EFFECT
from medview.edit.rules import EditRules, Overlap
from tests.edit.effects.given import ONE, held, labels_of, work
from tests.edit.grids import SHAPE_KJI, segment

OVER = segment(1, layer=1, name="Over")
BOTH = (ONE, OVER)


def masks() -> tuple[np.ndarray, np.ndarray]:
    one, other = np.zeros(SHAPE_KJI, dtype=bool), np.zeros(SHAPE_KJI, dtype=bool)
    one[2:8, 4:20, 5:25] = True
    other[5:12, 12:30, 15:38] = True
    return one, other


ONE_MASK, OTHER_MASK = masks()
TRUTH = {
    "copy": OTHER_MASK,
    "add": ONE_MASK | OTHER_MASK,
    "subtract": ONE_MASK & ~OTHER_MASK,
    "intersect": ONE_MASK & OTHER_MASK,
    "invert": ~ONE_MASK,
    "clear": np.zeros(SHAPE_KJI, dtype=bool),
}


@pytest.mark.parametrize("way", TRUTH)
def test_segments_of_two_layers_that_may_overlap(way: str) -> None:
    labels = labels_of("oblique", ONE_MASK, OTHER_MASK, segments=BOTH)
    worked = work(EFFECT, labels, rules=EditRules(overlap=Overlap.ALLOW), way=way, other=OVER.segment_id)
    assert np.array_equal(held(labels, worked), TRUTH[way])
    assert np.array_equal(held(labels, worked, OVER), OTHER_MASK)


@pytest.mark.parametrize("way", TRUTH)
def test_the_other_one_stays_or_gives_way_as_the_rules_say(way: str) -> None:
    labels = labels_of("tilted", ONE_MASK, OTHER_MASK, segments=BOTH)
    keeps = work(EFFECT, labels, rules=EditRules(overlap=Overlap.KEEP), way=way, other=OVER.segment_id)
    assert np.array_equal(held(labels, keeps, OVER), OTHER_MASK)
    assert np.array_equal(held(labels, keeps), TRUTH[way] & (ONE_MASK | ~OTHER_MASK))
    replaced = work(EFFECT, labels, way=way, other=OVER.segment_id)
    assert np.array_equal(held(labels, replaced), TRUTH[way])
    assert np.array_equal(held(labels, replaced, OVER), OTHER_MASK & ~(TRUTH[way] & ~ONE_MASK))


def test_a_locked_other_one_stays_whole() -> None:
    locked = replace(OVER, locked=True)
    labels = labels_of("axial", ONE_MASK, OTHER_MASK, segments=(ONE, locked))
    worked = work(EFFECT, labels, way="add", other=locked.segment_id)
    assert np.array_equal(held(labels, worked, locked), OTHER_MASK)
    assert np.array_equal(held(labels, worked), ONE_MASK)


def test_an_empty_segment_can_become_a_copy() -> None:
    empty = segment(7, name="Empty")
    labels = labels_of("axial", ONE_MASK, segments=(ONE, empty))
    worked = work(EFFECT, labels, empty, rules=EditRules(overlap=Overlap.ALLOW), way="copy", other=ONE.segment_id)
    assert np.array_equal(held(labels, worked, empty), ONE_MASK)
    assert np.array_equal(held(labels, worked), ONE_MASK)


def test_another_segment_has_to_be_chosen() -> None:
    labels = labels_of("axial", ONE_MASK, segments=(ONE,))
    for other in ("", ONE.segment_id, "gone"):
        with pytest.raises(LabelError, match="another segment"):
            work(EFFECT, labels, way="add", other=other)
