"""Which class of a model is which of the labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from medview.ml.examples import TrainingClass
from medview.workspace.evaluation.matching import counterparts, match_classes
from medview.workspace.evaluation.own_examples import folder_examples
from tests.helpers.dataset_folders import write_dataset
from tests.ml.small_packs import document
from tests.workspace.evaluation.test_evaluate import quick_pack
from tests.workspace.evaluation.test_own_examples import drawn

KIDNEY = {"value": "64033007", "scheme": "SCT", "meaning": "Kidney"}
OURS = ("SCT", "64033007")


def kidneys(*names: str) -> list[TrainingClass]:
    return [TrainingClass(name, code=KIDNEY) for name in names]


@pytest.mark.parametrize(
    ("model", "labels", "expected"),
    [
        (["Right kidney"], ["Left kidney", "Right kidney"], {0: 2}),
        (["Left kidney", "Right kidney"], ["Right kidney"], {1: 1}),
        (["Right kidney", "Left kidney"], ["Left kidney", "right  KIDNEY"], {0: 2, 1: 1}),
        (["Niere"], ["Kidney"], {0: 1}),
    ],
)
def test_a_left_and_a_right_one_of_one_code_are_told_apart_by_name(
    model: list[str], labels: list[str], expected: dict[int, int]
) -> None:
    assert counterparts([(name, OURS) for name in model], kidneys(*labels)) == expected


def test_a_model_of_both_sides_is_not_judged_by_the_other_side_where_one_alone_is_drawn(tmp_path: Path) -> None:
    names = ["Left kidney", "Right kidney"]
    labels = [{"value": n, "name": name, "code": KIDNEY} for n, name in enumerate(names, start=1)]
    both = quick_pack(tmp_path / "both", output={**document()["output"], "labels": labels})
    codes = dict.fromkeys(names, KIDNEY)
    write_dataset(tmp_path / "d", [drawn("Right kidney")], names, codes=codes)
    found = folder_examples(tmp_path / "d", [both.spec])
    paired = [(one.name, one.truth_name) for one in match_classes(both.spec, found)]
    assert paired == [("Left kidney", "Left kidney"), ("Right kidney", "Right kidney")]


def test_a_model_of_one_side_is_not_judged_by_the_other_side_that_alone_is_drawn(tmp_path: Path) -> None:
    names = ["Left kidney", "Right kidney"]
    labels = [{"value": 1, "name": "Left kidney", "code": KIDNEY}]
    network = {"name": "unet3d", "kwargs": {"in_channels": 1, "classes": 2, "channels": [4, 6]}}
    left = quick_pack(tmp_path / "left", network=network, output={**document()["output"], "labels": labels})
    write_dataset(tmp_path / "d", [drawn("Right kidney")], names, codes=dict.fromkeys(names, KIDNEY))
    found = folder_examples(tmp_path / "d", [left.spec])
    assert [(one.name, one.truth_name) for one in match_classes(left.spec, found, common=True)] == [
        ("Left kidney", "Left kidney")
    ]
