"""Every real SEG, RTSTRUCT and NRRD goes into a project and out of it again, in every format, and comes back as it was."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK

from medview.core.geometry import Calibration
from medview.core.job import Inline
from medview.core.segmentation import Segmentation
from medview.io.datasets.foreign import DatasetRequest
from medview.io.imported_labels import ImportedLabels, Target
from medview.io.label_files import read_on
from medview.io.load import load_volume
from medview.io.reader_pool import InlinePool
from medview.store.project import Project
from medview.workspace.case_adding import AddCases, WantedPlace
from medview.workspace.dataset_import import ImportRun, import_dataset
from medview.workspace.export_selection import ExportRun, pixels_of, select_cases
from medview.workspace.exporting import export_as
from medview.workspace.label_export import LABEL_FORMS
from tests.helpers.dciodvfy import errors
from tests.helpers.dcmqi import by_dcmqi
from tests.helpers.structure_sets import by_plastimatch, dice

pytestmark = [pytest.mark.data, pytest.mark.timeout(300)]

DCMQI = "seg-dcmqi/data/segmentations"
HIGHDICOM = "seg-highdicom/data/test_files"
STUDIES = "pydicom-testfiles/src/pydicom/data/test_files/dicomdirtests/77654033"
UTILS = "rtstruct-rt-utils/tests/mock_data"


@dataclass(frozen=True)
class Real:
    """Label files that others made, all of them on one case, and the folder with its images."""

    form: str
    images: str
    labels: tuple[str, ...]
    placed: bool = True
    """Whether the images have a place in the patient, without which only NIfTI holds labels."""


REAL = {
    "liver": Real("dicom-seg", f"{DCMQI}/ct-3slice", (f"{DCMQI}/liver.dcm",)),
    "23x38": Real("dicom-seg", f"{DCMQI}/23x38x3/image", (f"{DCMQI}/23x38x3/seg/label.seg",)),
    "one frame": Real("dicom-seg", f"{HIGHDICOM}/ct_image.dcm", (f"{HIGHDICOM}/seg_image_ct_binary_single_frame.dcm",)),
    "uneven CT": Real(
        "dicom-seg",
        STUDIES,
        tuple(
            f"{HIGHDICOM}/seg_image_ct_{n}.dcm"
            for n in ("binary", "binary_overlap", "binary_fractional", "true_fractional")
        ),
        placed=False,
    ),
    "radiograph": Real("dicom-seg", STUDIES, (f"{HIGHDICOM}/seg_image_cr_binary.dcm",), placed=False),
    "planning": Real("rtstruct", "rt-dicompyler", ("rt-dicompyler/tests/testdata/example_data/rtss.dcm",)),
    "three structure sets": Real(
        "rtstruct",
        UTILS,
        tuple(f"{UTILS}/{name}.dcm" for name in ("rt", "invalid_reference_rt", "non_existent_reference_rt")),
    ),
}


def project_of(real: Real, data: Path, place: Path) -> Path:
    """Make a project of the images first, and import the label files alone."""
    labels = place / "labels"
    labels.mkdir()
    for number, name in enumerate(real.labels):
        shutil.copy(data / name, labels / f"{number}-{Path(name).name}")
    run = ImportRun(real.form, DatasetRequest(labels, threshold=0.5))
    with Project.create(place / "p.medview", "Test") as project:
        AddCases(project, (WantedPlace(data / real.images),), InlinePool()).run(Inline())
        done = import_dataset(run, project, Inline(), InlinePool())
        assert (done.labelled, done.added, done.left_out) == (1, 0, 0)
        again = import_dataset(run, project, Inline(), InlinePool())
        assert (again.labelled, again.known) == (0, 1)
    return place / "p.medview"


def cases_of(project: Project) -> Iterator[tuple[str, Target, Segmentation]]:
    for row in project.readings():
        drawn = project.load_reading(row.reading_id).labels.segmentation
        target = Target(drawn.geometry, row.key.series_uid, row.key.study_uid, row.sources.sop_instance_uids)
        yield f"case_{row.case_id:04d}", target, drawn


def masks_of(read: ImportedLabels) -> dict[str, npt.NDArray[np.bool_]]:
    return {one.name: read.layers[one.layer_id] == one.value for one in read.segments}


def comes_back(project: Path, out: Path, forms: tuple[str, ...]) -> None:
    """Write a project in some formats and compare every voxel of what is read again."""
    out.mkdir()
    with Project.open(project, read_only=True) as opened:
        for form in forms:
            export_as(ExportRun(form), opened, out / form, Inline(), InlinePool(), lambda _said: None)
            for name, target, drawn in cases_of(opened):
                assert any(drawn.count(segment) for segment in drawn.segments)
                found: dict[str, npt.NDArray[np.bool_]] = {}
                for path in sorted((out / form / name).glob("labels*")):
                    if path.suffix == ".dcm":
                        assert errors(path) == []
                    if path.suffix != ".json":
                        found |= masks_of(read_on(str(path), target))
                for segment in drawn.segments:
                    if drawn.count(segment):
                        wanted = drawn.mask(segment)
                        np.testing.assert_array_equal(found[segment.name], wanted, err_msg=f"{form} {segment.name}")


def judged(project: Path, out: Path, scratch: Path) -> None:
    """Let dcmqi and plastimatch read what was written."""
    with Project.open(project, read_only=True) as opened:
        chosen = select_cases(ExportRun("seg"), opened, Inline(), InlinePool()).chosen
        for one, (name, _, drawn) in zip(chosen, cases_of(opened), strict=True):
            by_hand = {segment.name: drawn.mask(segment) for segment in drawn.segments if drawn.count(segment)}
            theirs = by_dcmqi(out / "seg" / name / "labels.dcm", scratch / f"dcmqi-{name}")
            for label, mask in by_hand.items():
                np.testing.assert_array_equal(theirs[label].on_grid(drawn.geometry), mask, err_msg=f"dcmqi {label}")
            assert pixels_of(one, InlinePool()).geometry.same_grid(drawn.geometry)
            _, entry = one.find()
            if len(entry.dicom_paths) < 2:
                continue  # plastimatch makes nothing of a single slice
            images = scratch / f"images-{name}"
            images.mkdir()
            for number, path in enumerate(entry.dicom_paths):
                shutil.copy(path, images / f"{number}.dcm")
            filled = by_plastimatch(out / "rtstruct" / name / "labels.dcm", images, scratch / f"plastimatch-{name}")
            assert len(filled) >= len(by_hand)
            for label, mask in by_hand.items():
                assert max(dice(each, mask) for each in filled.values() if each.shape == mask.shape) >= 0.99, label


@pytest.mark.parametrize("name", REAL)
def test_labels_of_others_go_through_a_project_voxel_for_voxel(test_data: Path, tmp_path: Path, name: str) -> None:
    real = REAL[name]
    project = project_of(real, test_data, tmp_path)
    comes_back(project, tmp_path / "out", LABEL_FORMS if real.placed else ("nifti",))
    with Project.open(project, read_only=True) as opened:
        for _, target, _ in cases_of(opened):
            assert (target.geometry.calibration is Calibration.VOLUME) == real.placed
    if real.placed:
        judged(project, tmp_path / "out", tmp_path)


def nrrd_pairs(data: Path) -> dict[str, tuple[Path, Path]]:
    """Return name -> (image, labels): every NRRD with labels there is, on an image of its grid."""
    folder = data / DCMQI
    brain = data / "nrrd-image-label" / "data"
    names = [*sorted(path.name for path in folder.glob("*.nrrd")), "23x38x3/nrrd/label.nrrd"]
    pairs = {Path(name).stem: (folder / name, folder / name) for name in names}
    return {**pairs, "brain1": (brain / "brain1_image.nrrd", brain / "brain1_label.nrrd")}


def test_nrrd_labels_of_others_go_through_a_project_voxel_for_voxel(test_data: Path, tmp_path: Path) -> None:
    pairs = nrrd_pairs(test_data)
    assert len(pairs) == 10
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for number, (name, (image, labels)) in enumerate(pairs.items()):
        shutil.copy(labels, tmp_path / "labels" / f"{name}_seg.nrrd")
        if image != labels:
            shutil.copy(image, tmp_path / "images" / f"{name}.nrrd")
            continue
        # Its images are not there; any on the same grid will do.
        grid = SimpleITK.ReadImage(str(labels))
        values = np.random.default_rng(number).integers(0, 900, grid.GetSize()[::-1]).astype(np.int16)
        made = SimpleITK.GetImageFromArray(values)
        made.CopyInformation(grid)
        SimpleITK.WriteImage(made, str(tmp_path / "images" / f"{name}.nrrd"))
    project = tmp_path / "p.medview"
    request = DatasetRequest(images=tmp_path / "images", labels=tmp_path / "labels")
    with Project.create(project, "Test") as made_now:
        done = import_dataset(ImportRun("nifti-pairs", request), made_now, Inline(), InlinePool())
    assert done.labelled == len(pairs)
    with Project.open(project, read_only=True) as opened:
        drawn = {target.series_uid: segmentation for _, target, segmentation in cases_of(opened)}
    for name, (_, labels) in pairs.items():
        series = load_volume(tmp_path / "images" / f"{name}.nrrd", None, Inline()).series.series_uid
        truth = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(labels)))
        own = drawn[series]
        values = [int(value) for value in np.unique(truth) if value]
        assert len(own.segments) == len(values)
        for value, segment in zip(values, own.segments, strict=True):
            np.testing.assert_array_equal(own.mask(segment), truth == value, err_msg=f"{name} {value}")
    comes_back(project, tmp_path / "out", ("nifti", "nrrd"))
