from __future__ import annotations

import contextlib
import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from PIL import Image
from pycocotools.coco import COCO

from medview.core.annotations import ImageLabel
from medview.core.errors import CancelledError, ReadError, WriteError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.marks import Marks
from medview.core.segmentation import SegmentStatus
from medview.core.volume import Volume
from medview.core.window import Window
from medview.io.datasets import writers
from medview.io.datasets.dataset_case import DatasetCase, WriteOptions, category_of
from medview.io.datasets.foreign import DatasetRequest, ForeignDataset
from medview.io.datasets.picture_cases import Levels
from medview.io.datasets.reading import load_image, load_labels
from medview.io.datasets.table import list_dataset
from medview.io.datasets.writers import WRITERS, losses, write_dataset
from tests.helpers.grids import turned_grid
from tests.io.datasets.labelled import FLAT, GRID, SHAPE, a_picture, a_volume, boxes, drawn, picture_of, volume_of
from tests.io.datasets.pictures import COLUMNS, ROWS, holed_mask

# The judge's own arrays are of an older numpy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")


def coco_of(path: Path) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def test_pycocotools_reads_the_masks_and_boxes_that_were_written(tmp_path: Path) -> None:
    case = a_volume(overlap=True, boxes=boxes(GRID), patient="p1")
    written = write_dataset("coco", tmp_path / "out", [case, a_picture(split="val")])
    assert (written.cases, written.pictures) == (2, 5)
    judge = coco_of(tmp_path / "out" / "annotations" / "instances_train.json")
    (image,) = [one for one in judge.imgs.values() if one["slice"] == SHAPE[0]]
    assert (image["patient"], image["width"], image["height"]) == ("p1", COLUMNS, ROWS)
    segmentation = case.labels()  # type: ignore[misc]
    masked = [one for one in judge.imgToAnns[image["id"]] if one["segmentation"]]
    for segment, annotation in zip(segmentation.segments, masked, strict=True):
        mask = segmentation.mask(segment)[-1]
        np.testing.assert_array_equal(judge.annToMask(annotation), mask)
        assert judge.cats[annotation["category_id"]]["name"] == category_of(segment)
        assert annotation["area"] == mask.sum()
    boxed = [one for one in judge.imgToAnns[image["id"]] if not one["segmentation"]]
    for box, annotation in zip(boxes(GRID), boxed, strict=True):
        low, high = box.bounds_kji(GRID)
        np.testing.assert_allclose(annotation["bbox"], [low[2], low[1], high[2] - low[2], high[1] - low[1]], atol=1e-3)
    assert [len(judge.imgToAnns[one["id"]]) for one in judge.imgs.values() if one["slice"] < SHAPE[0]] == [1, 1, 1]


@pytest.mark.parametrize("form", ["coco", "voc", "yolo"])
def test_boxes_come_back_within_half_a_pixel(tmp_path: Path, form: str) -> None:
    write_dataset(form, tmp_path / "out", [a_picture(), DatasetCase.of("ct", volume_of(), boxes=boxes(GRID))])
    back = list_dataset(form, DatasetRequest(tmp_path / "out"))
    for geometry, stem in ((FLAT, "photo"), (GRID, f"ct_{SHAPE[0]:04d}")):
        (case,) = [case for case in back.cases if Path(case.images[0].path).stem == stem]
        assert case.split == "train"
        found = load_labels(case)
        for before, after in zip(boxes(geometry), found.boxes, strict=True):
            wanted, got = (np.array(one.bounds_kji(grid)) for one, grid in ((before, geometry), (after, found.geometry)))
            assert np.abs(wanted[:, 1:] - got[:, 1:]).max() <= 0.5
            assert before.label == after.label


@pytest.mark.parametrize("form", ["coco", "yolo"])
def test_masks_come_back_but_for_what_was_said_to_be_lost(tmp_path: Path, form: str) -> None:
    write_dataset(form, tmp_path / "out", [a_volume()])
    (case,) = list_dataset(form, DatasetRequest(tmp_path / "out")).cases
    masks = load_labels(case).masks
    assert masks is not None
    lung = np.zeros((ROWS, COLUMNS), dtype=np.bool_)
    for segment in masks.segments:
        if (segment.group or segment.name) == "Lung":
            lung |= masks.layers[segment.layer_id][0] == segment.value
    wanted = holed_mask()
    if form == "yolo":
        wanted[6:9, 9:14] = True
        assert sum(segment.group == "Lung" for segment in masks.segments) == 4
    np.testing.assert_array_equal(lung, wanted)
    assert sum(segment.group == "Nodule" for segment in masks.segments) == 2


def test_pictures_are_the_slices_in_a_window_and_colours_stay(tmp_path: Path) -> None:
    window = Window.from_range(-300.0, 900.0)
    cases = [a_volume(window=window), DatasetCase.of("colour", picture_of(colour=True), boxes=boxes(FLAT))]
    write_dataset("coco", tmp_path / "out", cases)
    shown = np.asarray(Image.open(tmp_path / "out" / "images" / "train" / "ct_1_0004.png"))
    np.testing.assert_array_equal(shown, window.levels(volume_of().values((3,))))
    colour = np.asarray(Image.open(tmp_path / "out" / "images" / "train" / "colour.png"))
    np.testing.assert_array_equal(colour, picture_of(colour=True).voxels[0])
    dark = Levels(replace(volume_of(), inverted=True), window).of_slice(3)
    np.testing.assert_array_equal(dark, 255 - shown)
    # Bytes that are low where it is bright come out as they are seen, too.
    ramp = np.arange(24, dtype=np.uint8).reshape(1, 4, 6)
    film = Volume(ramp, Geometry.from_spacing(ramp.shape, (1.0, 1.0, 1.0)), inverted=True)
    np.testing.assert_array_equal(Levels(film).of_slice(0), 255 - ramp[0])


def test_slices_that_are_done_or_asked_for_are_written_without_anything_on_them(tmp_path: Path) -> None:
    marked = a_volume(marks=Marks(frozenset({0, 3})))
    assert write_dataset("coco", tmp_path / "a", [marked]).pictures == 2
    assert write_dataset("yolo", tmp_path / "b", [a_volume()], WriteOptions(every_slice=True)).pictures == 4
    assert (tmp_path / "b" / "labels" / "train" / "ct_1_0001.txt").read_text() == ""


def test_voc_files_are_what_its_readers_expect(tmp_path: Path) -> None:
    write_dataset("voc", tmp_path / "out", [a_picture(), a_volume(split="test")])
    root = ET.parse(tmp_path / "out" / "Annotations" / "photo.xml").getroot()
    assert [one.findtext("name") for one in root.iter("object")] == ["cell", 'mark <&> "new" µ, one', "all", "solid"]
    assert [[one.findtext(f"bndbox/{c}") for c in ("xmin", "ymin", "xmax", "ymax")] for one in root.iter("object")] == [
        ["6.5", "4.25", "17.12", "9.75"],
        ["21", "12", "21", "12"],
        ["1", "1", str(COLUMNS), str(ROWS)],
        ["3.5", "3.5", "6", "6"],
    ]
    assert [one.findtext("difficult") for one in root.iter("object")] == ["1", "0", "0", "0"]
    assert (tmp_path / "out" / "ImageSets" / "Main" / "test.txt").read_text() == "ct_1_0004\n"


def nnunet_checks(root: Path) -> dict[str, Any]:
    """Check what nnU-Net's dataset_format.md asks for and its integrity check looks at, by SimpleITK."""
    document: dict[str, Any] = json.loads((root / "dataset.json").read_text())
    assert {"channel_names", "labels", "numTraining", "file_ending"} <= set(document)
    assert list(document["channel_names"]) == [str(n) for n in range(len(document["channel_names"]))]
    values = [n for of in document["labels"].values() for n in (of if isinstance(of, list) else [of])]
    assert document["labels"]["background"] == 0
    assert sorted(set(values)) == list(range(max(values) + 1))
    if "ignore" in document["labels"]:
        assert document["labels"]["ignore"] == max(values)
    regions = [name for name, of in document["labels"].items() if isinstance(of, list)]
    assert bool(regions) == ("regions_class_order" in document)
    if regions:
        assert len(document["regions_class_order"]) == len(document["labels"]) - 1 - ("ignore" in document["labels"])
    ending = document["file_ending"]
    cases = [path.name[: -len(ending)] for path in sorted((root / "labelsTr").iterdir())]
    assert len(cases) == document["numTraining"]
    images = sorted(path.name for path in (root / "imagesTr").iterdir())
    assert images == [f"{case}_{n:04d}{ending}" for case in cases for n in range(len(document["channel_names"]))]
    for case in cases:
        label = SimpleITK.ReadImage(str(root / "labelsTr" / f"{case}{ending}"))
        assert set(np.unique(SimpleITK.GetArrayFromImage(label))) <= set(values)
        for n in range(len(document["channel_names"])):
            image = SimpleITK.ReadImage(str(root / "imagesTr" / f"{case}_{n:04d}{ending}"))
            assert np.isfinite(SimpleITK.GetArrayFromImage(image)).all()
            for what in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
                assert getattr(image, what)() == getattr(label, what)()
    return document


def test_nnunet_accepts_what_is_written_and_values_and_places_are_right(tmp_path: Path) -> None:
    cases = [a_volume("a"), a_volume("b", split="val"), a_volume("c", split="test")]
    written = write_dataset("nnunet", tmp_path / "Dataset001_Lung", cases, WriteOptions("Lungs", ("CT",)))
    document = nnunet_checks(written.folder)
    assert document["labels"] == {"background": 0, "Lung": 1, "Nodule": 2}
    image = SimpleITK.ReadImage(str(written.folder / "imagesTr" / "a_0000.nii.gz"))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image), volume_of().values())
    k, j, i = (n - 1 for n in SHAPE)
    np.testing.assert_allclose(image.TransformIndexToPhysicalPoint((i, j, k)), GRID.point_lps_mm((k, j, i)), atol=1e-3)
    labels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(written.folder / "labelsTr" / "a.nii.gz")))
    np.testing.assert_array_equal(labels, np.minimum(drawn().layers[0].voxels, 2))
    splits = json.loads((written.folder / "splits_final.json").read_text())
    assert splits == [{"train": ["a"], "val": ["b"]}]
    back = list_dataset("nnunet", DatasetRequest(written.folder))
    assert [(case.key, case.split) for case in back.cases] == [("a", "train"), ("b", "val"), ("c", "test")]


def test_folds_are_by_patient_where_nobody_says_otherwise(tmp_path: Path) -> None:
    cases = [a_volume(f"c{n}", patient=f"P{n // 2}") for n in range(12)]
    assert any("Folds by patient stand in splits_final.json" in said for said in losses("nnunet", cases))
    write_dataset("nnunet", tmp_path / "out", [*cases, a_volume("t", patient="P9", split="test")])
    folds = json.loads((tmp_path / "out" / "splits_final.json").read_text())
    assert len(folds) == 5
    assert sorted(key for fold in folds for key in fold["val"]) == sorted(case.key for case in cases)
    for fold in folds:
        assert sorted(fold["train"] + fold["val"]) == sorted(case.key for case in cases)
        patients = [{next(c.patient for c in cases if c.key == key) for key in fold[part]} for part in ("train", "val")]
        assert patients[0].isdisjoint(patients[1])
    assert not any("Folds" in said for said in losses("nnunet", cases[:8]))


def test_patients_come_back_from_coco(tmp_path: Path) -> None:
    write_dataset("coco", tmp_path / "out", [a_volume("a", patient="P0001"), a_volume("b", patient="P0002")])
    back = list_dataset("coco", DatasetRequest(tmp_path / "out"))
    assert (back.patients, back.split_by) == (2, "patient")


def test_what_overlaps_becomes_regions_and_comes_back(tmp_path: Path) -> None:
    cases = [a_volume("a", overlap=True), a_volume("b")]
    said = losses("nnunet", cases)
    assert any("Lobe, Lung overlap: labels are written as regions" in one for one in said)
    write_dataset("nnunet", tmp_path / "out", cases)
    document = nnunet_checks(tmp_path / "out")
    assert document["regions_class_order"] == [1, 4, 2] or len(document["regions_class_order"]) == 3
    masks = load_labels(list_dataset("nnunet", DatasetRequest(tmp_path / "out")).cases[0]).masks
    assert masks is not None
    got = {one.name: masks.layers[one.layer_id] == one.value for one in masks.segments}
    truth = drawn(overlap=True)
    for segment in truth.segments[:1] + truth.segments[3:]:
        np.testing.assert_array_equal(got[segment.name], truth.mask(segment))


def test_what_is_unsure_or_not_looked_at_is_ignored(tmp_path: Path) -> None:
    write_dataset("nnunet", tmp_path / "a", [a_volume(unsure=True)])
    assert nnunet_checks(tmp_path / "a")["labels"]["ignore"] == 3
    labels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(tmp_path / "a" / "labelsTr" / "ct_1.nii.gz")))
    assert (labels[0, 1:4, 1:4] == 3).all()
    assert labels[3, 3, 5] == 3
    write_dataset("nnunet", tmp_path / "b", [a_volume(marks=Marks(frozenset({3})))])
    labels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(tmp_path / "b" / "labelsTr" / "ct_1.nii.gz")))
    assert (labels[:3] == 3).all()
    assert (labels[3] != 3).all()


def test_pictures_in_colour_become_three_channels_without_a_place(tmp_path: Path) -> None:
    case = DatasetCase.of("photo", picture_of(colour=True), drawn(FLAT))
    assert "1 case states no millimetres; a pixel counts as one." in losses("nnunet", [case])
    write_dataset("nnunet", tmp_path / "out", [case])
    assert nnunet_checks(tmp_path / "out")["channel_names"] == {"0": "R", "1": "G", "2": "B"}
    (back,) = list_dataset("nnunet", DatasetRequest(tmp_path / "out")).cases
    np.testing.assert_array_equal(load_image(back.images[1]).voxels, picture_of(colour=True).voxels[..., 1])


@pytest.mark.parametrize("form", sorted(WRITERS))
def test_what_a_format_cannot_carry_is_said_before_anything_is_written(tmp_path: Path, form: str) -> None:
    todo = replace(drawn().segments[0], segment_id="z", name="Heart", status=SegmentStatus.TO_DO)
    answer = ImageLabel("x", "effusion", says="present")
    first = a_volume("a", overlap=True, unsure=True, boxes=boxes(GRID), answers=(answer,), others=3)
    second = replace(a_volume("b"), segments=(*a_volume("b").segments, todo))
    said = " ".join(losses(form, [first, second]))
    for part in ("1 answer on a whole image", "3 points, lines and measurements", "which model drew"):
        assert part in said
    parts = {
        "nnunet": ["4 boxes are left out", "In 2 cases nobody drew or ruled out Heart", "Nodule 1, Nodule 2"],
        "coco": ["1 unsure segment is left out", "256 levels", "2 volumes are written as pictures"],
        "voc": ["where segments overlap only the boxes", "no millimetres"],
        "yolo": ["holes are filled", "4 boxes become outlines", "Attributes of boxes"],
    }
    for part in parts[form]:
        assert part in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", sorted(WRITERS))
def test_a_dataset_is_there_whole_or_not_at_all(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(WriteError, match="is there already and is not empty"):
        write_dataset(form, tmp_path / "full", [a_volume()])
    context = Inline()

    def images() -> Any:
        context.cancel()
        return (volume_of(),)

    with pytest.raises(CancelledError):
        write_dataset(form, tmp_path / "out", [a_volume("a"), replace(a_volume("b"), images=images)], context=context)

    def fewer(*given: Any) -> ForeignDataset:
        found = list_dataset(*given)
        return replace(found, cases=found.cases[1:])

    def none(*given: Any) -> ForeignDataset:
        raise ReadError("It is damaged.")

    for reader, sentence in ((fewer, r"came back|come back"), (none, "did not read back")):
        monkeypatch.setattr(writers, "list_dataset", reader)
        with pytest.raises(WriteError, match=sentence):
            write_dataset(form, tmp_path / "out", [a_volume()])
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "mine.txt"]


@pytest.mark.parametrize("key", ["../up", "a/b", "", "Müller", "x" * 65, "a.b"])
def test_names_that_are_no_names_of_files_are_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(WriteError, match="no name of a file"):
        write_dataset("coco", tmp_path / "out", [a_volume(key)])


def test_boxes_alone_are_no_nnunet_dataset_and_the_formats_that_hold_them_are_named(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"no segment is drawn in any .* boxes go into coco"):
        write_dataset("nnunet", tmp_path / "out", [a_picture()])
    assert not (tmp_path / "out").exists()


def test_what_nnunet_cannot_read_is_refused_with_the_case(tmp_path: Path) -> None:
    tilted = turned_grid(shear=0.3, shape_kji=SHAPE)
    with pytest.raises(WriteError, match="slices of tilted are tilted"):
        losses("nnunet", [DatasetCase.of("tilted", volume_of(tilted), drawn(tilted))])
    named = replace(a_volume("a"), segments=(replace(drawn().segments[0], name="Background"),))
    with pytest.raises(WriteError, match="means something else to nnU-Net"):
        losses("nnunet", [named])
    with pytest.raises(WriteError, match="no segment is drawn"):
        losses("nnunet", [DatasetCase.of("a", volume_of())])
    two = replace(a_volume("b"), images=lambda: (volume_of(), volume_of(seed=1)))
    with pytest.raises(WriteError, match="b has other channels"):
        write_dataset("nnunet", tmp_path / "out", [a_volume("a"), two])
    assert not list(tmp_path.iterdir())
