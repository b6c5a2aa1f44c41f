"""Brings copies into the project that is open; meanwhile nobody can draw, and afterwards open cases show what came."""

from __future__ import annotations

from medview.core.errors import MedViewError
from medview.core.language import _, in_language, plural
from medview.workspace.events import Severity
from medview.workspace.jobs import Outcome
from medview.workspace.merging import MergedCopy, Merging
from medview.workspace.operations.holding import ACTIVE, Hold, why_not_now
from medview.workspace.requests_merge import MergeCopies
from medview.workspace.workspace import Workspace

_HELD = _("Copies of the project are being merged; labels can be changed again once that is done.")


def merge_copies(workspace: Workspace) -> bool:
    """Merge the chosen copies; False where that cannot be now, and why is said there."""
    merging, project = workspace.worklist.merging, workspace.services.project
    why = _why_not(workspace)
    if why or project is None:
        merging.refuse(in_language(why))
        return False
    hold = Hold(workspace, project, _HELD)
    before = len(merging.results)

    def partial(value: object) -> None:
        if isinstance(value, MergedCopy):
            merging.took(value)

    def over() -> None:
        merging.is_at(None)
        came = merging.results[before:]
        extended = {number for one in came if one.report is not None for number in one.report.extended}
        hold.let_go(extended)
        if workspace.services.project is project:
            look_again(workspace)
        _say(workspace, merging, came)

    def failed(error: MedViewError) -> None:
        over()
        workspace.report(error)

    outcome = Outcome(lambda _value: over(), partial, failed, over)
    # Told of before it begins: where jobs are done at once it is over when it is known.
    job = workspace.runner.submit(MergeCopies(project, merging.chosen), outcome)
    if job.status in ACTIVE:
        merging.is_at(job)
    return True


def _why_not(workspace: Workspace) -> str:
    merging = workspace.worklist.merging
    if workspace.worklist.changes.refusal:
        return workspace.worklist.changes.refusal
    if merging.working:
        return _("Copies are being merged already.")
    if not merging.chosen:
        return _("Choose the copies first.")
    return why_not_now(workspace)


def look_again(workspace: Workspace) -> None:
    """Read anew what the window knows of the project."""
    workspace.forms.read_again()
    workspace.worklist.load()
    workspace.efforts.read()
    workspace.reviewing.refresh()


def _say(workspace: Workspace, merging: Merging, came: tuple[MergedCopy, ...]) -> None:
    reports = [one.report for one in came if one.report is not None]
    if not came:
        workspace.say(_("Nothing was merged."))
        return
    gestures, conflicts = sum(one.gestures for one in reports), sum(len(one.conflicts) for one in reports)
    text = plural("{n} copy was merged", "{n} copies were merged", len(reports)).format(n=len(reports))
    new = plural("{n} gesture came", "{n} gestures came", gestures).format(n=gestures)
    parts = [f"{text}; {new}."]
    if conflicts:
        beside = plural("{n} thing stays side by side.", "{n} things stay side by side.", conflicts)
        parts.append(beside.format(n=conflicts))
    parts += [in_language(one.problem) for one in came if one.problem][:1]
    wrong = bool(conflicts) or len(reports) < len(came)
    workspace.say(" ".join(parts), Severity.WARNING if wrong else Severity.INFO)
