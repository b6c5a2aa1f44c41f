"""Which lines stand in which corner."""

from __future__ import annotations

import pytest

from medview.workspace.corners import CORNERS, IDENTITY, LINES, CornerLines, default, of_settings
from medview.workspace.events import Message
from medview.workspace.open_case import OpenCase
from medview.workspace.settings import Settings, load_settings, save_settings
from medview.workspace.workspace import Workspace


def test_the_corners_as_delivered_name_only_lines_there_are_and_each_once() -> None:
    named = [line for corner in CORNERS for line in default().lines(corner)]
    assert set(named) <= set(LINES)
    assert len(named) == len(set(named))
    assert set(LINES) - set(named) == {"time"}
    assert set(LINES) > IDENTITY


def test_a_line_is_taken_off_and_comes_back_where_it_stood() -> None:
    without = default().with_line("patient.id", "")
    assert without.corner_of("patient.id") == ""
    assert without.top_left == tuple(n for n in default().top_left if n != "patient.id")
    assert without.with_line("patient.id", "top_left") == default()


def test_a_line_moves_to_another_corner_and_stands_there_once() -> None:
    moved = default().with_line("window", "top_left").with_line("window", "top_right")
    assert moved.corner_of("window") == "top_right"
    assert sum(moved.lines(corner).count("window") for corner in CORNERS) == 1
    assert moved.bottom_right == ("lossy", "zoom")


@pytest.mark.parametrize("line", list(LINES))
@pytest.mark.parametrize("corner", CORNERS)
def test_every_line_can_stand_in_every_corner(line: str, corner: str) -> None:
    assert default().with_line(line, corner).corner_of(line) == corner


def test_what_a_document_says_twice_or_wrongly_is_left_out() -> None:
    read = CornerLines.of({"top_left": ["zoom", "zoom", "from.the.future", 7], "bottom_right": ["zoom", "window"]})
    assert read == CornerLines(top_left=("zoom",), bottom_right=("window",))


@pytest.mark.parametrize("document", [None, 7, [], {}, {"top_left": "zoom"}, {"top_left": {"zoom": 1}}])
def test_settings_of_another_shape_mean_the_corners_as_delivered(document: object) -> None:
    assert of_settings(document) == default()


def test_a_choice_is_remembered_and_the_default_is_not_written_down(
    workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("config") / "settings.json"
    workspace.settings_changed.connect(lambda: save_settings(workspace.settings, file))
    chosen = default().with_line("zoom", "").with_line("time", "bottom_left")
    workspace.use_corners(chosen)
    again = Workspace(workspace.runner, workspace.services, load_settings(file))
    assert again.bench.corners == workspace.bench.corners == chosen
    workspace.use_corners(default())
    assert load_settings(file).corners == Settings().corners == {}


def test_nothing_is_said_when_corners_change(workspace: Workspace, case: OpenCase) -> None:
    said: list[Message] = []
    workspace.message.connect(said.append)
    workspace.use_corners(default().with_line("zoom", ""))
    assert said == []
