"""Scores of cases as values and on disk; those of boxes and answers."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.annotations import BoxAnnotation
from medview.core.errors import ReadError
from medview.core.scores import SliceScores
from medview.ml.next_cases.case_scores import CaseScores, read_scores
from medview.ml.next_cases.plain_scores import nearness, scores_of_answers, scores_of_boxes
from tests.ml.next_cases.made import made_scores
from tests.ml.small_packs import oblique_geometry

NOTHING = np.zeros(0, dtype=np.float32)


def test_what_is_stored_comes_back() -> None:
    scores = made_scores([0.25, 0.5], np.random.default_rng(1).random((2, 9)))
    found = read_scores(scores.stored())
    for name in CaseScores.__dataclass_fields__:
        kept, back = getattr(scores, name), getattr(found, name)
        assert np.array_equal(kept, back) if isinstance(kept, np.ndarray) else kept == back


def test_damaged_scores_are_refused_in_one_sentence() -> None:
    stored = made_scores([0.25], np.ones((1, 9))).stored()
    for damaged in (b"", stored[:200], b"x" * 400, stored[:-30] + b"y" * 30):
        with pytest.raises(ReadError, match="worked out again"):
            read_scores(damaged)
    broken = made_scores([np.nan], np.ones((1, 9)))
    with pytest.raises(ReadError):
        read_scores(broken.stored())


def test_boxes_near_the_threshold_make_a_case_uncertain_on_their_slices() -> None:
    geometry = oblique_geometry((20, 30, 40))
    boxes = [
        BoxAnnotation.on_grid("1", "Nodule", geometry, (3, 4, 5), (6, 9, 11), 0.52),
        BoxAnnotation.on_grid("2", "Nodule", geometry, (12, 4, 5), (15, 9, 11), 0.99),
        BoxAnnotation.on_grid("3", "Nodule", geometry, (16, 4, 5), (18, 9, 11), 0.30),
    ]
    scores = scores_of_boxes(boxes, ("Nodule", "Cyst"), 0.5, geometry, NOTHING)
    assert scores.foreground.tolist() == [2.0, 0.0]
    assert scores.unsure[1] == 0.0
    assert 0.4 < scores.unsure[0] < 1.0
    assert scores.unsure_slices[0].argmax() in (3, 4, 5)
    assert np.flatnonzero(scores.unsure_slices[0]).tolist() == [3, 4, 5, 12, 13, 14, 16, 17]
    sure = scores_of_boxes(boxes[1:2], ("Nodule", "Cyst"), 0.5, geometry, NOTHING)
    assert sure.unsure[0] < 0.01


def test_nearness_is_one_at_the_threshold_and_zero_at_both_ends() -> None:
    assert nearness(0.3, 0.3) == 1.0
    assert nearness(1.0, 0.3) == nearness(0.0, 0.3) == 0.0
    assert nearness(0.35, 0.3) > nearness(0.6, 0.3)


def test_answers_are_unsure_by_their_entropy_and_slices_where_they_lie_along_k() -> None:
    curve = np.asarray([0.0, 0.5, 0.9, 1.0], dtype=np.float32)
    of_slices = SliceScores(0, {"no": 1 - curve, "yes": curve})
    scores = scores_of_answers({"no": 0.2, "yes": 0.8}, of_slices, 4, NOTHING)
    assert scores.unsure[0] == scores.unsure[1] == pytest.approx(0.7219, abs=1e-4)
    assert scores.unsure_slices[1].argmax() == 1
    across = scores_of_answers({"no": 0.2, "yes": 0.8}, SliceScores(2, dict(of_slices.by_class)), 7, NOTHING)
    assert across.unsure_slices.shape == (2, 7)
    assert not across.unsure_slices.any()
