"""Two models are compared on the same cases, with the same patients drawn for both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medview.analysis.agreement.bootstrap import difference_interval
from medview.core.job import Inline
from medview.ml.examples import TrueBox, Truth
from medview.ml.predict import PredictRequest
from medview.ml.runners.run import predict
from medview.workspace.evaluation.comparison import BETTER, NOT_SHOWN, WORSE, compare
from medview.workspace.evaluation.evaluate import evaluate_pack
from medview.workspace.evaluation.judging import EvaluationSettings
from medview.workspace.evaluation.page import report_page
from medview.workspace.evaluation.report import EvaluationReport
from tests.workspace.evaluation.made import example, example_set
from tests.workspace.evaluation.test_evaluate import SMALL, images, judged_set, names_of, quick_pack

QUIET = EvaluationSettings(pictures=False)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[EvaluationReport, EvaluationReport]:
    """A model that is right everywhere, and another with other random weights."""
    folder = tmp_path_factory.mktemp("packs")
    good, poor = quick_pack(folder / "good"), quick_pack(folder / "poor", seed=6, id="poor", version="0.9")
    truths = [predict(PredictRequest(one, good), Inline()).mask for one in images(5)]
    examples = judged_set("segmentation", [Truth(one.on_grid(SMALL)[None]) for one in truths if one is not None])
    first, second = (evaluate_pack(pack, examples, "val", Inline(), QUIET) for pack in (good, poor))
    return first, second


def test_a_better_model_is_called_better_and_the_other_way_round_worse(
    both: tuple[EvaluationReport, EvaluationReport],
) -> None:
    good, poor = both
    found = compare(good, poor)
    assert (found["model"], found["version"], found["same_cases"]) == ("poor", "0.9", True)
    told = [row for row in found["figures"] if row["difference"] is not None]
    assert "dice" in [row["name"] for row in told]
    for row in told:
        assert row["verdict"] == BETTER
        assert row["difference"] == pytest.approx(row["value"] - row["other"])
        assert 0 < row["low"] <= row["difference"] <= row["high"]
    worse = [row["verdict"] for row in compare(poor, good)["figures"] if row["difference"] is not None]
    assert set(worse) == {WORSE}
    assert {row["verdict"] for row in compare(good, good)["figures"]} == {NOT_SHOWN}


def test_the_interval_of_one_class_is_that_of_paired_differences(
    both: tuple[EvaluationReport, EvaluationReport],
) -> None:
    good, poor = both
    name = names_of("segmentation")[0]
    dices = [
        [next(one["dice"] for one in case.judgement.row["classes"] if one["name"] == name) for case in report.cases]
        for report in (poor, good)
    ]
    wanted = difference_interval(*dices, [case.patient for case in good.cases])
    row = next(row for row in compare(good, poor)["figures"] if row["name"] == f"dice.{name}")
    assert (row["difference"], row["low"], row["high"]) == pytest.approx((wanted.value, wanted.low, wanted.high))


def test_models_that_ran_on_other_cases_are_not_compared(both: tuple[EvaluationReport, EvaluationReport]) -> None:
    good, poor = both
    fewer = replace(poor, figures=replace(poor.figures, items=poor.figures.items[1:]))
    found = compare(good, fewer)
    assert (found["same_cases"], found["figures"]) == (False, [])
    page = report_page({**good.document(), "comparison": found}, {})
    assert "both did not run on the same cases" in page
    page = report_page({**good.document(), "comparison": compare(good, poor)}, {})
    assert "Beside" in page
    assert BETTER in page


def test_figures_over_all_classes_are_not_compared_where_the_classes_differ(
    both: tuple[EvaluationReport, EvaluationReport],
) -> None:
    good, poor = both
    one_class = replace(poor, figures=replace(poor.figures, per_class=poor.figures.per_class[:1]))
    assert "dice" not in {row["name"] for row in compare(good, one_class)["figures"]}


@pytest.mark.parametrize("task", ["detection", "classification"])
def test_boxes_and_scores_are_compared_as_well(task: str, tmp_path: Path) -> None:
    if task == "detection":
        truths = [Truth(boxes=(TrueBox(1, (1, 2, 3), (5, 9, 12)),))] * 3
    else:
        first, second = names_of(task)
        truths = [Truth(answers={first: float(n % 2), second: float(1 - n % 2)}) for n in range(4)]
    image = images(1)[0]
    cases = [example(f"c{n}", f"p{n}", replace(image, voxels=np.roll(image.voxels, n, 1)), t) for n, t in enumerate(truths)]
    examples = example_set(quick_pack(tmp_path / "a", task).spec.task, names_of(task), cases)
    packs = [quick_pack(tmp_path / str(seed), task, seed=seed) for seed in (5, 6)]
    reports = [evaluate_pack(pack, examples, "val", Inline(), QUIET) for pack in packs]
    rows = compare(*reports)["figures"]
    assert [row["name"] for row in rows] == [one.name for one in reports[0].figures.headlines]
    for row, headline in zip(rows, reports[0].figures.headlines, strict=True):
        assert row["value"] == headline.interval.value
