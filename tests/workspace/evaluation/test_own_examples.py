"""What a project or a dataset folder tells of the classes that a model is judged on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from medview.workspace.evaluation.matching import match_classes
from medview.workspace.evaluation.own_examples import folder_examples
from tests.helpers.dataset_folders import MadeCase, segment, write_dataset
from tests.ml.small_packs import document
from tests.workspace.evaluation.test_evaluate import names_of, quick_pack

SHAPE = (3, 8, 10)


def drawn(name: str, **said: Any) -> MadeCase:
    """A case in which one class is drawn."""
    layers = np.zeros((1, *SHAPE), dtype=np.uint8)
    layers[0, :2, :4, :4] = 1
    return MadeCase(np.zeros(SHAPE, dtype=np.int16), layers, [segment(name, 0, 1)], split="val", said=said)


def test_a_class_nobody_drew_here_is_nowhere_where_it_was_ruled_out_and_open_where_nobody_looked(tmp_path: Path) -> None:
    first, second = names_of("segmentation")
    pack = quick_pack(tmp_path / "pack")
    cases = [drawn(first), drawn(first, unknown=[], absent=[second])]
    write_dataset(tmp_path / "d", cases, [second, "Cyst", first])
    found = folder_examples(tmp_path / "d", [pack.spec])
    assert [one.name for one in found.classes] == [first, second]
    assert [example.truth().open_classes for example in found.examples] == [{2}, frozenset()]


def test_a_class_nobody_drew_here_is_known_by_its_code_whatever_it_is_called(tmp_path: Path) -> None:
    first, second = names_of("segmentation")
    code = {"value": "10200004", "scheme": "SCT", "meaning": "Liver"}
    labels = document()["output"]["labels"]
    labels[1]["code"] = code
    pack = quick_pack(tmp_path / "pack", output={**document()["output"], "labels": labels})
    write_dataset(tmp_path / "d", [drawn(first)], ["Leber", first], codes={"Leber": code})
    found = folder_examples(tmp_path / "d", [pack.spec])
    assert [(one.model, one.truth_name) for one in match_classes(pack.spec, found)] == [(0, first), (1, "Leber")]
    # Another class of that name stays out where the code tells which it is.
    write_dataset(tmp_path / "both", [drawn(first)], [second, "Leber", first], codes={"Leber": code})
    assert [one.name for one in folder_examples(tmp_path / "both", [pack.spec]).classes] == [first, "Leber"]


def test_classes_that_either_of_two_models_finds_are_known(tmp_path: Path) -> None:
    first, second = names_of("segmentation")
    labels = [{"value": 1, "name": first}, {"value": 2, "name": "Kidney"}]
    pack = quick_pack(tmp_path / "pack")
    other = quick_pack(tmp_path / "other", output={**document()["output"], "labels": labels})
    write_dataset(tmp_path / "d", [drawn(first)], [first, second, "Kidney", "Cyst"])
    found = folder_examples(tmp_path / "d", [pack.spec, other.spec])
    assert [one.name for one in found.classes] == [first, second, "Kidney"]
    assert found.examples[0].truth().open_classes == {2, 3}
