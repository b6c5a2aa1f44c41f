"""Boxes of a model are judged as COCO's own program judges them."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest

from medview.ml.examples import TrueBox, Truth
from medview.ml.outputs import BoxClass, DetectionOutput
from medview.workspace.evaluation.boxes import BoxJudge
from tests.ml.small_packs import oblique_geometry
from tests.workspace.evaluation.made import boxes, classes, example, picture_grid, volume

NAMES = ("RBC", "WBC", "Platelets")
OUTPUT = DetectionOutput(tuple(BoxClass(name, (9, 9, 9)) for name in NAMES), 0.5, 0.5, 100)
GRID = picture_grid(100, 120)
IMAGE = volume(GRID)


def made(count: int, *, difficult: bool = False) -> list[tuple[Truth, list[Any]]]:
    rng = np.random.default_rng(4)
    cases = []
    for _ in range(count):
        true, found = [], []
        # No box near another: COCO lets a difficult one excuse one box only, and here it excuses all that lie on it.
        cells = iter(rng.permutation(24))
        for number, name in enumerate(NAMES, start=1):
            for n in range(int(rng.integers(0, 5))):
                low = np.array(divmod(int(next(cells)), 6)) * 20.0
                high = low + rng.integers(8, 16, 2)
                hard = difficult and n == 0
                true.append(TrueBox(number, (0, *low), (1, *high), hard))
                if rng.random() < 0.8:
                    shift = rng.integers(-3, 4, 2)
                    other = NAMES[int(rng.integers(3))] if rng.random() < 0.2 else name
                    found.append((other, float(rng.random()), (0, *(low + shift)), (1, *(high + shift))))
            low = np.array(divmod(int(next(cells)), 6)) * 20.0
            found.append((name, float(rng.random()), (0, *low), (1, *(low + 9))))
        cases.append((Truth(boxes=tuple(true)), found))
    return cases


def judged(cases: list[tuple[Truth, list[Any]]]) -> BoxJudge:
    judge = BoxJudge(classes(*NAMES), OUTPUT)
    for n, (truth, found) in enumerate(cases):
        judge.add(example(f"c{n}", f"p{n // 2}", IMAGE, truth), IMAGE, truth, boxes(GRID, found))
    return judge


def coco(cases: list[tuple[Truth, list[Any]]]) -> Any:
    """Let COCO's own program judge; what is difficult it leaves out by its area, which lies beyond what it looks at."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth, said = [], []
    for image, (true, found) in enumerate(cases, start=1):
        for box in true.boxes:
            (_, y, x), (_, bottom, right) = box.min_kji, box.max_kji
            area = 1e12 if box.difficult else (bottom - y) * (right - x)
            row = {"id": len(truth) + 1, "image_id": image, "category_id": box.number, "iscrowd": 0, "area": area}
            truth.append({**row, "bbox": [x, y, right - x, bottom - y]})
        for label, score, (_, y, x), (_, bottom, right) in found:
            said.append(
                {
                    "image_id": image,
                    "category_id": NAMES.index(label) + 1,
                    "score": score,
                    "bbox": [x, y, right - x, bottom - y],
                }
            )
    with contextlib.redirect_stdout(io.StringIO()):
        judge = COCO()
        judge.dataset = {
            "images": [{"id": n + 1} for n in range(len(cases))],
            "annotations": truth,
            "categories": [{"id": n, "name": name} for n, name in enumerate(NAMES, start=1)],
            "info": {},
        }
        judge.createIndex()
        evaluation = COCOeval(judge, judge.loadRes(said), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


@pytest.mark.parametrize("difficult", [False, True])
def test_average_precisions_are_those_of_coco(difficult: bool) -> None:
    cases = made(30, difficult=difficult)
    figures = judged(cases).figures()
    precision = coco(cases).eval["precision"][..., 0, -1]
    for n, row in enumerate(figures.per_class):
        assert row["ap50"] == pytest.approx(precision[0, :, n].mean(), abs=1e-9)
        assert row["ap"] == pytest.approx(precision[:, :, n].mean(), abs=1e-9)
    assert figures.more["map50"] == pytest.approx(precision[0].mean(), abs=1e-9)
    assert figures.more["map"] == pytest.approx(precision.mean(), abs=1e-9)
    low, high = figures.ci95["map50"]
    assert low < figures.more["map50"] < high


def test_recall_and_precision_are_those_of_the_packs_own_threshold() -> None:
    truth = Truth(boxes=(TrueBox(1, (0, 10, 10), (1, 30, 30)), TrueBox(1, (0, 50, 50), (1, 70, 70))))
    found = [
        ("RBC", 0.9, (0, 10, 10), (1, 30, 30)),
        ("RBC", 0.6, (0, 80, 80), (1, 90, 90)),
        ("RBC", 0.3, (0, 50, 50), (1, 70, 70)),
    ]
    figures = judged([(truth, found)]).figures()
    row = figures.per_class[0]
    assert (row["recall"], row["precision"], row["truths"]) == (0.5, 0.5, 2)
    # The third box counts for the curve, below the threshold as it is.
    assert row["ap50"] == pytest.approx((51 * 1.0 + 50 * 2 / 3) / 101)
    assert figures.more["threshold"] == 0.5
    assert figures.more["froc"]["at"][-1] == [8.0, 1.0]


def test_of_a_class_in_an_image_the_hundred_best_boxes_count_as_with_coco() -> None:
    truth = Truth(boxes=tuple(TrueBox(number, (0, 10, 10), (1, 30, 30)) for number in (1, 2, 3)))
    wrong = [("RBC", 0.9 - 0.001 * n, (0, 60, 60), (1, 70, 70)) for n in range(100)]
    # One box less before it, and the right one is still looked at.
    found = [*wrong, *[("WBC", *one[1:]) for one in wrong[1:]], *[(name, 0.6, (0, 10, 10), (1, 30, 30)) for name in NAMES]]
    figures = judged([(truth, found)]).figures()
    precision = coco([(truth, found)]).eval["precision"][..., 0, -1]
    assert [row["ap50"] for row in figures.per_class] == pytest.approx(precision[0].mean(axis=0).tolist(), abs=1e-9)
    assert [row["recall"] for row in figures.per_class] == [0.0, 1.0, 1.0]
    assert figures.per_class[1]["precision"] == 0.01


def test_what_is_taken_for_another_class_stands_in_the_confusion_matrix() -> None:
    truth = Truth(boxes=(TrueBox(1, (0, 10, 10), (1, 30, 30)), TrueBox(2, (0, 50, 50), (1, 70, 70))))
    found = [("WBC", 0.9, (0, 10, 10), (1, 30, 30)), ("Platelets", 0.8, (0, 0, 80), (1, 9, 90))]
    confusion = judged([(truth, found)]).figures().confusion
    assert confusion is not None
    assert confusion["rows"] == ["RBC", "WBC", "Platelets", "nothing"]
    assert confusion["counts"] == [[0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 1, 0]]


def test_a_difficult_box_is_neither_missed_nor_found() -> None:
    truth = Truth(boxes=(TrueBox(1, (0, 10, 10), (1, 30, 30), True), TrueBox(1, (0, 50, 50), (1, 70, 70))))
    alike = [("RBC", 0.95, (0, 10, 10), (1, 30, 30)), ("RBC", 0.9, (0, 11, 10), (1, 31, 30))]
    judge = judged([(truth, [*alike, ("RBC", 0.8, (0, 50, 50), (1, 70, 70))])])
    row = judge.figures().per_class[0]
    assert (row["ap50"], row["recall"], row["precision"], row["truths"]) == (1.0, 1.0, 1.0, 1)
    assert row["difficult"] == 1
    assert np.sum(judge.figures().confusion["counts"]) == 1


def test_an_open_class_does_not_count_in_a_case() -> None:
    truth = Truth(open_classes=frozenset({1}), boxes=(TrueBox(2, (0, 10, 10), (1, 30, 30)),))
    found = [("RBC", 0.9, (0, 50, 50), (1, 70, 70)), ("WBC", 0.9, (0, 10, 10), (1, 30, 30))]
    figures = judged([(truth, found)]).figures()
    first, second, third = figures.per_class
    assert (first["images"], first["ap50"], first["precision"]) == (0, None, None)
    assert (second["images"], second["ap50"]) == (1, 1.0)
    assert (third["truths"], third["ap50"], third["recall"], third["precision"]) == (0, None, None, None)
    # Classes without true boxes are in no mean.
    assert (figures.more["map50"], figures.more["map"]) == (1.0, 1.0)


def test_the_case_with_most_mistakes_is_the_worst() -> None:
    judge = BoxJudge(classes(*NAMES), OUTPUT)
    truth = Truth(boxes=(TrueBox(1, (0, 10, 10), (1, 30, 30)),))
    good = judge.add(example("a", "", IMAGE, truth), IMAGE, truth, boxes(GRID, [("RBC", 0.9, (0, 10, 10), (1, 30, 30))]))
    bad = judge.add(example("b", "", IMAGE, truth), IMAGE, truth, boxes(GRID, [("RBC", 0.9, (0, 60, 60), (1, 70, 70))]))
    assert good.score is not None
    assert bad.score is not None
    assert good.score > bad.score
    assert bad.why == "1 missed, 1 extra"


def test_a_case_is_shown_where_something_is_missed_or_too_many() -> None:
    grid = oblique_geometry((9, 40, 50))
    image = volume(grid)
    truth = Truth(boxes=(TrueBox(1, (0, 2, 2), (2, 8, 8)), TrueBox(1, (5, 20, 20), (7, 30, 30))))
    judge = BoxJudge(classes(*NAMES), OUTPUT)
    right = [("RBC", 0.9, (0, 2, 2), (2, 8, 8)), ("RBC", 0.9, (5, 20, 20), (7, 30, 30))]
    shown = [
        judge.add(example("c", "", image, truth), image, truth, boxes(grid, found)).at_kji
        for found in (right[:1], [*right, ("RBC", 0.8, (3, 30, 30), (4, 36, 36))], right)
    ]
    assert shown == [(6, 25, 25), (3, 33, 33), (1, 5, 5)]
    nothing = Truth()
    assert judge.add(example("c", "", image, nothing), image, nothing, boxes(grid, [])).at_kji == (4, 20, 25)
