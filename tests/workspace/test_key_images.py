"""Key images of an open case, kept in the project and sent out as DICOM, with real readers and files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset

from medview.core.axes import Axes
from medview.core.oblique import ObliquePlane
from medview.core.plane import Plane
from medview.core.volume import Volume
from medview.io.dicom import ko_write
from medview.io.nifti import write_volume
from medview.io.reader_pool import InlinePool
from medview.ml.registry import Registry
from medview.store.project import Project
from medview.workspace.events import Message, Severity
from medview.workspace.jobs import InlineRunner
from medview.workspace.key_images import acquired_slice, delete, jump_to, key_images, note, on_slice, shown, toggle, where
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.key_images import export_ko
from medview.workspace.operations.open import open_path, open_series
from medview.workspace.services import Services
from medview.workspace.time_axis import go_to
from medview.workspace.workspace import Workspace
from tests.helpers.contrast import TIMES_S, write_contrast
from tests.helpers.dciodvfy import errors
from tests.helpers.dicom_series import ROOT, asymmetric, write_ct
from tests.helpers.enhanced import enhanced_ct
from tests.workspace.conftest import oblique_geometry

KO_STORAGE = "1.2.840.10008.5.1.4.1.1.88.59"


class Desk:
    """A workspace with a project that remembers what it said."""

    def __init__(self, place: Path) -> None:
        self._place = place
        place.mkdir(exist_ok=True)
        self.project = Project.create(place / "p.medview", "Test")
        self._begin()

    def _begin(self) -> None:
        services = Services(InlinePool(), Registry(self._place / "bundled", self._place / "user"), self.project)
        self.workspace = Workspace(InlineRunner(), services)
        self.said: list[Message] = []
        self.workspace.message.connect(self.said.append)

    def open(self, path: Path) -> OpenCase:
        open_path(self.workspace, path)
        assert self.workspace.active is not None, self.said
        self.said.clear()
        return self.workspace.active

    def leave_and_come_back(self) -> None:
        self.project.close()
        self.project = Project.open(self._place / "p.medview")
        self._begin()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "desk")
    yield made
    made.project.close()


def mark(case: OpenCase, plane: Plane, index: int) -> None:
    assert toggle(case, case.slice_plane(plane), index) is not None


def acquired(case: OpenCase) -> Plane:
    """The plane whose slices are those of the files."""
    return case.acquired_plane


def test_a_slice_is_marked_unmarked_undone_and_done_again(case: OpenCase) -> None:
    layout = case.slice_plane(Plane.CORONAL)
    mark(case, Plane.CORONAL, 7)
    assert on_slice(case, layout, 7) is not None
    assert on_slice(case, layout, 8) is None
    mark(case, Plane.CORONAL, 7)
    assert key_images(case) == []
    assert case.undo() is not None
    (marked,) = key_images(case)
    assert where(case, marked) == "Coronal 8"
    assert case.undo() is not None
    assert key_images(case) == []
    assert case.redo() is not None
    assert key_images(case) == [marked]
    assert delete(case, marked) is not None
    assert key_images(case) == []


def test_a_jump_shows_the_slice_and_leaves_the_other_planes(case: OpenCase) -> None:
    mark(case, Plane.SAGITTAL, 3)
    (marked,) = key_images(case)
    layout = case.layouts()[Plane.SAGITTAL]
    before = case.view.crosshair_kji
    jump_to(case, marked)
    moved = [n for n in range(3) if case.view.crosshair_kji[n] != before[n]]
    assert moved == [layout.normal_axis]
    assert case.view.crosshair_kji[layout.normal_axis] == 3


def test_a_slice_at_an_angle_is_marked_and_found_again_after_the_planes_were_turned_back(case: OpenCase) -> None:
    geometry = case.volume.geometry
    axes = Axes.of_grid(geometry).turned((0.3, 1.0, -0.2), 0.4)
    case.view.axes = axes
    case.view.look_at((4.3, 8.7, 20.1), geometry.shape_kji)
    layout = case.slice_plane(Plane.CORONAL)
    assert isinstance(layout, ObliquePlane)
    index = case.position_on(layout)
    assert toggle(case, layout, index) is not None
    (marked,) = key_images(case)
    assert (where(case, marked), acquired_slice(case, marked), shown(case)) == ("Coronal, at an angle", None, [marked])
    assert on_slice(case, layout, index + 0.4) == marked
    assert on_slice(case, layout, index + 1) is None
    case.view.axes = None
    case.view.set_slice(0, 1)
    assert shown(case) == []
    assert all(on_slice(case, case.slice_plane(plane), 3) is None for plane in Plane)
    jump_to(case, marked)
    assert shown(case) == [marked]
    turned = case.slice_plane(Plane.CORONAL)
    assert isinstance(turned, ObliquePlane)
    np.testing.assert_allclose(np.abs(np.dot(turned.normal_lps, layout.normal_lps)), 1.0, atol=1e-9)
    at = marked.position_on(turned, geometry)
    assert at == pytest.approx(case.position_on(turned), abs=1e-5)


def test_a_jump_to_a_slice_of_the_grid_turns_the_planes_back(case: OpenCase) -> None:
    mark(case, Plane.AXIAL, 5)
    (marked,) = key_images(case)
    case.view.axes = Axes.of_grid(case.volume.geometry).turned((1.0, 0.0, 0.0), 0.4)
    assert shown(case) == []
    jump_to(case, marked)
    assert shown(case) == [marked]
    assert case.view.axes is None


def test_a_read_only_case_takes_no_marks(case: OpenCase) -> None:
    case.read_only = "Locked."
    assert toggle(case, case.slice_plane(Plane.AXIAL), 1) is None
    assert key_images(case) == []


def test_marks_are_there_when_the_series_is_opened_again(desk: Desk, tmp_path: Path) -> None:
    write_ct(tmp_path / "ct")
    case = desk.open(tmp_path / "ct")
    mark(case, acquired(case), 2)
    mark(case, Plane.CORONAL, 4)
    before = key_images(case)
    assert before[0].sop_instance_uid == f"{ROOT}.2.3"
    assert all(one.source.created_utc for one in before)
    desk.leave_and_come_back()
    case = desk.open(tmp_path / "ct")
    assert key_images(case) == before
    assert case.undo() is not None
    assert key_images(case) == before[:1]


def test_slices_of_files_without_identifiers_are_kept_by_where_they_lie(desk: Desk, tmp_path: Path) -> None:
    geometry = oblique_geometry()
    write_volume(tmp_path / "a.nii.gz", Volume(np.zeros(geometry.shape_kji, dtype=np.int16), geometry))
    case = desk.open(tmp_path / "a.nii.gz")
    mark(case, Plane.AXIAL, 5)
    desk.leave_and_come_back()
    case = desk.open(tmp_path / "a.nii.gz")
    (marked,) = key_images(case)
    assert (marked.sop_instance_uid, where(case, marked)) == ("", "Axial 6")
    export_ko(desk.workspace, tmp_path / "k.dcm")
    assert desk.said[-1].text.startswith("A key object document needs a DICOM series")
    assert not (tmp_path / "k.dcm").exists()


def test_the_document_points_at_the_marked_images_and_foreign_programs_accept_it(desk: Desk, tmp_path: Path) -> None:
    write_ct(tmp_path / "ct")
    case = desk.open(tmp_path / "ct")
    for index in (5, 1):
        mark(case, acquired(case), index)
    path = tmp_path / "k.dcm"
    assert note(case, key_images(case)[1], " Hilum \u00e4\u03b1 ") is not None
    assert note(case, key_images(case)[1], "Hilum \u00e4\u03b1") is None
    export_ko(desk.workspace, path)
    assert [(m.severity, m.text) for m in desk.said] == [(Severity.INFO, f"Wrote {path}.")]
    written = pydicom.dcmread(path)
    assert (written.SOPClassUID, written.Modality, written.PatientID) == (KO_STORAGE, "KO", "P1")
    document = highdicom.ko.KeyObjectSelectionDocument.from_dataset(written)
    pointed = [item.referenced_sop_instance_uid for item in document.content.get_references()]
    assert pointed == [f"{ROOT}.2.2", f"{ROOT}.2.6"]
    for uid in pointed:
        assert document.resolve_reference(uid) == (f"{ROOT}.1", f"{ROOT}.2", uid)
    (said,) = [item.TextValue for item in written.ContentSequence if item.ConceptNameCodeSequence[0].CodeValue == "113012"]
    assert said == "Research use. Not a medical device.\nSlice 2: Hilum \u00e4\u03b1"
    assert errors(path) == []


def test_frames_of_one_file_are_pointed_at_one_by_one(desk: Desk, tmp_path: Path) -> None:
    heights = [0.0, 15.0, 5.0, 10.0]
    places = [(0.0, 0.0, z) for z in heights]
    enhanced_ct(asymmetric((4, 10, 13)), places, [(1, 0, 0, 0, 1, 0)] * 4).save_as(tmp_path / "e.dcm")
    case = desk.open(tmp_path / "e.dcm")
    for k in (3, 0):
        mark(case, acquired(case), k)
    export_ko(desk.workspace, tmp_path / "k.dcm")
    wanted = [1, 2]  # the lowest and the highest place stand first in the file
    back = ko_write.references(pydicom.dcmread(tmp_path / "k.dcm"))
    assert {uid: sorted(frames) for uid, frames in back.items()} == {case.image_of(0)[0]: wanted}
    assert errors(tmp_path / "k.dcm") == []


def test_a_key_image_in_time_is_of_the_time_it_was_marked_at_and_comes_back_there(desk: Desk, tmp_path: Path) -> None:
    write_contrast(tmp_path / "study", (7, 24, 20))
    case = desk.open(tmp_path / "study")
    assert len(case.times) == len(TIMES_S)
    go_to(case, 3)
    mark(case, acquired(case), 2)
    mark(case, Plane.CORONAL, 5)
    go_to(case, 8)
    # The same slice at another time is another image.
    assert on_slice(case, case.slice_plane(acquired(case)), 2) is None
    mark(case, acquired(case), 2)
    before = key_images(case)
    assert {where(case, one) for one in before} == {"Axial 3, time 4", "Coronal 6, time 4", "Axial 3, time 9"}
    assert note(case, next(one for one in before if where(case, one) == "Axial 3, time 4"), "Early") is not None
    export_ko(desk.workspace, tmp_path / "k.dcm")
    assert "1 key image lies across" in desk.said[-1].text
    written = pydicom.dcmread(tmp_path / "k.dcm")
    assert set(ko_write.references(written)) == {case.times[n].volume.sop_instance_uids[2] for n in (3, 8)}
    said = [item.TextValue for item in written.ContentSequence if item.ConceptNameCodeSequence[0].CodeValue == "113012"]
    assert said[0].endswith("\nSlice 3, time 4: Early")
    assert errors(tmp_path / "k.dcm") == []
    desk.leave_and_come_back()
    case = desk.open(tmp_path / "study")
    back = {case.images.time(one): one for one in key_images(case)}
    assert sorted(case.images.time(one) for one in key_images(case)) == [3, 3, 8]
    for time_index, one in back.items():
        go_to(case, 0)
        jump_to(case, one)
        assert case.view.time_index == time_index
        assert one in shown(case)


def test_slices_across_the_acquired_ones_are_left_out_and_it_is_said(desk: Desk, tmp_path: Path) -> None:
    write_ct(tmp_path / "ct")
    case = desk.open(tmp_path / "ct")
    across = next(plane for plane in Plane if plane is not acquired(case))
    mark(case, across, 2)
    export_ko(desk.workspace, tmp_path / "k.dcm")
    assert "All key images lie across" in desk.said[-1].text
    assert not (tmp_path / "k.dcm").exists()
    mark(case, acquired(case), 2)
    export_ko(desk.workspace, tmp_path / "k.dcm")
    assert desk.said[-1].severity is Severity.WARNING
    assert desk.said[-1].text.endswith("1 key image lies across the acquired ones and cannot be in it.")


def test_nothing_is_written_over_a_source_or_about_images_that_changed(desk: Desk, tmp_path: Path) -> None:
    write_ct(tmp_path / "ct")
    case = desk.open(tmp_path / "ct")
    export_ko(desk.workspace, tmp_path / "k.dcm")
    assert "no key images" in desk.said[-1].text
    mark(case, acquired(case), 2)
    source = tmp_path / "ct" / "0002.dcm"
    before = source.read_bytes()
    export_ko(desk.workspace, source)
    assert desk.said[-1].severity is Severity.ERROR
    assert source.read_bytes() == before

    def other(_k: int, ds: FileDataset) -> None:
        ds.SOPInstanceUID += ".9"

    write_ct(tmp_path / "ct", asymmetric(), change=other)
    export_ko(desk.workspace, tmp_path / "k.dcm")
    assert desk.said[-1].text == "k.dcm was not written: the images are not those the key images were marked on."
    assert not (tmp_path / "k.dcm").exists()


def opened(desk: Desk, folder: Path) -> OpenCase:
    """Open the first DICOM volume of a folder of real studies."""
    open_path(desk.workspace, folder)
    found = [one for one in desk.workspace.series if one.best is not None and one.best.dicom_paths]
    open_series(desk.workspace, found[0], found[0].best)
    assert desk.workspace.active is not None
    desk.said.clear()
    return desk.workspace.active


@pytest.mark.data
@pytest.mark.parametrize("name", ["ct-chest", "ct-gantry-tilt-ge", "enhanced-ct-2frames", "mr-enhanced", "mr-fmri-4d"])
def test_key_images_of_real_series_go_out_as_documents_that_are_accepted(
    desk: Desk, test_data: Path, tmp_path: Path, name: str
) -> None:
    case = opened(desk, test_data / name)
    count = case.volume.geometry.shape_kji[0]
    for index in {0, count // 2}:
        mark(case, acquired(case), index)
    export_ko(desk.workspace, tmp_path / "k.dcm")
    assert (tmp_path / "k.dcm").is_file(), desk.said
    back = ko_write.references(pydicom.dcmread(tmp_path / "k.dcm"))
    assert set(back) == {case.image_of(index)[0] for index in (0, count // 2)}
    highdicom.ko.KeyObjectSelectionDocument.from_dataset(pydicom.dcmread(tmp_path / "k.dcm"))
    assert errors(tmp_path / "k.dcm") == []


@pytest.mark.data
def test_a_tile_of_a_mosaic_is_no_image_to_point_at(desk: Desk, test_data: Path, tmp_path: Path) -> None:
    case = opened(desk, test_data / "mr-dti-uih")
    mark(case, acquired(case), 3)
    export_ko(desk.workspace, tmp_path / "k.dcm")
    assert "shares its image in the files with other slices" in desk.said[-1].text
    assert not (tmp_path / "k.dcm").exists()
