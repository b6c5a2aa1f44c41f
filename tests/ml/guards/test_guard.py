"""Labels that would make a model look better than it is, or teach it nothing, are caught before it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.pixel_hash import pixels_sha256
from medview.core.prediction import PredictedSegment
from medview.core.volume import Rescale, Volume
from medview.ml.examples import Example, ExampleSet, TrainingClass, TrueBox, Trust, Truth, slice_key
from medview.ml.guards.finding import GuardReport, Severity
from medview.ml.guards.guard import guard
from medview.ml.outputs import SegmentationOutput
from medview.ml.spec import Task
from tests.ml.small_packs import small_pack

SHAPE = (5, 12, 14)
GRID = Geometry.from_spacing(SHAPE, (3.0, 1.0, 0.8))


def volume(seed: int, geometry: Geometry = GRID, **more: Any) -> Volume:
    values = np.random.default_rng(seed).integers(0, 1000, geometry.shape_kji).astype(np.int16)
    return Volume(values, geometry, **{"modality": "CT", "unit": "HU", "rescale": Rescale(1.0, -500.0), **more})


def truth(*values: int) -> Truth:
    layer = np.zeros(SHAPE, dtype=np.uint8)
    for n, value in enumerate(values):
        layer[n, 2:5] = value
    return Truth(layer[None])


def case(
    number: int, patient: str, split: str, image: Volume | None = None, said: Truth | None = None, **more: Any
) -> Example:
    own, told = image or volume(number), said or truth(1, 2)
    return Example(f"case_{number}", patient, split, lambda: (own,), lambda: told, pixels_sha256(own), **more)


def sound() -> list[Example]:
    return [case(n, f"P{n}", "train" if n < 5 else "val" if n < 7 else "test") for n in range(8)]


def labelled(examples: Sequence[Example], task: Task = Task.SEGMENTATION, **more: Any) -> ExampleSet:
    return ExampleSet(task, (TrainingClass("Anterior"), TrainingClass("Posterior")), ("CT",), tuple(examples), **more)


def found(examples: Sequence[Example], **more: Any) -> GuardReport:
    return guard(labelled(examples, **more), Inline())


def codes(report: GuardReport) -> list[tuple[str, str]]:
    return [(one.code, one.severity.value) for one in report.findings]


def test_sound_labels_are_found_sound() -> None:
    report = found(sound())
    assert report.findings == ()
    assert not report.blocked


def test_a_patient_in_two_splits_is_caught() -> None:
    report = found([*sound(), case(9, "P2", "val")])
    assert codes(report) == [("same-patient", "block")]
    assert report.findings[0].cases == ("case_2", "case_9")
    assert "P2 has cases in train and val (case_2 (train), case_9 (val))" in report.findings[0].sentence
    assert codes(found([*sound(), case(9, "P2", "train")])) == []


def test_the_same_pixels_in_two_splits_are_caught_though_the_patients_have_other_names() -> None:
    report = found([*sound(), case(9, "P9", "test", volume(3))])
    assert codes(report) == [("same-pixels", "block")]
    assert report.findings[0].cases == ("case_3", "case_9")


@pytest.mark.parametrize("how", ["dtype", "rescaled", "framed", "padded", "float"])
def test_the_same_picture_is_caught_in_another_dtype_with_another_rescale_or_in_a_frame(how: str) -> None:
    first = volume(3)
    values = first.values()
    copies = {
        "dtype": lambda: replace(first, voxels=first.voxels.astype(np.int32), rescale=Rescale(1.0, -500.0)),
        "rescaled": lambda: replace(first, voxels=(first.voxels.astype(np.int32) * 3 + 7), rescale=Rescale()),
        "float": lambda: replace(first, voxels=values * np.float32(0.37) + np.float32(11.0), rescale=Rescale()),
        "framed": lambda: Volume(
            np.pad(first.voxels, ((0, 2), (3, 1), (2, 2)), constant_values=-2000),
            Geometry.from_spacing((7, 16, 18), (3.0, 1.0, 0.8)),
            "CT",
            "HU",
        ),
        "padded": lambda: Volume(
            np.pad(first.voxels, ((1, 0), (0, 5), (0, 0)), constant_values=-32768),
            Geometry.from_spacing((6, 17, 14), (3.0, 1.0, 0.8)),
            "CT",
            "HU",
            padding=(-32768, -32768),
        ),
    }
    copy = copies[how]()
    assert pixels_sha256(copy) != pixels_sha256(first)
    said = Truth(np.ones((1, *copy.geometry.shape_kji), dtype=np.uint8))
    report = found([*sound(), case(9, "P9", "val", copy, said)])
    assert ("same-pixels", "block") in codes(report)


def test_one_changed_voxel_makes_another_picture() -> None:
    other = np.array(volume(3).voxels)
    other[2, 5, 5] = 1001
    assert codes(found([*sound(), case(9, "P9", "val", replace(volume(3), voxels=other))])) == []


def test_a_picture_twice_in_training_is_told_and_stops_nothing() -> None:
    report = found([*sound(), case(9, "P9", "train", volume(3))])
    assert codes(report) == [("same-pixels", "warn")]


def test_pictures_of_one_value_are_not_taken_for_each_other() -> None:
    flat = [replace(volume(n), voxels=np.full(SHAPE, n, dtype=np.int16)) for n in (20, 21)]
    report = found([*sound(), case(20, "P20", "train", flat[0]), case(21, "P21", "val", flat[1])])
    assert "same-pixels" not in [code for code, _ in codes(report)]


def test_labels_of_a_model_that_nobody_looked_at_are_no_truth_to_judge_by() -> None:
    one, two = sound()[1], sound()[5]
    rest = [example for example in sound() if example.key not in (one.key, two.key)]
    report = found([*rest, replace(one, trust=Trust.UNREVIEWED), replace(two, trust=Trust.UNREVIEWED)])
    assert codes(report) == [("unreviewed", "block"), ("unreviewed", "warn")]
    assert "case_5 (val)" in report.findings[0].sentence


def test_nothing_labelled_at_all_stops_and_a_class_nobody_shows_is_asked_about() -> None:
    empty = [replace(one, truth=truth) for one in sound()]
    assert codes(found(empty)) == [("empty", "block"), ("empty", "block")]
    only = [replace(one, truth=lambda: truth(1)) for one in sound()]
    assert codes(found(only)) == [("no-examples", "confirm"), ("no-examples", "confirm")]


def answered(train: Sequence[float], val: Sequence[float]) -> GuardReport:
    """Whether one finding is there in each case."""
    examples = [
        case(n, f"P{n}", split, said=Truth(answers={"Nodule": value}))
        for n, (split, value) in enumerate([*(("train", one) for one in train), *(("val", one) for one in val)])
    ]
    return guard(ExampleSet(Task.CLASSIFICATION, (TrainingClass("Nodule"),), ("CT",), tuple(examples)), Inline())


def test_what_cannot_be_planned_stops_a_training_before_anybody_confirms_it() -> None:
    assert codes(answered([1, 0, 1, 0], [1, 0])) == []
    none, all_of_them = answered([0, 0, 0, 0], [1, 0]), answered([1, 1, 1, 1], [1, 0])
    assert codes(none) == codes(all_of_them) == [("no-examples", "block")]
    assert none.findings[0].sentence.startswith("No training case shows Nodule")
    assert all_of_them.findings[0].sentence.startswith("All training cases have Nodule")
    boxes = [replace(one, truth=lambda: Truth(boxes=(TrueBox(1, (0, 1, 1), (1, 5, 5)),))) for one in sound()]
    difficult = TrueBox(2, (0, 1, 1), (1, 5, 5), difficult=True)
    boxes[0] = replace(boxes[0], truth=lambda: Truth(boxes=(TrueBox(1, (0, 1, 1), (1, 5, 5)), difficult)))
    drawn = guard(labelled(boxes, Task.DETECTION), Inline())
    assert codes(drawn) == [("no-examples", "block"), ("no-examples", "confirm")]


def test_validation_cases_that_are_all_without_a_finding_are_answered_ones() -> None:
    report = answered([1, 0, 1, 0], [0, 0])
    assert codes(report) == [("no-examples", "confirm")]
    assert report.findings[0].sentence.startswith("No validation case shows Nodule")


def test_many_empty_cases_are_told() -> None:
    cases = [replace(one, truth=truth) if one.key in ("case_0", "case_1", "case_2") else one for one in sound()]
    assert codes(found(cases)) == [("empty", "warn")]


def test_a_class_of_one_patient_only_is_asked_about() -> None:
    cases = [
        one if one.key == "case_1" or one.split != "train" else replace(one, truth=lambda: truth(1)) for one in sound()
    ]
    report = found(cases)
    assert codes(report) == [("few-patients", "confirm")]
    assert "All training examples of Posterior are of one patient (1 case)" in report.findings[0].sentence


def test_slices_of_one_scan_are_of_one_patient_though_nobody_knows_of_which() -> None:
    split = {0: "train", 1: "train", 2: "train", 3: "val", 4: "val"}
    there = {0: 0.0, 1: 1.0, 2: 1.0, 3: 0.0, 4: 1.0}
    slices = [
        replace(case(n, "", split[n], said=Truth(answers={"Nodule": there[n]})), key=slice_key(f"scan-{split[n]}", n))
        for n in split
    ]
    report = guard(ExampleSet(Task.CLASSIFICATION, (TrainingClass("Nodule"),), ("CT",), tuple(slices)), Inline())
    assert ("few-patients", "confirm") in codes(report)
    (few,) = (one for one in report.findings if one.code == "few-patients")
    assert "of one patient (2 cases)" in few.sentence


def test_a_split_without_cases_stops_training() -> None:
    assert ("no-cases", "block") in codes(found([one for one in sound() if one.split != "val"]))


def test_unknown_patients_are_told() -> None:
    report = found([replace(one, patient="") for one in sound()], by_patient=False)
    assert codes(report) == [("by-image", "warn")]
    assert {row.patients for row in (*report.classes, *report.splits)} == {None}


def test_many_pictures_that_stand_twice_are_one_finding() -> None:
    more = [case(10 + n, f"Q{n}", "val" if n else "train", volume(n)) for n in range(5)]
    report = found([*sound(), *more])
    assert codes(report) == [("same-pixels", "block"), ("same-pixels", "warn")]
    block = report.findings[0]
    assert len(block.cases) == 8
    assert block.sentence.count("hold the same picture") == 3
    assert "; and 1 more; leave out" in block.sentence


def test_a_case_of_another_spacing_another_turn_or_other_values_is_named() -> None:
    coarse = volume(9, Geometry.from_spacing(SHAPE, (3.0, 4.0, 3.2)))
    assert codes(found([*sound(), case(9, "P9", "train", coarse)])) == [("spacing", "warn")]
    turned = np.array(GRID.affine_lps)[:, [1, 0, 2, 3]]
    other = volume(9, Geometry(SHAPE, turned))
    assert ("orientation", "warn") in codes(found([*sound(), case(9, "P9", "train", other)]))
    shifted = volume(9, rescale=Rescale(1.0, 700.0))
    report = found([*sound(), case(9, "P9", "train", shifted)])
    assert codes(report) == [("intensity", "warn")]
    assert report.findings[0].cases == ("case_9",)


def test_two_units_are_asked_about_and_two_modalities_told() -> None:
    assert codes(found([*sound(), case(9, "P9", "train", volume(9, unit=""))])) == [("mixed-unit", "confirm")]
    assert codes(found([*sound(), case(9, "P9", "train", volume(9, modality="MR"))])) == [("mixed-modality", "warn")]


def test_pictures_without_millimetres_have_no_spacing_to_compare() -> None:
    grid = Geometry.from_spacing((1, 12, 14), (1.0, 1.0, 1.0), calibration=Calibration.PIXELS)
    said = Truth(boxes=(TrueBox(1, (0, 1, 1), (1, 5, 5)), TrueBox(2, (0, 4, 4), (1, 9, 9))))
    cases = [case(n, f"P{n}", "train" if n < 5 else "val", volume(n, grid), said) for n in range(8)]
    report = guard(labelled(cases, Task.DETECTION), Inline())
    assert report.findings == ()
    assert report.unit == "boxes"


def test_classes_other_than_those_of_the_parent_are_asked_about(tmp_path: Path) -> None:
    parent = small_pack(tmp_path / "pack").spec
    report = guard(labelled(sound()), Inline(), parent)
    assert codes(report) == [("parent", "confirm")]
    assert "new: Anterior, Posterior" in report.findings[0].sentence
    assert "none goes on" in report.findings[0].sentence
    answers = [replace(one, truth=lambda: Truth(answers={"Anterior": 1.0})) for one in sound()]
    other = guard(labelled(answers, Task.CLASSIFICATION), Inline(), parent)
    assert other.findings[0].severity is Severity.BLOCK


def test_classes_that_go_on_are_named_and_harmless_changes_are_only_told(tmp_path: Path) -> None:
    spec = small_pack(tmp_path / "pack").spec
    assert isinstance(spec.output, SegmentationOutput)
    labels = tuple(PredictedSegment(n, name, (9, 9, 9)) for n, name in enumerate(("posterior", "Anterior "), 1))
    parent = replace(spec, output=SegmentationOutput(labels))
    told = guard(labelled(sound()), Inline(), parent).findings
    assert [(one.severity, one.code) for one in told] == [(Severity.WARN, "parent")]
    assert "in another order" in told[0].sentence
    labels = (*labels[:1], replace(labels[1], name="Front"))
    parent = replace(spec, output=SegmentationOutput(labels))
    told = guard(labelled(sound()), Inline(), parent).findings
    assert "new: Anterior; gone: Front); Posterior goes on" in told[0].sentence
    renamed = guard(labelled(sound()), Inline(), parent, {"front": "anterior"}).findings
    assert [one.severity for one in renamed] == [Severity.WARN]
    assert "renamed: Front as Anterior" in renamed[0].sentence


def test_images_of_other_channels_or_values_than_the_parents_are_asked_about(tmp_path: Path) -> None:
    spec = small_pack(tmp_path / "pack").spec
    labels = tuple(PredictedSegment(n, name, (9, 9, 9)) for n, name in enumerate(("Anterior", "Posterior"), 1))
    two = (replace(spec.input.channels[0], name="PET"), replace(spec.input.channels[0], name="T1"))
    both = replace(spec, output=SegmentationOutput(labels), input=replace(spec.input, channels=two))
    told = guard(labelled(sound()), Inline(), both).findings
    assert [(one.severity, one.code) for one in told] == [(Severity.CONFIRM, "parent")]
    assert "mean of the 2" in told[0].sentence
    other = replace(both, input=replace(spec.input, channels=(replace(two[0], modality=("MR",), unit="SUV"),)))
    told = guard(labelled(sound()), Inline(), other).findings
    assert [one.severity for one in told] == [Severity.CONFIRM, Severity.CONFIRM]
    assert "unit SUV and there are some of HU" in told[0].sentence


def test_the_table_of_classes_counts_voxels_cases_and_patients_by_split() -> None:
    open_case = case(9, "P0", "train", said=replace(truth(1), open_classes=frozenset({2})))
    report = found([*sound(), open_case])
    rows = {(row.name, row.split): row for row in report.classes}
    row = rows["Posterior", "train"]
    assert (row.cases, row.patients, row.amount, row.not_known) == (5, 5, 5 * 3 * SHAPE[2], 1)
    assert (rows["Anterior", "train"].cases, rows["Anterior", "train"].patients) == (6, 5)
    assert [(one.split, one.cases, one.patients) for one in report.splits] == [
        ("train", 6, 5),
        ("val", 2, 2),
        ("test", 1, 1),
    ]
    assert report.document()["unit"] == "voxels"


def test_answers_that_exclude_each_other_are_known_once_one_is() -> None:
    cases = [
        replace(one, truth=lambda n=n: Truth(answers={("Anterior", "Posterior")[n % 2]: 1.0}))
        for n, one in enumerate(sound())
    ]
    report = guard(labelled(cases, Task.CLASSIFICATION), Inline())
    assert report.findings == ()
    assert {(row.name, row.split): (row.amount, row.not_known) for row in report.classes}["Anterior", "train"] == (3, 0)


def test_no_sentence_names_more_than_a_few_cases() -> None:
    many = [case(n, "P", "train" if n % 2 else "val") for n in range(40)]
    sentence = found(many).findings[0].sentence
    assert "and 35 more" in sentence
    assert len(sentence) < 250
