"""A workspace with real readers, store and files, run in place."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest

from medview.core.axes import Axes
from medview.core.errors import CancelledError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.volume import Rescale, Volume
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.io.fill import SliceReport
from medview.io.reader_pool import InlinePool
from medview.ml.registry import Registry
from medview.store.project import Project
from medview.workspace.events import Message, Severity
from medview.workspace.jobs import InlineRunner, Job, Outcome, Request
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import files, labels
from medview.workspace.operations import segments as segment_ops
from medview.workspace.operations.open import open_path, open_series
from medview.workspace.operations.slicer_files import export_slicer
from medview.workspace.operations.thumbnails import Thumbnail
from medview.workspace.services import Services
from medview.workspace.workspace import Workspace
from tests.helpers.strokes import stroke_patch

SHAPE_KJI = (7, 10, 13)


def write_ct(folder: Path, *, seed: str = "operations", offset: int = 0) -> Path:
    k, j, i = np.indices(SHAPE_KJI)
    stored = (1000 + offset + 40 * k + 7 * j + i).astype(np.int16)
    geometry = Geometry.from_spacing(SHAPE_KJI, (5.0, 0.9, 0.6), (-3.0, 4.0, 50.0))
    volume = Volume(stored, geometry, modality="CT", unit="HU", rescale=Rescale(1.0, -1024.0))
    write_series(folder, volume, SeriesIdentity("Phantom^Op", "OP-1", series_description="small", seed=seed))
    return folder


class Desk:
    """A workspace that remembers what it said."""

    def __init__(self, project: Project | None, models: Path) -> None:
        services = Services(InlinePool(), Registry(models / "bundled", models / "user"), project)
        self.workspace = Workspace(InlineRunner(), services)
        self.messages: list[Message] = []
        self.workspace.message.connect(self.messages.append)

    def open(self, path: Path) -> OpenCase:
        open_path(self.workspace, path)
        assert self.workspace.active is not None, self.messages
        return self.workspace.active


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    opened = Project.create(tmp_path / "p.medview", "Test")
    yield opened
    opened.close()


@pytest.fixture
def desk(project: Project, tmp_path: Path) -> Desk:
    return Desk(project, tmp_path / "models")


def paint(case: OpenCase, name: str, at: tuple[int, int, int], radius_mm: float = 3.0) -> None:
    segment = next((s for s in case.labels.segmentation.segments if s.name == name), None) or labels.add_segment(case, name)
    gesture = case.gesture("brush")
    patch = stroke_patch(case.labels.segmentation, segment, at, at, radius_mm=radius_mm)
    assert patch is not None
    gesture.apply(patch)
    gesture.commit(f"Brush {name}")


def test_a_folder_with_one_series_opens_at_once_with_all_its_slices(desk: Desk, tmp_path: Path) -> None:
    case = desk.open(write_ct(tmp_path / "ct"))
    assert case.load.complete
    assert case.volume.values((6, 9, 12)) == 1000 + 240 + 63 + 12 - 1024
    assert desk.workspace.settings.recent == (str(tmp_path / "ct"),)


def test_a_series_that_was_closed_leaves_nothing_in_memory(desk: Desk, tmp_path: Path) -> None:
    case = desk.open(write_ct(tmp_path / "ct"))
    paint(case, "Liver", (3, 5, 6))
    case.view.axes = Axes()
    left = [weakref.ref(thing) for thing in (case, case.view, case.volume.voxels)]
    desk.workspace.close_case(case.key)
    # Whoever ran the job has forgotten it long before.
    assert isinstance(desk.workspace.runner, InlineRunner)
    desk.workspace.runner.jobs.clear()
    del case
    gc.collect()
    assert [one() for one in left] == [None] * 3


def test_labels_and_undo_history_come_back_when_the_series_is_opened_again(
    desk: Desk, project: Project, tmp_path: Path
) -> None:
    folder = write_ct(tmp_path / "ct")
    case = desk.open(folder)
    paint(case, "Liver", (3, 5, 6))
    paint(case, "Lesion", (4, 6, 8), radius_mm=2.0)
    case.undo()
    voxels = case.labels.segmentation.layer(0).voxels.copy()
    assert project.journal.flush()

    again = Desk(project, tmp_path / "models").open(folder)
    assert np.array_equal(again.labels.segmentation.layer(0).voxels, voxels)
    assert [s.name for s in again.labels.segmentation.segments] == ["Liver", "Lesion"]
    assert again.history.names == case.history.names
    assert again.redo() is not None
    assert again.labels.segmentation.mask(again.labels.segmentation.segments[1]).any()


def test_labels_are_withheld_from_other_pixels_under_the_same_uids(desk: Desk, project: Project, tmp_path: Path) -> None:
    case = desk.open(write_ct(tmp_path / "ct"))
    paint(case, "Liver", (3, 5, 6))
    assert project.journal.flush()

    second = Desk(project, tmp_path / "models")
    impostor = second.open(write_ct(tmp_path / "other", offset=3))
    assert impostor.labels.segmentation.segments == []
    assert impostor.read_only
    assert any(m.severity is Severity.ERROR for m in second.messages)
    assert project.load_reading(1).labels.segmentation.layer(0).voxels.any()


def test_without_a_project_the_series_is_shown_and_labels_are_refused_with_the_reason(tmp_path: Path) -> None:
    desk = Desk(None, tmp_path / "models")
    case = desk.open(write_ct(tmp_path / "ct"))
    assert "cannot be kept" in case.read_only


def test_a_damaged_slice_costs_that_slice_only(desk: Desk, tmp_path: Path) -> None:
    folder = write_ct(tmp_path / "ct")
    victim = sorted(folder.iterdir())[3]
    victim.write_bytes(victim.read_bytes()[:-40])
    case = desk.open(folder)
    assert len(case.load.damaged) + (SHAPE_KJI[0] - case.volume.geometry.shape_kji[0]) == 1
    assert any("slice-0004" in m.text or "damaged" in m.text.lower() or "missing" in m.text.lower() for m in desk.messages)


@pytest.mark.parametrize("what", ["nothing", "empty", "text"])
def test_a_place_without_images_is_said_in_one_sentence_and_what_is_open_stays(
    desk: Desk, tmp_path: Path, what: str
) -> None:
    case = desk.open(write_ct(tmp_path / "ct"))
    place = tmp_path / "place"
    if what != "nothing":
        place.mkdir()
    if what == "text":
        (place / "notes.txt").write_text("no image here")
    desk.messages.clear()
    open_path(desk.workspace, place)
    assert len(desk.messages) == 1
    assert "place" in desk.messages[0].text
    assert desk.workspace.active is case


def test_seg_contours_slicer_and_nifti_files_come_back_voxel_for_voxel(desk: Desk, tmp_path: Path) -> None:
    case = desk.open(write_ct(tmp_path / "ct"))
    paint(case, "Liver", (3, 5, 6))
    paint(case, "Lesion", (5, 2, 3), radius_mm=2.0)
    masks = {s.name: case.labels.segmentation.mask(s) for s in case.labels.segmentation.segments}
    files.export_seg(desk.workspace, tmp_path / "labels.dcm")
    files.export_rtstruct(desk.workspace, tmp_path / "contours.dcm")
    files.export_nifti(desk.workspace, tmp_path / "labels.nii.gz")
    export_slicer(desk.workspace, tmp_path / "labels.seg.nrrd")
    for exported in ("labels.dcm", "contours.dcm", "labels.nii.gz", "labels.seg.nrrd"):
        other = Desk(Project.create(tmp_path / f"{exported}.medview"), tmp_path / "models")
        fresh = other.open(tmp_path / "ct")
        files.import_labels(other.workspace, tmp_path / exported)
        got = {s.name: fresh.labels.segmentation.mask(s) for s in fresh.labels.segmentation.segments}
        assert got.keys() == masks.keys(), (exported, other.messages)
        for name, mask in masks.items():
            assert np.array_equal(got[name], mask), (exported, name)
        assert other.workspace.services.project is not None
        other.workspace.services.project.close()


def test_an_import_is_one_step_that_undo_takes_back(desk: Desk, tmp_path: Path) -> None:
    case = desk.open(write_ct(tmp_path / "ct"))
    paint(case, "Liver", (3, 5, 6))
    before = case.labels.segmentation.layer(0).voxels.copy()
    files.export_nifti(desk.workspace, tmp_path / "labels.nii.gz")
    files.import_labels(desk.workspace, tmp_path / "labels.nii.gz")
    assert [s.name for s in case.labels.segmentation.segments] == ["Liver", "Liver 2"]
    assert np.array_equal(case.labels.segmentation.layer(0).voxels, before)
    case.undo()
    assert [s.name for s in case.labels.segmentation.segments] == ["Liver"]


def test_labels_of_another_series_are_refused_and_nothing_changes(desk: Desk, tmp_path: Path) -> None:
    case = desk.open(write_ct(tmp_path / "ct"))
    paint(case, "Liver", (3, 5, 6))
    files.export_seg(desk.workspace, tmp_path / "labels.dcm")
    other = desk.open(write_ct(tmp_path / "other", seed="other"))
    desk.messages.clear()
    files.import_labels(desk.workspace, tmp_path / "labels.dcm")
    assert other.labels.segmentation.segments == []
    assert [m.severity for m in desk.messages] == [Severity.ERROR]


def test_a_thumbnail_is_the_middle_slice_with_its_longer_side_at_96_pixels(tmp_path: Path) -> None:
    desk = Desk(None, tmp_path / "models")
    case = desk.open(write_ct(tmp_path / "ct"))

    picture = Thumbnail(case.series, InlinePool()).run(Inline())
    assert max(picture.shape[:2]) == 96
    assert abs(picture.shape[0] / picture.shape[1] - (10 * 0.9) / (13 * 0.6)) < 0.05
    assert picture.std() > 0


class HeldRunner(InlineRunner):
    """Keeps requests until the test lets them run."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[tuple[Request, Outcome]] = []
        self.hold = False

    def submit(self, request: Request, outcome: Outcome) -> Job:
        if not self.hold:
            return super().submit(request, outcome)
        self.held.append((request, outcome))
        return Job(request.title, request.lane)


def test_a_series_asked_for_twice_is_opened_once(desk: Desk, tmp_path: Path) -> None:
    case = desk.open(write_ct(tmp_path / "ct"))
    desk.workspace.close_case(case.key)
    runner = HeldRunner()
    runner.hold = True
    desk.workspace.runner = runner
    assert open_series(desk.workspace, case.series) is not None
    assert open_series(desk.workspace, case.series) is None
    assert len(runner.held) == 1
    runner.held[0][1].cancelled()
    assert open_series(desk.workspace, case.series) is not None


def test_labels_are_neither_shown_nor_made_before_the_pixels_are_known_to_be_theirs(desk: Desk, tmp_path: Path) -> None:
    case = desk.open(write_ct(tmp_path / "ct"))
    paint(case, "Liver", (3, 5, 6))
    desk.workspace.close_case(case.key)
    runner = HeldRunner()
    runner.hold = True
    desk.workspace.runner = runner
    open_series(desk.workspace, case.series)
    request, outcome = runner.held[0]
    seen: list[tuple[bool, int]] = []

    class Watching(Inline):
        def partial(self, value: object) -> None:
            outcome.partial(value)
            reopened = desk.workspace.active
            assert reopened is not None
            assert labels.add_segment(reopened, "Too early") is None
            seen.append((reopened.ready, len(reopened.labels.segmentation.segments)))

    result = request.run(Watching())
    assert seen == [(False, 0)] * (1 + SHAPE_KJI[0])
    outcome.done(result)
    assert desk.workspace.active is not None
    assert desk.workspace.active.ready
    assert [s.name for s in desk.workspace.active.labels.segmentation.segments] == ["Liver"]


def test_reading_that_is_cancelled_leaves_no_half_open_series(desk: Desk, tmp_path: Path) -> None:
    case = desk.open(write_ct(tmp_path / "ct"))
    desk.workspace.close_case(case.key)
    runner = HeldRunner()
    runner.hold = True
    desk.workspace.runner = runner
    open_series(desk.workspace, case.series)
    request, outcome = runner.held[0]

    class OneSlice(Inline):
        def partial(self, value: object) -> None:
            outcome.partial(value)
            if isinstance(value, SliceReport):
                self.cancel()

    with pytest.raises(CancelledError):
        request.run(OneSlice())
    assert desk.workspace.active is not None
    outcome.cancelled()
    assert desk.workspace.active is None
    assert open_series(desk.workspace, case.series) is not None


def test_labels_on_images_that_can_no_longer_all_be_read_are_shown_and_not_changed(
    desk: Desk, project: Project, tmp_path: Path
) -> None:
    folder = write_ct(tmp_path / "ct")
    case = desk.open(folder)
    paint(case, "Liver", (3, 5, 6))
    assert project.journal.flush()
    series, frame = case.series, case.entry.frames[0]
    desk.workspace.close_case(case.key)
    Path(frame.path).write_bytes(Path(frame.path).read_bytes()[:-40])
    open_series(desk.workspace, series)
    again = desk.workspace.active
    assert again is not None
    assert again.load.damaged == (0,)
    assert [s.name for s in again.labels.segmentation.segments] == ["Liver"]
    assert "not certain" in again.read_only
    assert labels.add_segment(again, "No") is None


def test_two_volumes_of_one_series_are_two_cases(desk: Desk, tmp_path: Path) -> None:
    folder = write_ct(tmp_path / "ct")
    k, j, i = np.indices((4, 8, 6))
    geometry = Geometry.from_spacing((4, 8, 6), (5.0, 0.9, 0.6), (90.0, 4.0, 300.0))
    other = Volume((k + j + i).astype(np.int16), geometry, modality="CT", unit="HU")
    identity = SeriesIdentity("Phantom^Op", "OP-1", series_description="small", seed="operations")
    write_series(tmp_path / "more", other, identity)
    for number, file in enumerate(sorted((tmp_path / "more").iterdir())):
        dataset = pydicom.dcmread(file)
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number + 1}"
        dataset.save_as(folder / f"more-{number}.dcm")
    desk.open(folder)
    (series,) = desk.workspace.series
    assert len(series.volumes) == 2
    shapes = []
    for entry in series.volumes:
        open_series(desk.workspace, series, entry)
        assert desk.workspace.active is not None
        shapes.append(desk.workspace.active.volume.geometry.shape_kji)
    assert sorted(shapes) == [(4, 8, 6), SHAPE_KJI]
    assert len(desk.workspace.cases) == 2


def test_a_companion_that_is_not_ours_is_never_written_over(desk: Desk, tmp_path: Path) -> None:
    case = desk.open(write_ct(tmp_path / "ct"))
    paint(case, "Liver", (3, 5, 6))
    sidecar = tmp_path / "sub-01_T1w.json"
    sidecar.write_text('{"EchoTime": 0.003}')
    files.export_nifti(desk.workspace, tmp_path / "sub-01_T1w.nii.gz")
    assert sidecar.read_text() == '{"EchoTime": 0.003}'
    assert not (tmp_path / "sub-01_T1w.nii.gz").exists()
    assert desk.messages[-1].severity is Severity.ERROR


def test_hiding_a_segment_does_not_make_a_proposal_stale(desk: Desk, tmp_path: Path) -> None:
    case = desk.open(write_ct(tmp_path / "ct"))
    paint(case, "Liver", (3, 5, 6))
    revision = case.labels.revision
    segment_ops.set_visible(case, [case.labels.segmentation.segments[0].segment_id], visible=False)
    assert case.labels.revision == revision
