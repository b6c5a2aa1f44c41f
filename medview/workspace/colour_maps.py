"""Colours that grey levels may be shown in."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import numpy.typing as npt

from medview.core.language import in_language
from medview.core.resources import resource_path

GREY = "grey"


@cache
def _table() -> dict[str, dict[str, object]]:
    text = (resource_path("colour_maps") / "maps.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def names() -> tuple[str, ...]:
    """Return the colour maps there are, grey first."""
    return tuple(_table())


def title(name: str) -> str:
    """Return what a colour map is called."""
    return in_language(str(_table()[name]["title"]))


@cache
def palette(name: str) -> npt.NDArray[np.uint8]:
    """Return the colour of every grey level, shape (256, 3), RGB. Between the stops of the file it is interpolated."""
    stops = np.asarray(_table()[name]["stops"], dtype=np.float64)
    at = np.linspace(0.0, 1.0, 256)
    channels = [np.interp(at, stops[:, 0], stops[:, channel]) for channel in (1, 2, 3)]
    colours = np.rint(np.stack(channels, axis=1)).astype(np.uint8)
    colours.setflags(write=False)
    return colours
