"""Looks at a labelled dataset and takes it into the project that is open."""

from __future__ import annotations

from collections.abc import Callable

from medview.core.errors import MedViewError
from medview.core.language import _, in_language, plural
from medview.io.datasets.foreign import DatasetRequest
from medview.io.datasets.label_values import label_values
from medview.workspace.dataset_import import ImportRun
from medview.workspace.dataset_import_report import ImportReport
from medview.workspace.dataset_look import DatasetLook, LookedCase
from medview.workspace.events import Severity
from medview.workspace.importing import Wanted
from medview.workspace.jobs import Outcome, Request
from medview.workspace.operations.holding import ACTIVE, Hold, why_not_now
from medview.workspace.operations.merging import look_again
from medview.workspace.requests_import import ImportDataset, LookAtDataset, LookClosely
from medview.workspace.workspace import Workspace

_HELD = _("Labels are being imported; labels can be changed again once that is done.")


def request_of(wanted: Wanted) -> DatasetRequest:
    """Return what a person says about a dataset as its readers take it. Raises ReadError where it cannot be meant."""
    return DatasetRequest(
        wanted.source,
        wanted.images,
        wanted.labels,
        label_values(wanted.values),
        wanted.patient_from,
        wanted.splits,
        leave_out=True,
    )


def look(workspace: Workspace, wanted: Wanted) -> None:
    """Find out what a dataset holds, and show it."""
    importing, project = workspace.worklist.importing, workspace.services.project
    if project is None:
        return
    try:
        run = ImportRun(wanted.form, request_of(wanted))
    except MedViewError as error:
        importing.is_at(None, error.sentence)
        return

    def done(value: object) -> None:
        if isinstance(value, DatasetLook) and importing.wanted is wanted:
            importing.show(value)

    _submit(workspace, LookAtDataset(run, project, workspace.services.pool), done, wanted)


def look_closely(workspace: Workspace, case: LookedCase) -> None:
    """Find out where the labels of one case would come down; where they cannot, nothing is offered."""
    importing = workspace.worklist.importing
    wanted, path = importing.wanted, case.label_path

    def done(value: object) -> None:
        if isinstance(value, tuple) and importing.wanted is wanted:
            importing.show_choices(path, value)

    def failed(_error: MedViewError) -> None:
        if importing.wanted is wanted:
            importing.show_choices(path, ())

    workspace.runner.submit(LookClosely(case, workspace.services.pool), Outcome(done, failed=failed))


def import_found(workspace: Workspace) -> None:
    """Take a dataset in that was looked at; what nobody decided to place is left out."""
    importing, project = workspace.worklist.importing, workspace.services.project
    found, wanted = importing.found, importing.wanted
    if project is None or found is None or wanted is None:
        return
    why = workspace.worklist.changes.refusal or why_not_now(workspace)
    if why:
        importing.is_at(None, in_language(why))
        return
    decided = {case.label_path: importing.decided.get(case.label_path) for case in found.misplaced}
    run = ImportRun(wanted.form, request_of(wanted), decided)
    hold = Hold(workspace, project, _HELD)

    def over() -> None:
        hold.let_go()
        if workspace.services.project is project:
            look_again(workspace)

    def done(value: object) -> None:
        over()
        if isinstance(value, ImportReport):
            workspace.say(said_of(value), Severity.WARNING if value.left_out else Severity.INFO)
            if importing.wanted is wanted:
                importing.done(value)

    _submit(workspace, ImportDataset(run, project, workspace.services.pool), done, wanted, over)


def said_of(report: ImportReport) -> str:
    """Return what came of an import in one line."""
    cases = plural("{n} case", "{n} cases", report.cases).format(n=report.cases)
    text = _("{cases}, {new} of them new; {labelled} got labels, which are those of {reader}.")
    parts = [text.format(cases=cases, new=report.added, labelled=report.labelled, reader=report.reader)]
    if report.known:
        parts.append(_("{n} had these labels already.").format(n=report.known))
    if report.left_out:
        parts.append(_("{n} were left out.").format(n=report.left_out))
    return " ".join(parts)


def _nothing() -> None:
    """Nothing has to be put right after a look."""


def _submit(
    workspace: Workspace,
    request: Request,
    done: Callable[[object], None],
    wanted: Wanted,
    over: Callable[[], None] = _nothing,
) -> None:
    importing = workspace.worklist.importing

    def ended(problem: str) -> None:
        over()
        if importing.wanted is wanted:
            importing.is_at(None, problem)

    outcome = Outcome(
        done,
        failed=lambda error: ended(in_language(error.sentence)),
        cancelled=lambda: ended(_("Cancelled.")),
    )
    job = workspace.runner.submit(request, outcome)
    if job.status in ACTIVE:
        importing.is_at(job)
