"""What is told of segments, as a person reads it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medview.analysis.segment_figures import Statistics
from medview.core.box import Box
from medview.core.changes import Command, SegmentChange
from medview.core.geometry import Calibration, Geometry
from medview.core.segmentation import Segment, SegmentStatus
from medview.core.source import Source, SourceKind
from medview.core.suv import SuvKind, SuvScale
from medview.core.volume import Volume
from medview.edit.rules import LabelWriter
from medview.workspace.figure_texts import (
    SEGMENT_COLUMNS,
    component_table,
    mean_text,
    segment_cells,
    segment_table,
    size_text,
    source_text,
    statistics_text,
    voxels_text,
)
from medview.workspace.jobs import InlineRunner
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.figures import want_figures
from medview.workspace.workspace import Workspace
from tests.workspace.conftest import make_case


def drawn() -> tuple[OpenCase, Segment]:
    case = make_case()
    segment = Segment("s1", "Nodule\tone", (1, 2, 3), 0, 1, group="Lesions", status=SegmentStatus.FLAGGED)
    case.do(Command("Add", (SegmentChange(None, segment, 0),)))
    for box in (Box((2, 3, 4), (5, 9, 20)), Box((8, 15, 4), (9, 17, 6))):
        writer = LabelWriter(case.labels.segmentation, box)
        writer.add(segment, np.ones(box.shape_kji, dtype=np.bool_))
        case.do(Command("Brush", tuple(writer.changes())))
    return case, segment


@pytest.mark.parametrize(
    ("voxels", "said"),
    [(3, "0.012 mL"), (50, "0.20 mL"), (700, "2.80 mL"), (9000, "36.0 mL"), (90_000, "360 mL")],
)
def test_volumes_have_about_three_figures(voxels: int, said: str) -> None:
    assert voxels_text(voxels, Geometry.from_spacing((9, 9, 9), (4.0, 1.0, 1.0))) == said


def test_without_millimetres_voxels_are_counted() -> None:
    geometry = Geometry((9, 9, 9), np.eye(4), calibration=Calibration.IN_PLANE)
    assert [voxels_text(n, geometry) for n in (1, 20)] == ["1 voxel", "20 voxels"]


def test_a_segment_says_who_made_it_and_that_it_is_absent() -> None:
    case, segment = drawn()
    made = Source(SourceKind.MODEL, "organs", "1.2")
    assert source_text(segment) == "By hand"
    assert source_text(replace(segment, source=made)) == "Model organs 1.2"
    assert source_text(replace(segment, source=made.by_hand())) == "Model organs 1.2, corrected by hand"
    assert source_text(replace(segment, source=Source(SourceKind.IMPORT))) == "Imported"
    assert size_text(case, replace(segment, absent=True)) == "absent"
    assert size_text(case, replace(segment, value=9)) == ""


def test_uptake_is_told_where_the_volume_carries_its_factor() -> None:
    factor = 1e-3
    suv = SuvScale(((SuvKind.BODY_WEIGHT, factor),))
    volume = Volume(np.zeros((1, 1, 1)), Geometry.from_spacing((1, 1, 1), (1, 1, 1)), unit="BQML", suv=suv)
    assert mean_text(2.0 / factor, volume).startswith("2.00 ")
    told = statistics_text(Statistics(2.0 / factor, 1.0 / factor, 0.5 / factor, 4.0 / factor), volume)
    assert told.startswith("mean 2.00 ")
    assert "SD 1.00, 0.50 to 4.00" in told


def test_the_tables_have_as_many_cells_in_every_row_and_no_stray_tabs() -> None:
    case, segment = drawn()
    workspace = Workspace(InlineRunner(), None)  # type: ignore[arg-type]
    workspace.add_case(case)
    before = segment_cells(case, segment)
    assert len(before) == len(SEGMENT_COLUMNS)
    assert before[4] == size_text(case, segment)
    assert before[5:] == ("",) * 7, "nothing is known before it was measured"
    figures = want_figures(workspace, case, segment)
    assert figures is not None
    cells = segment_cells(case, segment)
    assert len(cells) == len(SEGMENT_COLUMNS)
    assert cells[1:6] == ("Lesions", "Flagged", "By hand", size_text(case, segment), "2")
    assert all(cells)
    for text in (segment_table(case), component_table(segment, figures, case.volume)):
        rows = [line.split("\t") for line in text.splitlines()]
        assert len({len(row) for row in rows}) == 1
        assert rows[1][0] == "Nodule one"
    rows = [line.split("\t") for line in component_table(segment, figures, case.volume).splitlines()]
    x, y, z = (float(n) for n in rows[1][-3:])
    index = case.volume.geometry.index_kji((x, y, z))
    assert case.labels.segmentation.layers[0].voxels[tuple(round(n) for n in index)] == 1
    assert float(rows[1][2]) == pytest.approx(figures.components[0].voxels * case.volume.geometry.voxel_volume_mm3 / 1000)


def test_a_segment_taken_from_a_reader_says_from_whom() -> None:
    source = Source(SourceKind.READER, "Ada")
    segment = Segment("s", "Liver", (1, 2, 3), 0, 1, source=source)
    assert source_text(segment) == "Labels of Ada"
    assert source_text(replace(segment, source=source.by_hand())) == "Labels of Ada, corrected by hand"
    assert source.title == "Ada"
