"""Colours that can be told from those that are there already."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Sequence

import numpy as np

from medview.core.segmentation import COLOUR_CYCLE

Colour = tuple[int, int, int]

_NEAR = 60.0
"""Colours whose red, green and blue are no further apart than this, taken together, pass for one on a grey picture."""


def _spectrum() -> tuple[Colour, ...]:
    """Return many colours, neighbours far apart: hues by the golden angle, in three brightnesses."""
    found = []
    for n in range(72):
        red, green, blue = colorsys.hsv_to_rgb(n * 0.618034 % 1.0, (0.85, 0.55, 0.7)[n % 3], (0.95, 0.8, 0.62)[n // 3 % 3])
        found.append((round(red * 255), round(green * 255), round(blue * 255)))
    return tuple(found)


_CANDIDATES = (*COLOUR_CYCLE, *_spectrum())


def distinct_colours(wanted: Sequence[Colour], taken: Iterable[Colour]) -> list[Colour]:
    """Return colours for new things: the wanted ones where they are free, else others far from all that are there.

    Parameters
    ----------
    wanted : sequence of tuple of int
        RGB, 0-255.
    taken : iterable of tuple of int
        Of what is there already.
    """
    there = [np.asarray(colour, dtype=np.float64) for colour in taken]
    # What can keep its colour keeps it, so that others do not take it.
    kept = [not _near(colour, there) for colour in wanted]
    there += [np.asarray(colour, dtype=np.float64) for colour, stays in zip(wanted, kept, strict=True) if stays]
    found = []
    for colour, stays in zip(wanted, kept, strict=True):
        chosen = colour if stays else _farthest(there)
        if not stays:
            there.append(np.asarray(chosen, dtype=np.float64))
        found.append(chosen)
    return found


def _near(colour: Colour, there: list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]) -> bool:
    return bool(there) and float(np.linalg.norm(np.stack(there) - np.asarray(colour), axis=1).min()) <= _NEAR


def _farthest(there: list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]) -> Colour:
    """Return the first candidate that is far from all, or else the one that is farthest."""
    apart = np.linalg.norm(np.asarray(_CANDIDATES, dtype=np.float64)[:, np.newaxis] - np.stack(there)[np.newaxis], axis=2)
    nearest = apart.min(axis=1)
    free = np.flatnonzero(nearest > _NEAR)
    return _CANDIDATES[int(free[0] if free.size else nearest.argmax())]
