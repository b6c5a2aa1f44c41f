"""Codes that say what a segment is, suggested while its name is typed. Never required."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from medview.core.resources import resource_path
from medview.core.segmentation import Code

_BESIDE_THE_POINT = frozenset({"left", "right", "l", "r", "the", "of", "and", "upper", "lower"})
"""Words that say where, not what: most codes say nothing of sides."""


@dataclass(frozen=True, slots=True)
class _Entry:
    code: Code
    names: tuple[str, ...]
    """Lower case, the meaning first."""


@cache
def _entries() -> tuple[_Entry, ...]:
    document = json.loads((resource_path("codes") / "snomed_ct.json").read_text(encoding="utf-8"))
    scheme = str(document["scheme"])
    return tuple(
        _Entry(Code(value, scheme, meaning), tuple(name.casefold() for name in (meaning, *others)))
        for value, meaning, *others in document["codes"]
    )


def known_codes() -> tuple[Code, ...]:
    """Return all codes that can be suggested."""
    return tuple(entry.code for entry in _entries())


def suggest(text: str, most: int = 8) -> list[Code]:
    """Return codes that fit what is typed, the closest first.

    A number at the end and what stands in brackets count for nothing: ``Nodule 2`` is a nodule.
    """
    words = [word for word in _plain(text).split() if not word.isdigit()]
    if not words:
        return []
    core = [word for word in words if word not in _BESIDE_THE_POINT]
    fitting = []
    for entry in _entries():
        ranks = [_rank(entry, words)]
        # A left lung is a lung: better than what only has both words somewhere.
        beside = _rank(entry, core) if core and core != words else None
        ranks.append(None if beside is None else beside + 1)
        if known := [rank for rank in ranks if rank is not None]:
            fitting.append((min(known), entry))
    fitting.sort(key=lambda pair: (pair[0], len(pair[1].names[0]), pair[1].names[0]))
    return [entry.code for _, entry in fitting[:most]]


def exact(text: str) -> Code | None:
    """Return the code whose meaning, or other name, is what is typed; None when there is none."""
    wanted = _plain(text)
    return next((entry.code for entry in _entries() if wanted and wanted in entry.names), None)


def _rank(entry: _Entry, words: list[str]) -> int | None:
    """Return how far an entry is from some words, or None: the whole name, its beginning, beginnings of its words."""
    typed = " ".join(words)
    ranks = []
    for position, name in enumerate(entry.names):
        behind = 3 * min(position, 1)
        if name == typed:
            ranks.append(behind)
        elif name.startswith(typed):
            ranks.append(1 + behind)
        elif all(any(part.startswith(word) for part in name.split()) for word in words):
            ranks.append(2 + behind)
    return min(ranks, default=None)


def _plain(text: str) -> str:
    return " ".join(text.partition("(")[0].replace("_", " ").replace("-", " ").casefold().split())
