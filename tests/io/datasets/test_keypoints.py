"""COCO keypoints become points of their thing, and points become keypoints, by the numbers pycocotools reads."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from medview.core.attributes import Attribute
from medview.core.errors import ReadError
from medview.core.trace import Trace, TraceKind
from medview.core.vector import triple
from medview.io.datasets.dataset_case import DatasetCase
from medview.io.datasets.fingerprint import labels_sha256
from medview.io.datasets.foreign import DatasetRequest, FoundLabels
from medview.io.datasets.reading import load_labels
from medview.io.datasets.shapes import PictureShape, PictureShapes
from medview.io.datasets.table import list_dataset
from medview.io.datasets.writers import losses, write_dataset
from tests.io.datasets.labelled import GRID, SHAPE, boxes, volume_of
from tests.io.datasets.pictures import COLUMNS, ROWS, save_picture

# The judge's own arrays are of an older numpy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")

HIP = {"id": 3, "name": "hip", "keypoints": ["head", "neck", "shaft"], "skeleton": [[1, 2], [2, 3]]}
VALVE = {"id": 5, "name": "valve", "keypoints": ["valve"]}
HIPS = [
    {"id": 1, "image_id": 7, "category_id": 3, "bbox": [2, 3, 12, 9], "area": 80, "iscrowd": 0,
     "num_keypoints": 2, "keypoints": [4, 5, 2, 0, 0, 0, 9.5, 10.25, 1]},
    {"id": 2, "image_id": 7, "category_id": 3, "bbox": [20, 3, 12, 9], "area": 80, "iscrowd": 0,
     "num_keypoints": 3, "keypoints": [22, 4, 2, 24, 6, 2, 30, 11, 2]},
    {"id": 3, "image_id": 7, "category_id": 5, "bbox": [17, 20, 1, 1], "area": 1, "iscrowd": 0,
     "num_keypoints": 1, "keypoints": [17, 20, 2], "attributes": {"calcified": True}},
]  # fmt: skip


def dataset(folder: Path, annotations: list[dict[str, Any]], name: str = "person_keypoints_train.json") -> Path:
    save_picture(folder / "images" / "a.png")
    picture = {"id": 7, "file_name": "a.png", "width": COLUMNS, "height": ROWS}
    document = {"images": [picture], "annotations": annotations, "categories": [HIP, VALVE]}
    (folder / name).write_text(json.dumps(document))
    return folder


def judge_of(path: Path) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def said(found: FoundLabels) -> list[tuple[str, list[float], dict[str, str]]]:
    """Return label, row and column, and attributes of every point."""
    return [
        (
            one.label,
            [round(float(n), 4) for n in one.points_kji(found.geometry)[0]],
            {each.name: each.words for each in one.attributes},
        )
        for one in found.points
    ]


def test_points_of_things_keep_their_name_place_thing_and_whether_they_are_seen(tmp_path: Path) -> None:
    found = load_labels(list_dataset("coco", DatasetRequest(dataset(tmp_path, HIPS))).cases[0])
    first, second = {"of": "hip", "thing": "1"}, {"of": "hip", "thing": "2"}
    assert said(found) == [
        ("head", [0, 5, 4], first),
        ("shaft", [0, 10.25, 9.5], first | {"hidden": "yes"}),
        ("head", [0, 4, 22], second),
        ("neck", [0, 6, 24], second),
        ("shaft", [0, 11, 30], second),
        ("valve", [0, 20, 17], {"calcified": "yes"}),
    ]
    assert all(one.kind is TraceKind.POINT for one in found.points)
    # A box that is no more than the point stays none.
    assert [box.label for box in found.boxes] == ["hip", "hip"]
    assert found.notes == ()


def test_keypoints_beside_a_file_of_boxes_wait_until_they_are_named(tmp_path: Path) -> None:
    boxes_only = [{key: value for key, value in one.items() if key != "keypoints"} for one in HIPS[:2]]
    dataset(tmp_path, boxes_only, "instances_train.json")
    dataset(tmp_path, HIPS)
    plain = list_dataset("coco", DatasetRequest(tmp_path))
    assert not load_labels(plain.cases[0]).points
    assert any("the same pictures: person_keypoints_train.json" in note for note in plain.notes)
    by_name = DatasetRequest(tmp_path, labels=tmp_path / "person_keypoints_train.json")
    assert len(load_labels(list_dataset("coco", by_name).cases[0]).points) == 6


@pytest.mark.parametrize("keypoints", [[4, 5], [4, "x", 2], 7])
def test_damaged_keypoints_are_named(tmp_path: Path, keypoints: Any) -> None:
    with pytest.raises(ReadError, match=r"person_keypoints_train\.json is damaged: its annotation 1"):
        list_dataset("coco", DatasetRequest(dataset(tmp_path, [HIPS[0] | {"keypoints": keypoints}])))


def point(name: str, index_kji: Any, *attributes: Attribute) -> Trace:
    place = triple(GRID.point_lps_mm([index_kji])[0])
    return Trace(f"{name}-{index_kji}", TraceKind.POINT, (place,), name, attributes)


def points() -> tuple[Trace, ...]:
    """Return two hips on a slice, one point hidden, a lone point with attributes, and one beside the images."""
    last = SHAPE[0] - 1
    one, two = ((Attribute("of", "hip"), Attribute("thing", number)) for number in (1.0, 2.0))
    return (
        point("head", (last, 5, 4), *one),
        point("shaft", (last, 10.25, 9.5), *one, Attribute("hidden", "yes")),
        point("head", (last, 4, 22), *two),
        point("apex", (1, 7.5, 3.25), Attribute("calcified", "yes")),
        point("far", (last, ROWS + 3, 4)),
    )


def test_points_go_out_as_keypoints_that_pycocotools_reads_and_scores(tmp_path: Path) -> None:
    case = DatasetCase.of("ct", volume_of(), boxes=boxes(GRID)[:1], points=points())
    assert "1 point lies beside its images and is left out." in losses("coco", [case])
    assert not any("point, line" in text for text in losses("coco", [case]))
    write_dataset("coco", tmp_path / "out", [case])
    path = tmp_path / "out" / "annotations" / "instances_train.json"
    judge = judge_of(path)
    (hip,) = judge.loadCats(judge.getCatIds(catNms=["hip"]))
    assert hip["keypoints"] == ["head", "shaft"]
    hips = judge.loadAnns(judge.getAnnIds(catIds=[hip["id"]]))
    assert [one["keypoints"] for one in hips] == [[4, 5, 2, 9.5, 10.25, 1], [22, 4, 2, 0, 0, 0]]
    assert [one["num_keypoints"] for one in hips] == [2, 1]
    (apex,) = judge.loadAnns(judge.getAnnIds(catIds=judge.getCatIds(catNms=["apex"])))
    assert (apex["keypoints"], apex["bbox"]) == ([3.25, 7.5, 2], [3.25, 7.5, 1, 1])
    with contextlib.redirect_stdout(io.StringIO()):
        results = judge.loadRes([{**one, "score": 0.9} for one in hips])
        scored = COCOeval(judge, results, "keypoints")
        scored.params.catIds, scored.params.kpt_oks_sigmas = [hip["id"]], np.full(2, 0.1)
        scored.params.areaRng = [[0, 1e10]] * 3
        scored.evaluate()
        scored.accumulate()
    assert scored.eval["precision"].max() == pytest.approx(1.0)
    assert scored.eval["recall"].max() == pytest.approx(1.0)


def test_points_come_back_as_they_were(tmp_path: Path) -> None:
    write_dataset("coco", tmp_path / "out", [DatasetCase.of("ct", volume_of(), points=points())])
    back = {
        case.key.rpartition("/")[2]: load_labels(case)
        for case in list_dataset("coco", DatasetRequest(tmp_path / "out")).cases
    }
    assert said(back["ct_0002.png"]) == [("apex", [0, 7.5, 3.25], {"calcified": "yes"})]
    one, two = ({"of": "hip", "thing": number} for number in ("1", "2"))
    assert said(back[f"ct_{SHAPE[0]:04d}.png"]) == [
        ("head", [0, 5, 4], one),
        ("shaft", [0, 10.25, 9.5], one | {"hidden": "yes"}),
        ("head", [0, 4, 22], two),
    ]
    assert not any(found.boxes for found in back.values())


@pytest.mark.parametrize("form", ["voc", "yolo"])
def test_other_formats_say_that_points_are_left_out(form: str) -> None:
    case = DatasetCase.of("ct", volume_of(), boxes=boxes(GRID)[:1], points=points())
    assert "5 points, lines and measurements are left out." in losses(form, [case])


def test_what_was_imported_without_points_is_known_again(tmp_path: Path) -> None:
    (tmp_path / "a.json").touch()
    shapes = PictureShapes(str(tmp_path / "a.json"), (PictureShape("cell", (0.0, 1.0, 2.0, 3.0)),))
    assert repr(shapes.shapes[0]) == (
        "PictureShape(label='cell', box_xyxy=(0.0, 1.0, 2.0, 3.0), polygons=(), runs=None, score=None, crowd=False, "
        "attributes=())"
    )
    assert len(labels_sha256(shapes)) == 64
