"""Layouts as values, and how series come into panes and leave them."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import pytest

from medview.core.plane import Plane
from medview.workspace.actions import action
from medview.workspace.layout import EMPTY, FOLLOWS, LARGEST_GRID, LAYOUTS, CellKind, grid, layout_of, three_planes
from medview.workspace.layout_actions import look_along, use_layout
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace
from tests.workspace.conftest import make_case


def another(number: int) -> OpenCase:
    case = make_case()
    case.series = replace(case.series, series_uid=f"1.2.3.{number}")
    return case


def shown(workspace: Workspace) -> list[str]:
    """What the panes hold, by the last digit of the series."""
    cells = workspace.bench.layout.slices
    return [cell.case_key.removeprefix("1.2.3.") for cell in cells]


@pytest.mark.parametrize("layout_id", LAYOUTS)
def test_every_layout_is_found_by_its_id_and_fills_its_grid_once(layout_id: str) -> None:
    layout = layout_of(layout_id)
    assert layout.layout_id == layout_id
    places = [(c.row + r, c.column + n) for c in layout.cells for r in range(c.row_span) for n in range(c.column_span)]
    assert sorted(places) == [(r, c) for r in range(layout.rows) for c in range(layout.columns)]
    assert len({cell.pane_id for cell in layout.cells}) == len(layout.cells)


def test_a_free_grid_has_panes_in_reading_order() -> None:
    layout = layout_of("2x3")
    assert layout.layout_id == "grid"
    assert [(cell.pane_id, cell.row, cell.column) for cell in layout.cells] == [
        ("1", 0, 0), ("2", 0, 1), ("3", 0, 2), ("4", 1, 0), ("5", 1, 1), ("6", 1, 2),
    ]  # fmt: skip
    assert all(cell.case_key == EMPTY and cell.plane is None for cell in layout.cells)


@pytest.mark.parametrize("layout_id", ["0x2", f"1x{LARGEST_GRID + 1}", "2", "axb", "", "2x", "-1x2"])
def test_what_is_no_layout_is_refused(layout_id: str) -> None:
    with pytest.raises(ValueError, match=r"grid|layout"):
        layout_of(layout_id)


def test_three_planes_and_a_single_pane_follow_the_active_case_and_grids_do_not() -> None:
    assert three_planes().follows
    assert grid(1, 1).follows
    assert not grid(1, 2).follows
    assert three_planes().with_case("key") == three_planes()
    kinds = {cell.kind for cell in three_planes(volume=True).cells}
    assert kinds == {CellKind.SLICES, CellKind.VOLUME}


def test_series_opened_one_after_the_other_fill_the_empty_panes_then_the_chosen_one(workspace: Workspace) -> None:
    action("layout.2x2").run(workspace)
    assert shown(workspace) == ["4", EMPTY, EMPTY, EMPTY]
    for number in (5, 6, 7):
        workspace.add_case(another(number))
    assert shown(workspace) == ["4", "5", "6", "7"]
    workspace.choose("3")
    workspace.add_case(another(8))
    assert shown(workspace) == ["4", "5", "8", "7"]
    assert workspace.active is workspace.cases["1.2.3.8"]


def test_a_series_that_is_shown_already_stays_where_it_is(workspace: Workspace) -> None:
    action("layout.1x2").run(workspace)
    workspace.add_case(another(5))
    workspace.choose("2")
    workspace.show("1.2.3.4")
    assert shown(workspace) == ["4", "5"]
    assert workspace.active is workspace.cases["1.2.3.4"]


def test_closing_a_series_empties_its_pane_and_the_next_one_comes_there(workspace: Workspace) -> None:
    action("layout.1x2").run(workspace)
    workspace.add_case(another(5))
    workspace.close_case("1.2.3.4")
    assert shown(workspace) == [EMPTY, "5"]
    assert workspace.case_in("1") is None
    workspace.add_case(another(6))
    assert shown(workspace) == ["6", "5"]


def test_after_closing_the_active_series_one_that_can_be_seen_is_active(workspace: Workspace) -> None:
    workspace.add_case(another(5))
    workspace.add_case(another(6))
    workspace.show("1.2.3.4")
    action("layout.1x2").run(workspace)
    assert shown(workspace) == ["4", "5"]
    workspace.close_case("1.2.3.4")
    assert workspace.active is workspace.cases["1.2.3.5"]
    workspace.close_case("1.2.3.5")
    workspace.close_case("1.2.3.6")
    assert workspace.active is None
    assert workspace.looked_at is None
    assert shown(workspace) == [EMPTY, EMPTY]


def test_another_layout_takes_the_active_series_first_and_then_those_that_were_seen(workspace: Workspace) -> None:
    for number in (5, 6, 7):
        workspace.add_case(another(number))
    workspace.show("1.2.3.6")
    action("layout.1x2").run(workspace)
    assert shown(workspace) == ["6", "4"]
    action("layout.2x2").run(workspace)
    assert shown(workspace) == ["6", "4", "5", "7"]
    action("layout.planes").run(workspace)
    assert {cell.case_key for cell in workspace.bench.layout.slices} == {FOLLOWS}
    assert workspace.case_in("coronal") is workspace.cases["1.2.3.6"]


def test_pressing_a_pane_makes_its_series_the_active_one(workspace: Workspace) -> None:
    action("layout.1x2").run(workspace)
    workspace.add_case(another(5))
    heard: list[str] = []
    workspace.active_changed.connect(lambda: heard.append(workspace.active.key if workspace.active else ""))
    workspace.choose("1")
    workspace.choose("1")
    assert heard == ["1.2.3.4"]


def test_keys_for_looking_act_on_the_series_under_the_pointer(workspace: Workspace) -> None:
    action("layout.1x2").run(workspace)
    workspace.add_case(another(5))
    workspace.bench.pointed = "1"
    assert workspace.active is workspace.cases["1.2.3.5"]
    assert workspace.looked_at is workspace.cases["1.2.3.4"]
    before = {key: case.view.crosshair_kji for key, case in workspace.cases.items()}
    action("slice.next").run(workspace)
    moved = [key for key, case in workspace.cases.items() if case.view.crosshair_kji != before[key]]
    assert "1.2.3.4" in moved


def test_a_pane_looks_along_the_plane_of_the_series_until_it_is_turned_to_another(workspace: Workspace) -> None:
    action("layout.1x2").run(workspace)
    case = workspace.cases["1.2.3.4"]
    assert workspace.plane_in("1") is case.acquired_plane is Plane.AXIAL
    workspace.bench.pointed = "1"
    action("plane.sagittal").run(workspace)
    assert (workspace.plane_in("1"), workspace.plane_in("2")) == (Plane.SAGITTAL, Plane.AXIAL)
    look_along(workspace, "1", None)
    assert workspace.plane_in("1") is Plane.AXIAL
    look_along(workspace, "no such pane", Plane.CORONAL)


def test_maximised_and_detached_panes_end_with_the_layout(workspace: Workspace) -> None:
    bench = workspace.bench
    bench.pointed = "coronal"
    action("view.maximise").run(workspace)
    assert bench.maximised == "coronal"
    action("view.maximise").run(workspace)
    assert bench.maximised == ""
    action("view.detach").run(workspace)
    assert bench.detached == ("coronal",)
    use_layout(workspace, layout_of("2x2"))
    assert (bench.maximised, bench.detached, bench.pointed, bench.chosen) == ("", (), "1", "1")


def test_a_pane_in_a_window_of_its_own_is_not_maximised_out_of_it(workspace: Workspace) -> None:
    bench = workspace.bench
    bench.pointed = "coronal"
    action("view.detach").run(workspace)
    action("view.maximise").run(workspace)
    assert bench.maximised == ""
    action("view.detach").run(workspace)
    assert bench.detached == ()


def test_a_closed_series_is_forgotten_by_everything(workspace: Workspace) -> None:
    action("layout.2x2").run(workspace)
    case = another(5)
    workspace.add_case(case)
    workspace.choose("2")
    gone = weakref.ref(case)
    workspace.close_case(case.key)
    del case
    gc.collect()
    assert gone() is None
