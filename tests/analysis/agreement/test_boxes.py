"""Boxes of readers and of models, judged by COCO's own program, by MONAI and by hand."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from medview.analysis.agreement.boxes import Boxes, box_agreement, box_iou
from medview.analysis.agreement.detections import (
    COCO_IOUS,
    ImageBoxes,
    average_precision,
    image_hits,
)
from medview.analysis.agreement.froc import froc
from medview.core.box_annotation import BoxAnnotation
from tests.analysis.agreement.masks import grid

CLASSES = ("nodule", "cyst", "never there")


def _images(axes: int, seed: int = 0, count: int = 12) -> dict[str, list[ImageBoxes]]:
    """Return images with boxes that are found, missed, found twice and invented; scores with ties."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[ImageBoxes]] = {name: [] for name in CLASSES}
    for _ in range(count):
        for name in CLASSES:
            n = 0 if name == "never there" else int(rng.integers(0, 6))
            low = rng.integers(0, 60, (n, axes)).astype(float)
            high = low + rng.integers(8, 24, (n, axes))
            close = rng.integers(0, n, int(rng.integers(0, 2 * n + 1))) if n else np.zeros(0, dtype=int)
            lows = np.concatenate([low[close] + rng.integers(-2, 3, (len(close), axes)), rng.integers(0, 70, (2, axes))])
            highs = np.maximum(
                np.concatenate([high[close] + rng.integers(-2, 3, (len(close), axes)), lows[-2:] + 9]), lows + 1
            )
            found[name].append(ImageBoxes(Boxes.of(low, high), Boxes.of(lows, highs, rng.integers(1, 20, len(lows)) / 20)))
    return found


def _precisions(images: list[ImageBoxes], ious: Sequence[float] = COCO_IOUS) -> list[float | None]:
    return [average_precision([image_hits(image, iou) for image in images]) for iou in ious]


def _coco(classes: dict[str, list[ImageBoxes]]) -> Any:
    """Return the evaluation of COCO's program of boxes of 2 numbers (y, x)."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    names = list(classes)
    images = [{"id": n + 1} for n in range(len(classes[names[0]]))]
    truth: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for category, name in enumerate(names, start=1):
        for image, pair in enumerate(classes[name], start=1):
            for boxes, rows in ((pair.truth, truth), (pair.found, found)):
                for low, high, score in zip(boxes.low, boxes.high, boxes.scores, strict=True):
                    (y, x), (height, width) = low.tolist(), (high - low).tolist()
                    row = {"image_id": image, "category_id": category, "bbox": [x, y, width, height]}
                    extra = {"id": len(rows) + 1, "area": height * width, "iscrowd": 0}
                    rows.append(row | extra | {"score": float(score)})
    with contextlib.redirect_stdout(io.StringIO()):
        judge = COCO()
        judge.dataset = {
            "images": images,
            "annotations": truth,
            "categories": [{"id": n, "name": name} for n, name in enumerate(names, start=1)],
            "info": {},
        }
        judge.createIndex()
        evaluation = COCOeval(judge, judge.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


@pytest.mark.parametrize("seed", range(4))
def test_average_precision_is_that_of_cocos_own_program(seed: int) -> None:
    classes = _images(2, seed)
    judge = _coco(classes)
    precision = judge.eval["precision"][:, :, :, 0, -1]
    for number, images in enumerate(classes.values()):
        by_iou = precision[:, :, number].mean(axis=1)
        assert [-1.0 if ap is None else ap for ap in _precisions(images)] == pytest.approx(by_iou.tolist(), abs=1e-9)
    assert 0.1 < judge.stats[0] < 0.9
    assert set(_precisions(classes["never there"])) == {None}


def test_average_precision_of_solid_boxes_is_that_of_monai() -> None:
    from monai.apps.detection.metrics.coco import COCOMetric
    from monai.apps.detection.metrics.matching import matching_batch
    from monai.data.box_utils import box_iou as judge_iou

    classes = _images(3)
    judge = COCOMetric(classes=list(CLASSES), iou_list=[0.1, 0.5], iou_range=(0.5, 0.95, 0.05), max_detection=[100])
    count = len(classes[CLASSES[0]])

    def together(image: int, side: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        parts = [(n, getattr(classes[name][image], side)) for n, name in enumerate(CLASSES)]
        corners = np.concatenate([np.concatenate((boxes.low, boxes.high), axis=1) for _, boxes in parts])
        kinds = np.concatenate([np.full(len(boxes), n) for n, boxes in parts])
        return corners, kinds, np.concatenate([boxes.scores for _, boxes in parts])

    found = [together(n, "found") for n in range(count)]
    truth = [together(n, "truth") for n in range(count)]
    matches = matching_batch(
        iou_fn=judge_iou,
        iou_thresholds=judge.iou_thresholds,
        pred_boxes=[corners for corners, _, _ in found],
        pred_classes=[kinds for _, kinds, _ in found],
        pred_scores=[scores for _, _, scores in found],
        gt_boxes=[corners for corners, _, _ in truth],
        gt_classes=[kinds for _, kinds, _ in truth],
        max_detections=100,
    )
    judged = judge(matches)[0]
    # Not the mean over classes: in MONAI's a class without true boxes counts -1, COCO's program leaves it out.
    for name in CLASSES[:2]:
        tenth, *of_coco = _precisions(classes[name], (0.1, *COCO_IOUS))
        assert tenth == pytest.approx(judged[f"{name}_AP_IoU_0.10_MaxDet_100"], abs=1e-4)
        assert of_coco[0] == pytest.approx(judged[f"{name}_AP_IoU_0.50_MaxDet_100"], abs=1e-4)
        assert np.mean(of_coco) == pytest.approx(judged[f"{name}_mAP_IoU_0.50_0.95_0.05_MaxDet_100"], abs=1e-4)


def test_overlaps_of_half_open_boxes_by_hand_and_by_monai() -> None:
    from monai.data.box_utils import box_iou as judge_iou

    a, b = Boxes.of([[0, 0]], [[4, 4]]), Boxes.of([[2, 2], [4, 0], [1, 1]], [[6, 6], [8, 4], [1, 3]])
    assert box_iou(a, b).tolist() == [[4 / 28, 0.0, 0.0]]
    images = [image for images in _images(3).values() for image in images]
    for image in images:
        if len(image.truth):
            sides = [np.concatenate((boxes.low, boxes.high), axis=1) for boxes in (image.truth, image.found)]
            assert box_iou(image.truth, image.found) == pytest.approx(judge_iou(*sides), abs=1e-6)
    with pytest.raises(ValueError, match="no boxes"):
        Boxes.of([[0, 0]], [[1, 1]], [1, 2])


def test_annotations_become_boxes_on_an_oblique_grid_and_a_flat_one_overlaps_on_its_slice_only() -> None:
    def flat(k: int, score: float | None = None) -> BoxAnnotation:
        return BoxAnnotation.on_grid(str(k), "x", grid(), (k, 5, 6), (k + 1, 15, 16), score, flat_edge=0)

    first = Boxes.on_grid([flat(3)], grid())
    second = Boxes.on_grid([flat(3, 0.25), flat(4)], grid())
    assert first.low[0] == pytest.approx((3, 5, 6))
    assert second.scores.tolist() == [0.25, 1.0]
    assert box_iou(first, second)[0] == pytest.approx((1.0, 0.0), abs=1e-9)
    assert len(Boxes.on_grid([], grid())) == 0


def test_readers_boxes_are_paired_one_to_one_with_figures_both_ways() -> None:
    first = Boxes.of([[0, 0, 0], [0, 20, 20], [5, 5, 5]], [[4, 10, 10], [4, 30, 30], [9, 9, 9]])
    second = Boxes.of([[0, 0, 2], [0, 0, 0], [0, 40, 40]], [[4, 10, 12], [4, 9, 9], [4, 50, 50]])
    found = box_agreement(first, second)
    assert found.pairs.tolist() == [[0, 1]]
    assert found.mean_iou == pytest.approx(0.81)
    assert (found.sensitivity, found.precision, found.f1) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    none = Boxes.of(np.zeros((0, 3)), np.zeros((0, 3)))
    alone, neither = box_agreement(none, second), box_agreement(none, none)
    assert (alone.sensitivity, alone.precision, alone.f1, alone.mean_iou) == (None, 0.0, 0.0, None)
    assert (neither.sensitivity, neither.precision, neither.f1) == (None, None, None)


def test_a_second_box_on_one_thing_is_no_hit_and_nothing_to_find_has_no_figure() -> None:
    truth = Boxes.of([[0, 0]], [[10, 10]])
    found = Boxes.of([[0, 0], [0, 0], [0, 0]], [[10, 9], [10, 10], [10, 4]], [0.9, 0.8, 0.7])
    hits = image_hits(ImageBoxes(truth, found), 0.5)
    assert hits.hits.tolist() == [True, False, False]
    none = Boxes.of(np.zeros((0, 2)), np.zeros((0, 2)))
    assert average_precision([image_hits(ImageBoxes(none, found), 0.5)]) is None
    assert average_precision([image_hits(ImageBoxes(truth, none), 0.5)]) == 0.0


def test_sensitivity_at_rates_of_false_positives_by_hand() -> None:
    far, box = [[50, 50]], Boxes.of([[0, 0]], [[10, 10]])
    images = [
        ImageBoxes(box, Boxes.of([[0, 0], *far], [[10, 10], [60, 60]], [0.9, 0.6])),
        ImageBoxes(box, Boxes.of([*far, [0, 0]], [[60, 60], [10, 10]], [0.8, 0.6])),
        ImageBoxes(box, Boxes.of([[0, 0]], [[10, 10]], [0.3])),
        ImageBoxes(Boxes.of(np.zeros((0, 2)), np.zeros((0, 2))), Boxes.of(far, [[60, 60]], [0.4])),
    ]
    found = froc([image_hits(image, 0.5) for image in images], rates=(0.125, 0.25, 0.5, 1.0))
    assert found is not None
    # Two boxes have the score 0.6, a hit and none: no threshold takes one of them alone.
    assert [(p.false_positives_per_image, p.sensitivity, p.score) for p in found.points] == [
        (0.0, pytest.approx(1 / 3), 0.9),
        (0.25, pytest.approx(1 / 3), 0.8),
        (0.5, pytest.approx(2 / 3), 0.6),
        (0.75, pytest.approx(2 / 3), 0.4),
        (0.75, 1.0, 0.3),
    ]
    assert [sensitivity for _, sensitivity in found.at] == pytest.approx([1 / 3, 1 / 3, 2 / 3, 1.0])
    assert found.mean_sensitivity == pytest.approx(7 / 12)
    assert froc([image_hits(images[3], 0.5)]) is None


def test_points_of_the_curve_are_those_of_monai() -> None:
    from monai.metrics import compute_froc_curve_data, compute_froc_score

    images = [image_hits(image, 0.5) for image in _images(3, seed=7)["nodule"]]
    scores = np.concatenate([image.scores for image in images])
    # MONAI counts a threshold per score of its own, without ties: every score is made its own.
    scores = scores - 1e-6 * np.arange(scores.size)
    start, apart = 0, []
    for image in images:
        apart.append(type(image)(scores[start : start + image.scores.size], image.hits, image.truths))
        start += image.scores.size
    hits = np.concatenate([image.hits for image in apart])
    truths = sum(image.truths for image in apart)
    wrong, sensitivity = compute_froc_curve_data(scores[~hits], scores[hits], truths, len(apart))
    found = froc(apart, rates=(0.25, 0.5, 1.0, 2.0))
    assert found is not None
    curve = {(round(float(w), 9), round(float(s), 9)) for w, s in zip(wrong, sensitivity, strict=True)}
    ours = {(round(p.false_positives_per_image, 9), round(p.sensitivity, 9)) for p in found.points}
    # MONAI leaves out some points where both scores are looked at together; ours hold all of its.
    assert curve - {(0.0, 0.0)} <= ours
    # It interpolates between points, which is at least what is reached with no more false positives.
    assert compute_froc_score(wrong, sensitivity, (0.25, 0.5, 1.0, 2.0)) >= found.mean_sensitivity - 1e-9
