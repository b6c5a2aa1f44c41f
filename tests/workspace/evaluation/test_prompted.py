"""A model that finds objects from prompts is clicked at by a simulated person, and stands beside growing without one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from medview.core.box import Box
from medview.core.job import Inline
from medview.core.prompt_log import NOTHING, HeldVoxels
from medview.core.volume import Volume
from medview.ml.examples import UNKNOWN, Truth
from medview.ml.packs import ModelPack
from medview.ml.spec import Task
from medview.workspace.evaluation.evaluate import evaluate_pack
from medview.workspace.evaluation.judging import EvaluationSettings
from medview.workspace.evaluation.model_card import TrainingFacts, model_card
from medview.workspace.evaluation.page import report_page
from medview.workspace.evaluation.prompted import CLICKS, followed
from tests.ml.runners.test_interactive import ball, known_pack, plain, volume_of
from tests.workspace.evaluation.made import example, example_set

Mask = npt.NDArray[np.bool_]
SETTINGS = EvaluationSettings(device="cpu")
GRID = plain()


@pytest.fixture
def pack(tmp_path: Path) -> ModelPack:
    return known_pack(tmp_path / "pack", tile=32)


def case() -> tuple[Volume, Mask, Mask]:
    near, far = ball(GRID, (14, 18, 18), 5.0), ball(GRID, (14, 38, 48), 7.0)
    return volume_of(GRID, near | far), near, far


def test_every_object_is_clicked_at_and_told_beside_growing(pack: ModelPack) -> None:
    volume, near, far = case()
    layers = np.where(near, 1, np.where(far, 2, 0)).astype(np.uint8)[None]
    examples = example_set(Task.INTERACTIVE, ("near", "far"), [example("a", "p", volume, Truth(layers))])
    report = evaluate_pack(pack, examples, "val", Inline(), SETTINGS)
    document = report.document()
    assert [row["name"] for row in document["per_class"]] == ["near", "far"]
    for row in document["per_class"]:
        assert row["objects"] == 1
        # What is bright is found whole with the first click, by the model and by growing.
        assert row["dice_1"] == pytest.approx(1.0, abs=0.02)
        assert row["growing_1"] > 0.9
        assert row["dice_5"] >= row["dice_1"] - 0.02
    (told,) = document["by_case"]
    assert [one["class"] for one in told["objects"]] == ["near", "far"]
    assert all(len(one["dice"]) == CLICKS for one in told["objects"])
    assert document["curves"]["model"][0] == [1, pytest.approx(1.0, abs=0.02)]
    assert {"Dice after 1 click", "Growing alone: Dice after 5 clicks"} <= set(report.metrics())
    parts = report.figures.parts["a"]
    assert {name: (part.below, part.above) for name, part in parts.items()} == {
        row["name"]: (1.0, row["dice_3"]) for row in document["per_class"]
    }
    assert (report.figures.class_figure, report.figures.items, report.figures.patients) == ("dice_3", ("a",), ("p",))
    # The place it really ran on, whatever was asked for.
    assert evaluate_pack(pack, examples, "val", Inline(), EvaluationSettings(device="auto")).speed.device in ("cpu", "cuda")
    times = np.array([2])
    assert all(one.statistic(times) == pytest.approx(one.interval.value) for one in report.figures.headlines)
    page = report_page(document, {})
    assert "From a click to the mask" in page
    assert "growing, 3 clicks" not in page.split("By class")[0]
    facts = TrainingFacts("interactive-clicks", "", 0, 1, "steps", 1.0, "2026-01-01", machine="here")
    assert "somebody points at" in model_card(report, None, facts)


def test_labels_of_a_segmentation_are_objects_too_and_what_nobody_knows_counts_for_nothing(pack: ModelPack) -> None:
    volume, near, far = case()
    layers = near.astype(np.uint8)[None].copy()
    # The part beyond the middle of the near ball is not known.
    layers[0, :, 18:36] = UNKNOWN
    examples = example_set(Task.SEGMENTATION, ("near",), [example("a", "p", volume, Truth(layers))])
    report = evaluate_pack(pack, examples, "val", Inline(), SETTINGS)
    assert report.document()["per_class"][0]["dice_1"] == pytest.approx(1.0, abs=0.02)
    assert far.any()


def test_what_is_drawn_is_known_also_where_another_layer_knows_nothing(pack: ModelPack) -> None:
    volume, near, far = case()
    layers = np.stack([near, far]).astype(np.uint8)
    layers[1, far] = 2
    # Nothing more was looked for on the upper slices of the first class, nor on any of the second.
    layers[0, :14][layers[0, :14] == 0] = UNKNOWN
    layers[1][layers[1] == 0] = UNKNOWN
    examples = example_set(Task.SEGMENTATION, ("near", "far"), [example("a", "p", volume, Truth(layers))], exclusive=False)
    report = evaluate_pack(pack, examples, "val", Inline(), SETTINGS)
    for row in report.document()["per_class"]:
        assert row["objects"] == 1
        assert row["dice_1"] == pytest.approx(1.0, abs=0.02)


def test_cases_without_an_object_have_a_report_without_figures(pack: ModelPack) -> None:
    volume, _, _ = case()
    layers = np.zeros((1, *GRID.shape_kji), dtype=np.uint8)
    examples = example_set(Task.INTERACTIVE, ("near",), [example("a", "p", volume, Truth(layers))])
    report = evaluate_pack(pack, examples, "val", Inline(), SETTINGS)
    document = report.document()
    assert document["curves"]["model"] == [[n, None] for n in range(1, CLICKS + 1)]
    assert "From a click to the mask" in report_page(document, {})
    facts = TrainingFacts("interactive-clicks", "", 0, 1, "steps", 1.0, "2026-01-01", machine="here")
    assert "somebody points at" in model_card(report, None, facts)


def test_a_person_says_nothing_more_once_all_is_right() -> None:
    volume, near, _ = case()
    held = HeldVoxels.of(Box.whole(GRID.shape_kji), near)
    asked = []
    course, found = followed(lambda prompts: asked.append(len(prompts)) or held, volume, held, ~near & near, Inline())
    assert asked == [1]
    assert course.dice == (1.0,) * CLICKS
    assert np.array_equal(found, near)
    course, _ = followed(lambda prompts: NOTHING, volume, held, ~near & near, Inline())
    assert course.dice == (0.0,) * CLICKS
    assert len(course.seconds) == CLICKS
