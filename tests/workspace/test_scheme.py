"""Key and mouse schemes as they are shipped, and schemes on top of schemes."""

from __future__ import annotations

import json

import pytest

from medview.core.resources import resource_path
from medview.workspace.pointer import Button, Modifiers
from medview.workspace.scheme import DRAGS, Bindings, Differences, Scheme, canonical, scheme_names, shipped
from medview.workspace.scheme_edits import conflicts, without_tool
from medview.workspace.toolbox import TOOLBOX
from medview.workspace.view_state import Mode

SCHEMES = list(scheme_names())


def own_entries(name: str) -> Differences:
    """Return what a scheme file says itself."""
    return Differences.of(json.loads((resource_path("schemes") / f"{name}.json").read_text(encoding="utf-8")))


def test_the_shipped_schemes_are_pacs_first_then_the_others() -> None:
    assert scheme_names() == {"pacs": "PACS", "itksnap": "ITK-SNAP", "ohif": "OHIF", "slicer": "3D Slicer"}
    assert SCHEMES[0] == "pacs"


@pytest.mark.parametrize("name", SCHEMES)
def test_no_key_of_a_shipped_scheme_means_two_things_in_one_mode(name: str) -> None:
    assert conflicts(shipped(name)) == []


@pytest.mark.parametrize("name", SCHEMES)
def test_no_two_entries_of_a_scheme_file_give_one_key_away_twice(name: str) -> None:
    own = own_entries(name)
    given = [(m, canonical(k)) for entry in own.keys.values() for m, keys in entry.items() for k in keys]
    assert len(given) == len(set(given))


@pytest.mark.parametrize("name", SCHEMES)
def test_every_shipped_scheme_has_a_button_for_the_tool_and_knows_what_its_buttons_do(name: str) -> None:
    bindings = shipped(name)
    assert without_tool(bindings) == ()
    assert {drag for table in bindings.mouse.values() for drag in table.values()} <= set(DRAGS)
    assert bindings.wheel[""] == "slice"


@pytest.mark.parametrize("name", SCHEMES)
def test_undo_finding_and_opening_have_the_keys_of_every_program(name: str) -> None:
    bindings = shipped(name)
    for mode in Mode:
        assert "Ctrl+Z" in bindings.shortcuts("undo", mode)
        assert bindings.shortcuts("help.find", mode) == ("Ctrl+K",)
        assert bindings.shortcuts("file.open_folder", mode) == ("Ctrl+O",)


def test_schemes_differ_where_the_programs_do() -> None:
    slicer, snap, ohif = shipped("slicer"), shipped("itksnap"), shipped("ohif")
    assert slicer.drag(Mode.READ, Button.LEFT, Modifiers.SHIFT) == "pan"
    assert slicer.shortcuts("view.overlay", Mode.ANNOTATE)[0] == "G"
    assert slicer.shortcuts("segment.next", Mode.ANNOTATE) == ("W",)
    assert slicer.shortcuts("tool.window", Mode.READ) == ("W",)
    assert slicer.shortcuts("tool.window", Mode.ANNOTATE) == ()
    assert snap.shortcuts("tool.crosshair", Mode.READ)[0] == "1"
    assert snap.shortcuts("preset.1", Mode.READ) == ("Alt+1",)
    assert ohif.shortcuts("cine.play", Mode.READ) == ("C",)


def test_a_key_that_a_scheme_uses_is_not_inherited_by_another_action() -> None:
    base = shipped("pacs")
    changed = base.changed_by(Differences({"undo": {Mode.READ: ("l", "Ctrl+Z")}}))
    assert changed.shortcuts("undo", Mode.READ) == ("l", "Ctrl+Z")
    assert changed.shortcuts("tool.length", Mode.READ) == ()
    assert changed.shortcuts("tool.length", Mode.ANNOTATE) == ("L",)
    assert conflicts(changed) == []


def test_a_chord_that_says_nothing_does_nothing_and_one_not_named_does_what_the_button_does() -> None:
    bindings = Bindings("", "", {Mode.READ: {"left": "tool", "shift+left": ""}}, {}, {})
    assert bindings.drag(Mode.READ, Button.LEFT, Modifiers.SHIFT) == ""
    assert bindings.drag(Mode.READ, Button.LEFT, Modifiers.CTRL) == "tool"
    assert bindings.drag(Mode.ANNOTATE, Button.LEFT, Modifiers.NONE) == ""


def test_other_bindings_hold_at_once_and_are_told() -> None:
    scheme = Scheme.load()
    told: list[str] = []
    scheme.changed.connect(lambda: told.append(scheme.name))
    assert scheme.shortcuts("cine.play", Mode.READ) == ("Q",)
    scheme.use(shipped("ohif"))
    assert told == ["OHIF"]
    assert scheme.shortcuts("cine.play", Mode.READ) == ("C",)


@pytest.mark.parametrize("name", ["", "emacs", "../../etc/passwd"])
def test_a_scheme_nobody_ships_is_the_default_one(name: str) -> None:
    assert Scheme.load(name).bindings == shipped("pacs")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ctrl+Shift+Z", "shift+ctrl+z", True),
        ("L", "l", True),
        ("Ctrl++", "ctrl++", True),
        ("+", "Shift++", False),
        ("Alt+T", "T", False),
    ],
)
def test_keys_are_the_same_however_they_are_spelt(one: str, other: str, same: bool) -> None:
    assert (canonical(one) == canonical(other)) is same


@pytest.mark.parametrize(
    "document",
    [
        {"mouse": {"read": {"left": "explode"}}},
        {"keys": {"undo": "Ctrl+Z"}},
        {"keys": {"undo": {"sleeping": ["Z"]}}},
        {"keys": {"undo": [7]}},
        {"wheel": {"": "spin"}},
        [],
    ],
)
def test_a_scheme_of_another_shape_is_refused(document: object) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError)):
        Differences.of(json.loads(json.dumps(document)))


HANDS = (
    *(entry.action_id for entry in TOOLBOX if entry.draws),
    "tool.toggle",
    "brush.smaller",
    "brush.larger",
    "brush.sphere",
    "segment.next",
    "segment.previous",
    "segment.pick",
    "labelled.next",
    "labelled.previous",
    "lesion.next",
    "lesion.previous",
    "proposal.next",
    "proposal.previous",
    "proposal.accept",
    "proposal.reject",
    *(f"preset.{n}" for n in range(1, 10)),
)


@pytest.mark.parametrize("name", SCHEMES)
def test_everything_an_annotator_does_all_day_has_a_key_in_every_scheme(name: str) -> None:
    bindings = shipped(name)
    assert [action for action in HANDS if not bindings.shortcuts(action, Mode.ANNOTATE)] == []
    assert "pick" in bindings.mouse[Mode.ANNOTATE].values()


def test_digits_are_tools_while_annotating_and_windows_while_reading_and_alt_brings_the_windows_back() -> None:
    bindings, tools = shipped("pacs"), {entry.action_id for entry in TOOLBOX}
    for digit in "123456789":
        annotating = [a for a in bindings.keys if digit in bindings.shortcuts(a, Mode.ANNOTATE)]
        assert len(annotating) == 1
        assert annotating[0] in tools
        assert digit in bindings.shortcuts(f"preset.{digit}", Mode.READ)
        assert f"Alt+{digit}" in bindings.shortcuts(f"preset.{digit}", Mode.ANNOTATE)
