"""What a person changes in a shipped scheme: kept beside the settings as differences, never as a copy of the whole."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from medview.core.atomic import replacing
from medview.core.errors import WriteError
from medview.core.language import _
from medview.workspace.scheme import Bindings, ByMode, Differences, canonical, scheme_names, shipped
from medview.workspace.settings import settings_file
from medview.workspace.view_state import Mode

_LOG = logging.getLogger("medview.settings")

_MOST_BYTES = 1 << 20

_RESERVED = {
    "Tab": _("moves the focus"),
    "Shift+Tab": _("moves the focus"),
    "Esc": _("takes back what the hand is doing"),
    "Return": "confirms",
    "Enter": "confirms",
}


def edits_file(base: str) -> Path:
    """Return where the changes to a shipped scheme are kept."""
    return settings_file().parent / "schemes" / f"{base}.json"


def load_bindings(name: str) -> tuple[Bindings, str]:
    """Return a scheme as the person has it, and one sentence where something was wrong with it, else nothing."""
    if name not in scheme_names():
        base = shipped(name)
        return base, _("The key scheme of the settings is unknown; {name} is used.").format(name=base.name)
    base = shipped(name)
    file = edits_file(name)
    try:
        with file.open("rb") as opened:
            document = json.loads(opened.read(_MOST_BYTES))
        return base.changed_by(Differences.of(document)), ""
    except FileNotFoundError:
        return base, ""
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        _LOG.warning("changes to the key scheme could not be read: %r", error)
        return base, _("Your changes to the keys ({name}) are damaged; {scheme} is used as delivered.").format(
            name=file.name, scheme=base.name
        )


def save_bindings(bindings: Bindings) -> None:
    """Keep what differs from the shipped scheme; nothing is kept where nothing differs.

    Raises
    ------
    WriteError
        When the settings folder cannot be written.
    """
    file = edits_file(bindings.base)
    document = _document(differences(bindings))
    try:
        if not document:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            "Your changes to the keys were not kept: the settings folder cannot be written.", detail=repr(error)
        ) from error
    with replacing(file) as part:
        part.write(json.dumps({"based_on": bindings.base, **document}, indent=2).encode())


def differences(bindings: Bindings) -> Differences:
    """Return what bindings change in the shipped scheme they are based on."""
    base = shipped(bindings.base)
    keys: dict[str, ByMode] = {}
    for action in dict.fromkeys((*base.keys, *bindings.keys)):
        changed = {
            m: bindings.shortcuts(action, m) for m in Mode if bindings.shortcuts(action, m) != base.shortcuts(action, m)
        }
        if changed:
            keys[action] = changed
    mouse = {mode: _changed(base.mouse.get(mode, {}), bindings.mouse.get(mode, {})) for mode in Mode}
    return Differences(keys, {m: table for m, table in mouse.items() if table}, _changed(base.wheel, bindings.wheel))


# ---------------------------------------------------------------------------------------- changing


def with_keys(bindings: Bindings, action_id: str, modes: Iterable[Mode], keys: tuple[str, ...]) -> Bindings:
    """Return bindings in which an action has these keys in these modes; others keep theirs, even the same ones."""
    entry = {**bindings.keys.get(action_id, {}), **dict.fromkeys(modes, keys)}
    return replace(bindings, keys={**bindings.keys, action_id: entry})


def with_drag(bindings: Bindings, mode: Mode, chord: str, drag: str) -> Bindings:
    """Return bindings in which a drag with the buttons of ``chord`` does something else."""
    table = {**bindings.mouse.get(mode, {}), chord: drag}
    return replace(bindings, mouse={**bindings.mouse, mode: table})


def with_wheel(bindings: Bindings, chord: str, step: str) -> Bindings:
    """Return bindings in which the wheel does something else while the keys of ``chord`` are held."""
    return replace(bindings, wheel={**bindings.wheel, chord: step})


def reset(bindings: Bindings, action_id: str) -> Bindings:
    """Return bindings in which an action has the keys of the shipped scheme."""
    base = shipped(bindings.base)
    return replace(bindings, keys={**bindings.keys, action_id: base.keys.get(action_id, {})})


def taken_from(bindings: Bindings, action_id: str, mode: Mode, keys: str) -> Bindings:
    """Return bindings in which an action has lost one key in a mode."""
    rest = tuple(k for k in bindings.shortcuts(action_id, mode) if canonical(k) != canonical(keys))
    return with_keys(bindings, action_id, (mode,), rest)


@dataclass(frozen=True, slots=True)
class Conflict:
    """One key that would start several actions in one mode, and so none."""

    keys: str
    mode: Mode
    action_ids: tuple[str, ...]


def conflicts(bindings: Bindings, known: Iterable[str] | None = None) -> list[Conflict]:
    """Return the keys that several actions share in one mode.

    Parameters
    ----------
    known : iterable of str, optional
        Only these actions count: what an older version knew starts nothing any more.
    """
    counted = set(bindings.keys if known is None else known)
    held: dict[tuple[Mode, str], list[str]] = {}
    shown: dict[tuple[Mode, str], str] = {}
    for action, entry in bindings.keys.items():
        for mode, sequences in entry.items() if action in counted else ():
            for keys in dict.fromkeys(canonical(k) for k in sequences):
                held.setdefault((mode, keys), []).append(action)
            shown.update({(mode, canonical(k)): k for k in sequences})
    return [Conflict(shown[at], at[0], tuple(actions)) for at, actions in held.items() if len(actions) > 1]


def why_not_key(keys: str) -> str:
    """Return why a key cannot be given to an action, in one sentence, or nothing."""
    use = next((use for name, use in _RESERVED.items() if canonical(name) == canonical(keys)), "")
    return _("{keys} {use} everywhere; choose another key.").format(keys=keys, use=use) if use else ""


def without_tool(bindings: Bindings) -> tuple[Mode, ...]:
    """Return the modes in which no plain button uses the active tool, so that nobody could draw or measure."""
    plain = ("left", "middle", "right")
    return tuple(m for m in Mode if not any(bindings.mouse.get(m, {}).get(button) == "tool" for button in plain))


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    return {chord: what for chord, what in after.items() if before.get(chord) != what}


def _document(changes: Differences) -> dict[str, Any]:
    found = {
        "keys": {a: {m.value: list(keys) for m, keys in entry.items()} for a, entry in changes.keys.items()},
        "mouse": {mode.value: dict(table) for mode, table in changes.mouse.items()},
        "wheel": dict(changes.wheel),
    }
    return {name: part for name, part in found.items() if part}
