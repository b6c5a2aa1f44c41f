"""Images and labels that leave a project as NIfTI lie where dcm2niix puts the same DICOM series, voxel for voxel."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK

from medview.core.box import Box
from medview.core.changes import Change, Command, SegmentChange
from medview.core.job import Inline
from medview.core.label_patch import LabelPatch
from medview.core.segmentation import Segment, Segmentation
from medview.io.dicom.scan import scan
from medview.io.load import LoadedVolume, load_volume
from medview.io.reader_pool import InlinePool
from medview.store.entry import Entry, EntryKind
from medview.store.project import Project
from medview.store.reading_state import ReadingStatus
from medview.workspace.export_selection import ExportRun
from medview.workspace.exporting import export_as
from medview.workspace.keeping import load_stored, tie_pixels
from tests.helpers.foreign import by_dcm2niix

pytestmark = [pytest.mark.data, pytest.mark.timeout(300)]


def series_in(data: Path, folder: str, description: str, target: Path) -> LoadedVolume:
    """Return one series of a study, copied so that nothing else lies beside it."""
    (series,) = (s for s in scan(data / folder, Inline()).series if s.best and s.description == description)
    assert series.best is not None
    target.mkdir()
    for number, path in enumerate(series.best.paths):
        shutil.copy(path, target / f"{number:03d}.dcm")
    return load_volume(target, None, Inline())


def drawn_on(loaded: LoadedVolume, place: Path) -> tuple[Path, Segmentation]:
    """Return a project with a lopsided blob, a hole and a lone voxel drawn on a series."""
    shape = loaded.volume.geometry.shape_kji
    k, j, i = (np.arange(n) / n for n in shape)
    mask = (k[:, None, None] < 0.4) & (j[None, :, None] > 0.3) & (i[None, None, :] + 0.5 * j[None, :, None] < 0.7)
    mask[:, int(shape[1] * 0.4) : int(shape[1] * 0.5), 2:6] = False
    mask[-1, 0, -1] = True
    with Project.create(place / "p.medview", "Test") as project:
        stored = load_stored(project, loaded.series, loaded.entry, loaded.volume)
        assert stored.reading_id is not None
        tie_pixels(project, stored, loaded.volume, ())
        blank = Segmentation(loaded.volume.geometry)
        patch = LabelPatch.between(blank.layer(0), Box.whole(shape), mask.astype(np.uint8))
        assert patch is not None
        changes: list[Change] = [SegmentChange(None, Segment("a", "Blob", (9, 99, 200), 0, 1), 0), patch]
        project.journal.append(stored.reading_id, Entry(EntryKind.DO, Command("Draw", tuple(changes), "brush"), 1))
        assert project.journal.flush()
        drawn = project.load_reading(stored.reading_id).labels.segmentation
        project.set_status(stored.reading_id, ReadingStatus.DONE)
    return place / "p.medview", drawn


def on_grid_of(image: Any, grid: Any) -> np.ndarray:  # type: ignore[type-arg]
    """Return the voxels of an image at the centres of another grid; -32768 where it has none."""
    return SimpleITK.GetArrayFromImage(
        SimpleITK.Resample(image, grid, SimpleITK.Transform(), SimpleITK.sitkNearestNeighbor, -32768.0)
    )


def corners_lps_mm(image: Any) -> np.ndarray:  # type: ignore[type-arg]
    ends = np.stack(np.meshgrid(*[(0, n - 1) for n in image.GetSize()]), -1).reshape(-1, 3)
    return np.array([image.TransformIndexToPhysicalPoint([int(n) for n in end]) for end in ends])


@pytest.mark.parametrize(
    ("folder", "description"),
    [("ct-head-tiny-93", "None"), ("mr-sag-hfs", "t1_fl2d_sag"), ("mr-brain-t1-t1c-t2-flair", "T1post")],
)
def test_images_and_labels_lie_where_dcm2niix_puts_them(
    test_data: Path, tmp_path: Path, folder: str, description: str
) -> None:
    loaded = series_in(test_data, folder, description, tmp_path / "series")
    project, drawn = drawn_on(loaded, tmp_path)
    (judge,) = by_dcm2niix(tmp_path / "series", tmp_path / "dcm2niix")
    theirs = SimpleITK.ReadImage(str(judge), SimpleITK.sitkFloat64)
    with Project.open(project, read_only=True) as opened:
        for form in ("nnunet", "nifti"):
            export_as(ExportRun(form), opened, tmp_path / form, Inline(), InlinePool(), lambda _said: None)
    image = SimpleITK.ReadImage(str(tmp_path / "nnunet" / "imagesTr" / "case_0001_0000.nii.gz"))
    apart = np.linalg.norm(corners_lps_mm(theirs)[:, None] - corners_lps_mm(image)[None], axis=2)
    assert max(apart.min(axis=0).max(), apart.min(axis=1).max()) < 0.01
    values = SimpleITK.GetArrayFromImage(image).astype(np.float64)
    np.testing.assert_allclose(on_grid_of(theirs, image), values, atol=1e-3)
    np.testing.assert_allclose(values, loaded.volume.values(), atol=1e-3)
    maps = ("nnunet/labelsTr/case_0001.nii.gz", "nifti/case_0001/labels.nii.gz")
    for labels in (SimpleITK.ReadImage(str(tmp_path / name)) for name in maps):
        np.testing.assert_allclose(labels.GetDirection(), image.GetDirection(), atol=1e-6)
        np.testing.assert_allclose(corners_lps_mm(labels), corners_lps_mm(image), atol=1e-3)
        found = SimpleITK.GetArrayFromImage(labels) > 0
        np.testing.assert_array_equal(found, drawn.mask(drawn.segments[0]))
        # What dcm2niix holds under the labels is what the series holds under them.
        np.testing.assert_allclose(on_grid_of(theirs, labels)[found], loaded.volume.values()[found], atol=1e-3)
