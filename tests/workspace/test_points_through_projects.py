"""Points of a COCO dataset become points of a case, and leave the project as they came."""

from __future__ import annotations

from pathlib import Path

from medview.core.job import Inline
from medview.core.trace import Trace, TraceKind
from medview.io.datasets.foreign import DatasetRequest
from medview.io.datasets.reading import load_labels
from medview.io.datasets.table import list_dataset
from medview.io.reader_pool import InlinePool
from medview.store.project import Project
from medview.workspace.dataset_import import ImportRun, import_dataset
from medview.workspace.export_selection import ExportRun
from medview.workspace.exporting import export_as
from tests.io.datasets.test_keypoints import HIPS, dataset, said


def test_keypoints_go_through_a_project(tmp_path: Path) -> None:
    source = DatasetRequest(dataset(tmp_path / "set", HIPS))
    with Project.create(tmp_path / "p.medview", "Test") as project:
        report = import_dataset(ImportRun("coco", source), project, Inline(), InlinePool())
        assert (report.labelled, report.points, report.boxes) == (1, 6, 2)
        assert report.labels == {"head": 1, "hip": 1, "neck": 1, "shaft": 1, "valve": 1}
        again = import_dataset(ImportRun("coco", source), project, Inline(), InlinePool())
        assert (again.labelled, again.known) == (0, 1)
        (row,) = project.readings()
        drawn = project.load_reading(row.reading_id).labels.annotations.values()
        assert [one.kind for one in drawn if isinstance(one, Trace)] == [TraceKind.POINT] * 6
        told: list[str] = []
        export_as(ExportRun("coco"), project, tmp_path / "out", Inline(), InlinePool(), told.extend)
        assert not any("point" in text for text in told)
    (before,) = list_dataset("coco", source).cases
    (after,) = list_dataset("coco", DatasetRequest(tmp_path / "out")).cases
    found = load_labels(after)
    assert sorted(said(found), key=str) == sorted(said(load_labels(before)), key=str)
    assert [box.label for box in found.boxes] == ["hip", "hip"]
