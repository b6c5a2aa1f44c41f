"""A copy of a dataset folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from medview.io.datasets.neutral_copy import copy_neutral
from medview.io.datasets.neutral_read import read_neutral
from tests.helpers.dataset_folders import MadeCase, segment, write_dataset

SHAPE = (3, 8, 10)


def test_a_copy_stays_as_it_is_when_labels_of_the_folder_are_written_again_in_place_or_the_folder_goes(
    tmp_path: Path,
) -> None:
    layers = np.zeros((1, *SHAPE), dtype=np.uint8)
    layers[0, :2, :4, :4] = 1
    write_dataset(
        tmp_path / "d",
        [MadeCase(np.zeros(SHAPE, dtype=np.int16), layers, [segment("Liver", 0, 1)], split="val")],
        ["Liver"],
    )
    copy_neutral(tmp_path / "d", tmp_path / "copy")
    for file in (tmp_path / "d" / "labels").iterdir():
        with file.open("r+b") as opened:
            opened.write(b"\0" * 200)
    with (tmp_path / "d" / "cases.jsonl").open("r+b") as opened:
        opened.write(b" " * 20)
    read_neutral(tmp_path / "copy", check=True)
    images = sorted((tmp_path / "copy" / "images").iterdir())
    assert [one.stat().st_nlink for one in images] == [2] * len(images), "pictures take no room twice"
    shutil.rmtree(tmp_path / "d")
    (case,) = read_neutral(tmp_path / "copy", check=True).cases
    assert np.asarray(case.image().voxels).shape == SHAPE
