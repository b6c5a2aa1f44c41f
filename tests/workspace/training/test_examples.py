"""What a dataset folder tells a model: classes, what is unknown, whose labels, and what is to be learnt of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medview.core.errors import AmbiguousError, ModelError
from medview.core.job import Inline
from medview.io.datasets.neutral_read import read_neutral
from medview.io.reader_pool import InlinePool
from medview.ml.examples import UNKNOWN, Trust
from medview.ml.spec import Task
from medview.store.project import Project
from medview.workspace.export_selection import ExportRun, Include
from medview.workspace.neutral_export import export_neutral
from medview.workspace.training.examples import examples_of
from tests.helpers.dataset_folders import MODEL, MadeCase, box, segment, write_dataset
from tests.workspace.exported import labelled

SHAPE = (3, 8, 10)


def voxels(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> Any:
    return np.random.default_rng(seed).integers(0, 200, shape).astype(np.int16)


def layer(*boxes: tuple[int, tuple[slice, ...]]) -> Any:
    found = np.zeros(SHAPE, dtype=np.uint8)
    for value, where in boxes:
        found[where] = value
    return found


UPPER = (slice(0, 2), slice(0, 4), slice(0, 4))
LOWER = (slice(1, 3), slice(5, 8), slice(2, 9))


def test_classes_are_numbered_from_one_and_instances_of_a_group_are_one_class(tmp_path: Path) -> None:
    layers = np.stack([layer((7, UPPER), (9, LOWER))])
    segments = [segment("Nodule 1", 0, 7, group="Nodule"), segment("Nodule 2", 0, 9, group="Nodule")]
    found = examples_of(
        write_dataset(tmp_path / "d", [MadeCase(voxels(), layers, segments)], ["Lung", "Nodule"]), Task.SEGMENTATION
    )
    assert [one.name for one in found.classes] == ["Nodule"]
    assert "Not learnt, since nobody drew them: Lung." in found.warnings
    truth = found.examples[0].truth()
    assert truth.layers is not None
    np.testing.assert_array_equal(truth.layers, (layers > 0).astype(np.uint8))
    (volume,) = found.examples[0].volumes()
    np.testing.assert_array_equal(volume.voxels, voxels())
    assert found.channels == ("MR",)


def test_what_nobody_drew_is_open_what_is_unsure_or_on_slices_not_done_is_unknown(tmp_path: Path) -> None:
    layers = np.stack([layer((1, UPPER)), layer((1, LOWER))])
    segments = [segment("Lung", 0, 1), segment("Unsure", 1, 1, role="ignore")]
    said = {"done_slices": {"k": [1], "j": [6], "i": []}}
    both = MadeCase(voxels(1), np.stack([layer((1, UPPER), (2, LOWER))]), [segment("Lung", 0, 1), segment("Cyst", 0, 2)])
    dataset = write_dataset(tmp_path / "d", [MadeCase(voxels(), layers, segments, said=said), both], ["Lung", "Cyst"])
    found = examples_of(dataset, Task.SEGMENTATION)
    truth = found.examples[0].truth()
    assert truth.layers is not None
    assert truth.open_classes == {2}
    expected = np.full(SHAPE, UNKNOWN, dtype=np.uint8)
    expected[1] = 0
    expected[:, 6] = 0
    expected[UPPER] = 1
    expected[LOWER] = UNKNOWN
    np.testing.assert_array_equal(truth.layers, expected[None])
    assert found.examples[1].truth().open_classes == frozenset()
    assert found.exclusive


def test_classes_that_overlap_stay_in_layers_of_their_own(tmp_path: Path) -> None:
    layers = np.stack([layer((1, UPPER)), layer((4, (slice(0, 3), slice(2, 6), slice(1, 3))))])
    dataset = write_dataset(
        tmp_path / "d", [MadeCase(voxels(), layers, [segment("Lung", 0, 1), segment("Cyst", 1, 4)])], ["Lung", "Cyst"]
    )
    found = examples_of(dataset, Task.SEGMENTATION)
    truth = found.examples[0].truth()
    assert not found.exclusive
    assert truth.layers is not None
    np.testing.assert_array_equal(truth.layers[1] == 2, layers[1] == 4)


def test_labels_of_models_say_so_and_are_not_reviewed_until_the_case_is_done(tmp_path: Path) -> None:
    layers = np.stack([layer((1, UPPER))])
    one = segment("Lung", 0, 1, source=MODEL)
    cases = [
        MadeCase(voxels(0), layers, [one]),
        MadeCase(voxels(1), layers, [one], said={"status": "in work"}),
        MadeCase(voxels(2), layers, [{**one, "source": {**MODEL, "corrected": True}}]),
    ]
    found = examples_of(write_dataset(tmp_path / "d", cases, ["Lung"]), Task.SEGMENTATION)
    assert [example.trust for example in found.examples] == [Trust.ACCEPTED, Trust.UNREVIEWED, Trust.HUMAN]


def test_boxes_come_with_classes_and_cases_without_any_are_negatives(tmp_path: Path) -> None:
    drawn = [box("WBC", (0, 1.5, 2), (1, 4, 6.25)), box("RBC", (0, 0, 0), (1, 2, 2), difficult=True)]
    picture = np.random.default_rng(0).integers(0, 255, (1, 9, 12, 3)).astype(np.uint8)
    partly = MadeCase(picture, said={"done_slices": {"k": [], "j": [], "i": []}})
    dataset = write_dataset(tmp_path / "d", [MadeCase(picture, said={"drawn": drawn}), MadeCase(picture), partly])
    found = examples_of(dataset, Task.DETECTION)
    assert [one.name for one in found.classes] == ["RBC", "WBC"]
    assert found.channels == ("red", "green", "blue")
    first, second = (example.truth() for example in found.examples)
    assert [(b.number, b.min_kji, b.max_kji, b.difficult) for b in first.boxes] == [
        (2, (0, 1.5, 2), (1, 4, 6.25), False),
        (1, (0, 0, 0), (1, 2, 2), True),
    ]
    assert second.boxes == ()
    np.testing.assert_array_equal(np.stack([v.voxels for v in found.examples[0].volumes()], axis=-1), picture)
    assert any("some of its slices only" in sentence for sentence in found.warnings)


def test_names_that_are_longer_than_packs_hold_are_cut_and_stay_different(tmp_path: Path) -> None:
    long = [f"{'suspicious abnormality, biopsy should be considered ' * 3}{end}" for end in ("yes", "no")]
    layers = np.stack([layer((1, UPPER), (2, LOWER))])
    drawn = [box(long[0], (0, 1, 2), (1, 4, 6)), box(long[1], (0, 0, 0), (1, 2, 2))]
    masks = MadeCase(
        voxels(), layers, [segment(long[0], 0, 1), segment(long[1], 0, 2)],
        said={"drawn": drawn, "answers": [question("Risk", long[0])]},
    )  # fmt: skip
    other = MadeCase(voxels(1), said={"drawn": drawn, "answers": [question("Risk", long[1])]})
    dataset = write_dataset(tmp_path / "d", [masks, other], long)
    for task, most in ((Task.SEGMENTATION, 64), (Task.DETECTION, 64), (Task.CLASSIFICATION, 80)):
        found = examples_of(dataset, task)
        first, second = (one.name for one in found.classes)
        assert first != second
        assert max(len(first), len(second)) <= most
        assert long[0].startswith(first) or long[1].startswith(first)
    assert [sorted(example.truth().answers.values()) for example in found.examples] == [[0.0, 1.0]] * 2
    assert set(found.examples[0].truth().answers) == {first, second}


def test_three_equal_channels_are_grey(tmp_path: Path) -> None:
    from medview.workspace.training.channels import grey_channels

    grey = voxels(shape=(1, 4, 5)).astype(np.uint8)
    dataset = write_dataset(tmp_path / "d", [MadeCase(np.stack([grey] * 3, axis=-1))])
    (volume,) = grey_channels(dataset.cases[0].image(), 1)
    np.testing.assert_array_equal(volume.voxels, grey)
    assert not volume.colour


def label(name: str, says: str = "present", **more: Any) -> dict[str, Any]:
    return {"label": name, "probability": None, "source": "hand", "says": says, **more}


def question(words: str, *options: str, level: str = "series", k: int = 0) -> dict[str, Any]:
    target = {"level": level} | ({"slice": k + 1} if level == "slice" else {})
    return {
        "target": target, "form": "F", "form_uid": "f", "form_version": 1, "question": words, "question_uid": f"q.{words}",
        "answer": [{"uid": one.lower(), "text": one} for one in options], "unit": "", "standing": "answered",
    }  # fmt: skip


def test_one_label_for_every_image_excludes_the_others(tmp_path: Path) -> None:
    cases = [MadeCase(voxels(n), said={"image_labels": [label(("normal", "sick")[n % 2])]}) for n in range(3)]
    found = examples_of(write_dataset(tmp_path / "d", [*cases, MadeCase(voxels(9))]), Task.CLASSIFICATION)
    assert found.exclusive
    assert [dict(example.truth().answers) for example in found.examples] == [
        {"normal": 1.0, "sick": 0.0},
        {"normal": 0.0, "sick": 1.0},
        {"normal": 1.0, "sick": 0.0},
    ]
    assert "1 case is left out: nothing is answered in it." in found.warnings


def test_findings_that_are_each_present_or_absent_are_learnt_side_by_side_or_alone(tmp_path: Path) -> None:
    said = [
        [label("effusion"), label("nodule")],
        [label("effusion", "absent"), label("nodule", "not sure")],
        [label("nodule", "absent")],
    ]
    dataset = write_dataset(tmp_path / "d", [MadeCase(voxels(n), said={"image_labels": s}) for n, s in enumerate(said)])
    found = examples_of(dataset, Task.CLASSIFICATION)
    assert not found.exclusive
    assert [dict(example.truth().answers) for example in found.examples] == [
        {"effusion": 1.0, "nodule": 1.0},
        {"effusion": 0.0},
        {"nodule": 0.0},
    ]
    alone = examples_of(dataset, Task.CLASSIFICATION, "nodule")
    assert [dict(example.truth().answers) for example in alone.examples] == [{"nodule": 1.0}, {"nodule": 0.0}]


def test_several_questions_have_to_be_told_apart(tmp_path: Path) -> None:
    answers = [question("Quality", "Good"), question("Sides", "Left", "Right")]
    dataset = write_dataset(tmp_path / "d", [MadeCase(voxels(), said={"answers": answers, "image_labels": [label("x")]})])
    with pytest.raises(AmbiguousError, match="--target: labels, Quality, Sides"):
        examples_of(dataset, Task.CLASSIFICATION)
    with pytest.raises(AmbiguousError, match="no question or label Colour"):
        examples_of(dataset, Task.CLASSIFICATION, "Colour")
    sides = examples_of(dataset, Task.CLASSIFICATION, "Sides")
    assert not sides.exclusive
    assert dict(sides.examples[0].truth().answers) == {"Left": 1.0, "Right": 1.0}
    with pytest.raises(AmbiguousError, match="--target is for classification"):
        examples_of(dataset, Task.DETECTION, "Sides")


def test_answers_about_slices_make_examples_of_one_slice_where_it_lies(tmp_path: Path) -> None:
    answers = [question("Motion", "Bad", level="slice", k=2), question("Motion", "Good", level="slice", k=0)]
    dataset = write_dataset(tmp_path / "d", [MadeCase(voxels(), said={"answers": answers})])
    found = examples_of(dataset, Task.CLASSIFICATION)
    assert [example.key for example in found.examples] == ["case_0001_k0002", "case_0001_k0000"]
    (volume,) = found.examples[0].volumes()
    np.testing.assert_array_equal(volume.voxels, voxels()[2:])
    whole = dataset.cases[0].image().geometry
    np.testing.assert_allclose(volume.geometry.point_lps_mm((0, 3, 4)), whole.point_lps_mm((2, 3, 4)))
    assert dict(found.examples[0].truth().answers) == {"Bad": 1.0, "Good": 0.0}


def test_nothing_to_learn_is_one_sentence(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "d", [MadeCase(voxels())])
    for task in (Task.SEGMENTATION, Task.DETECTION, Task.CLASSIFICATION):
        with pytest.raises(ModelError):
            examples_of(dataset, task)


def test_a_project_with_all_that_labels_can_be_becomes_examples_of_every_task(tmp_path: Path) -> None:
    made = labelled(tmp_path / "in", unsure=True)
    with Project.open(made.project, read_only=True) as project:
        run = ExportRun("dataset", include=Include.DONE)
        export_neutral(run, project, tmp_path / "out", Inline(), InlinePool(), lambda _: None)
    dataset = read_neutral(tmp_path / "out")
    masks = examples_of(dataset, Task.SEGMENTATION)
    assert [one.name for one in masks.classes] == ["Lung", "Nodule", "Lobe"]
    assert not masks.exclusive
    assert masks.by_patient
    truth, drawn = masks.examples[0].truth(), made.drawn[0]
    assert truth.layers is not None
    unsure = drawn.mask(drawn.segments[-1])
    lung, lobe = drawn.mask(drawn.segments[0]) & ~unsure, drawn.mask(drawn.segments[3]) & ~unsure
    np.testing.assert_array_equal((truth.layers == 1).any(axis=0), lung)
    np.testing.assert_array_equal((truth.layers == 3).any(axis=0), lobe)
    assert (truth.layers[:, unsure] == UNKNOWN).all()
    boxes = examples_of(dataset, Task.DETECTION)
    assert boxes.examples[0].truth().boxes[0].min_kji == pytest.approx((1, 3, 5))
    quality = examples_of(dataset, Task.CLASSIFICATION)
    assert dict(quality.examples[0].truth().answers) == {"Good": 1.0}
