"""Writes the project that is open, in a job, and says before what would be lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from medview.core.errors import MedViewError
from medview.core.language import _, plural
from medview.io.datasets.dataset_case import WriteOptions
from medview.workspace.events import Severity
from medview.workspace.export_selection import ExportRun, Include
from medview.workspace.jobs import Job, Outcome
from medview.workspace.requests_export import ExportDone, ExportProject, SayLosses
from medview.workspace.workspace import Workspace


def run_of(form: str, reader: str, name: str, *, done_only: bool, overwrite: bool = False, licence: str = "") -> ExportRun:
    """Return what a person chose as a description of what to write."""
    include = Include.DONE if done_only else Include.ALL
    return ExportRun(form, reader, WriteOptions(name, overwrite=overwrite, licence=licence), include)


def say_losses(
    workspace: Workspace,
    run: ExportRun,
    then: Callable[[tuple[str, ...]], None],
    failed: Callable[[MedViewError], None],
) -> Job | None:
    """Find out what would be lost, and hand the sentences to ``then``; None without a project."""
    services = workspace.services
    if services.project is None:
        return None

    def done(value: object) -> None:
        if isinstance(value, tuple):
            then(value)

    return workspace.runner.submit(SayLosses(services.project, run, services.pool), Outcome(done, failed=failed))


def export_project(workspace: Workspace, run: ExportRun, output: Path) -> Job | None:
    """Write the project into a folder; None without one."""
    services = workspace.services
    if services.project is None:
        return None

    def done(value: object) -> None:
        if not isinstance(value, ExportDone):
            return
        count = int(value.exported.document["written"])
        text = plural("{n} case was written to {name}.", "{n} cases were written to {name}.", count)
        said = [text.format(n=count, name=value.output.name)]
        failures = value.exported.document["warnings"]
        lost = [line for line in failures if line.startswith("case_")]
        said += lost[:1]
        if len(lost) > 1:
            said.append(_("export.json lists what is left out."))
        if value.not_noted:
            said.append(value.not_noted)
        workspace.say(" ".join(said), Severity.WARNING if lost or value.not_noted else Severity.INFO)
        workspace.worklist.load()

    request = ExportProject(services.project, run, output, services.pool)
    return workspace.runner.submit(request, Outcome(done, failed=workspace.report))
