from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medview.core.errors import MedViewError, ReadError, RefusedError
from medview.core.segmentation import SegmentRole
from medview.io import nifti
from medview.io.datasets.foreign import DatasetRequest
from medview.io.datasets.reading import load_image, load_labels
from medview.io.datasets.table import list_dataset
from tests.helpers.grids import turned_grid

GRID = turned_grid(degrees=25.0, shape_kji=(4, 5, 7))


def labels(seed: int, most: int = 3) -> np.ndarray:  # type: ignore[type-arg]
    return np.random.default_rng(seed).integers(0, most + 1, GRID.shape_kji).astype(np.uint8)


def dataset(folder: Path, document: dict[str, Any] | None = None, cases: tuple[str, ...] = ("a_001", "b_002")) -> Path:
    root = folder / "Dataset007_Lung"
    for part in ("imagesTr", "labelsTr"):
        (root / part).mkdir(parents=True)
    for n, case in enumerate(cases):
        for channel in range(2):
            voxels = np.full(GRID.shape_kji, 10 * n + channel, dtype=np.int16)
            nifti.write_label_map(root / "imagesTr" / f"{case}_{channel:04d}.nii.gz", voxels, GRID)
        nifti.write_label_map(root / "labelsTr" / f"{case}.nii.gz", labels(n), GRID)
    usual = {
        "channel_names": {"0": "CT", "1": "PET"},
        "labels": {"background": 0, "lung": 1, "tumour": 2, "ignore": 3},
        "numTraining": len(cases),
        "file_ending": ".nii.gz",
    }
    (root / "dataset.json").write_text(json.dumps(usual | (document or {})))
    return root


def test_cases_have_their_channels_and_labels_and_ignore_is_unsure(tmp_path: Path) -> None:
    dataset(tmp_path)
    found = list_dataset("nnunet", DatasetRequest(tmp_path, patient_from="^([ab])"))
    assert [(case.key, case.patient) for case in found.cases] == [("a_001", "a"), ("b_002", "b")]
    assert found.label_names == ("lung", "tumour")
    assert [image.channel for image in found.cases[1].images] == ["CT", "PET"]
    assert [int(load_image(image).voxels[0, 0, 0]) for image in found.cases[1].images] == [10, 11]
    masks = load_labels(found.cases[1]).masks
    assert masks is not None
    assert [segment.name for segment in masks.segments] == ["lung", "tumour", "ignore"]
    assert masks.segments[2].role is SegmentRole.IGNORE
    for value, segment in enumerate(masks.segments, start=1):
        np.testing.assert_array_equal(masks.layers[segment.layer_id] == segment.value, labels(1) == value)


def test_regions_overlap(tmp_path: Path) -> None:
    regions = {
        "labels": {"background": 0, "whole": [1, 2, 3], "core": [2, 3], "enhancing": 3},
        "regions_class_order": [1, 2, 3],
    }
    found = list_dataset("nnunet", DatasetRequest(dataset(tmp_path, regions)))
    masks = load_labels(found.cases[0]).masks
    assert masks is not None
    drawn = {segment.name: masks.layers[segment.layer_id] == segment.value for segment in masks.segments}
    np.testing.assert_array_equal(drawn["whole"], labels(0) > 0)
    np.testing.assert_array_equal(drawn["core"], labels(0) > 1)
    np.testing.assert_array_equal(drawn["enhancing"], labels(0) == 3)


def test_test_images_and_the_final_splits_are_known(tmp_path: Path) -> None:
    root = dataset(tmp_path)
    (root / "splits_final.json").write_text(json.dumps([{"train": ["a_001"], "val": ["b_002"]}]))
    (root / "imagesTs").mkdir()
    for channel in range(2):
        voxels = np.zeros(GRID.shape_kji, dtype=np.int16)
        nifti.write_label_map(root / "imagesTs" / f"c_{channel:04d}.nii.gz", voxels, GRID)
    found = list_dataset("nnunet", DatasetRequest(root))
    assert [(case.key, case.split) for case in found.cases] == [("a_001", "train"), ("b_002", "val"), ("c", "test")]
    with pytest.raises(ReadError, match="Nobody labelled c"):
        load_labels(found.cases[2])


def test_the_decathlon_keeps_channels_in_one_file(tmp_path: Path) -> None:
    import SimpleITK

    for part in ("imagesTr", "labelsTr"):
        (tmp_path / part).mkdir()
    values = np.random.default_rng(0).integers(0, 100, (2, 3, 4, 5)).astype(np.int16)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values, isVector=False), str(tmp_path / "imagesTr" / "x.nii.gz"))
    mask = SimpleITK.GetImageFromArray((values[0] > 50).astype(np.uint8))
    SimpleITK.WriteImage(mask, str(tmp_path / "labelsTr" / "x.nii.gz"))
    document = {
        "modality": {"0": "T2", "1": "ADC"},
        "labels": {"0": "background", "1": "PZ"},
        "numTraining": 1,
        "training": [{"image": "./imagesTr/x.nii.gz", "label": "./labelsTr/x.nii.gz"}],
    }
    (tmp_path / "dataset.json").write_text(json.dumps(document))
    (case,) = list_dataset("nnunet", DatasetRequest(tmp_path)).cases
    for channel, image in enumerate(case.images):
        np.testing.assert_array_equal(load_image(image).voxels, values[channel])
    masks = load_labels(case).masks
    assert masks is not None
    np.testing.assert_array_equal(masks.layers[0] > 0, values[0] > 50)


def test_version_one_lists_images_without_the_number_of_their_channel(tmp_path: Path) -> None:
    listed = [{"image": f"./imagesTr/{case}.nii.gz", "label": f"./labelsTr/{case}.nii.gz"} for case in ("a_001", "b_002")]
    root = dataset(tmp_path, {"labels": {"0": "background", "1": "lung", "2": "tumour", "3": "x"}, "training": listed})
    assert [len(case.images) for case in list_dataset("nnunet", DatasetRequest(root)).cases] == [2, 2]


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        ("imagesTr/b_002_0001.nii.gz", "b_002 in imagesTr has 1 channels"),
        ("labelsTr/b_002.nii.gz", "the case b_002 has no counterpart"),
    ],
)
def test_what_lacks_a_counterpart_is_named(tmp_path: Path, gone: str, sentence: str) -> None:
    root = dataset(tmp_path)
    (root / gone).unlink()
    with pytest.raises(ReadError, match=sentence):
        list_dataset("nnunet", DatasetRequest(root))


def test_a_planted_label_and_a_wrong_count_are_told(tmp_path: Path) -> None:
    root = dataset(tmp_path, {"numTraining": 5})
    assert "dataset.json says 5 cases and there are 2." in list_dataset("nnunet", DatasetRequest(root)).notes
    nifti.write_label_map(root / "labelsTr" / "planted.nii.gz", labels(0), GRID)
    with pytest.raises(ReadError, match="the label planted has no counterpart"):
        list_dataset("nnunet", DatasetRequest(root))


@pytest.mark.parametrize("name", ["/etc/passwd", "../../secret.nii.gz"])
def test_lists_that_lead_out_of_the_dataset_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RefusedError, match="outside of its own folder"):
        list_dataset(
            "nnunet", DatasetRequest(dataset(tmp_path, {"dataset": {"a": {"images": [name, name], "label": name}}}))
        )
    root = dataset(tmp_path / "again", {"modality": {"0": "CT"}, "training": [{"image": name, "label": name}]})
    with pytest.raises(RefusedError, match="outside of its own folder"):
        list_dataset("nnunet", DatasetRequest(root))


@pytest.mark.parametrize(
    "more",
    [
        {"channel_names": []},
        {"channel_names": {"x": "CT"}},
        {"labels": {"lung": "many"}},
        {"labels": {"lung": -1}},
        {"labels": 3},
        {"file_ending": "/../x"},
        {"numTraining": "x"},
        {"training": [3]},
    ],
)
def test_damaged_descriptions_are_told(tmp_path: Path, more: dict[str, Any]) -> None:
    with pytest.raises(MedViewError, match=r"dataset\.json"):
        list_dataset("nnunet", DatasetRequest(dataset(tmp_path, more)))
