"""A model and a dataset by their names come to a report; what is wrong with them is told before anything is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from medview.core.errors import AmbiguousError, ModelError
from medview.core.job import Inline
from medview.io.datasets.foreign import DatasetRequest
from medview.io.reader_pool import InlinePool
from medview.workspace.evaluation import evaluated
from medview.workspace.evaluation.evaluated import EvaluationRun, evaluate
from tests.helpers.dataset_folders import write_dataset
from tests.ml.small_packs import document
from tests.workspace.evaluation.test_evaluate import names_of, quick_pack
from tests.workspace.evaluation.test_own_examples import drawn


def test_a_model_to_compare_with_that_does_not_fit_is_refused_before_the_first_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = names_of("segmentation")
    pack = quick_pack(tmp_path / "pack")
    labels = [{"value": 1, "name": first}, {"value": 2, "name": "Kidney"}]
    classes = quick_pack(tmp_path / "classes", output={**document()["output"], "labels": labels})
    channel = document()["input"]["channels"][0]
    channels = quick_pack(
        tmp_path / "channels",
        input={**document()["input"], "channels": [channel, "other"]},
        network={**document()["network"], "kwargs": {**document()["network"]["kwargs"], "in_channels": 2}},
    )
    task = quick_pack(tmp_path / "task", "classification")
    write_dataset(tmp_path / "d", [drawn(first), drawn(second)], [first, second])

    def never(*_: object) -> None:
        raise AssertionError("a model was run")

    monkeypatch.setattr(evaluated, "evaluate_pack", never)
    for other, error, said in (
        (classes, AmbiguousError, "Kidney, .* has no counterpart"),
        (channels, ModelError, "looks at 2 images at once and the cases have 1"),
        (task, ModelError, "is a model for classification"),
    ):
        run = EvaluationRun(str(pack.folder), DatasetRequest(tmp_path / "d"), against=str(other.folder))
        with pytest.raises(error, match=said):
            evaluate(run, Inline(), InlinePool(), tmp_path / "room")
