"""Which lines stand in which corner of a picture: data in ``resources/corners``, changed by a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from medview.core.language import _
from medview.core.resources import resource_path

CORNERS = ("top_left", "top_right", "bottom_left", "bottom_right")

LINES: Mapping[str, str] = {
    "patient.name": _("Patient's name"),
    "patient.id": _("Patient's ID"),
    "patient.birth_date": _("Date of birth"),
    "patient.sex": _("Sex"),
    "study.date": _("Date of the study"),
    "time": _("Time of the images"),
    "study.description": _("Study"),
    "series.number": _("Modality and number of the series"),
    "series.description": _("Series"),
    "technique": _("Technique (kV, mA, TR, TE)"),
    "slice": _("Plane and slice"),
    "moment": _("Time point of a series in time"),
    "position": _("Position"),
    "spacing": _("Distance between slices"),
    "thickness": _("Slice thickness"),
    "slab": _("Slab"),
    "lossy": _("Lossy compression"),
    "window": _("Window"),
    "zoom": _("Zoom"),
}
"""Every line by its id, with what it is called, in the order a person is shown them."""

IDENTITY = frozenset({"patient.name", "patient.id", "patient.birth_date", "patient.sex", "study.date", "time"})
"""Lines that say who the patient is or help to find out; none of them stands while the identity is hidden."""


@dataclass(frozen=True, slots=True)
class CornerLines:
    """Ids of the lines of each corner, the uppermost first; each line stands in one corner at most."""

    top_left: tuple[str, ...] = ()
    top_right: tuple[str, ...] = ()
    bottom_left: tuple[str, ...] = ()
    bottom_right: tuple[str, ...] = ()

    @classmethod
    def of(cls, document: Any) -> CornerLines | None:
        """Read a document; lines nobody knows, or named before, are left out. None when it has another shape."""
        if not isinstance(document, Mapping) or not document:
            return None
        taken: set[str] = set()
        found: dict[str, tuple[str, ...]] = {}
        for corner in CORNERS:
            lines = document.get(corner, ())
            if not isinstance(lines, list | tuple):
                return None
            # A dictionary keeps the order and takes each once.
            known = [n for n in dict.fromkeys(str(line) for line in lines) if n in LINES and n not in taken]
            taken.update(known)
            found[corner] = tuple(known)
        return cls(**found)

    def as_document(self) -> dict[str, list[str]]:
        """Return what ``of`` reads."""
        return {corner: list(self.lines(corner)) for corner in CORNERS}

    def lines(self, corner: str) -> tuple[str, ...]:
        """Return the ids in one of CORNERS."""
        found: tuple[str, ...] = getattr(self, corner)
        return found

    def corner_of(self, line_id: str) -> str:
        """Return the corner a line stands in, or empty."""
        return next((corner for corner in CORNERS if line_id in self.lines(corner)), "")

    def with_line(self, line_id: str, corner: str) -> CornerLines:
        """Return these with a line in another corner, or in none when it is empty.

        It comes where it stands by default, else where the list of all lines has it.
        """
        document = {c: [n for n in self.lines(c) if n != line_id] for c in CORNERS}
        if corner:
            order = list(LINES)
            usual = default().lines(corner)
            ranks = {n: usual.index(n) if n in usual else len(usual) + order.index(n) for n in LINES}
            after = [n for n, other in enumerate(document[corner]) if ranks[other] < ranks[line_id]]
            document[corner].insert(after[-1] + 1 if after else 0, line_id)
        return CornerLines(**{c: tuple(lines) for c, lines in document.items()})


@cache
def default() -> CornerLines:
    """Return the corners as they are delivered."""
    found = CornerLines.of(json.loads((resource_path("corners") / "default.json").read_text(encoding="utf-8")))
    return found or CornerLines()


def of_settings(document: Any) -> CornerLines:
    """Return the corners a person chose, those delivered where there is no choice that can be read."""
    return CornerLines.of(document) or default()
