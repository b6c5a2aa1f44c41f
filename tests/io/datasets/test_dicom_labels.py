from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset

from medview.core.errors import ReadError
from medview.core.job import Inline
from medview.core.segmentation import LabelLayer, Segment, Segmentation
from medview.io.datasets.foreign import DatasetRequest, ForeignCase
from medview.io.datasets.reading import load_labels
from medview.io.datasets.table import list_dataset
from medview.io.dicom.rtstruct_writer import write_rtstruct
from medview.io.dicom.seg import write_seg
from medview.io.load import load_volume
from tests.helpers.dicom_series import asymmetric, write_ct


def study(folder: Path, seed: str) -> np.ndarray:  # type: ignore[type-arg]
    write_ct(
        folder / "ct",
        series=f"2.25.{len(seed)}",
        change=lambda _k, one: setattr(one, "StudyInstanceUID", f"2.25.9{len(seed)}"),
    )
    loaded = load_volume(folder / "ct", None, Inline())
    labels = np.random.default_rng(len(seed)).integers(0, 2, loaded.volume.geometry.shape_kji).astype(np.uint8)
    segment = Segment("a", f"Lung {seed}", (9, 99, 200), 0, 1)
    segmentation = Segmentation(loaded.volume.geometry, {0: LabelLayer.drawn(0, labels)}, [segment])
    write_seg(folder / "seg.dcm", segmentation, [Path(path) for path in loaded.entry.dicom_paths])
    return labels


def test_every_seg_finds_the_series_it_was_drawn_on(tmp_path: Path) -> None:
    drawn = {f"Lung {seed}": study(tmp_path / seed, seed) for seed in ("one", "three")}
    write_ct(tmp_path / "more", series="2.25.99")
    found = list_dataset("dicom-seg", DatasetRequest(tmp_path))
    assert len(found.cases) == 2
    assert any("1 series without a SEG" in note for note in found.notes)
    for case in found.cases:
        masks = load_labels(case).masks
        assert masks is not None
        (segment,) = masks.segments
        np.testing.assert_array_equal(masks.layers[segment.layer_id] == segment.value, drawn.pop(segment.name) == 1)
    assert not drawn


def test_a_seg_without_its_series_is_named(tmp_path: Path) -> None:
    study(tmp_path / "one", "one")
    study(tmp_path / "three", "three")
    shutil.rmtree(tmp_path / "one" / "ct")
    with pytest.raises(ReadError, match=r"seg\.dcm was drawn on images that are not here\. Add the folder.*--leave-out"):
        list_dataset("dicom-seg", DatasetRequest(tmp_path))


def test_files_without_their_images_are_left_out_where_that_is_said(tmp_path: Path) -> None:
    study(tmp_path / "one", "one")
    study(tmp_path / "three", "three")
    shutil.rmtree(tmp_path / "one" / "ct")
    found = list_dataset("dicom-seg", DatasetRequest(tmp_path, leave_out=True))
    assert [Path(case.labels.path).parent.name for case in found.cases if case.labels is not None] == ["three"]
    assert any("Left out: seg.dcm was drawn on images that are not here." in note for note in found.notes)
    shutil.rmtree(tmp_path / "three" / "ct")
    with pytest.raises(ReadError, match="images that are not here"):
        list_dataset("dicom-seg", DatasetRequest(tmp_path, leave_out=True))


def in_study(_k: int, dataset: FileDataset) -> None:
    dataset.StudyInstanceUID = "2.25.93"


def elsewhere(path: Path, **other: str) -> None:
    """Let a SEG name a series and images that are nowhere, or none at all."""
    dataset = pydicom.dcmread(path)
    del dataset.ReferencedSeriesSequence
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        del frame.DerivationImageSequence
    if "series" in other:
        named = Dataset()
        named.SeriesInstanceUID, named.ReferencedInstanceSequence = other["series"], []
        dataset.ReferencedSeriesSequence = [named]
    dataset.FrameOfReferenceUID = other.get("frame", dataset.FrameOfReferenceUID)
    dataset.StudyInstanceUID = other.get("study", dataset.StudyInstanceUID)
    dataset.save_as(path)


def test_a_seg_of_images_that_are_gone_lies_on_the_one_series_whose_grid_it_was_drawn_on(tmp_path: Path) -> None:
    labels = study(tmp_path, "one")
    write_ct(tmp_path / "other", series="2.25.77", step_lps_mm=(1.0, 2.0, 3.0), change=in_study)
    elsewhere(tmp_path / "seg.dcm", series="2.25.404")
    (case,) = list_dataset("dicom-seg", DatasetRequest(tmp_path)).cases
    assert case.images[0].series_uid == "2.25.3"
    found = load_labels(case)
    assert found.masks is not None
    np.testing.assert_array_equal(found.masks.layers[0], labels)
    assert found.notes == ("seg.dcm was made on other images of this frame of reference; it is placed by its position.",)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"frame": "2.25.5"}, "was drawn on images that are not here"),
        ({"study": "2.25.6"}, "was drawn on images that are not here"),
        ({"frame": ""}, "does not say which images it was drawn on"),
    ],
)
def test_a_seg_of_another_examination_is_never_placed_by_its_position(
    tmp_path: Path, other: dict[str, str], why: str
) -> None:
    study(tmp_path, "one")
    elsewhere(tmp_path / "seg.dcm", **other)
    with pytest.raises(ReadError, match=rf"seg\.dcm {why}"):
        list_dataset("dicom-seg", DatasetRequest(tmp_path))


def test_a_seg_that_fits_two_series_or_the_slices_of_none_is_named_with_the_reason(tmp_path: Path) -> None:
    study(tmp_path, "one")
    write_ct(tmp_path / "twin", series="2.25.78", change=in_study)
    elsewhere(tmp_path / "seg.dcm")
    with pytest.raises(ReadError, match="fits several series here and names none of them"):
        list_dataset("dicom-seg", DatasetRequest(tmp_path))
    for folder in ("ct", "twin"):
        shutil.rmtree(tmp_path / folder)
    write_ct(tmp_path / "other", series="2.25.77", step_lps_mm=(1.0, 2.0, 3.0), change=in_study)
    with pytest.raises(ReadError, match="on the slices of none of them"):
        list_dataset("dicom-seg", DatasetRequest(tmp_path))


def test_contours_of_images_that_are_gone_lie_where_they_are_in_the_patient(tmp_path: Path) -> None:
    write_ct(tmp_path / "ct", series="2.25.3")
    loaded = load_volume(tmp_path / "ct", None, Inline())
    mask = np.zeros(loaded.volume.geometry.shape_kji, dtype=np.uint8)
    mask[2:4, 3:7, 2:9] = 1
    drawn = Segmentation(loaded.volume.geometry, {0: LabelLayer.drawn(0, mask)}, [Segment("a", "Lung", (9, 99, 200), 0, 1)])
    write_rtstruct(tmp_path / "rt.dcm", drawn, loaded.entry.frames)
    shutil.rmtree(tmp_path / "ct")
    write_ct(tmp_path / "same", series="2.25.4")
    write_ct(tmp_path / "shorter", asymmetric()[:3], series="2.25.5")
    (case,) = list_dataset("rtstruct", DatasetRequest(tmp_path)).cases
    assert case.images[0].series_uid == "2.25.4"
    found = load_labels(case)
    assert found.masks is not None
    np.testing.assert_array_equal(found.masks.layers[0], mask)
    assert any("placed by its position" in note for note in found.notes)


@pytest.mark.data
def test_real_segs_and_contours_are_matched_or_named(test_data: Path) -> None:
    for folder, count in (("rtstruct-rt-utils", 3), ("rt-dicompyler", 1)):
        found = list_dataset("rtstruct", DatasetRequest(test_data / folder))
        assert len(found.cases) == count
        assert all(case.images[0].series_uid for case in found.cases)
    with pytest.raises(ReadError, match=r"seg_image_ct_binary\.dcm.*drawn on images that are not here; .*slides"):
        list_dataset("dicom-seg", DatasetRequest(test_data / "seg-highdicom"))
    found = list_dataset("dicom-seg", DatasetRequest(test_data / "seg-dcmqi", leave_out=True))
    assert {Path(case.labels.path).name for case in found.cases if case.labels is not None} == {"label.seg", "liver.dcm"}
    assert any("sparse-labelmap-noppv.dcm, sparse-labelmap-ppv5.dcm were drawn on" in note for note in found.notes)


@pytest.mark.data
def test_a_seg_on_images_without_a_place_in_the_patient_lies_on_those_it_names(test_data: Path) -> None:
    studies = test_data / "pydicom-testfiles/src/pydicom/data/test_files/dicomdirtests/77654033"
    request = DatasetRequest(images=studies, labels=test_data / "seg-highdicom", leave_out=True, threshold=0.5)
    cases = {Path(one.labels.path).stem: one for one in list_dataset("dicom-seg", request).cases if one.labels is not None}
    for name in ("cr_binary", "ct_binary", "ct_binary_fractional", "ct_binary_overlap", "ct_true_fractional"):
        case = cases[f"seg_image_{name}"]
        assert case.labels is not None
        masks = load_labels(case).masks
        assert masks is not None
        file = pydicom.dcmread(case.labels.path)
        slices = {frame: k for k, frame in enumerate(_images(case))}
        stored = file.pixel_array.reshape(-1, file.Rows, file.Columns)
        for frame, groups in zip(stored, file.PerFrameFunctionalGroupsSequence, strict=True):
            number = groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber
            named = groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
            segment = next(one for one in masks.segments if one.segment_id == f"seg-{number}")
            own = masks.layers[segment.layer_id][slices[named]] == segment.value
            np.testing.assert_array_equal(own, frame >= 0.5 * file.get("MaximumFractionalValue", 1))
    plain = DatasetRequest(images=studies, labels=test_data / "seg-highdicom", leave_out=True)
    (fractions,) = (one for one in list_dataset("dicom-seg", plain).cases if "true_fractional" in one.key)
    with pytest.raises(ReadError, match="holds probabilities"):
        load_labels(fractions)


def _images(case: ForeignCase) -> tuple[str, ...]:
    image = case.images[0]
    return load_volume(Path(image.path), image.series_uid, Inline()).volume.sop_instance_uids
