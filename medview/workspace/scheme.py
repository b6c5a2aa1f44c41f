"""Key and mouse schemes: what hands are used to, as data in ``resources/schemes``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from psygnal import Signal

from medview.core.resources import resource_path
from medview.workspace.pointer import Button, Modifiers
from medview.workspace.view_state import Mode

DEFAULT = "pacs"

DRAGS = ("tool", "pan", "zoom", "window", "crosshair", "pick", "")
"""What a drag can do; empty is nothing."""

WHEEL_STEPS = ("slice", "zoom", "radius")
"""What a step of the wheel can do."""

_MODIFIERS = ("Ctrl", "Alt", "Shift", "Meta")

ByMode = Mapping[Mode, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Differences:
    """What a scheme, or a person, changes in the scheme below.

    Attributes
    ----------
    keys : mapping
        Action id -> mode -> key sequences; none at all takes the key away.
    mouse, wheel : mapping
        As in Bindings.
    """

    keys: Mapping[str, ByMode] = field(default_factory=dict)
    mouse: Mapping[Mode, Mapping[str, str]] = field(default_factory=dict)
    wheel: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Any) -> Differences:
        """Read the parts of a scheme file. Raises ValueError, TypeError, KeyError or AttributeError on any other shape."""
        mouse = {Mode(mode): _checked(table, DRAGS) for mode, table in document.get("mouse", {}).items()}
        keys = {str(action): _by_mode(entry) for action, entry in document.get("keys", {}).items()}
        return cls(keys, mouse, _checked(document.get("wheel", {}), WHEEL_STEPS))


@dataclass(frozen=True, slots=True)
class Bindings:
    """What keys, buttons and wheel do.

    Attributes
    ----------
    base : str
        Id of the shipped scheme.
    name : str
        What people call it.
    mouse : mapping
        Mode -> ``"shift+left"`` -> what a drag does, one of DRAGS.
    wheel : mapping
        ``"ctrl"`` or empty -> what a step does, one of WHEEL_STEPS.
    keys : mapping
        Action id -> mode -> key sequences in Qt's portable spelling, the one to show first.
    """

    base: str
    name: str
    mouse: Mapping[Mode, Mapping[str, str]]
    wheel: Mapping[str, str]
    keys: Mapping[str, ByMode]

    def drag(self, mode: Mode, button: Button, modifiers: Modifiers) -> str:
        """Return what a drag with this button does, or empty."""
        table = self.mouse.get(mode, {})
        return table.get(_chord(button, modifiers), table.get(button.value, ""))

    def shortcuts(self, action_id: str, mode: Mode) -> tuple[str, ...]:
        """Return the key sequences of an action in a mode."""
        return self.keys.get(action_id, {}).get(mode, ())

    def changed_by(self, changes: Differences) -> Bindings:
        """Return the bindings with changes on top; a key that the changes use is taken from every other action."""
        taken = {(mode, canonical(k)): a for a, entry in changes.keys.items() for mode, ks in entry.items() for k in ks}
        keys: dict[str, ByMode] = {}
        for action in dict.fromkeys((*self.keys, *changes.keys)):
            entry = {**self.keys.get(action, {}), **changes.keys.get(action, {})}
            keys[action] = {
                mode: tuple(k for k in held if taken.get((mode, canonical(k)), action) == action)
                for mode, held in entry.items()
            }
        mouse = {mode: {**self.mouse.get(mode, {}), **changes.mouse.get(mode, {})} for mode in Mode}
        return replace(self, keys=keys, mouse=mouse, wheel={**self.wheel, **changes.wheel})


class Scheme:
    """The bindings in use. They are replaced as a whole, at once, for everybody who asks here."""

    changed = Signal()

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings

    @classmethod
    def load(cls, name: str = DEFAULT) -> Scheme:
        """Return a shipped scheme, the default one where there is none of that id."""
        return cls(shipped(name))

    @property
    def bindings(self) -> Bindings:
        """What keys, buttons and wheel do now."""
        return self._bindings

    @property
    def name(self) -> str:
        """What people call it."""
        return self._bindings.name

    @property
    def wheel(self) -> Mapping[str, str]:
        """As in Bindings."""
        return self._bindings.wheel

    def use(self, bindings: Bindings) -> None:
        """Take other bindings."""
        self._bindings = bindings
        self.changed.emit()

    def drag(self, mode: Mode, button: Button, modifiers: Modifiers) -> str:
        """Return what a drag with this button does, or empty."""
        return self._bindings.drag(mode, button, modifiers)

    def shortcuts(self, action_id: str, mode: Mode) -> tuple[str, ...]:
        """Return the key sequences of an action in a mode, the one to show first."""
        return self._bindings.shortcuts(action_id, mode)


@cache
def scheme_names() -> dict[str, str]:
    """Return the shipped schemes, id -> name, the default one first."""
    found = {path.stem: str(_document(path.stem)["name"]) for path in sorted(resource_path("schemes").glob("*.json"))}
    return {DEFAULT: found.pop(DEFAULT), **found}


@cache
def shipped(name: str) -> Bindings:
    """Return a shipped scheme as it is delivered, the default one where there is none of that id.

    A scheme names another as ``based_on`` and says only what differs. A key it uses itself is not inherited by anything
    else, so that what is added to the base later cannot quarrel with it.
    """
    if name not in scheme_names():
        name = DEFAULT
    document = _document(name)
    below = document.get("based_on", "")
    base = shipped(below) if below else Bindings("", "", {}, {}, {})
    return replace(base.changed_by(Differences.of(document)), base=name, name=str(document["name"]))


def canonical(keys: str) -> str:
    """Return a key sequence in the one spelling in which two are compared."""
    parts = keys.replace(" ", "").split("+")
    key = parts.pop() or "+"
    held = {part.capitalize() for part in parts if part}
    return "+".join([*(m for m in _MODIFIERS if m in held), key.upper()])


def wheel_chord(modifiers: Modifiers) -> str:
    """Return the name of the modifiers held while the wheel turns, as schemes spell it."""
    return "+".join(m.name.lower() for m in (Modifiers.CTRL, Modifiers.SHIFT, Modifiers.ALT) if m in modifiers and m.name)


def _chord(button: Button, modifiers: Modifiers) -> str:
    held = wheel_chord(modifiers)
    return f"{held}+{button.value}" if held else button.value


def _document(name: str) -> dict[str, Any]:
    return dict(json.loads((resource_path("schemes") / f"{name}.json").read_text(encoding="utf-8")))


def _checked(table: Mapping[str, str], known: tuple[str, ...]) -> dict[str, str]:
    if wrong := [value for value in table.values() if value not in known]:
        raise ValueError(f"unknown: {wrong[0]!r}")
    return dict(table)


def _by_mode(entry: Any) -> dict[Mode, tuple[str, ...]]:
    if isinstance(entry, list):
        return dict.fromkeys(Mode, _sequences(entry))
    return {Mode(mode): _sequences(keys) for mode, keys in entry.items()}


def _sequences(keys: Any) -> tuple[str, ...]:
    if not isinstance(keys, list) or not all(isinstance(k, str) and 0 < len(k) <= 40 for k in keys):
        raise TypeError("keys are a list of short texts")
    return tuple(keys)
