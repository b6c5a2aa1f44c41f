"""What each case adds comes to the figures of the classes again, also after it was written down."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medview.core.job import Inline
from medview.ml.examples import TrueBox, Truth
from medview.workspace.evaluation.case_parts import ClassFigure, Part
from medview.workspace.evaluation.evaluate import evaluate_pack
from medview.workspace.evaluation.judging import EvaluationSettings
from medview.workspace.evaluation.report import EvaluationReport
from tests.workspace.evaluation.made import blobs, example, example_set
from tests.workspace.evaluation.test_evaluate import SMALL, images, names_of, quick_pack

COUNT = 5


def judged(task: str, folder: Path) -> EvaluationReport:
    """A model of random weights on cases of which some have nothing of a class."""
    names = names_of(task)
    image = images(1)[0]
    truths = []
    for n in range(COUNT):
        if task == "detection":
            truths.append(Truth(boxes=(TrueBox(1, (n, 2, 3), (n + 4, 14, 18)),) if n else ()))
        elif task == "classification":
            truths.append(Truth(answers={names[0]: float(n % 2), names[1]: float(1 - n % 2)}))
        else:
            truths.append(Truth(blobs(SMALL, n)[None] * (n > 0), frozenset({2} if n == 3 else ())))
    cases = [
        example(f"c{n}", f"p{n // 2}", replace(image, voxels=np.roll(image.voxels, n, 1)), truth)
        for n, truth in enumerate(truths)
    ]
    pack = quick_pack(folder, task)
    settings = EvaluationSettings(pictures=False)
    return evaluate_pack(pack, example_set(pack.spec.task, names, cases), "val", Inline(), settings)


@pytest.mark.parametrize(("task", "figure"), [("segmentation", "dice"), ("detection", "ap50"), ("classification", "f1")])
def test_parts_of_all_cases_are_the_figure_of_a_class(task: str, figure: str, tmp_path: Path) -> None:
    report = judged(task, tmp_path / "pack")
    figures = report.figures
    assert figures.class_figure == figure
    assert set(figures.parts) == set(figures.items) == {f"c{n}" for n in range(COUNT)}
    kept = json.loads(json.dumps({key: {n: p.document() for n, p in own.items()} for key, own in figures.parts.items()}))
    for row in figures.per_class:
        known = [key for key in figures.items if row["name"] in kept[key]]
        found = ClassFigure([Part.of_document(kept[key][row["name"]]) for key in known])
        value = float(found(np.ones((1, len(known)), dtype=np.int64))[0])
        assert value == pytest.approx(np.nan if row[figure] is None else row[figure], nan_ok=True)
        # Nobody said anything of the second class in one of the cases.
        assert len(known) == COUNT - (task == "segmentation" and row["name"] == names_of(task)[1])


def test_what_is_no_part_is_refused() -> None:
    for said in (
        {},
        {"above": 1, "below": 1},
        {"above": 0, "below": 0, "score": None, "hits": [1], "scores": [], "truths": 1},
    ):
        with pytest.raises((KeyError, TypeError, ValueError)):
            Part.of_document(said)
