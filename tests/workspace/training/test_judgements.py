"""What is known of a model on single cases is found again by what the cases are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medview.io.datasets.checksums import read_checksums
from medview.io.datasets.neutral_read import NeutralDataset
from medview.ml.spec import Task
from medview.workspace.training import judgements
from medview.workspace.training.examples import examples_of
from medview.workspace.training.judgements import case_prints
from tests.helpers.dataset_folders import MadeCase, segment, write_dataset


def made(folder: Path, *sizes: int) -> NeutralDataset:
    """A case for each size of what is drawn, all on the same picture."""
    cases = []
    for size in sizes:
        layers = np.zeros((1, 3, 8, 10), dtype=np.uint8)
        layers[0, :, :size] = 1
        cases.append(MadeCase(np.zeros((3, 8, 10), dtype=np.int16), layers, [segment("Liver", 0, 1)]))
    return write_dataset(folder, cases, ["Liver"])


def prints(dataset: NeutralDataset) -> list[str]:
    return list(case_prints(dataset, examples_of(dataset, Task.SEGMENTATION)).values())


def test_a_case_has_one_print_whatever_it_is_called_and_another_when_its_labels_change(tmp_path: Path) -> None:
    first, second = prints(made(tmp_path / "a", 3, 5))
    assert first != second
    assert prints(made(tmp_path / "b", 5, 3)) == [second, first]


def test_the_files_of_a_dataset_are_looked_through_once_however_many_cases_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    class Counted(dict[str, str]):
        def items(self) -> Any:
            looks.append(1)
            return super().items()

    monkeypatch.setattr(judgements, "read_checksums", lambda folder: Counted(read_checksums(folder)))
    prints(made(tmp_path / "a", 2, 3, 4, 5))
    assert len(looks) == 1
