"""Which side of a picture is which side of the patient, where that is known at all."""

from __future__ import annotations

from medview.core.oblique import PlaneLayout
from medview.core.volume import Volume

_OPPOSITE = {"A": "P", "P": "A", "L": "R", "R": "L", "H": "F", "F": "H"}

UNKNOWN = ("", "")
"""``Volume.patient_orientation`` of pictures that do not say how they show the patient."""


def edge_letters(volume: Volume, plane: PlaneLayout) -> tuple[str, str, str, str]:
    """Return the letters at the left, right, top and bottom edge of a slice; empty where the files do not say.

    Slices with direction cosines are named by them. A projection is named by its Patient Orientation (0020,0020), and only
    as it was acquired: it has no other planes.
    """
    if volume.patient_orientation is None:
        return plane.edge_letters(volume.geometry)
    if not plane.acquired:
        return "", "", "", ""
    rightward, downward = volume.patient_orientation
    return opposite(rightward), rightward, opposite(downward), downward


def opposite(direction: str) -> str:
    """Return the letters of the direction a hundred and eighty degrees away."""
    return "".join(_OPPOSITE[letter] for letter in direction)


def stated_orientation(parts: tuple[str, ...]) -> tuple[str, str]:
    """Return what Patient Orientation states for growing columns and rows; ``UNKNOWN`` where it states none."""
    if len(parts) != 2:
        return UNKNOWN
    right, down = (part.strip().upper() for part in parts)
    usable = all(1 <= len(part) <= 3 and set(part) <= set(_OPPOSITE) for part in (right, down))
    return (right, down) if usable else UNKNOWN
