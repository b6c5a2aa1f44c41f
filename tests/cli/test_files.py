"""render, convert and project: what goes in comes out."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from PIL import Image

from medview.core.job import Inline
from medview.io.label_files import read_labels
from medview.io.load import load_volume
from tests.cli.conftest import Cli, write_ct
from tests.helpers.dciodvfy import errors


def test_render_shows_the_bright_corner_where_the_patient_has_it(cli: Cli, ct_folder: Path, tmp_path: Path) -> None:
    done = cli("render", ct_folder, "--plane", "axial", "--index", 6, "--window", "100/900", "-o", tmp_path / "a.png")
    assert done.code == 0, done.err
    picture = np.asarray(Image.open(tmp_path / "a.png"))
    rows, columns = picture.shape[:2]
    assert abs(rows / columns - (10 * 0.9) / (13 * 0.6)) < 0.05
    assert picture[0, -1].tolist() == [255, 255, 255]


def test_render_names_the_slices_there_are_when_asked_for_another(cli: Cli, ct_folder: Path, tmp_path: Path) -> None:
    done = cli("render", ct_folder, "--plane", "axial", "--index", 7, "-o", tmp_path / "a.png")
    assert done.code == 1
    assert "0 to 6" in done.err


def test_a_series_becomes_a_nifti_with_its_values_and_place(cli: Cli, ct_folder: Path, tmp_path: Path) -> None:
    assert cli("convert", ct_folder, tmp_path / "ct.nii.gz").code == 0
    image = sitk.ReadImage(str(tmp_path / "ct.nii.gz"))
    volume = load_volume(ct_folder, None, Inline()).volume
    assert np.array_equal(sitk.GetArrayFromImage(image), volume.values())
    assert np.allclose(image.TransformIndexToPhysicalPoint((12, 0, 6)), volume.geometry.point_lps_mm((6, 0, 12)), atol=1e-4)


def test_what_of_a_series_is_not_in_the_file_is_said(cli: Cli, ct_folder: Path, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(ct_folder, tmp_path / "damaged"))
    name = sorted(damaged.iterdir())[2]
    dataset = pydicom.dcmread(name)
    dataset.PixelData = dataset.PixelData[:20]
    dataset.save_as(name)
    done = cli("convert", damaged, tmp_path / "ct.nii.gz")
    assert done.code == 0
    assert "1 slice could not be read and is 0 everywhere." in done.err
    assert name.name in done.err
    # Labels that are written for such a series fit it once it is whole.
    labels = sitk.GetImageFromArray(np.ones((7, 10, 13), dtype=np.uint8))
    labels.CopyInformation(sitk.ReadImage(str(tmp_path / "ct.nii.gz")))
    sitk.WriteImage(labels, str(tmp_path / "in.nii.gz"))
    assert cli("convert", tmp_path / "in.nii.gz", tmp_path / "out.nii.gz", "--reference", damaged).code == 0
    whole = load_volume(ct_folder, None, Inline()).volume
    assert read_labels(tmp_path / "out.nii.gz", whole).layers[0].all()


def test_labels_survive_nifti_to_seg_to_nrrd_to_slicer_to_nifti_voxel_for_voxel(
    cli: Cli, ct_folder: Path, tmp_path: Path
) -> None:
    volume = load_volume(ct_folder, None, Inline()).volume
    labels = np.zeros(volume.geometry.shape_kji, dtype=np.uint8)
    labels[1:4, 2:5, 3:9] = 1
    labels[5, 9, 12] = 2
    image = sitk.GetImageFromArray(labels)
    image.SetSpacing((0.6, 0.9, 5.0))
    image.SetOrigin((-3.0, 4.0, 50.0))
    sitk.WriteImage(image, str(tmp_path / "in.nii.gz"))
    steps = [("in.nii.gz", "a.dcm"), ("a.dcm", "b.nrrd"), ("b.nrrd", "b.seg.nrrd"), ("b.seg.nrrd", "c.nii.gz")]
    for source, target in steps:
        done = cli("convert", tmp_path / source, tmp_path / target, "--reference", ct_folder)
        assert done.code == 0, done.err
    assert errors(tmp_path / "a.dcm") == []
    back = read_labels(tmp_path / "c.nii.gz", volume)
    assert np.array_equal(back.layers[0], labels)


def test_labels_survive_contours_on_the_way_and_the_name_or_the_word_says_what_a_dicom_file_becomes(
    cli: Cli, ct_folder: Path, tmp_path: Path
) -> None:
    volume = load_volume(ct_folder, None, Inline()).volume
    labels = np.zeros(volume.geometry.shape_kji, dtype=np.uint8)
    labels[1:4, 2:8, 3:11] = 1
    labels[2, 4:6, 5:8] = 0
    labels[5, 9, 12] = 2
    image = sitk.GetImageFromArray(labels)
    image.SetSpacing((0.6, 0.9, 5.0))
    image.SetOrigin((-3.0, 4.0, 50.0))
    sitk.WriteImage(image, str(tmp_path / "in.nii.gz"))
    series = ("--reference", ct_folder)
    for source, target, more in (
        ("in.nii.gz", "a.dcm", ("--to", "rtstruct")),
        ("a.dcm", "b.dcm", ()),
        ("b.dcm", "c.rtstruct.dcm", ()),
    ):
        done = cli("convert", tmp_path / source, tmp_path / target, *series, *more)
        assert done.code == 0, done.err
    kinds = [pydicom.dcmread(tmp_path / name).Modality for name in ("a.dcm", "b.dcm", "c.rtstruct.dcm")]
    assert kinds == ["RTSTRUCT", "SEG", "RTSTRUCT"]
    assert errors(tmp_path / "c.rtstruct.dcm") == []
    assert np.array_equal(read_labels(tmp_path / "c.rtstruct.dcm", volume).layers[0], labels)


def test_what_a_dicom_file_cannot_become_is_said_in_one_sentence(cli: Cli, ct_folder: Path, tmp_path: Path) -> None:
    done = cli("convert", ct_folder, tmp_path / "a.dcm", "--to", "surface")
    assert (done.code, done.err.strip()) == (1, "surface is nothing MedView writes into a DICOM file; say seg or rtstruct.")
    done = cli("convert", ct_folder, tmp_path / "a.nii.gz", "--to", "rtstruct")
    assert "a.nii.gz would be a NIfTI" in done.err
    done = cli("convert", ct_folder, tmp_path / "a.rtstruct.dcm")
    assert "name the series with --reference" in done.err
    assert list(tmp_path.glob("a.*")) == []


def test_a_seg_of_another_series_is_refused_in_one_sentence(cli: Cli, ct_folder: Path, tmp_path: Path) -> None:
    volume = load_volume(ct_folder, None, Inline()).volume
    image = sitk.GetImageFromArray(np.ones(volume.geometry.shape_kji, dtype=np.uint8))
    image.SetSpacing((0.6, 0.9, 5.0))
    image.SetOrigin((-3.0, 4.0, 50.0))
    sitk.WriteImage(image, str(tmp_path / "in.nii.gz"))
    assert cli("convert", tmp_path / "in.nii.gz", tmp_path / "a.dcm", "--reference", ct_folder).code == 0
    other = write_ct(tmp_path / "other", seed="other")
    done = cli("convert", tmp_path / "a.dcm", tmp_path / "b.nii.gz", "--reference", other)
    assert done.code == 1
    assert len(done.err.strip().splitlines()) == 1
    assert not (tmp_path / "b.nii.gz").exists()


def test_an_output_folder_that_may_not_be_written_is_named(cli: Cli, ct_folder: Path, tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    done = cli("convert", ct_folder, blocker / "ct.nii.gz")
    assert done.code == 1
    assert "ct.nii.gz" in done.err
    assert blocker.read_text() == "in the way"


def test_a_project_is_created_inspected_and_verified(cli: Cli, tmp_path: Path) -> None:
    place = tmp_path / "work.medview"
    assert cli("project", "create", place, "--name", "Lungs", "--json").document["name"] == "Lungs"
    info = cli("project", "info", place, "--json").document
    assert (info["cases"], info["correction_effort"]) == (0, [])
    assert cli("project", "list", place, "--json").document == {"cases": []}
    assert cli("project", "verify", place, "--json").document["problems"] == []
    again = cli("project", "create", place)
    assert again.code == 1
    assert "exists" in again.err


def test_a_folder_that_is_no_project_is_named_as_such(cli: Cli, tmp_path: Path) -> None:
    done = cli("project", "info", tmp_path)
    assert done.code == 1
    assert "not a MedView project" in done.err


def test_a_source_file_is_never_written_over(cli: Cli, ct_folder: Path, tmp_path: Path) -> None:
    victim = ct_folder / "slice-0003.dcm"
    before = victim.read_bytes()
    image = sitk.GetImageFromArray(np.ones((7, 10, 13), dtype=np.uint8))
    image.SetSpacing((0.6, 0.9, 5.0))
    image.SetOrigin((-3.0, 4.0, 50.0))
    sitk.WriteImage(image, str(tmp_path / "in.nii.gz"))
    done = cli("convert", tmp_path / "in.nii.gz", victim, "--reference", ct_folder)
    assert done.code == 1
    assert victim.read_bytes() == before
    packed = (tmp_path / "in.nii.gz").read_bytes()
    assert cli("convert", tmp_path / "in.nii.gz", tmp_path / "in.nii.gz").code == 1
    assert (tmp_path / "in.nii.gz").read_bytes() == packed
