"""Boxes of readers over cases."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from medview.analysis.agreement.reader_boxes import box_rows, box_summary
from medview.analysis.agreement.reader_rows import CaseReadings
from medview.analysis.agreement.readings import Reading
from medview.core.box_annotation import BoxAnnotation
from medview.core.case_labels import CaseLabels
from medview.core.key_image import KeyImage
from medview.core.marks import Marks
from tests.analysis.agreement.masks import grid
from tests.analysis.agreement.readers import reading

Corner = tuple[int, int, int]


def _box(label: str, low: Corner, high: Corner) -> BoxAnnotation:
    return BoxAnnotation.on_grid(f"{label} {low}", label, grid(), low, high)


def _reading(reader: str, *boxes: BoxAnnotation) -> Reading:
    return replace(reading(reader, {}), boxes=boxes)


def _case(number: int, patient: str) -> CaseReadings:
    nodule, other = _box("Nodule", (2, 5, 5), (5, 15, 15)), _box("nodule", (2, 6, 5), (5, 15, 15))
    extra, cyst = _box("Nodule", (8, 20, 20), (10, 30, 30)), _box("Cyst", (8, 20, 20), (10, 30, 30))
    first = (nodule, extra) if number else (nodule,)
    return CaseReadings(f"case {number}", patient, (_reading("Ada", *first), _reading("Ben", other, cyst)))


def test_a_row_for_every_label_that_either_reader_used() -> None:
    documents = [row.document() for row in box_rows(_case(1, "p"))]
    assert json.loads(json.dumps(documents)) == documents
    cyst, nodule = documents
    assert (cyst["label"], cyst["first_boxes"], cyst["second_boxes"], cyst["sensitivity"], cyst["f1"]) == (
        "Cyst",
        0,
        1,
        None,
        0,
    )
    assert (nodule["label"], nodule["pairs"], nodule["sensitivity"], nodule["precision"]) == ("Nodule", 1, 0.5, 1.0)
    assert nodule["mean_iou"] == pytest.approx(0.9)
    assert box_rows(_case(1, "p"), pairs=[("Ben", "Ada")])[0].document()["first_reader"] == "Ben"


def test_the_summary_pools_boxes_and_draws_patients() -> None:
    lines = box_summary(row for n in range(3) for row in box_rows(_case(n, f"patient {n}")))
    nodule = next(line for line in lines if line.label == "Nodule")
    assert (nodule.cases, nodule.first_boxes, nodule.second_boxes) == (3, 5, 3)
    assert (nodule.sensitivity.value, nodule.precision.value, nodule.f1.value) == pytest.approx((0.6, 1.0, 0.75))
    assert (nodule.sensitivity.low, nodule.sensitivity.high) == pytest.approx((0.5, 1.0))
    assert nodule.mean_iou.value == pytest.approx(0.9)
    assert json.dumps(nodule.document())


def test_boxes_on_slices_that_one_of_both_has_not_done_are_left_out_and_counted() -> None:
    nodule, later = _box("Nodule", (2, 5, 5), (5, 15, 15)), _box("Nodule", (8, 20, 20), (11, 30, 30))
    ada, ben = _reading("Ada", nodule), _reading("Ben", nodule, later)
    partial = replace(ada, marks=Marks(frozenset(range(6))))
    for readings in ((partial, ben), (replace(partial, boxes=(nodule, later)), ben)):
        (row,) = box_rows(CaseReadings("c", "p", readings))
        found = row.document()
        assert (found["first_boxes"], found["second_boxes"], found["precision"], found["f1"]) == (1, 1, 1.0, 1.0)
        assert found["left_out"] == len(readings[0].boxes)
        (line,) = box_summary([row])
        assert (line.left_out, line.flat()["left_out"], line.precision.value) == (len(readings[0].boxes),) * 2 + (1.0,)
    (row,) = box_rows(CaseReadings("c", "p", (ada, ben)))
    assert (row.agreement.precision, row.agreement.left_out) == (0.5, 0), "nobody marks slices"


def test_a_pair_across_the_last_slice_that_is_done_counts() -> None:
    inside, beyond = _box("Nodule", (3, 5, 5), (7, 15, 15)), _box("Nodule", (4, 5, 5), (9, 15, 15))
    ada = replace(_reading("Ada", inside), marks=Marks(frozenset(range(6))))
    (row,) = box_rows(CaseReadings("c", "p", (ada, _reading("Ben", beyond))))
    found = row.agreement
    assert (len(found.pairs), found.first_count, found.second_count, found.left_out) == (1, 1, 1, 0)


def test_a_reading_of_labels_holds_their_boxes_and_nothing_is_copied() -> None:
    labels = CaseLabels.empty(grid())
    labels.annotations["b"] = _box("Nodule", (2, 5, 5), (5, 15, 15))
    labels.annotations["k"] = KeyImage("k", (0.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    found = Reading.of("Ada", labels)
    assert [box.label for box in found.boxes] == ["Nodule"]
    assert found.segmentation is labels.segmentation
