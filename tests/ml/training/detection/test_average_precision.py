"""Average precision while training is that of the report."""

import numpy as np
import pytest

from medview.analysis.agreement.boxes import Boxes
from medview.analysis.agreement.detections import ImageBoxes, average_precision, image_hits
from medview.ml.runners.candidates import Candidates
from medview.ml.training.detection.average_precision import TrueBoxes, hits_of, mean_average_precision


def _made(seed: int, count: int) -> tuple[list[Candidates], list[TrueBoxes]]:
    rng = np.random.default_rng(seed)
    found, true = [], []
    for _ in range(count):
        n = int(rng.integers(0, 9))
        low = rng.uniform(0, 80, (n, 3))
        high = low + rng.uniform(5, 20, (n, 3))
        classes = rng.integers(0, 2, n)
        true.append(TrueBoxes(low, high, classes, rng.random(n) < 0.2))
        again = rng.integers(0, n, 2 * n) if n else np.zeros(0, dtype=int)
        jitter = rng.normal(0, 1.5, (len(again), 3))
        extra = rng.uniform(0, 80, (4, 3))
        found.append(
            Candidates(
                np.concatenate([low[again] + jitter, extra]),
                np.concatenate([high[again] + jitter, extra + 9]),
                np.round(rng.random(len(again) + 4), 2),
                np.concatenate([classes[again], rng.integers(0, 2, 4)]),
            )
        )
    return found, true


def _judged(found: list[Candidates], true: list[TrueBoxes], number: int) -> float | None:
    images = []
    for boxes, truth in zip(found, true, strict=True):
        own, mine = boxes.classes == number, truth.classes == number
        images.append(
            ImageBoxes(
                Boxes.of(truth.low_kji[mine], truth.high_kji[mine]),
                Boxes.of(boxes.low_kji[own], boxes.high_kji[own], boxes.scores[own]),
                truth.ignored[mine],
            )
        )
    return average_precision([image_hits(image, 0.5) for image in images])


@pytest.mark.parametrize("seed", range(4))
def test_it_is_that_of_the_report_with_difficult_boxes_and_double_ones(seed: int) -> None:
    found, true = _made(seed, 12)
    hits = [hits_of(found, true, number) for number in (0, 1)]
    judged = [_judged(found, true, number) for number in (0, 1)]
    assert [one.average_precision() for one in hits] == pytest.approx(judged)
    assert mean_average_precision(hits) == pytest.approx(np.mean(judged))  # type: ignore[arg-type]
    assert 0.2 < mean_average_precision(hits) < 0.95


def test_a_class_with_nothing_to_find_has_none_and_nothing_found_is_nought() -> None:
    found, true = _made(1, 3)
    assert hits_of(found, true, 5).average_precision() is None
    none = [Candidates.joined([]) for _ in true]
    assert hits_of(none, true, 0).average_precision() == 0.0


def test_f1_is_counted_from_the_boxes_of_at_least_a_score() -> None:
    found, true = _made(2, 6)
    hits = hits_of(found, true, 0)
    kept = hits.scores >= 0.5
    right = int((kept & hits.right).sum())
    precision, recall = right / kept.sum(), right / hits.truths
    assert hits.f1_at(np.array([0.5]))[0] == pytest.approx(2 * precision * recall / (precision + recall))
