"""The datasets that others published, listed and read: as many images, boxes and patients as they say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from medview.core.errors import ReadError
from medview.io.datasets.foreign import BY_IMAGE, DatasetRequest
from medview.io.datasets.reading import load_image, load_labels
from medview.io.datasets.table import list_dataset
from medview.io.reader_pool import ReaderPool

pytestmark = pytest.mark.data


def test_hippocampus_has_180_volumes_of_180_patients(test_data: Path) -> None:
    source = test_data / "train-seg-hippocampus"
    dataset = list_dataset(
        "nifti-pairs", DatasetRequest(source, label_values={1: "Anterior", 2: "Posterior"}, patient_from=r"hippocampus_\d+")
    )
    assert (len(dataset.cases), dataset.patients, dataset.split_by) == (180, 180, "patient")
    assert dataset.label_names == ("Anterior", "Posterior")
    assert not dataset.notes
    case = dataset.cases[3]
    found = load_labels(case)
    assert found.masks is not None
    truth = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(case.labels.path))  # type: ignore[union-attr]
    for value, segment in enumerate(found.masks.segments, start=1):
        own = found.masks.layers[segment.layer_id] == segment.value
        np.testing.assert_array_equal(own, truth == value)
        assert own.any()
    assert load_image(case.images[0]).geometry.same_grid(found.geometry)


def test_sunnybrook_has_526_grey_slices_of_30_patients(test_data: Path) -> None:
    request = DatasetRequest(
        test_data / "train-seg-sunnybrook", label_values={255: "LV"}, patient_from=r"(SC-[A-Z]+(?:-N?I)?-\d+)"
    )
    dataset = list_dataset("image-mask", request)
    assert (len(dataset.cases), dataset.patients, dataset.patients_known) == (526, 30, True)
    assert dataset.label_names == ("LV",)
    case = dataset.cases[100]
    volume = load_image(case.images[0])
    assert not volume.colour
    found = load_labels(case)
    assert found.masks is not None
    (segment,) = found.masks.segments
    assert segment.name == "LV"
    assert found.masks.layers[segment.layer_id].shape == volume.voxels.shape


def test_without_an_expression_sunnybrook_is_split_by_image_and_says_so(test_data: Path) -> None:
    dataset = list_dataset("image-mask", DatasetRequest(test_data / "train-seg-sunnybrook"))
    assert dataset.split_by == "image"
    assert dataset.notes == (BY_IMAGE,)


def test_bccd_has_205_pictures_with_2805_boxes(test_data: Path) -> None:
    pool = ReaderPool(1)
    try:
        dataset = list_dataset("voc", DatasetRequest(test_data / "train-det-bccd"), pool=pool)
        assert len(dataset.cases) == 205
        assert dataset.label_names == ("Platelets", "RBC", "WBC")
        assert (dataset.split_by, dataset.notes) == ("image", (BY_IMAGE,))
        counts: Counter[str] = Counter()
        for case in dataset.cases[:8]:
            found = load_labels(case, pool=pool)
            counts.update(box.label for box in found.boxes)
            assert len(found.boxes) == len(case.labels.shapes)  # type: ignore[union-attr]
        assert sum(len(case.labels.shapes) for case in dataset.cases) == 2805  # type: ignore[union-attr]
        first = load_labels(dataset.cases[0], pool=pool)
    finally:
        pool.close()
    low, high = first.boxes[0].bounds_kji(first.geometry)
    np.testing.assert_allclose([*low, *high], [0, 314, 67, 1, 480, 286])
    assert first.boxes[0].flat_edge == 0


def test_pneumoniamnist_has_its_splits_and_classes(test_data: Path) -> None:
    source = test_data / "train-cls-pneumoniamnist"
    dataset = list_dataset("medmnist-npz", DatasetRequest(source))
    assert Counter(case.split for case in dataset.cases) == {"train": 2428, "val": 270}
    answers = Counter((case.split, *case.labels.present) for case in dataset.cases)  # type: ignore[union-attr]
    assert answers == {
        ("train", "normal"): 1214,
        ("train", "pneumonia"): 1214,
        ("val", "normal"): 135,
        ("val", "pneumonia"): 135,
    }
    assert dataset.notes == (BY_IMAGE,)
    arrays = np.load(next(source.glob("*.npz")))
    case = dataset.cases[2428 + 17]
    volume = load_image(case.images[0])
    np.testing.assert_array_equal(volume.voxels[0], arrays["val_images"][17])
    said = {answer.label: answer.says for answer in load_labels(case).answers}
    pneumonia = bool(arrays["val_labels"][17, 0])
    assert said == {"normal": "absent" if pneumonia else "present", "pneumonia": "present" if pneumonia else "absent"}


def test_a_file_without_its_counterpart_is_named(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "train-det-bccd" / "BCCD"
    for folder in ("JPEGImages", "Annotations"):
        (tmp_path / folder).mkdir()
        for file in sorted((source / folder).iterdir())[:3]:
            (tmp_path / folder / file.name).symlink_to(file)
    (tmp_path / "JPEGImages" / "planted.jpg").symlink_to(next((source / "JPEGImages").iterdir()))
    with pytest.raises(ReadError, match=r"the image planted\.jpg has no counterpart"):
        list_dataset("voc", DatasetRequest(tmp_path))
