"""Boxes, points and lines in structured reports: judged by dciodvfy and highdicom, and back as they were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest

from medview.core.annotations import BoxAnnotation, Drawn, Trace
from medview.core.attributes import Attribute
from medview.core.axes import Axes
from medview.core.errors import WriteError
from medview.core.oblique import ObliquePlane
from medview.core.plane import Plane
from medview.core.source import Source, SourceKind
from medview.core.trace import TraceKind
from medview.core.vector import triple
from medview.io.dicom.sr_drawn import as_drawn, as_reported
from medview.io.dicom.sr_write import write_sr
from medview.io.load import LoadedVolume
from tests.helpers import dciodvfy
from tests.helpers.dicom_series import write_ct
from tests.helpers.reports import opened, read_onto, source_of


@pytest.fixture
def ct(tmp_path: Path) -> LoadedVolume:
    write_ct(tmp_path / "ct")
    return opened(tmp_path / "ct")


def trace(loaded: LoadedVolume, number: int, kind: TraceKind, points_kji: object) -> Trace:
    points = tuple(triple(p) for p in loaded.volume.geometry.point_lps_mm(points_kji))  # type: ignore[arg-type]
    return Trace(f"{number:032x}", kind, points, f"Mark {number} äö")


def box(loaded: LoadedVolume, number: int, low: object, high: object, flat: int | None) -> BoxAnnotation:
    name = f"{number:032x}"
    return BoxAnnotation.on_grid(name, f"Box {number}", loaded.volume.geometry, low, high, flat_edge=flat)  # type: ignore[arg-type]


def round_trip(loaded: LoadedVolume, things: list[Drawn], path: Path) -> list[Drawn]:
    geometry = loaded.volume.geometry
    written = [as_reported(one, geometry) for one in things]
    assert write_sr(path, [one for one in written if one is not None], source_of(loaded)) == ()
    assert dciodvfy.errors(path) == []
    report = read_onto(path, loaded)
    assert report.notes == ()
    back = {f.measurement.annotation_id: as_drawn(f.measurement, f.drawn_as, geometry) for f in report.figures}
    assert len(back) == len(things)
    return [back[one.annotation_id] for one in things]


def assert_same(back: Drawn, one: Drawn) -> None:
    assert (type(back), back.label, back.source.kind) == (type(one), one.label, SourceKind.IMPORT)
    if isinstance(one, Trace):
        assert isinstance(back, Trace)
        assert back.kind is one.kind
        np.testing.assert_allclose(back.points_lps_mm, one.points_lps_mm, atol=1e-3)
    else:
        assert isinstance(back, BoxAnnotation)
        assert back.flat_edge == one.flat_edge
        np.testing.assert_allclose(back.corners_lps_mm(), one.corners_lps_mm(), atol=2e-3)


def test_on_acquired_slices_each_comes_back_on_its_image(ct: LoadedVolume, tmp_path: Path) -> None:
    things: list[Drawn] = [
        trace(ct, 1, TraceKind.POINT, [(2, 3.25, 4.5)]),
        trace(ct, 2, TraceKind.OPEN, [(3, 1, 2), (3, 5, 9.5)]),
        trace(ct, 3, TraceKind.OPEN, [(3, 1, 2), (3, 5, 9.5), (3, 2, 3), (3, 8, 8)]),
        trace(ct, 4, TraceKind.CLOSED, [(5, 2, 3), (5, 2, 8), (5, 6, 8)]),
        box(ct, 5, (4, 2, 3), (5, 7, 11), 0),
    ]
    for k, back, one in zip((2, 3, 3, 5, 4), round_trip(ct, things, tmp_path / "m.dcm"), things, strict=True):
        assert_same(back, one)
        assert back.sop_instance_uid == ct.entry.frames[k].sop_instance_uid
    assert pydicom.dcmread(tmp_path / "m.dcm").SOPClassUID == pydicom.uid.ComprehensiveSRStorage


def test_across_the_slices_and_through_them_each_comes_back_in_the_patient(ct: LoadedVolume, tmp_path: Path) -> None:
    things: list[Drawn] = [
        trace(ct, 1, TraceKind.POINT, [(2.5, 3.25, 4.5)]),
        trace(ct, 2, TraceKind.OPEN, [(1, 1, 2), (4, 5, 9.5)]),
        trace(ct, 3, TraceKind.OPEN, [(1, 1, 2), (3, 5, 9.5), (5.5, 2, 3), (2, 8, 8)]),
        trace(ct, 4, TraceKind.CLOSED, [(1, 4, 3), (1, 4, 8), (5, 4, 8)]),
        box(ct, 5, (1, 4, 3), (5, 5, 11), 1),
        box(ct, 6, (1, 4, 3), (5, 7, 4), 2),
    ]
    for back, one in zip(round_trip(ct, things, tmp_path / "m.dcm"), things, strict=True):
        assert_same(back, one)
        # A single point lies nearest to some slice.
        assert back.sop_instance_uid == "" or (isinstance(one, Trace) and one.kind is TraceKind.POINT)
    assert pydicom.dcmread(tmp_path / "m.dcm").SOPClassUID == pydicom.uid.Comprehensive3DSRStorage


def test_a_box_at_an_angle_to_the_slices_comes_back_at_that_angle(ct: LoadedVolume, tmp_path: Path) -> None:
    geometry = ct.volume.geometry
    layout = ObliquePlane.of(Plane.CORONAL, Axes.of_grid(geometry).turned((0.3, 1.0, -0.2), 0.35), geometry)
    corner = geometry.point_lps_mm(layout.index_kji(geometry, -0.5, layout.rows / 2 - 2, layout.columns / 2 - 2))
    edges = (
        triple(layout.step_mm * np.asarray(layout.normal_lps)),
        triple(3 * layout.pixel_mm * np.asarray(layout.down_lps)),
        triple(4 * layout.pixel_mm * np.asarray(layout.right_lps)),
    )
    one = BoxAnnotation("a" * 32, "Tilted", triple(corner), edges, flat_edge=0)
    (back,) = round_trip(ct, [one], tmp_path / "m.dcm")
    assert isinstance(back, BoxAnnotation)
    assert back.flat_edge == 0
    # The normal has no sign in a report: the same eight corners, in whatever order.
    mine, theirs = one.corners_lps_mm(), back.corners_lps_mm()
    apart = np.linalg.norm(mine[:, None] - theirs[None], axis=2)
    assert apart.min(axis=1).max() <= 2e-3
    assert sorted(apart.argmin(axis=1).tolist()) == list(range(8))


def test_highdicom_finds_lengths_regions_and_words(ct: LoadedVolume, tmp_path: Path) -> None:
    line = trace(ct, 1, TraceKind.OPEN, [(3, 1, 2), (3, 5, 9.5), (3, 2, 3)])
    found = replace(
        box(ct, 2, (4, 2, 3), (5, 7, 11), 0),
        score=0.875,
        source=Source(SourceKind.MODEL, "nodules", "1"),
        attributes=(Attribute("Part", "solid"),),
    )
    written = [as_reported(one, ct.volume.geometry) for one in (line, found)]
    write_sr(tmp_path / "m.dcm", [one for one in written if one is not None], source_of(ct))
    content = highdicom.sr.srread(tmp_path / "m.dcm").content
    (lengths,) = content.get_image_measurement_groups()
    (length,) = lengths.get_measurements()
    assert float(length.value) == pytest.approx(line.length_mm(), rel=1e-6)
    (region,) = content.get_planar_roi_measurement_groups()
    corners = np.asarray(region.roi.value)
    # From the outer corner of the first pixel, column before row.
    assert (corners.min(axis=0).tolist(), corners.max(axis=0).tolist()) == ([3, 2], [11, 7])
    words = [item.TextValue for item in region[0].ContentSequence if item.ValueType == "TEXT"]
    assert "Score of the model: 0.875; Part: solid." in words


def test_a_3d_box_and_a_bent_outline_are_not_for_a_report(ct: LoadedVolume) -> None:
    geometry = ct.volume.geometry
    assert as_reported(box(ct, 1, (1, 2, 3), (5, 7, 11), None), geometry) is None
    assert as_reported(trace(ct, 2, TraceKind.CLOSED, [(1, 4, 3), (1, 4, 8), (5, 4, 8), (4, 8, 2)]), geometry) is None


def test_an_id_no_report_can_hold_is_replaced_by_one_that_is_always_the_same(ct: LoadedVolume) -> None:
    one = replace(trace(ct, 1, TraceKind.POINT, [(2, 3, 4)]), annotation_id="with a space")
    first, second = (as_reported(one, ct.volume.geometry) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.measurement.annotation_id == second.measurement.annotation_id
    assert " " not in first.measurement.annotation_id


def test_a_report_with_nothing_it_can_hold_is_not_written(ct: LoadedVolume, tmp_path: Path) -> None:
    with pytest.raises(WriteError):
        write_sr(tmp_path / "m.dcm", [], source_of(ct))
