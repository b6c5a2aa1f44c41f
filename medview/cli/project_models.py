"""``medview project models``: the models a project trained, which of them count, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medview.cli.output import print_json, progress, say, show
from medview.core.errors import AmbiguousError, ModelError
from medview.store.project import Project
from medview.workspace.model_line import ModelLines, ModelVersion
from medview.workspace.training.line_of_run import take_run, waiting_runs


def models_of_project(
    path: Path,
    number: int | None,
    *,
    line: str = "",
    take: Path | None = None,
    roll_back: bool = False,
    choose: int | None = None,
    json: bool = False,
    quiet: bool = False,
) -> None:
    """List the model lines of a project; or take a training up, go back, or choose a version before.

    Parameters
    ----------
    number : int, optional
        The version that is gone back to; the one that counted before unless given.
    line : str
        Which line is meant; the only one there is unless given.

    Raises
    ------
    AmbiguousError
        When it is not clear what is meant.
    MedViewError
    """
    if sum((take is not None, roll_back, choose is not None)) > 1:
        raise AmbiguousError("Take a training up, roll back, or choose a version: one of them at a time.")
    if number is not None and not roll_back:
        raise AmbiguousError(f"Say what is to become of version {number}: --roll-back {number} or --choose {number}.")
    changes = take is not None or roll_back or choose is not None
    with Project.open(path, read_only=not changes) as project:
        lines = ModelLines(project)
        if take is not None:
            with progress(quiet=quiet or json) as context:
                taken = take_run(lines, project, take, context)
            say(f"Version {taken.version} of {taken.line}: {taken.reason}")
        elif roll_back:
            found = lines.roll_back(_line(lines, line), number)
            say(f"Version {found.version} of {found.line} counts again.")
        elif choose is not None:
            found = lines.choose(_line(lines, line), choose)
            say(f"Version {found.version} of {found.line} counts from now on.")
        waiting = waiting_runs(lines, path)
        told = [_told(lines, name) for name in lines.lines() if line in ("", name)]
        shown = [row for name in lines.lines() if line in ("", name) for row in _rows(lines, name)]
    if json:
        print_json({"project": str(path), "lines": told, "waiting": [str(run) for run in waiting]})
        return
    for row in shown or ["No model was trained on this project yet."]:
        show(row)
    for run in () if changes else waiting:
        say(f"{run.name} is finished and not taken up: medview project models {path} --take {run}")


def _line(lines: ModelLines, wanted: str) -> str:
    known = lines.lines()
    if not known:
        raise ModelError("No model was trained on this project yet.")
    if wanted in known:
        return wanted
    if wanted or len(known) > 1:
        raise AmbiguousError(f"Name a model line with --line: {', '.join(known)}.")
    return known[0]


def _told(lines: ModelLines, line: str) -> dict[str, Any]:
    current = lines.current(line)
    return {
        "line": line,
        "current": None if current is None else current.version,
        "versions": [one.document() for one in lines.versions(line)],
        "history": [one.document() for one in lines.history(line)],
    }


def _rows(lines: ModelLines, line: str) -> list[str]:
    current, history = lines.current(line), lines.history(line)
    counts = "none counts" if current is None else f"v{current.version} counts since {history[-1].utc[:16]}"
    rows = [f"{line}: {counts}{'' if current is None else f'. {history[-1].reason}'}"]
    return rows + [_row(one, counts=current is not None and current.version == one.version) for one in lines.versions(line)]


def _row(version: ModelVersion, *, counts: bool) -> str:
    gone = "" if version.folder is not None else " (its pack is gone)"
    who = f" by {version.who}" if version.who else ""
    mark = "*" if counts else " "
    return f"{mark} v{version.version}  {version.verdict.value}{who}  {version.key}{gone}  {version.reason}"
