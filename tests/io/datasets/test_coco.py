from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as judge

from medview.core.errors import GeometryError, MedViewError, ReadError, RefusedError
from medview.core.segmentation import SegmentRole
from medview.io.datasets.foreign import DatasetRequest
from medview.io.datasets.reading import load_labels
from medview.io.datasets.table import list_dataset
from tests.io.datasets.pictures import COLUMNS, ROWS, holed_mask, save_picture

PICTURE = {"id": 7, "file_name": "a.png", "width": COLUMNS, "height": ROWS}
CATEGORIES = [{"id": 3, "name": "nodule"}, {"id": 9, "name": "vessel"}]


def dataset(folder: Path, annotations: list[Any], pictures: list[Any] | None = None, name: str = "boxes.json") -> Path:
    for n, picture in enumerate(pictures or [PICTURE]):
        file = folder / "images" / str(picture["file_name"])
        if ".." not in file.parts and file.is_relative_to(folder):
            save_picture(file, seed=n)
    document = {"images": pictures or [PICTURE], "annotations": annotations, "categories": CATEGORIES}
    (folder / name).write_text(json.dumps(document))
    return folder


def thing(**more: Any) -> dict[str, Any]:
    return {"id": 1, "image_id": 7, "category_id": 3, "bbox": [2.5, 4.0, 10.0, 6.25], **more}


def test_boxes_keep_their_place_score_and_attributes(tmp_path: Path) -> None:
    found = list_dataset(
        "coco", DatasetRequest(dataset(tmp_path, [thing(score=0.75, attributes={"calcified": True, "mm": 4})]))
    )
    assert found.label_names == ("nodule", "vessel")
    labels = load_labels(found.cases[0])
    (box,) = labels.boxes
    low, high = box.bounds_kji(labels.geometry)
    np.testing.assert_allclose([*low, *high], [0, 4, 2.5, 1, 10.25, 12.5])
    assert (box.label, box.score, box.flat_edge) == ("nodule", 0.75, 0)
    assert [(one.name, one.words) for one in box.attributes] == [("calcified", "yes"), ("mm", "4")]


def test_masks_are_those_of_pycocotools_however_they_are_packed(tmp_path: Path) -> None:
    mask = holed_mask()
    text = judge.encode(np.asfortranarray(mask.astype(np.uint8)))
    runs = [int(n) for n in np.diff(np.flatnonzero(np.diff([-1, *mask.ravel("F").astype(int), -1])))]
    packed = thing(segmentation={"size": [ROWS, COLUMNS], "counts": text["counts"].decode()})
    plain = thing(id=2, category_id=9, segmentation={"size": [ROWS, COLUMNS], "counts": runs})
    labels = load_labels(list_dataset("coco", DatasetRequest(dataset(tmp_path, [packed, plain]))).cases[0])
    assert labels.masks is not None
    assert not labels.boxes
    assert [segment.name for segment in labels.masks.segments] == ["nodule", "vessel"]
    for segment in labels.masks.segments:
        np.testing.assert_array_equal(labels.masks.layers[segment.layer_id][0] == segment.value, mask)


def test_several_things_of_a_kind_are_numbered_in_a_group_and_a_crowd_is_unsure(tmp_path: Path) -> None:
    square = [[5, 5, 9, 5, 9, 9.5, 7, 11]]
    annotations = [
        thing(segmentation=square),
        thing(id=2, segmentation=[[20, 5, 29, 5, 25, 9]]),
        thing(id=3, iscrowd=1, segmentation={"size": [ROWS, COLUMNS], "counts": [0, ROWS * COLUMNS]}),
    ]
    labels = load_labels(list_dataset("coco", DatasetRequest(dataset(tmp_path, annotations))).cases[0])
    assert labels.masks is not None
    one, two, crowd = labels.masks.segments
    assert (one.name, one.group, two.name) == ("nodule 1", "nodule", "nodule 2")
    assert crowd.role is SegmentRole.IGNORE
    assert one.layer_id == two.layer_id != crowd.layer_id


def test_a_polygon_that_is_only_the_box_stays_a_box(tmp_path: Path) -> None:
    same = thing(segmentation=[[2.5, 4, 12.5, 4, 12.5, 10.25, 2.5, 10.25]])
    labels = load_labels(list_dataset("coco", DatasetRequest(dataset(tmp_path, [same]))).cases[0])
    assert len(labels.boxes) == 1
    assert labels.masks is None


def test_each_split_has_its_file_and_folder(tmp_path: Path) -> None:
    for split, count in (("train", 3), ("val", 1)):
        pictures = [{**PICTURE, "id": n, "file_name": f"{split}{n}.png"} for n in range(count)]
        for picture in pictures:
            save_picture(tmp_path / f"{split}2017" / str(picture["file_name"]))
        (tmp_path / "annotations").mkdir(exist_ok=True)
        document = {"images": pictures, "annotations": [], "categories": CATEGORIES}
        (tmp_path / "annotations" / f"instances_{split}2017.json").write_text(json.dumps(document))
        (tmp_path / "annotations" / f"captions_{split}2017.json").write_text("{}")
    found = list_dataset("coco", DatasetRequest(tmp_path))
    assert [case.split for case in found.cases] == ["train", "train", "train", "val"]


def test_an_export_of_roboflow_has_its_list_beside_the_pictures(tmp_path: Path) -> None:
    for split in ("train", "valid", "test"):
        save_picture(tmp_path / split / "a.jpg", seed=len(split))
        document = {"images": [{**PICTURE, "file_name": "a.jpg"}], "annotations": [thing()], "categories": CATEGORIES}
        (tmp_path / split / "_annotations.coco.json").write_text(json.dumps(document))
    found = list_dataset("coco", DatasetRequest(tmp_path))
    assert sorted((case.split, Path(case.images[0].path).parent.name) for case in found.cases) == [
        ("test", "test"),
        ("train", "train"),
        ("val", "valid"),
    ]
    assert len({case.key for case in found.cases}) == 3
    assert all(len(load_labels(case).boxes) == 1 for case in found.cases)


def test_pictures_that_are_listed_and_missing_are_named_and_those_in_no_list_are_told(tmp_path: Path) -> None:
    dataset(tmp_path, [thing()])
    save_picture(tmp_path / "images" / "more.png")
    assert any("more.png" in note for note in list_dataset("coco", DatasetRequest(tmp_path)).notes)
    (tmp_path / "images" / "a.png").unlink()
    with pytest.raises(ReadError, match=r"lists a\.png, which is not there"):
        list_dataset("coco", DatasetRequest(tmp_path))


def test_a_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    dataset(tmp_path, [thing()])
    save_picture(tmp_path / "images" / "a.png", ROWS + 1)
    found = list_dataset("coco", DatasetRequest(tmp_path))
    with pytest.raises(GeometryError, match="another size"):
        load_labels(found.cases[0])


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../secret.png", "a/../../secret.png", "C:\\secret.png", "\\\\host\\share\\a.png", "..\\secret.png"],
)
def test_names_that_lead_out_of_the_dataset_are_refused(tmp_path: Path, name: str) -> None:
    save_picture(tmp_path / "secret.png")
    inner = tmp_path / "inner"
    inner.mkdir()
    with pytest.raises(RefusedError, match="outside of its own folder"):
        list_dataset("coco", DatasetRequest(dataset(inner, [], [{**PICTURE, "file_name": name}])))


@pytest.mark.parametrize(
    "annotation",
    [
        {"image_id": 7, "category_id": 3},
        thing(category_id=4),
        thing(bbox=[1, 2, -3, 4]),
        thing(bbox=[1, 2, float("nan"), 4]),
        thing(bbox=[1, 2, 3]),
        thing(segmentation=[[1, 2, 3, 4, 5, 6, 7]]),
        thing(segmentation={"counts": "x"}),
        thing(image_id="first"),
        "nothing",
    ],
)
def test_a_damaged_entry_is_told_by_its_number(tmp_path: Path, annotation: Any) -> None:
    with pytest.raises(ReadError, match="annotation 2"):
        list_dataset("coco", DatasetRequest(dataset(tmp_path, [thing(), annotation])))


@pytest.mark.parametrize(
    "segmentation",
    [
        {"size": [1 << 20, 1 << 20], "counts": [1 << 40]},
        {"size": [ROWS, COLUMNS], "counts": "zzzz"},
        {"size": [ROWS, COLUMNS], "counts": [3]},
        {"size": [COLUMNS, ROWS], "counts": [ROWS * COLUMNS]},
    ],
)
def test_masks_that_do_not_fill_their_picture_are_refused(tmp_path: Path, segmentation: Any) -> None:
    found = list_dataset("coco", DatasetRequest(dataset(tmp_path, [thing(segmentation=segmentation)])))
    with pytest.raises(MedViewError):
        load_labels(found.cases[0])


@pytest.mark.parametrize(
    "text", ["", "[", "[]", "{}", '{"images": [], "annotations": {}, "categories": []}', "[" * 100_000]
)
def test_files_that_are_no_coco_are_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "boxes.json").write_text(text)
    with pytest.raises(ReadError, match=r"boxes\.json"):
        list_dataset("coco", DatasetRequest(tmp_path))
