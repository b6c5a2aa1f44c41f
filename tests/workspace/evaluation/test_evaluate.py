"""A pack is judged by running it as a person would, on every case of a split."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medview.core.errors import AmbiguousError, CancelledError, ModelError, ReadError
from medview.core.job import Inline
from medview.ml.examples import ExampleSet, TrainingClass, TrueBox, Trust, Truth
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest
from medview.ml.runners.run import predict
from medview.ml.spec import Task
from medview.ml.spec_reader import read_spec
from medview.ml.spec_writer import document_of
from medview.workspace.evaluation.evaluate import evaluate_pack
from medview.workspace.evaluation.judging import EvaluationSettings
from tests.ml.small_packs import ct_volume, document, oblique_geometry, small_pack
from tests.workspace.evaluation.made import example, example_set, volume

CONTRACT = {"model", "task", "cases", "patients", "split_by", "unit", "per_class", "confusion", "ci95"}
SMALL = (10, 24, 28)


def quick_pack(folder: Path, task: str = "segmentation", **changes: Any) -> ModelPack:
    """A pack whose tiles are no larger than the volumes here."""
    if task == "classification":
        changes = {"input": {**document(task)["input"], "shape_kji": [16, 32, 32]}, **changes}
    else:
        changes = {"tiling": {**document(task)["tiling"], "tile_kji": [16, 32, 32]}, **changes}
    return small_pack(folder, task, **changes)


def images(count: int) -> list[Any]:
    first = ct_volume(SMALL, oblique_geometry(SMALL))
    return [replace(first, voxels=np.roll(np.asarray(first.voxels), 3 * n, axis=2)) for n in range(count)]


def names_of(task: str) -> list[str]:
    output = document(task)["output"]
    return [one if isinstance(one, str) else one["name"] for one in output.get("classes", output.get("labels"))]


def judged_set(task: str, truths: list[Truth], **more: Any) -> ExampleSet:
    cases = [example(f"case_{n}", f"p{n % 3}", one, truths[n]) for n, one in enumerate(images(len(truths)))]
    return example_set(Task(task), names_of(task), cases, **more)


def test_a_segmentation_pack_gets_a_dice_of_1_for_its_own_answers_and_the_report_has_the_keys_of_the_contract(
    tmp_path: Path,
) -> None:
    pack = quick_pack(tmp_path / "pack")
    own = [predict(PredictRequest(one, pack), Inline()) for one in images(3)]
    truths = [Truth(found.mask.on_grid(SMALL)[None]) for found in own if found.mask is not None]
    report = evaluate_pack(pack, judged_set("segmentation", truths, licence="CC0"), "val", Inline())
    told = json.loads(json.dumps(report.document(), allow_nan=False))
    assert set(told) >= CONTRACT
    assert (told["model"], told["cases"], told["patients"], told["split_by"]) == (pack.spec.id, 3, 3, "patient")
    assert [row["name"] for row in told["per_class"]] == names_of("segmentation")
    assert {"name", "dice", "surface_dice", "tolerance", "hd95", "volume_error"} <= set(told["per_class"][0])
    assert all(row["dice"] in (1.0, None) for row in told["per_class"])
    assert told["seconds"]["median"] > 0
    assert told["data"]["licence"] == "CC0"
    assert told["failed"] == []
    metrics = report.metrics()
    assert metrics["Dice, mean over classes"] == 1.0


def test_figures_of_classes_with_long_names_have_names_that_a_card_can_hold(tmp_path: Path) -> None:
    names = [f"{'lobe ' * 11}on left", f"{'lobe ' * 11}on right"]
    labels = [{**one, "name": name} for one, name in zip(document()["output"]["labels"], names, strict=True)]
    pack = quick_pack(tmp_path / "pack", output={**document()["output"], "labels": labels})
    halves = np.ones((1, *SMALL), dtype=np.uint8)
    halves[..., : SMALL[2] // 2] = 2
    truths = [Truth(np.roll(halves, n, axis=3)) for n in range(3)]
    examples = example_set(
        Task.SEGMENTATION, names, [example(f"c{n}", f"p{n}", one, truths[n]) for n, one in enumerate(images(3))]
    )
    metrics = evaluate_pack(pack, examples, "val", Inline()).metrics()
    assert len(metrics) == 9, "the mean and two classes, each with both ends of its interval"
    again = read_spec(json.dumps({**document_of(pack.spec), "card": {**document()["card"], "metrics": metrics}}))
    assert again.card.metrics == metrics


def test_boxes_below_the_packs_threshold_are_in_the_average_precision(tmp_path: Path) -> None:
    output = {**document("detection")["output"], "score_threshold": 0.9}
    pack = quick_pack(tmp_path / "pack", "detection", output=output)
    truth = Truth(boxes=(TrueBox(1, (2, 3, 4), (6, 12, 12)),))
    report = evaluate_pack(pack, judged_set("detection", [truth] * 2), "val", Inline())
    told = report.document()
    assert told["threshold"] == 0.9
    assert {"map50", "froc"} <= set(told)
    assert {"name", "ap50", "recall", "precision"} <= set(told["per_class"][0])
    high = predict(PredictRequest(images(1)[0], pack), Inline())
    assert all(box.score >= 0.9 for box in high.boxes)
    assert told["by_case"][0]["missed"] + told["by_case"][0]["classes"][0]["right"] == 1


def test_a_classification_pack_is_judged_by_its_scores(tmp_path: Path) -> None:
    pack = quick_pack(tmp_path / "pack", "classification")
    first, second = names_of("classification")
    truths = [Truth(answers={first: 1.0, second: 0.0}), Truth(answers={first: 0.0, second: 1.0})] * 2
    told = evaluate_pack(pack, judged_set("classification", truths), "val", Inline()).document()
    assert {"accuracy", "auc"} <= set(told)
    assert {"name", "precision", "recall", "f1", "auc"} <= set(told["per_class"][0])
    found = predict(PredictRequest(images(1)[0], pack), Inline())
    assert told["by_case"][0]["scores"] == {name: round(p, 6) for name, p in found.scores.items()}


def test_the_worst_cases_come_first_with_their_pictures(tmp_path: Path) -> None:
    pack = quick_pack(tmp_path / "pack")
    own = [predict(PredictRequest(one, pack), Inline()).mask for one in images(4)]
    truths = [np.zeros((1, *SMALL), dtype=np.uint8) if n == 2 else own[n].on_grid(SMALL)[None] for n in range(4)]
    settings = EvaluationSettings(worst=2)
    report = evaluate_pack(pack, judged_set("segmentation", [Truth(t) for t in truths]), "val", Inline(), settings)
    assert report.worst[0] == "case_2"
    assert len(report.worst) == 2
    assert set(report.pictures) == set(report.worst)
    assert report.pictures["case_2"].startswith(b"\x89PNG")
    without = EvaluationSettings(pictures=False)
    assert not evaluate_pack(pack, judged_set("segmentation", [Truth(truths[0])]), "val", Inline(), without).pictures


def test_a_case_the_model_cannot_run_on_is_named_and_counts_for_nothing(tmp_path: Path) -> None:
    pack = quick_pack(tmp_path / "pack")
    good = images(1)[0]
    found = predict(PredictRequest(good, pack), Inline()).mask
    truth = Truth(found.on_grid(SMALL)[None])

    def broken() -> Any:
        raise ReadError("case_1 is damaged.")

    cases = [example("case_0", "p0", good, truth), example("case_1", "p1", good, truth)]
    cases[1] = replace(cases[1], volumes=broken)
    report = evaluate_pack(pack, example_set(Task.SEGMENTATION, names_of("segmentation"), cases), "val", Inline())
    assert report.failed == (("case_1", "case_1 is damaged."),)
    assert (len(report.cases), report.patients) == (1, 1)
    assert any("did not run on 1 case" in warning for warning in report.warnings)
    with pytest.raises(ModelError, match="ran on none of the 1 cases"):
        evaluate_pack(pack, example_set(Task.SEGMENTATION, names_of("segmentation"), cases[1:]), "val", Inline())


def test_labels_nobody_looked_at_are_no_truth(tmp_path: Path) -> None:
    pack = quick_pack(tmp_path / "pack")
    truth = Truth(np.ones((1, *SMALL), dtype=np.uint8))
    cases = [example(f"c{n}", "", images(1)[0], truth, trust=t) for n, t in enumerate((Trust.UNREVIEWED, Trust.ACCEPTED))]
    report = evaluate_pack(pack, example_set(Task.SEGMENTATION, names_of("segmentation"), cases), "val", Inline())
    assert (len(report.cases), report.left_out, report.patients) == (1, 1, None)
    assert report.document()["split_by"] == "image"
    with pytest.raises(ModelError, match="no labelled case is in the split test"):
        evaluate_pack(pack, example_set(Task.SEGMENTATION, names_of("segmentation"), cases), "test", Inline())


def test_classes_that_do_not_match_are_told_with_what_each_side_has(tmp_path: Path) -> None:
    pack = quick_pack(tmp_path / "pack")
    first, second = names_of("segmentation")
    truth = Truth(np.ones((1, *SMALL), dtype=np.uint8))
    cases = [example("c", "p", images(1)[0], truth)]
    other = example_set(Task.SEGMENTATION, [first.upper(), "Cyst"], cases)
    with pytest.raises(AmbiguousError, match=f"{first}, {second} and the labels are of {first.upper()}, Cyst"):
        evaluate_pack(pack, other, "val", Inline())
    report = evaluate_pack(pack, other, "val", Inline(), EvaluationSettings(common=True))
    assert [row["name"] for row in report.document()["per_class"]] == [first]


def test_classes_are_the_same_by_code_whatever_they_are_called(tmp_path: Path) -> None:
    labels = document()["output"]["labels"]
    labels[0]["code"] = {"value": "39607008", "scheme": "SCT", "meaning": "Lung"}
    pack = quick_pack(tmp_path / "pack", output={**document()["output"], "labels": labels})
    truth = Truth(np.full((1, *SMALL), 2, dtype=np.uint8))
    coded = TrainingClass("Lunge", code={"value": "39607008", "scheme": "SCT", "meaning": "Lung"})
    second = names_of("segmentation")[1]
    found = replace(
        example_set(Task.SEGMENTATION, [], [example("c", "p", images(1)[0], truth)]),
        classes=(TrainingClass(second), coded),
    )
    report = evaluate_pack(pack, found, "val", Inline())
    assert [row["name"] for row in report.document()["per_class"]] == names_of("segmentation")


def test_cancel_is_heard_between_cases(tmp_path: Path) -> None:
    pack, context = quick_pack(tmp_path / "pack"), Inline()
    context.cancel()
    truth = Truth(np.ones((1, *SMALL), dtype=np.uint8))
    with pytest.raises(CancelledError):
        evaluate_pack(pack, judged_set("segmentation", [truth]), "val", context)


def test_a_model_of_another_task_or_of_more_channels_is_refused(tmp_path: Path) -> None:
    pack = quick_pack(tmp_path / "pack")
    truth = Truth(answers={"a": 1.0})
    with pytest.raises(ModelError, match="is a model for segmentation and the labels are for classification"):
        evaluate_pack(pack, judged_set("classification", [truth]), "val", Inline())
    several = example_set(
        Task.SEGMENTATION, names_of("segmentation"), [example("c", "p", volume(oblique_geometry(SMALL)), Truth())]
    )
    one = several.examples[0]
    two = replace(several, examples=(replace(one, volumes=lambda: (*one.volumes(), *one.volumes())),))
    with pytest.raises(ModelError, match="looks at 1 images at once and the case has 2"):
        evaluate_pack(pack, two, "val", Inline())
