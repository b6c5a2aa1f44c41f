"""Window presets per modality, and the window a series opens with."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np

from medview.core.language import _
from medview.core.resources import resource_path
from medview.core.suv import SuvKind
from medview.core.voi_table import VoiTransform
from medview.core.volume import Volume
from medview.core.window import Window, WindowFunction

_LOW_PERCENTILE, _HIGH_PERCENTILE = 1.0, 99.5
"""Robust against a few bright voxels (vessels, metal) without clipping tissue."""


@cache
def _table() -> dict[str, list[dict[str, str | float]]]:
    text = (resource_path("windows") / "presets.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def presets(modality: str, unit: str) -> tuple[Window, ...]:
    """Return the presets that make sense for a modality whose values have this unit."""
    rows = _table().get(modality, []) if modality != "CT" or unit in ("HU", "") else []
    return tuple(
        Window(float(row["center"]), float(row["width"]), name=str(row["name"]))
        for row in rows
        if row.get("unit", unit) == unit
    )


def choices(volume: Volume) -> tuple[VoiTransform, ...]:
    """Return what the number keys offer for a volume: presets of its modality, then the file's own windows and tables."""
    several = len(volume.windows) > 1
    own = tuple(
        Window(
            w.center,
            w.width,
            w.function,
            w.name or (_("From the file {n}").format(n=n + 1) if several else _("From the file")),
        )
        for n, w in enumerate(volume.windows)
    )
    tables = tuple(
        replace(t, name=t.name or _("Table {n} of the file").format(n=n + 1)) for n, t in enumerate(volume.voi_tables)
    )
    return (*_of_modality(volume), *own, *tables)


def _of_modality(volume: Volume) -> tuple[Window, ...]:
    """Return the presets of a volume's modality; those in uptake by way of its factor from becquerels."""
    factor = volume.suv.factor(SuvKind.BODY_WEIGHT) if volume.suv is not None else None
    if factor is None or volume.unit == "SUV":
        return presets(volume.modality, volume.unit)
    in_uptake = presets(volume.modality, "SUV")
    return tuple(Window(w.center / factor, w.width / factor, WindowFunction.LINEAR_EXACT, w.name) for w in in_uptake)


def opening_window(volume: Volume) -> VoiTransform:
    """Return the file's first table or window, else the modality's first preset, else a range for a start.

    Presets of values that have no unit may not fit them, and are left to a person to choose.
    """
    if volume.voi_tables:
        # A file that brings a table wants to be seen through it; a window is the second best (PS3.3 C.11.2.1.1).
        return volume.voi_tables[0]
    if volume.windows:
        return volume.windows[0]
    offered = _of_modality(volume)
    return offered[0] if offered and _values_are_told(volume) else Window(128.0, 256.0)


def needs_auto_window(volume: Volume) -> bool:
    """Whether neither file nor modality says how to show the values, so that they have to be looked at."""
    told = volume.colour or volume.windows or volume.voi_tables
    return not told and not (_of_modality(volume) and _values_are_told(volume))


def _values_are_told(volume: Volume) -> bool:
    """Whether presets fit the values: those of a CT are in HU, which values without a unit only may be."""
    return volume.modality != "CT" or bool(volume.unit)


def auto_window(volume: Volume, k: int | None = None) -> Window:
    """Return the window between the 1st and 99.5th percentile of the values, padding and background left out.

    Parameters
    ----------
    k : int, optional
        The slice to look at; all unless given.
    """
    finite = volume.seen_values(() if k is None else (k,))
    if finite.size == 0:
        return Window(0.5, 1.0, name=_("Auto"))
    body = finite[finite > finite.min()]
    low, high = np.percentile(body if body.size else finite, (_LOW_PERCENTILE, _HIGH_PERCENTILE))
    return Window.from_range(float(low), float(max(high, low + 1e-6)), name=_("Auto"))
