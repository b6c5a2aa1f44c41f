"""Which values are seen in three dimensions, and how."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from functools import cache

from medview.core.resources import resource_path

HU_RANGE = (-1024.0, 3071.0)
"""Lowest and highest HU that are kept."""
PARTS = 1000
"""Numbers that are no HU run from 0 to this between the lowest and the highest usual value."""
MAX_SHIFT = 0.5
_SHIFT_HU = 1000.0
_MINUS = "\u2212"

Points = tuple[tuple[float, ...], ...]


class Blend(Enum):
    """How the values along a line of sight become a colour."""

    COMPOSITE = "composite"
    """Front to back, lit from the eye."""
    MAXIMUM = "maximum"
    """The highest one."""
    NOTHING = "nothing"
    """Not at all: only surfaces are seen."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A transfer function.

    Attributes
    ----------
    opacity : tuple of (value, 0 to 1)
        Of a thin layer of tissue (``Stage.opacity_unit_mm``); between the points a straight line.
    colour : tuple of (value, red, green, blue), 0-255
    shine : float
        Strength of reflections, 0 to 1.
    """

    key: str
    title: str
    blend: Blend
    opacity: Points = ()
    colour: Points = ()
    shine: float = 0.2

    def shifted(self, by: float) -> Preset:
        """Return the preset with all values moved up by ``by`` numbers of the grid."""
        return Preset(self.key, self.title, self.blend, _moved(self.opacity, by), _moved(self.colour, by), self.shine)


def _moved(points: Points, by: float) -> Points:
    return tuple((value + by, *rest) for value, *rest in points)


def in_hounsfield(modality: str, unit: str) -> bool:
    """Whether presets for CT fit a volume's values."""
    return modality == "CT" and unit in ("HU", "")


def presets(modality: str, unit: str) -> tuple[Preset, ...]:
    """Return what can be chosen for a volume, the one to begin with first."""
    table = _table()
    if in_hounsfield(modality, unit):
        return table["CT"]
    return table["other"] if modality == "CT" else table.get(modality, table["other"])


def chosen(modality: str, unit: str, key: str) -> Preset:
    """Return the preset with a key, or the first where this kind of volume has none of that name."""
    offered = presets(modality, unit)
    return next((preset for preset in offered if preset.key == key), offered[0])


def shift_in_values(modality: str, unit: str, shift: float) -> float:
    """Return how many numbers of the grid a shift (-MAX_SHIFT to MAX_SHIFT) is."""
    return shift * (_SHIFT_HU if in_hounsfield(modality, unit) else PARTS)


def shift_text(modality: str, unit: str, shift: float) -> str:
    """Say a shift with its unit."""
    value = shift_in_values(modality, unit, shift)
    text = f"{value:+.0f} HU" if in_hounsfield(modality, unit) else f"{100.0 * value / PARTS:+.0f} % of the range"
    return text.replace("-", _MINUS)


@cache
def _table() -> dict[str, tuple[Preset, ...]]:
    text = (resource_path("volume_presets") / "presets.json").read_text(encoding="utf-8")
    return {kind: tuple(_preset(row) for row in rows) for kind, rows in json.loads(text).items()}


def _preset(row: dict[str, object]) -> Preset:
    def points(name: str) -> Points:
        rows = row.get(name, [])
        assert isinstance(rows, list)
        return tuple(tuple(float(n) for n in point) for point in rows)

    shine = row.get("shine", 0.2)
    assert isinstance(shine, int | float)
    return Preset(
        str(row["key"]), str(row["title"]), Blend(row["blend"]), points("opacity"), points("colour"), float(shine)
    )
