"""Boxes, points and lines out of a case, and in again, with real files."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medview.core.annotations import BoxAnnotation, Trace
from medview.core.changes import AnnotationChange, Command
from medview.core.trace import TraceKind
from medview.core.vector import triple
from medview.workspace.drawn import all_drawn
from medview.workspace.events import Message, Severity
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.drawn import export_drawn
from medview.workspace.operations.reports import import_file
from medview.workspace.workspace import Workspace
from tests.workspace.conftest import make_case


@pytest.fixture
def said(workspace: Workspace) -> list[Message]:
    heard: list[Message] = []
    workspace.message.connect(heard.append)
    return heard


def draw(case: OpenCase) -> None:
    geometry = case.volume.geometry
    made = BoxAnnotation.on_grid("b", "Nodule", geometry, (3, 4, 8), (6, 12, 21))
    points = tuple(triple(p) for p in geometry.point_lps_mm([(1, 2, 3), (4, 9, 11.25), (8, 3, 2)]))
    line = Trace("t", TraceKind.OPEN, points, "Vessel")
    assert case.do(Command("Draw", (AnnotationChange(None, made), AnnotationChange(None, line))))


def test_everything_comes_back_and_not_twice(
    workspace: Workspace, case: OpenCase, tmp_path: Path, said: list[Message]
) -> None:
    draw(case)
    before = all_drawn(case)
    export_drawn(workspace, tmp_path / "boxes.json")
    import_file(workspace, tmp_path / "boxes.json")
    assert "2 of them were here already" in said[-1].text
    case.undo()
    assert all_drawn(case) == []
    import_file(workspace, tmp_path / "boxes.json")
    assert all_drawn(case) == before
    assert case.history.names == ("Import boxes.json",)


def test_other_pixels_under_the_same_name_are_refused(
    workspace: Workspace, case: OpenCase, tmp_path: Path, said: list[Message]
) -> None:
    draw(case)
    export_drawn(workspace, tmp_path / "boxes.json")
    workspace.close_case(case.key)
    other = make_case()
    voxels = np.array(other.volume.voxels)
    voxels[0, 0, 0] += 1
    other.volume = replace(other.volume, voxels=voxels)
    other.times[0] = replace(other.times[0], volume=other.volume)
    workspace.add_case(other)
    import_file(workspace, tmp_path / "boxes.json")
    assert said[-1].text.startswith("boxes.json was made on other images")
    assert all_drawn(other) == []


def test_another_series_of_the_same_patient_space_takes_them_without_the_image(
    workspace: Workspace, case: OpenCase, tmp_path: Path, said: list[Message]
) -> None:
    draw(case)
    export_drawn(workspace, tmp_path / "boxes.json")
    document = json.loads((tmp_path / "boxes.json").read_text())
    document["drawn_on"]["series_uid"] = "9.9"
    document["things"][0]["image"] = {"sop_instance_uid": "9.9.1", "frame": 0}
    (tmp_path / "other.json").write_text(json.dumps(document))
    case.undo()
    import_file(workspace, tmp_path / "other.json")
    assert len(all_drawn(case)) == 2
    assert {one.sop_instance_uid for one in all_drawn(case)} == {""}
    document["drawn_on"]["frame_of_reference_uid"] = "7.7"
    (tmp_path / "far.json").write_text(json.dumps(document))
    import_file(workspace, tmp_path / "far.json")
    assert said[-1].severity is Severity.ERROR
    assert "another series in another place" in said[-1].text


def test_the_table_has_a_row_each_and_the_index_box(workspace: Workspace, case: OpenCase, tmp_path: Path) -> None:
    draw(case)
    export_drawn(workspace, tmp_path / "boxes.csv")
    with (tmp_path / "boxes.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert [float(rows["b"][name]) for name in ("min_k", "min_j", "min_i", "max_k", "max_j", "max_i")] == [
        3,
        4,
        8,
        6,
        12,
        21,
    ]
    size = [float(rows["b"][f"size_{n}_mm"]) for n in (1, 2, 3)]
    assert size == pytest.approx([3 * 5.0, 8 * 0.9, 13 * 0.6], abs=1e-4)
    line = next(one for one in all_drawn(case) if isinstance(one, Trace))
    assert float(rows["t"]["length_mm"]) == pytest.approx(line.length_mm(), abs=1e-4)


def test_coco_is_written_by_its_ending(workspace: Workspace, case: OpenCase, tmp_path: Path) -> None:
    draw(case)
    export_drawn(workspace, tmp_path / "boxes.coco.json")
    found = json.loads((tmp_path / "boxes.coco.json").read_text())
    assert len(found["annotations"]) == 3


def test_a_read_only_case_takes_nothing_and_says_why(
    workspace: Workspace, case: OpenCase, tmp_path: Path, said: list[Message]
) -> None:
    draw(case)
    export_drawn(workspace, tmp_path / "boxes.json")
    case.undo()
    case.read_only = "These labels belong to another window."
    import_file(workspace, tmp_path / "boxes.json")
    assert said[-1].text == case.read_only
    assert all_drawn(case) == []


def test_nothing_to_export_is_said(workspace: Workspace, case: OpenCase, tmp_path: Path, said: list[Message]) -> None:
    export_drawn(workspace, tmp_path / "boxes.json")
    assert "no boxes and marks to export" in said[-1].text
    assert list(tmp_path.glob("boxes*")) == []
