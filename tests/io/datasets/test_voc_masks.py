"""Masks of Pascal VOC: classes, things, void, and the ways tools write their colours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from medview.core.errors import GeometryError, ReadError
from medview.core.job import Inline
from medview.core.segmentation import SegmentRole
from medview.io.datasets.dataset_case import DatasetCase
from medview.io.datasets.fingerprint import labels_sha256
from medview.io.datasets.foreign import DatasetRequest, FoundLabels
from medview.io.datasets.reading import load_labels
from medview.io.datasets.table import list_dataset
from medview.io.datasets.voc_masks import palette_colour
from medview.io.datasets.writers import losses, write_dataset
from medview.io.reader_pool import InlinePool
from medview.store.project import Project
from medview.workspace.dataset_import import ImportRun, import_dataset
from tests.io.datasets.labelled import GRID, SHAPE, boxes, drawn, volume_of
from tests.io.datasets.pictures import COLUMNS, ROWS, save_picture
from tests.io.datasets.test_voc import dataset

Numbers = npt.NDArray[np.uint8]
DOG, CAT, VOID = 12, 8, 255


def classes() -> Numbers:
    """Return two dogs that touch, a cat and the void around it."""
    made = np.zeros((ROWS, COLUMNS), dtype=np.uint8)
    made[3:9, 4:20] = DOG
    made[12:19, 22:31] = VOID
    made[13:18, 23:30] = CAT
    return made


def things() -> Numbers:
    made = np.where(classes() == VOID, VOID, 0).astype(np.uint8)
    made[3:9, 4:11], made[3:9, 11:20], made[13:18, 23:30] = 1, 2, 3
    return made


def save_palette(path: Path, numbers: Numbers) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.frombytes("P", numbers.shape[::-1], np.ascontiguousarray(numbers).tobytes())
    picture.putpalette([part for n in range(256) for part in palette_colour(n)])
    picture.save(path)


def save_colours(path: Path, numbers: Numbers, table: dict[int, tuple[int, int, int]] | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    colours = table or {n: palette_colour(n) for n in range(256)}
    pixels = np.array([colours[int(n)] for n in numbers.ravel()], dtype=np.uint8)
    Image.fromarray(pixels.reshape(ROWS, COLUMNS, 3)).save(path)


def segmented(folder: Path, *, boxes: bool = False, objects: bool = True) -> Path:
    if boxes:
        dataset(folder)
    else:
        save_picture(folder / "JPEGImages" / "a.png")
    save_palette(folder / "SegmentationClass" / "a.png", classes())
    if objects:
        save_palette(folder / "SegmentationObject" / "a.png", things())
    return folder


def masks_of(found: FoundLabels) -> dict[str, npt.NDArray[np.bool_]]:
    assert found.masks is not None
    return {one.name: found.masks.layers[one.layer_id][0] == one.value for one in found.masks.segments}


def read(folder: Path, **more: object) -> FoundLabels:
    (case,) = list_dataset("voc", DatasetRequest(folder, **more)).cases  # type: ignore[arg-type]
    return load_labels(case)


def test_the_palette_is_that_of_the_development_kit() -> None:
    known = {0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0), 8: (64, 0, 0), 12: (64, 0, 128), 255: (224, 224, 192)}
    assert {number: palette_colour(number) for number in known} == known
    assert len({palette_colour(number) for number in range(256)}) == 256


def test_things_are_told_apart_and_the_void_is_unsure(tmp_path: Path) -> None:
    found = read(segmented(tmp_path))
    masks = masks_of(found)
    assert list(masks) == ["dog 1", "dog 2", "cat", "Void"]
    for name, number in (("dog 1", 1), ("dog 2", 2), ("cat", 3), ("Void", VOID)):
        np.testing.assert_array_equal(masks[name], things() == number)
    assert found.masks is not None
    assert [(one.group, one.role is SegmentRole.IGNORE) for one in found.masks.segments] == [
        ("dog", False), ("dog", False), ("", False), ("", True),
    ]  # fmt: skip


def test_without_things_a_class_is_one_segment_and_boxes_stay_beside(tmp_path: Path) -> None:
    found = read(segmented(tmp_path, boxes=True, objects=False))
    masks = masks_of(found)
    assert list(masks) == ["cat", "dog", "Void"]
    np.testing.assert_array_equal(masks["dog"], classes() == DOG)
    assert [box.label for box in found.boxes] == ["cell"]


def test_colours_are_as_good_as_numbers_and_a_list_names_them(tmp_path: Path) -> None:
    plain = masks_of(read(segmented(tmp_path / "numbers")))
    segmented(tmp_path / "colours")
    for part, numbers in (("SegmentationClass", classes()), ("SegmentationObject", things())):
        save_colours(tmp_path / "colours" / part / "a.png", numbers)
    for name, mask in masks_of(read(tmp_path / "colours")).items():
        np.testing.assert_array_equal(mask, plain[name])
    save_picture(tmp_path / "cvat" / "JPEGImages" / "a.png")
    own = {0: (0, 0, 0), DOG: (250, 50, 83), CAT: (51, 221, 255), VOID: (224, 224, 192)}
    save_colours(tmp_path / "cvat" / "SegmentationClass" / "a.png", classes(), own)
    lines = "# label:color_rgb:parts:actions\nbackground:0,0,0::\nkidney:250,50,83::\nliver:51,221,255::\n"
    (tmp_path / "cvat" / "labelmap.txt").write_text(lines)
    found = masks_of(read(tmp_path / "cvat"))
    assert list(found) == ["kidney", "liver", "Void"]
    np.testing.assert_array_equal(found["kidney"], classes() == DOG)
    (tmp_path / "cvat" / "labelmap.txt").write_text(lines.replace("liver:51,", "liver:52,"))
    with pytest.raises(ReadError, match=r"a\.png holds the colour 51,221,255, which nothing names"):
        read(tmp_path / "cvat")
    (tmp_path / "cvat" / "labelmap.txt").write_text("kidney:red\n")
    with pytest.raises(ReadError, match=r"labelmap\.txt is damaged"):
        read(tmp_path / "cvat")


def test_values_are_named_by_whoever_imports_and_none_is_lost_in_silence(tmp_path: Path) -> None:
    segmented(tmp_path, objects=False)
    assert list(masks_of(read(tmp_path, label_values={DOG: "Tumour", CAT: ""}))) == ["Tumour", "Void"]
    with pytest.raises(ReadError, match=r"a\.png holds the values 8, which nothing names.*8=NAME"):
        read(tmp_path, label_values={DOG: "Tumour"})
    assert list(masks_of(read(tmp_path, label_values={DOG: "a", CAT: "b", VOID: "c"}))) == ["b", "a", "c"]


def test_what_does_not_belong_together_is_named(tmp_path: Path) -> None:
    segmented(tmp_path, boxes=True)
    save_palette(tmp_path / "SegmentationClass" / "b.png", classes())
    with pytest.raises(ReadError, match=r"b\.png in SegmentationClass has no picture of the same stem"):
        read(tmp_path)
    (tmp_path / "SegmentationClass" / "b.png").unlink()
    save_palette(tmp_path / "SegmentationObject" / "a.png", things()[:-1])
    with pytest.raises(GeometryError, match=r"a\.png is of 38 x 22 pixels"):
        read(tmp_path)
    lone = things()
    lone[0, 0] = 9
    save_palette(tmp_path / "SegmentationObject" / "a.png", lone)
    with pytest.raises(ReadError, match="no class where thing 9 lies"):
        read(tmp_path)


def test_pictures_without_a_mask_have_their_boxes_or_are_left_out_with_a_word(tmp_path: Path) -> None:
    segmented(tmp_path)
    save_picture(tmp_path / "JPEGImages" / "bare.png", seed=4)
    (tmp_path / "ImageSets" / "Segmentation").mkdir(parents=True)
    (tmp_path / "ImageSets" / "Segmentation" / "val.txt").write_text("a\n")
    found = list_dataset("voc", DatasetRequest(tmp_path))
    assert [(case.key, case.split) for case in found.cases] == [("a", "val")]
    assert "1 picture without a mask was left out." in found.notes


def test_masks_go_into_a_project_once_wherever_they_lie(tmp_path: Path) -> None:
    segmented(tmp_path / "set", boxes=True)
    with Project.create(tmp_path / "p.medview", "Test") as project:
        report = import_dataset(ImportRun("voc", DatasetRequest(tmp_path / "set")), project, Inline(), InlinePool())
        assert (report.labelled, report.boxes, dict(report.labels)) == (1, 1, {"dog": 1, "cat": 1, "Void": 1, "cell": 1})
        (tmp_path / "set").rename(tmp_path / "moved")
        again = import_dataset(ImportRun("voc", DatasetRequest(tmp_path / "moved")), project, Inline(), InlinePool())
        assert (again.labelled, again.known) == (0, 1)
    (case,) = list_dataset("voc", DatasetRequest(tmp_path / "moved")).cases
    assert case.labels is not None
    before = labels_sha256(case.labels)
    save_palette(tmp_path / "moved" / "SegmentationObject" / "a.png", np.where(things() == 2, 1, things()).astype(np.uint8))
    assert labels_sha256(case.labels) != before


def test_masks_go_out_with_their_boxes_and_come_back_without_them(tmp_path: Path) -> None:
    last = SHAPE[0] - 1
    case = DatasetCase.of("ct", volume_of(), drawn(), boxes=boxes(GRID)[:1])
    assert not any("become boxes" in text or "overlap" in text for text in losses("voc", [case]))
    write_dataset("voc", tmp_path / "out", [case])
    stem = f"ct_{last + 1:04d}"
    numbers = np.asarray(Image.open(tmp_path / "out" / "SegmentationClass" / f"{stem}.png"))
    np.testing.assert_array_equal(numbers, np.select([drawn().layers[0].voxels[last] == n for n in (1, 2, 3)], [1, 2, 2]))
    assert "Lung:128,0,0::" in (tmp_path / "out" / "labelmap.txt").read_text()
    assert (tmp_path / "out" / "ImageSets" / "Segmentation" / "train.txt").read_text() == f"{stem}\n"
    (back,) = (one for one in list_dataset("voc", DatasetRequest(tmp_path / "out")).cases if one.key.endswith(stem))
    found = load_labels(back)
    masks = masks_of(found)
    assert list(masks) == ["Lung", "Nodule 1", "Nodule 2"]
    for segment in drawn().segments:
        np.testing.assert_array_equal(masks[segment.name], drawn().mask(segment)[last])
    assert [box.label for box in found.boxes] == ["cell"]


def test_where_masks_overlap_or_cannot_be_named_only_boxes_go_out(tmp_path: Path) -> None:
    case = DatasetCase.of("ct", volume_of(), drawn(overlap=True))
    assert any("where segments overlap only the boxes" in text for text in losses("voc", [case]))
    write_dataset("voc", tmp_path / "out", [case])
    assert not (tmp_path / "out" / "SegmentationClass").exists()
    odd = drawn()
    odd.segments[0] = replace(odd.segments[0], name="Lung: left")
    strange = DatasetCase.of("ct", volume_of(), odd)
    assert any("3 segments become boxes around them." in text for text in losses("voc", [strange]))
    write_dataset("voc", tmp_path / "odd", [strange])
    (back,) = list_dataset("voc", DatasetRequest(tmp_path / "odd")).cases
    assert sorted(box.label for box in load_labels(back).boxes) == ["Lung: left", "Nodule", "Nodule"]
