"""What is written from the window is noted in the project, and says who drew it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest

from medview.core.annotations import BoxAnnotation
from medview.core.box import Box
from medview.core.changes import AnnotationChange, Change, Command, SegmentChange
from medview.core.errors import StoreError
from medview.core.label_patch import LabelPatch
from medview.core.plane import Plane, SlicePlane
from medview.core.segmentation import Segment
from medview.io.reader_pool import InlinePool
from medview.ml.registry import Registry
from medview.store.activity import ActivityEntry
from medview.store.project import Project
from medview.workspace.events import Message, Severity
from medview.workspace.jobs import InlineRunner
from medview.workspace.key_images import toggle
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.drawn import export_drawn
from medview.workspace.operations.files import export_nifti, export_rtstruct, export_seg
from medview.workspace.operations.key_images import export_ko
from medview.workspace.operations.open import open_path
from medview.workspace.operations.reports import export_sr
from medview.workspace.operations.slicer_files import export_slicer
from medview.workspace.services import Services
from medview.workspace.workspace import Workspace
from tests.helpers.dciodvfy import errors
from tests.helpers.dicom_series import write_ct
from tests.helpers.reports import ON_SLICES, every_kind

READER = "Rut^Reader=\\X"
"""With all that parts a name in DICOM."""


class Desk:
    """A workspace with a project, and a case in which something of everything is drawn."""

    def __init__(self, place: Path) -> None:
        write_ct(place / "ct")
        self.project = Project.create(place / "p.medview", "Test", reader=READER)
        self.workspace = Workspace(InlineRunner(), Services(InlinePool(), Registry(place / "a", place / "b"), self.project))
        self.said: list[Message] = []
        open_path(self.workspace, place / "ct")
        assert self.workspace.active is not None
        self.case: OpenCase = self.workspace.active
        self._draw()
        self.workspace.message.connect(self.said.append)

    def _draw(self) -> None:
        geometry = self.case.volume.geometry
        labels = np.zeros(geometry.shape_kji, dtype=np.uint8)
        labels[2:4, 3:7, 4:9] = 1
        patch = LabelPatch.between(self.case.labels.segmentation.layer(0), Box.whole(geometry.shape_kji), labels)
        assert patch is not None
        box = BoxAnnotation.on_grid("f" * 32, "Cyst", geometry, (2, 3, 4), (3, 7, 9), flat_edge=0)
        figures = [AnnotationChange(None, one) for one in (*every_kind(geometry, ON_SLICES), box)]
        changes: list[Change] = [SegmentChange(None, Segment("a", "Lung", (9, 99, 200), 0, 1), 0), patch, *figures]
        assert self.case.do(Command("Draw", tuple(changes), "brush"))
        layouts = (self.case.slice_plane(plane) for plane in Plane)
        acquired = next(one for one in layouts if isinstance(one, SlicePlane) and one.normal_axis == 0)
        assert toggle(self.case, acquired, 3)

    def exported(self) -> list[ActivityEntry]:
        return [entry for entry in self.project.activity.entries() if entry.kind == "exported"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.project.close()


Export = Callable[[Workspace, Path], object]


def test_every_export_is_noted_once_with_its_case_and_format(desk: Desk, tmp_path: Path) -> None:
    every: list[tuple[Export, str, str]] = [
        (export_seg, "seg.dcm", "seg"),
        (export_rtstruct, "rt.dcm", "rtstruct"),
        (export_nifti, "l.nii.gz", "nifti"),
        (export_slicer, "l.seg.nrrd", "nrrd"),
        (export_sr, "m.dcm", "report"),
        (export_ko, "k.dcm", "key-images"),
        (export_drawn, "b.json", "boxes"),
    ]
    for export, name, _form in every:
        export(desk.workspace, tmp_path / name)
        assert (tmp_path / name).exists(), desk.said
    found = desk.exported()
    assert [entry.details["format"] for entry in found] == [form for _, _, form in every]
    assert {(entry.who, entry.reading_id, entry.details["cases"]) for entry in found} == {(READER, desk.case.reading_id, 1)}
    assert all(entry.case_id for entry in found)


def test_dicom_files_say_who_drew_and_measured(desk: Desk, tmp_path: Path) -> None:
    for export, name in ((export_seg, "s"), (export_rtstruct, "r"), (export_sr, "m"), (export_ko, "k")):
        export(desk.workspace, tmp_path / f"{name}.dcm")
        assert errors(tmp_path / f"{name}.dcm") == []
    person = "Rut Reader X"
    assert str(pydicom.dcmread(tmp_path / "s.dcm").ContentCreatorName) == person
    observed = pydicom.dcmread(tmp_path / "r.dcm").RTROIObservationsSequence
    assert {str(one.ROIInterpreter) for one in observed} == {person}
    for name in ("m", "k"):
        tree = pydicom.dcmread(tmp_path / f"{name}.dcm").ContentSequence
        names = [str(one.PersonName) for one in tree if one.ValueType == "PNAME"]
        assert names == [person]


def test_an_export_that_failed_is_not_noted_and_one_that_cannot_be_noted_is_whole(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_seg(desk.workspace, tmp_path / "nowhere" / "s.dcm")
    assert desk.exported() == []

    def full(*_arguments: object, **_details: object) -> str:
        raise StoreError("The project cannot be written.")

    monkeypatch.setattr(desk.project.activity, "add", full)
    export_nifti(desk.workspace, tmp_path / "l.nii.gz")
    assert (tmp_path / "l.nii.gz").exists()
    assert desk.said[-1].severity is Severity.WARNING
    assert "could not note this export" in desk.said[-1].text
