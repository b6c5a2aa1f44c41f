"""Label tables of other programs, as their documentation describes them.

3D Slicer colour table (``.ctbl``, ``.txt``; Slicer user guide, "Colors"): one label per line, ``number name red green blue
alpha``, whole numbers 0-255, spaces of the name written as underscores, ``#`` before comments.

ITK-SNAP label description file (ITK-SNAP manual, "Label descriptions"): one label per line, ``number red green blue alpha
visible mesh "name"``, colours 0-255, alpha 0-1, ``#`` before comments.
"""

from __future__ import annotations

import re

from medview.core.label_set import LabelEntry

_SNAP = re.compile(r'\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+([\d.eE+-]+)\s+([01])\s+([01])\s+"([^"]*)"\s*')
_SLICER = re.compile(r"\s*(\d+)\s+(\S+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*")

_NOTHING = frozenset({"", "(none)", "none", "background", "clear label"})
"""Names of what is not labelled."""


def read_colour_table(text: str) -> list[LabelEntry]:
    """Return the labels of a table, background left out; the first of two of one name.

    Raises
    ------
    ValueError
        With what is wrong and on which line, to be put into a sentence.
    """
    found: dict[str, LabelEntry] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        value, name, rgb = _parts(line, number)
        if value == 0 or name.casefold() in _NOTHING:
            continue
        if max(rgb) > 255:
            raise ValueError(f"line {number} has a colour beyond 255")
        red, green, blue = rgb
        found.setdefault(name.casefold(), LabelEntry(name, (red, green, blue)))
    return list(found.values())


def _parts(line: str, number: int) -> tuple[int, str, list[int]]:
    """Return value, name and colour of a line."""
    # Whole numbers of any length would take long to read.
    if len(line) <= 400:
        if snap := _SNAP.fullmatch(line):
            return int(snap[1]), " ".join(snap[8].split()), [int(snap[n]) for n in (2, 3, 4)]
        if slicer := _SLICER.fullmatch(line):
            return int(slicer[1]), " ".join(slicer[2].replace("_", " ").split()), [int(slicer[n]) for n in (3, 4, 5)]
    raise ValueError(f"line {number} is neither a line of a 3D Slicer colour table nor one of an ITK-SNAP label file")
