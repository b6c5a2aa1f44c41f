from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import GeometryError, ReadError
from medview.io import nifti
from medview.io.datasets.foreign import BY_IMAGE, DatasetRequest
from medview.io.datasets.reading import load_image, load_labels
from medview.io.datasets.table import FORMATS, list_dataset
from medview.io.nrrd import write_volume
from medview.io.seg_nrrd_write import write_seg_nrrd
from tests.helpers.grids import turned_grid
from tests.io.datasets.labelled import drawn, volume_of
from tests.io.datasets.pictures import COLUMNS, ROWS, holed_mask, save_mask, save_picture

GRID = turned_grid(degrees=25.0, shape_kji=(4, 5, 7))


def volumes(folder: Path, names: tuple[str, ...] = ("p1_a", "p1_b", "p2_a")) -> Path:
    for part in ("images", "labels"):
        (folder / part).mkdir()
    for name in names:
        labels = np.random.default_rng(len(name)).integers(0, 3, GRID.shape_kji).astype(np.uint8)
        nifti.write_label_map(folder / "images" / f"{name}.nii.gz", labels.astype(np.int16) * 10, GRID)
        nifti.write_label_map(folder / "labels" / f"{name}.nii.gz", labels, GRID)
    return folder


def test_pairs_have_patients_by_an_expression_and_splits_by_a_list(tmp_path: Path) -> None:
    (tmp_path / "splits.csv").write_text("name,split\np1_a.nii.gz,train\np1_b,Training\np2_a,validation\n")
    request = DatasetRequest(volumes(tmp_path), patient_from="(p[0-9]+)_", split_from=tmp_path / "splits.csv")
    found = list_dataset("nifti-pairs", request)
    assert [(case.key, case.patient, case.split) for case in found.cases] == [
        ("p1_a", "p1", "train"),
        ("p1_b", "p1", "train"),
        ("p2_a", "p2", "val"),
    ]
    assert (found.patients, found.split_by, found.notes) == (2, "patient", ())


@pytest.mark.parametrize(
    "splits", [{"train": ["p1_a"], "val": ["p1_b", "p2_a"]}, [{"train": ["p1_a"], "val": ["p1_b", "p2_a"]}, {"train": []}]]
)
def test_a_patient_on_both_sides_is_told(tmp_path: Path, splits: object) -> None:
    (tmp_path / "splits_final.json").write_text(json.dumps(splits))
    request = DatasetRequest(volumes(tmp_path), patient_from="p[0-9]+", split_from=tmp_path / "splits_final.json")
    found = list_dataset("nifti-pairs", request)
    assert [case.split for case in found.cases] == ["train", "val", "val"]
    assert any("1 patient stands in more than one split" in note for note in found.notes)


def test_a_list_of_another_dataset_is_refused_and_gaps_are_told(tmp_path: Path) -> None:
    (tmp_path / "splits.json").write_text('{"train": ["p1_a", "who"]}')
    volumes(tmp_path)
    found = list_dataset("nifti-pairs", DatasetRequest(tmp_path, split_from=tmp_path / "splits.json"))
    assert any("who" in note for note in found.notes)
    assert any("2 images are in no split" in note for note in found.notes)
    (tmp_path / "splits.json").write_text('{"train": ["who"]}')
    with pytest.raises(ReadError, match="names none of the 3 images"):
        list_dataset("nifti-pairs", DatasetRequest(tmp_path, split_from=tmp_path / "splits.json"))


def test_values_have_the_names_given_or_those_of_the_decathlon(tmp_path: Path) -> None:
    volumes(tmp_path)
    found = load_labels(list_dataset("nifti-pairs", DatasetRequest(tmp_path, label_values={1: "A", 2: ""})).cases[0])
    assert found.masks is not None
    assert [segment.name for segment in found.masks.segments] == ["A"]
    assert set(np.unique(found.masks.layers[0])) == {0, 1}
    (tmp_path / "dataset.json").write_text('{"labels": {"0": "background", "1": "A", "2": "B", "3": "C"}}')
    dataset = list_dataset("nifti-pairs", DatasetRequest(tmp_path))
    assert dataset.label_names == ("A", "B", "C")
    masks = load_labels(dataset.cases[1]).masks
    assert masks is not None
    assert [(segment.name, segment.absent) for segment in masks.segments] == [("A", False), ("B", False), ("C", True)]
    assert masks.geometry.same_grid(load_image(dataset.cases[1].images[0]).geometry)


def test_a_value_without_a_name_is_told_with_its_file(tmp_path: Path) -> None:
    found = list_dataset("nifti-pairs", DatasetRequest(volumes(tmp_path), label_values={1: "A"}))
    with pytest.raises(ReadError, match=r"p1_a\.nii\.gz holds the value 2, which nothing names"):
        load_labels(found.cases[0])


@pytest.mark.parametrize(("folder", "word"), [("images", "the image"), ("labels", "the label file")])
def test_a_file_without_its_counterpart_is_an_error_that_names_it(tmp_path: Path, folder: str, word: str) -> None:
    volumes(tmp_path)
    nifti.write_label_map(tmp_path / folder / "planted.nii", np.zeros(GRID.shape_kji, np.uint8), GRID)
    with pytest.raises(ReadError, match=rf"{word} planted.* has no counterpart"):
        list_dataset("nifti-pairs", DatasetRequest(tmp_path))


def test_images_may_be_called_so_where_their_labels_are_beside_them(tmp_path: Path) -> None:
    volumes(tmp_path, ("a", "b"))
    both = tmp_path / "both"
    both.mkdir()
    for name in ("a", "b"):
        (tmp_path / "images" / f"{name}.nii.gz").rename(both / f"{name}_image.nii.gz")
        (tmp_path / "labels" / f"{name}.nii.gz").rename(both / f"{name}_label.nii.gz")
    found = list_dataset("nifti-pairs", DatasetRequest(images=both, labels=both))
    pairs = [(Path(case.images[0].path).name, Path(case.labels.path).name) for case in found.cases if case.labels]
    assert pairs == [("a_image.nii.gz", "a_label.nii.gz"), ("b_image.nii.gz", "b_label.nii.gz")]
    (both / "b_label.nii.gz").unlink()
    with pytest.raises(ReadError, match=r"the image b_image\.nii\.gz has no counterpart"):
        list_dataset("nifti-pairs", DatasetRequest(images=both, labels=both))


def test_pictures_of_equal_stem_in_several_folders_are_kept_apart(tmp_path: Path) -> None:
    for part in ("Images", "Masks"):
        for patient in ("p1", "p2"):
            mask = holed_mask().astype(np.uint8) * 255
            save_mask(tmp_path / "deep" / part / patient / "slice.png", mask[:: 1 if patient == "p1" else -1])
    found = list_dataset("image-mask", DatasetRequest(tmp_path, label_values={255: "LV"}, patient_from="^(p.)/"))
    assert [(case.key, case.patient) for case in found.cases] == [("p1/slice", "p1"), ("p2/slice", "p2")]
    masks = load_labels(found.cases[1]).masks
    assert masks is not None
    np.testing.assert_array_equal(masks.layers[0][0] == masks.segments[0].value, holed_mask()[::-1])


def test_masks_of_three_equal_channels_a_palette_or_one_bit_are_label_maps(tmp_path: Path) -> None:
    from PIL import Image

    mask = holed_mask()
    save_picture(tmp_path / "images" / "a.png")
    save_picture(tmp_path / "images" / "b.png")
    save_picture(tmp_path / "images" / "c.png")
    save_mask(tmp_path / "labels" / "a_mask.png", np.repeat(mask.astype(np.uint8)[..., None], 3, axis=2))
    (tmp_path / "labels").mkdir(exist_ok=True)
    indexed = Image.fromarray(mask.astype(np.uint8), mode=None).convert("P")
    indexed.putpalette([0, 0, 0, 200, 10, 30])
    indexed.putdata(mask.astype(np.uint8).ravel().tolist())
    indexed.save(tmp_path / "labels" / "b_mask.png")
    Image.fromarray(mask).save(tmp_path / "labels" / "c.png")
    names = {1: "LV", 255: "LV"}
    for case in list_dataset("image-mask", DatasetRequest(tmp_path, label_values=names)).cases:
        masks = load_labels(case).masks
        assert masks is not None
        (drawn,) = [segment for segment in masks.segments if not segment.absent]
        np.testing.assert_array_equal(masks.layers[drawn.layer_id][0] == drawn.value, mask)


def test_a_mask_in_colours_or_of_another_size_is_refused(tmp_path: Path) -> None:
    save_picture(tmp_path / "images" / "a.png")
    colours = np.zeros((ROWS, COLUMNS, 3), dtype=np.uint8)
    colours[2, 3] = (255, 0, 9)
    save_mask(tmp_path / "labels" / "a.png", colours)
    with pytest.raises(ReadError, match=r"a\.png is no label map: it is in colours"):
        load_labels(list_dataset("image-mask", DatasetRequest(tmp_path)).cases[0])
    save_picture(tmp_path / "labels" / "a.png", ROWS, COLUMNS + 1)
    with pytest.raises(GeometryError, match="39 x 23 pixels and its image of 38 x 23"):
        load_labels(list_dataset("image-mask", DatasetRequest(tmp_path)).cases[0])


def test_without_patients_splits_are_by_image_and_a_note_says_so(tmp_path: Path) -> None:
    found = list_dataset("nifti-pairs", DatasetRequest(volumes(tmp_path)))
    assert (found.patients, found.split_by, found.notes) == (0, "image", (BY_IMAGE,))


@pytest.mark.parametrize("expression", ["(", "x_(.*)"])
def test_an_expression_that_is_none_or_finds_nothing_is_told(tmp_path: Path, expression: str) -> None:
    with pytest.raises(ReadError, match="--patient-from"):
        list_dataset("nifti-pairs", DatasetRequest(volumes(tmp_path), patient_from=expression))


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_a_folder_that_is_empty_or_gone_is_told_in_a_sentence(tmp_path: Path, form: str) -> None:
    with pytest.raises(ReadError, match=r"is not there"):
        list_dataset(form, DatasetRequest(tmp_path / "gone"))
    with pytest.raises(ReadError):
        list_dataset(form, DatasetRequest(tmp_path))


@pytest.mark.parametrize("apart", [True, False])
def test_segmentations_of_3d_slicer_bring_their_own_names_and_overlaps(tmp_path: Path, apart: bool) -> None:
    labels = drawn(overlap=True)
    images, segmentations = (tmp_path / "images", tmp_path / "labels") if apart else (tmp_path, tmp_path)
    for folder in (images, segmentations):
        folder.mkdir(exist_ok=True)
    write_volume(images / "a.nrrd", volume_of())
    write_seg_nrrd(segmentations / "a.seg.nrrd", labels)
    (case,) = list_dataset("nifti-pairs", DatasetRequest(images=images, labels=segmentations)).cases
    assert (case.key, Path(case.images[0].path).name) == ("a", "a.nrrd")
    found = load_labels(case).masks
    assert found is not None
    for mine, theirs in zip(labels.segments, found.segments, strict=True):
        assert (theirs.name, theirs.group) == (mine.name, mine.group)
        np.testing.assert_array_equal(found.layers[theirs.layer_id] == theirs.value, labels.mask(mine))
