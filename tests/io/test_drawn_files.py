"""Boxes, points and lines as files: exact both ways, and refused when they are something else."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medview.core.annotations import BoxAnnotation, Drawn, Trace
from medview.core.attributes import Attribute, Choice
from medview.core.errors import ReadError, WriteError
from medview.core.source import Source, SourceKind
from medview.core.trace import TraceKind
from medview.io.coco import CocoSource, coco_document, write_coco
from medview.io.csv_table import write_csv
from medview.io.drawn_json import DrawnSheet, drawn_document, read_drawn, write_drawn
from tests.workspace.conftest import oblique_geometry

GRID = oblique_geometry()
NUMBERS = st.floats(-1e4, 1e4, allow_nan=False)
POINTS = st.tuples(NUMBERS, NUMBERS, NUMBERS)
WORDS = st.text(max_size=20)
VALUES = st.one_of(WORDS, NUMBERS, st.just(Choice("left", ("left", "right"))))
ATTRIBUTES = st.dictionaries(WORDS.filter(lambda name: bool(name.strip())), VALUES, max_size=3).map(
    lambda found: tuple(Attribute(name, value) for name, value in found.items())
)
SOURCES = st.builds(Source, st.sampled_from(SourceKind), WORDS, WORDS, WORDS, WORDS, WORDS, st.booleans())
TRACES = st.builds(
    Trace, st.just("t"), st.just(TraceKind.CLOSED), st.lists(POINTS, min_size=3, max_size=5).map(tuple), WORDS, ATTRIBUTES,
    st.booleans(), WORDS, st.integers(0, 9), SOURCES,
)  # fmt: skip
BOXES = st.builds(
    BoxAnnotation, st.just("b"), WORDS, POINTS,
    st.floats(0.1, 50).map(lambda size: ((size, 0.0, 0.01), (0.0, size / 3, 0.0), (0.02, 0.0, size + 1))),
    st.one_of(st.none(), st.floats(0, 1)), SOURCES, st.sampled_from((None, 0, 1, 2)), ATTRIBUTES, st.booleans(), WORDS,
    st.integers(0, 9),
)  # fmt: skip


def box(name: str, low: tuple[int, int, int], high: tuple[int, int, int], **how: object) -> BoxAnnotation:
    return BoxAnnotation.on_grid(name, name, GRID, low, high, **how)  # type: ignore[arg-type]


@settings(max_examples=60)
@given(st.one_of(TRACES, BOXES))
def test_a_thing_comes_back_from_its_json_bit_for_bit(tmp_path_factory: pytest.TempPathFactory, one: Drawn) -> None:
    path = tmp_path_factory.mktemp("json") / "boxes.json"
    write_drawn(path, DrawnSheet(GRID, (one,), "1.2.3", "1.2", "a" * 64))
    back = read_drawn(str(path))
    assert back.things == (one,)
    assert (back.series_uid, back.study_uid, back.pixels_sha256) == ("1.2.3", "1.2", "a" * 64)
    assert np.array_equal(back.geometry.affine_lps, GRID.affine_lps)


def test_readers_without_vectors_find_the_index_box(tmp_path: Path) -> None:
    (thing,) = drawn_document(DrawnSheet(GRID, (box("N", (1, 2, 3), (4, 8, 9)),)))["things"]
    assert (thing["min_kji"], thing["max_kji"]) == ([1, 2, 3], [4, 8, 9])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"labels": []}',
        '{"format": "MedView boxes and marks", "version": 1}',
        '{"format": "MedView boxes and marks", "version": 99, "things": []}',
        '{"format": "MedView boxes and marks", "version": 1, "drawn_on": {}, "things": []}',
        "[" * 100_000,
    ],
)
def test_a_file_that_is_something_else_is_named_in_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(ReadError, match=r"^x\.json ") as raised:
        read_drawn(str(path))
    assert raised.value.sentence.count(".") <= 3


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("corner_lps_mm", [0, 0]),
        ("corner_lps_mm", [0, 0, "1e999"]),
        ("edges_lps_mm", [[1, 0, 0], [2, 0, 0], [0, 0, 1]]),
        ("flat_edge", 3),
        ("kind", "sphere"),
        ("id", ""),
        ("attributes", [{"name": "A", "kind": "text"}]),
        ("label", "half \ud800"),
    ],
)
def test_a_damaged_thing_is_refused(tmp_path: Path, key: str, value: object) -> None:
    document = drawn_document(DrawnSheet(GRID, (box("N", (1, 2, 3), (4, 8, 9)),)))
    document["things"][0][key] = value
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ReadError, match="damaged"):
        read_drawn(str(path))


def test_coco_has_a_box_on_every_slice_a_box_holds_and_says_what_it_cannot_hold(tmp_path: Path) -> None:
    boxes = (
        box("Nodule", (2, 3, 5), (5, 9, 12), score=0.75),
        box("Cyst", (3, 1, 2), (4, 4, 8), flat_edge=0),
        box("Rib", (2, 3, 5), (7, 4, 9), flat_edge=1),
    )
    images = tuple((f"1.2.{k}", 0) for k in range(12))
    path = tmp_path / "b.coco.json"
    notes = write_coco(path, boxes, CocoSource(GRID, "1.2", images, done_slices={3, 8}))
    assert notes == ("1 box lies across the acquired slices, which COCO cannot hold.",)
    found = json.loads(path.read_text())
    assert [image["slice"] for image in found["images"]] == [3, 4, 5, 9]
    assert [image["everything_marked"] for image in found["images"]] == [False, True, False, True]
    names = {category["id"]: category["name"] for category in found["categories"]}
    by_image = {image["id"]: image for image in found["images"]}
    said = {
        (names[a["category_id"]], by_image[a["image_id"]]["sop_instance_uid"], tuple(a["bbox"]))
        for a in found["annotations"]
    }
    assert said == {
        ("Nodule", "1.2.2", (5, 3, 7, 6)), ("Nodule", "1.2.3", (5, 3, 7, 6)), ("Nodule", "1.2.4", (5, 3, 7, 6)),
        ("Cyst", "1.2.3", (2, 1, 6, 3)),
    }  # fmt: skip
    assert all(a["area"] == a["bbox"][2] * a["bbox"][3] for a in found["annotations"])
    assert len({a["id"] for a in found["annotations"]}) == 4
    assert len({a["track_id"] for a in found["annotations"]}) == 2


def test_a_coco_box_names_the_image_of_the_time_point_it_was_drawn_on() -> None:
    first = box("Lesion", (2, 3, 5), (3, 9, 12), flat_edge=0)
    later = replace(first, annotation_id="later", label="Late")
    images = tuple((f"1.2.{n}", 0) for n in range(3 * GRID.shape_kji[0]))
    source = CocoSource(GRID, "1.2", images, done_slices={2}, times={"later": 2})
    document, left_out = coco_document((first, later), source)
    assert left_out == 0
    asked = ("sop_instance_uid", "slice", "time_point", "everything_marked")
    told = [tuple(one.get(key) for key in asked) for one in document["images"]]
    assert told == [("1.2.2", 3, None, True), (f"1.2.{2 * GRID.shape_kji[0] + 2}", 3, 3, False)]
    assert [one["image_id"] for one in document["annotations"]] == [1, 2]


def test_a_coco_box_encloses_exactly_the_pixels_a_mask_of_it_has() -> None:
    one = box("N", (2, 3, 5), (3, 9, 12), flat_edge=0)
    document, _ = coco_document((one,), CocoSource(GRID))
    x, y, width, height = document["annotations"][0]["bbox"]
    low, high = (np.rint(v).astype(int) for v in one.bounds_kji(GRID))
    mask = np.zeros(GRID.shape_kji, bool)
    mask[low[0] : high[0], low[1] : high[1], low[2] : high[2]] = True
    rows, columns = np.nonzero(mask[2])
    # As pycocotools counts: from the outer edge of the first pixel to that of the last.
    assert (x, y, width, height) == (
        columns.min(),
        rows.min(),
        columns.max() + 1 - columns.min(),
        rows.max() + 1 - rows.min(),
    )


def test_coco_without_boxes_on_slices_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="there are none"):
        write_coco(tmp_path / "b.coco.json", (box("Rib", (2, 3, 5), (7, 4, 9), flat_edge=1),), CocoSource(GRID))
    assert list(tmp_path.iterdir()) == []


def test_a_table_keeps_its_cells_and_no_label_becomes_a_formula(tmp_path: Path) -> None:
    rows = [["label", "x"], ['a "quoted", one', "-3.5"], ["=HYPERLINK(1)", "+1e5"], ["line\nend", "@x"]]
    write_csv(tmp_path / "t.csv", rows)
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        back = list(csv.reader(file))
    assert back == [*rows[:2], ["'=HYPERLINK(1)", "+1e5"], ["line\nend", "'@x"]]
