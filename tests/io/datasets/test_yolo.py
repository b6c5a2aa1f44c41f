from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import ReadError, RefusedError
from medview.io.datasets.data_yaml import read_data_yaml
from medview.io.datasets.foreign import DatasetRequest
from medview.io.datasets.reading import load_labels
from medview.io.datasets.table import list_dataset
from tests.io.datasets.pictures import COLUMNS, ROWS, save_picture

YAML = "path: ../datasets/cells  # elsewhere\ntrain: images/train\nval: images/val\n"
YAML += "names:\n  0: red cell\n  1: 'white, cell'\n"


def dataset(folder: Path, text: str = "1 0.5 0.25 0.1 0.2\n", yaml: str = YAML) -> Path:
    (folder / "data.yaml").write_text(yaml)
    for split in ("train", "val"):
        save_picture(folder / "images" / split / f"{split}.png")
        (folder / "labels" / split).mkdir(parents=True)
    (folder / "labels" / "train" / "train.txt").write_text(text)
    return folder


def test_boxes_are_parts_of_the_width_and_the_height(tmp_path: Path) -> None:
    found = list_dataset("yolo", DatasetRequest(dataset(tmp_path)))
    assert [(case.key, case.split) for case in found.cases] == [
        ("images/train/train.png", "train"),
        ("images/val/val.png", "val"),
    ]
    assert found.label_names == ("red cell", "white, cell")
    labels = load_labels(found.cases[0])
    (box,) = labels.boxes
    low, high = box.bounds_kji(labels.geometry)
    wanted = [0, 0.15 * ROWS, 0.45 * COLUMNS, 1, 0.35 * ROWS, 0.55 * COLUMNS]
    np.testing.assert_allclose([*low, *high], wanted)
    assert box.label == "white, cell"
    assert load_labels(found.cases[1]).boxes == ()
    assert any("1 picture has no text file" in note for note in found.notes)


def test_outlines_become_masks(tmp_path: Path) -> None:
    outline = [(4, 2), (12, 2), (12, 9), (4, 9)]
    line = "0 " + " ".join(f"{x / COLUMNS:.9f} {y / ROWS:.9f}" for x, y in outline)
    labels = load_labels(list_dataset("yolo", DatasetRequest(dataset(tmp_path, line))).cases[0])
    assert labels.masks is not None
    (segment,) = labels.masks.segments
    wanted = np.zeros((ROWS, COLUMNS), dtype=np.bool_)
    wanted[2:9, 4:12] = True
    np.testing.assert_array_equal(labels.masks.layers[0][0] == segment.value, wanted)


@pytest.mark.parametrize(
    "text",
    [
        "names: [a, 'b, c', \"d\"]\nnc: 3\n",
        "nc: 3\nnames: [a,\n  'b, c', d]\n",
        "names:\n- a\n- b, c\n- d\ndownload: |\n  import os\n  names: [x]\n",
        "names: {0: a, 1: 'b, c', 2: d}\n",
        "# names: [x]\nnames:\n    0: a\n    1: b, c  # two words\n    2: d\n",
    ],
)
def test_names_are_read_however_they_are_listed(tmp_path: Path, text: str) -> None:
    (tmp_path / "data.yaml").write_text(text)
    assert read_data_yaml(str(tmp_path / "data.yaml")).names == {0: "a", 1: "b, c", 2: "d"}


def test_a_dataset_without_yaml_is_split_by_its_folders(tmp_path: Path) -> None:
    dataset(tmp_path)
    (tmp_path / "data.yaml").unlink()
    (tmp_path / "classes.txt").write_text("red cell\nwhite cell\n")
    found = list_dataset("yolo", DatasetRequest(tmp_path))
    assert [case.split for case in found.cases] == ["train", "val"]
    assert found.label_names == ("red cell", "white cell")


def test_an_export_of_roboflow_is_found_below_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("train: ../train/images\nval: ../valid/images\nnames: [a]\n")
    for split in ("train", "valid"):
        save_picture(tmp_path / split / "images" / f"{split}.jpg")
        (tmp_path / split / "labels").mkdir()
        (tmp_path / split / "labels" / f"{split}.txt").write_text("0 0.5 0.5 1 1\n")
    found = list_dataset("yolo", DatasetRequest(tmp_path))
    assert [case.split for case in found.cases] == ["train", "val"]
    assert len(load_labels(found.cases[1]).boxes) == 1


def test_a_text_file_without_a_picture_is_named(tmp_path: Path) -> None:
    (dataset(tmp_path) / "labels" / "val" / "planted.txt").write_text("")
    with pytest.raises(ReadError, match=r"planted\.txt has no picture"):
        list_dataset("yolo", DatasetRequest(tmp_path))


@pytest.mark.parametrize("place", ["/etc", "../../etc", "..", "C:/windows", "images/../../other"])
def test_folders_and_lists_that_lead_out_of_the_dataset_are_refused(tmp_path: Path, place: str) -> None:
    with pytest.raises(RefusedError, match="outside of its own folder"):
        list_dataset("yolo", DatasetRequest(dataset(tmp_path, yaml=f"train: {place}\nnames: [a, b]\n")))


@pytest.mark.parametrize("line", ["/etc/passwd", "../a.png", "./../a.png"])
def test_lists_of_pictures_that_lead_out_are_refused(tmp_path: Path, line: str) -> None:
    dataset(tmp_path, yaml="train: train.txt\nnames: [a, b]\n")
    (tmp_path / "train.txt").write_text(f"./images/train/train.png\n{line}\n")
    with pytest.raises(RefusedError, match=r"train\.txt names a file outside"):
        list_dataset("yolo", DatasetRequest(tmp_path))


@pytest.mark.parametrize(
    "line",
    ["x 0 0 1 1", "0 0.5 0.5", "0 0.1 0.1 0.2 0.2 0.3", "0 nan 0 1 1", "0 0.5 0.5 -1 1", "0 1e9 0 1 1", "-1 0 0 1 1", "0"],
)
def test_a_damaged_line_is_told_by_its_number(tmp_path: Path, line: str) -> None:
    if line == "0 0.1 0.1 0.2 0.2 0.3":
        line += " 0.4 0.4"
    with pytest.raises(ReadError, match=r"train\.txt is damaged: line 2"):
        list_dataset("yolo", DatasetRequest(dataset(tmp_path, f"0 0.5 0.5 1 1\n{line}\n")))


def test_a_class_that_nothing_names_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="class 2 in line 1, which nothing names"):
        list_dataset("yolo", DatasetRequest(dataset(tmp_path, "2 0.5 0.5 1 1\n")))


def test_poses_are_named_as_what_is_not_read_and_become_no_outlines(tmp_path: Path) -> None:
    line = "0 0.5 0.5 0.2 0.4 0.45 0.4 0.55 0.4 0.5 0.7"
    folder = dataset(tmp_path, line)
    (folder / "data.yaml").write_text((folder / "data.yaml").read_text() + "kpt_shape: [3, 2]\n")
    with pytest.raises(ReadError, match=r"data\.yaml is of poses \(kpt_shape\)"):
        list_dataset("yolo", DatasetRequest(folder))
