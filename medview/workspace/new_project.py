"""A project that is to be made, as a value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from medview.core.label_set import LabelSet
from medview.core.reading_rule import ReadingRule
from medview.io.label_sets import text_of_label_set
from medview.workspace.case_adding import WantedPlace, places_of_table

if TYPE_CHECKING:
    from medview.store.project import Project

ENDING = ".medview"


@dataclass(frozen=True, slots=True)
class NewProject:
    """What a person said of a project.

    Attributes
    ----------
    path : Path
        Of its folder, which is not there yet.
    places : tuple of Path
        Folders, files and tables (CSV) of places whose images become cases.
    """

    path: Path
    name: str
    label_set: LabelSet | None = None
    rule: ReadingRule = field(default_factory=ReadingRule)
    places: tuple[Path, ...] = ()

    def furnish(self, project: Project) -> None:
        """Write into a project that was just made what was said of it. Raises MedViewError."""
        if self.label_set is not None:
            project.label_set.keep(text_of_label_set(self.label_set))
        if self.rule != ReadingRule():
            project.worklist.keep_reading_rule(self.rule)


def folder_of(place: Path, name: str) -> Path:
    """Return a free folder for a project of a name; what is typed becomes no path as it is."""
    base = re.sub(r"[^\w]+", "-", name.strip()).strip("-")[:60] or "project"
    numbers = (place / f"{base}{'' if n == 1 else f'-{n}'}{ENDING}" for n in range(1, 10_000))
    return next(path for path in numbers if not path.exists())


def wanted_places(paths: Sequence[Path]) -> tuple[WantedPlace, ...]:
    """Return the places that are meant, those of tables among them. Raises ReadError where a table cannot be read."""
    found: list[WantedPlace] = []
    for path in paths:
        found += places_of_table(path) if path.suffix.lower() == ".csv" else [WantedPlace(path)]
    return tuple(found)
