"""``medview project add``: folders, files and tables become cases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from medview.cli.output import print_json, progress, readers, say, show
from medview.io.library import user_library
from medview.store.project import Project
from medview.workspace.case_adding import AddCases, Addition, WantedPlace, places_of_table


def add_to_project(
    path: Path, places: Sequence[Path], table: Path | None, patient_from: str, *, json: bool, quiet: bool
) -> None:
    """Add cases and say how many.

    Raises
    ------
    MedViewError
        As AddCases.
    """
    wanted = tuple(WantedPlace(place) for place in places)
    if table is not None:
        wanted = (*wanted, *places_of_table(table))
    if not wanted:
        raise typer.BadParameter("name folders or files, or a table with --csv")
    with Project.open(path) as project, progress(quiet=quiet or json) as context, readers() as pool:
        addition = AddCases(project, wanted, pool, user_library(), patient_from).run(context)
    if json:
        print_json(addition.document())
        return
    for refused in addition.found.refused:
        show(refused.sentence())
    for damaged in addition.found.damaged:
        show(f"{Path(damaged.path).name}: {damaged.reason}")
    for line in counts(path, addition):
        say(line)


def counts(path: Path, addition: Addition) -> list[str]:
    """Return what came of it in sentences."""
    added, found = addition.added, addition.found
    lines = [f"{path.name} has {_n(addition.total, 'case')}: {added.added} new, {added.known} there already."]
    if added.moved:
        lines.append(f"The files of {_n(added.moved, 'case')} are in another place now.")
    lines.append(f"Of {_n(addition.patients, 'patient')}.")
    if found.nameless:
        lines.append(f"Nothing tells the patient of {_n(found.nameless, 'case')}; --patient-from finds it in the path.")
    if found.refused:
        lines.append(f"{_n(len(found.refused), 'series', 'series')} cannot be labelled.")
    if found.damaged:
        lines.append(f"{_n(len(found.damaged), 'file')} could not be read.")
    return lines


def _n(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"
