"""What a person changes in a scheme: kept as differences, conflicts told, damaged files survived."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from medview.core.errors import WriteError
from medview.workspace.pointer import Button, Modifiers
from medview.workspace.scheme import shipped
from medview.workspace.scheme_edits import (
    conflicts,
    differences,
    edits_file,
    load_bindings,
    reset,
    save_bindings,
    taken_from,
    why_not_key,
    with_drag,
    with_keys,
    with_wheel,
    without_tool,
)
from medview.workspace.view_state import Mode


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEDVIEW_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config"


def test_changes_come_back_as_they_were_kept_and_only_differences_are_on_disk() -> None:
    changed = with_keys(shipped("slicer"), "tool.angle", Mode, ("Ctrl+J",))
    changed = with_drag(changed, Mode.READ, "right", "window")
    changed = with_wheel(changed, "shift", "zoom")
    save_bindings(changed)
    assert load_bindings("slicer") == (changed, "")
    assert load_bindings("pacs") == (shipped("pacs"), "")
    kept = json.loads(edits_file("slicer").read_text())
    assert kept == {
        "based_on": "slicer",
        "keys": {"tool.angle": {"read": ["Ctrl+J"], "annotate": ["Ctrl+J"]}},
        "mouse": {"read": {"right": "window"}},
        "wheel": {"shift": "zoom"},
    }
    again = load_bindings("slicer")[0]
    assert again.drag(Mode.READ, Button.RIGHT, Modifiers.NONE) == "window"


def test_a_key_taken_away_stays_away() -> None:
    save_bindings(with_keys(shipped("pacs"), "tool.length", [Mode.READ], ()))
    bindings, _ = load_bindings("pacs")
    assert bindings.shortcuts("tool.length", Mode.READ) == ()
    assert bindings.shortcuts("tool.length", Mode.ANNOTATE) == ("L",)


def test_nothing_is_kept_where_nothing_differs_any_more() -> None:
    changed = with_keys(shipped("pacs"), "tool.length", Mode, ("Ctrl+L",))
    save_bindings(changed)
    assert edits_file("pacs").exists()
    save_bindings(reset(changed, "tool.length"))
    assert not edits_file("pacs").exists()


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"\xff\xfe\x00", b'{"keys": {"undo": "Z"}}', b'{"mouse": 7}', b'{"wheel": {"": 3}}', b"[" * 100_000],
)
def test_a_damaged_file_means_the_scheme_as_delivered_and_one_sentence(content: bytes) -> None:
    edits_file("ohif").parent.mkdir(parents=True)
    edits_file("ohif").write_bytes(content)
    bindings, problem = load_bindings("ohif")
    assert bindings == shipped("ohif")
    assert problem == "Your changes to the keys (ohif.json) are damaged; OHIF is used as delivered."


def test_an_unknown_scheme_is_said_and_reads_no_file(config: Path) -> None:
    (config / "schemes").mkdir(parents=True)
    (config / "evil.json").write_text('{"keys": {"undo": ["Q"]}}')
    bindings, problem = load_bindings("../evil")
    assert bindings == shipped("pacs")
    assert "PACS is used" in problem


def test_changes_that_cannot_be_kept_are_said_in_one_sentence(config: Path) -> None:
    config.write_text("in the way")
    with pytest.raises(WriteError, match="not kept"):
        save_bindings(with_keys(shipped("pacs"), "undo", Mode, ("U",)))
    assert config.read_text() == "in the way"


def test_two_actions_on_one_key_in_one_mode_quarrel_and_in_two_modes_do_not() -> None:
    base = shipped("pacs")
    mine = with_keys(base, "tool.angle", [Mode.READ], ("l",))
    found = conflicts(mine)
    assert [(c.keys, c.mode, set(c.action_ids)) for c in found] == [("l", Mode.READ, {"tool.length", "tool.angle"})]
    assert conflicts(mine, known=["tool.angle"]) == []
    settled = taken_from(mine, "tool.length", Mode.READ, "l")
    assert conflicts(settled) == []
    assert settled.shortcuts("tool.length", Mode.ANNOTATE) == ("L",)
    assert conflicts(with_keys(base, "brush.smaller", [Mode.ANNOTATE], ("Ctrl+F12",))) == []


def test_a_kept_quarrel_leaves_the_key_to_one_action() -> None:
    edits_file("pacs").parent.mkdir(parents=True)
    edits_file("pacs").write_text('{"keys": {"undo": ["F9"], "redo": ["F9"]}}')
    bindings, problem = load_bindings("pacs")
    assert problem == ""
    assert conflicts(bindings) == []


def test_keys_that_mean_something_everywhere_are_refused_with_the_reason() -> None:
    assert why_not_key("Esc") == "Esc takes back what the hand is doing everywhere; choose another key."
    assert "moves the focus" in why_not_key("Tab")
    assert why_not_key("Ctrl+Tab") == ""


def test_a_mouse_without_a_button_for_the_tool_is_noticed() -> None:
    changed = with_drag(shipped("pacs"), Mode.ANNOTATE, "left", "pan")
    assert without_tool(changed) == (Mode.ANNOTATE,)
    assert differences(changed).mouse == {Mode.ANNOTATE: {"left": "pan"}}
