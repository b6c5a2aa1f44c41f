"""Compares the readers of the open project, and writes what came of it."""

from __future__ import annotations

from pathlib import Path

from medview.core.errors import MedViewError
from medview.core.language import _, in_language
from medview.workspace.jobs import JobStatus, Outcome
from medview.workspace.project_agreement import ProjectAgreement
from medview.workspace.requests_agreement import CompareReaders, WriteAgreement
from medview.workspace.workspace import Workspace


def compare_readers(workspace: Workspace) -> None:
    """Have the chosen readers compared; whoever looks is told when it is done."""
    agreeing, project = workspace.worklist.agreeing, workspace.services.project
    if project is None or agreeing.job is not None:
        return
    asked = agreeing.chosen, agreeing.conventions

    def is_wanted() -> bool:
        return (agreeing.chosen, agreeing.conventions) == asked and workspace.services.project is project

    def done(value: object) -> None:
        if isinstance(value, ProjectAgreement) and is_wanted():
            agreeing.show(value)

    def failed(error: MedViewError) -> None:
        if is_wanted():
            agreeing.is_at(None, in_language(error.sentence))

    def cancelled() -> None:
        if is_wanted():
            agreeing.is_at(None, _("Cancelled. Nothing was compared."))

    request = CompareReaders(project, agreeing.chosen.pairs, agreeing.conventions)
    job = workspace.runner.submit(request, Outcome(done, failed=failed, cancelled=cancelled))
    if job.status in (JobStatus.QUEUED, JobStatus.RUNNING):
        agreeing.is_at(job)


def export_agreement(workspace: Workspace, folder: Path) -> None:
    """Write the tables into a new folder of the project's name in a folder."""
    found, project = workspace.worklist.agreeing.found, workspace.services.project
    if found is None or project is None:
        return
    stem = f"{project.path.stem}-agreement"
    target = next(path for n in range(1, 10_000) if not (path := folder / (stem if n == 1 else f"{stem}-{n}")).exists())

    def done(value: object) -> None:
        if isinstance(value, tuple):
            place, names = value
            text = _("Wrote {names} to {name}.")
            workspace.say(text.format(names=", ".join(names), name=place.name))

    workspace.runner.submit(WriteAgreement(found, target), Outcome(done, failed=workspace.report))
