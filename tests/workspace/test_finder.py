"""Finding by words in any order, by key, and the reasons of what is greyed."""

from __future__ import annotations

import pytest

from medview.core.window import Window
from medview.workspace.actions import ACTIONS
from medview.workspace.finder import Entry, found, why_not, windows
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace


def entry(title: str, keys: str = "", detail: str = "", why: str = "") -> Entry:
    return Entry(title, lambda: None, keys, detail, why)


ALL = [
    entry("Undo", "Ctrl+Z", why="There is nothing to undo"),
    entry("Long and short axis", "D"),
    entry("Accept the proposal", "A"),
    entry("Next slice", "Up, PgUp"),
    entry("Along the way"),
    entry("Lung", detail="Window -600 / 1500"),
]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", [e.title for e in sorted(ALL, key=lambda e: bool(e.why_not))]),
        ("axis long", ["Long and short axis"]),
        ("long", ["Long and short axis", "Along the way"]),
        ("LU", ["Lung"]),
        ("window 1500", ["Lung"]),
        ("ctrl z", ["Undo"]),
        ("Ctrl+Z", ["Undo"]),
        ("pgup", ["Next slice"]),
        ("a", ["Accept the proposal", "Along the way", "Long and short axis"]),
        ("nothing like it", []),
    ],
)
def test_all_words_have_to_be_there_in_any_order_and_the_closest_comes_first(query: str, titles: list[str]) -> None:
    assert [e.title for e in found(ALL, query)] == titles


def test_a_key_leads_to_its_action_before_titles_with_that_letter() -> None:
    assert found(ALL, "d")[0].title == "Long and short axis"


def test_the_windows_of_the_open_series_are_found_by_name_and_used(workspace: Workspace, case: OpenCase) -> None:
    case.volume = case.volume.__class__(case.volume.voxels, case.volume.geometry, modality="CT", unit="HU")
    lung = next(e for e in windows(workspace) if e.title == "Lung")
    lung.run()
    assert isinstance(case.view.window, Window)
    assert case.view.window.center == -600
    assert "-600" in lung.detail


def test_every_greyed_action_has_a_reason(workspace: Workspace, case: OpenCase) -> None:
    greyed = {a.action_id: why_not(workspace, a.action_id) for a in ACTIONS if not a.enabled(workspace)}
    assert greyed["undo"] == "There is nothing to undo"
    assert greyed["proposal.accept"] == "No model has proposed anything"
    assert greyed["measurement.delete"] == "No measurement, box or mark is chosen"
    case.read_only = "This project is open in another window."
    assert why_not(workspace, "segment.add") == "This project is open in another window"
    workspace.close_case(case.key)
    assert why_not(workspace, "tool.brush") == "No series is open"
