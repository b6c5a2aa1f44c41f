"""Key and mouse schemes: what hands are used to, as data in ``resources/schemes``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from medview.core.resources import resource_path
from medview.workspace.pointer import Button, Modifiers
from medview.workspace.view_state import Mode


@dataclass(frozen=True, slots=True)
class Scheme:
    """One scheme.

    Attributes
    ----------
    mouse : mapping
        Mode -> ``"shift+left"`` -> what a drag does: ``tool``, ``pan``, ``zoom``, ``window``, ``crosshair``.
    wheel : mapping
        ``"ctrl"`` or empty -> what a step does: ``slice``, ``zoom``, ``radius``.
    keys : mapping
        Action id -> mode -> key sequences.
    """

    name: str
    mouse: Mapping[Mode, Mapping[str, str]]
    wheel: Mapping[str, str]
    keys: Mapping[str, Mapping[Mode, tuple[str, ...]]]

    @classmethod
    def load(cls, name: str = "pacs") -> Scheme:
        """Read a scheme from the resources."""
        table = json.loads((resource_path("schemes") / f"{name}.json").read_text(encoding="utf-8"))
        return cls(
            name=table["name"],
            mouse={Mode(mode): dict(entries) for mode, entries in table["mouse"].items()},
            wheel=dict(table["wheel"]),
            keys={action: _by_mode(entry) for action, entry in table["keys"].items()},
        )

    def drag(self, mode: Mode, button: Button, modifiers: Modifiers) -> str:
        """What a drag with this button does, or empty."""
        table = self.mouse[mode]
        return table.get(_chord(button, modifiers), "") or table.get(button.value, "")

    def shortcuts(self, action_id: str, mode: Mode) -> tuple[str, ...]:
        """Key sequences of an action in a mode, the one to show first."""
        return self.keys.get(action_id, {}).get(mode, ())


def wheel_chord(modifiers: Modifiers) -> str:
    """Name of the modifiers held while the wheel turns, as schemes spell it."""
    return "+".join(m.name.lower() for m in (Modifiers.CTRL, Modifiers.SHIFT, Modifiers.ALT) if m in modifiers and m.name)


def _chord(button: Button, modifiers: Modifiers) -> str:
    held = wheel_chord(modifiers)
    return f"{held}+{button.value}" if held else button.value


def _by_mode(entry: list[str] | dict[str, list[str]]) -> dict[Mode, tuple[str, ...]]:
    if isinstance(entry, list):
        return {mode: tuple(entry) for mode in Mode}
    return {Mode(mode): tuple(keys) for mode, keys in entry.items()}
