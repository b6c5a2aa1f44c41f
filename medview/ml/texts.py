"""Texts of anybody's, as a pack may hold them: printable, short, and different where they are names."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from pathlib import Path

LONGEST_NAME = 64
LONGEST_LICENCE_BYTES = 1 << 20

_NUMBER = 8
"""Letters of a number in brackets, with the blank before it."""


def plain(text: str, most: int | None = None) -> str:
    """Return a text on one line without what is not printable, cut to ``most`` characters."""
    return "".join(c if c.isprintable() else " " for c in text).strip()[:most].rstrip()


def different(names: Iterable[str], blank: str, longest: int = LONGEST_NAME) -> list[str]:
    """Return printable names of which no two are the same, in their order.

    Parameters
    ----------
    blank : str
        What one without a name is called; its number, from 1, follows.
    longest : int
        Letters a name may have.
    """
    found: list[str] = []
    for n, name in enumerate(names, start=1):
        text = plain(name, longest) or f"{blank} {n}"
        numbered = (f"{text[: longest - _NUMBER]} ({number})" for number in count(n))
        found.append(text if text not in found else next(one for one in numbered if one not in found))
    return found


def first_line(text: str) -> str:
    """Return the first line of a text that says anything, as a pack names its licence; empty where none does."""
    return next((line for line in (plain(line, 200) for line in text.splitlines()) if line), "")


def licence_in(path: Path) -> str:
    """Return the text of a licence's file: empty where there is none, or a link to somewhere else."""
    if path.is_symlink() or not path.is_file():
        return ""
    with path.open("rb") as opened:
        return opened.read(LONGEST_LICENCE_BYTES).decode("utf-8", "replace").strip()
