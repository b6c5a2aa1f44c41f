"""The demo study in the window: made if need be, opened, and shown to the bundled models."""

from __future__ import annotations

from pathlib import Path

from medview.core.errors import MedViewError
from medview.core.language import _
from medview.core.prediction import Proposal
from medview.core.study import ScanResult
from medview.workspace.demo import DEMO_MODELS, LUNG_WINDOW, MakeDemo, demo_folder, place_to_show
from medview.workspace.events import Severity
from medview.workspace.jobs import Job, Outcome
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.open import open_series
from medview.workspace.operations.predict import run_model
from medview.workspace.requests import ScanPlace
from medview.workspace.workspace import Workspace


def open_demo(workspace: Workspace, folder: Path | None = None) -> Job:
    """Open the first patient of the demo study and let the bundled models see it, unless somebody worked on it."""

    def made(value: object) -> None:
        if isinstance(value, Path):
            request = ScanPlace(value, workspace.services.pool, workspace.services.library)
            workspace.runner.submit(request, Outcome(scanned, failed=workspace.report))

    def scanned(value: object) -> None:
        if not isinstance(value, ScanResult) or not value.series:
            workspace.say(_("The demo study could not be read; remove its folder and open it again."), Severity.ERROR)
            return
        workspace.add_scan("demo", value)
        open_series(workspace, min(value.series, key=lambda s: (s.patient_id, s.study_date)), then=_propose)

    def _propose(case: OpenCase) -> None:
        case.view.window = LUNG_WINDOW
        if case.history.names or workspace.active is not case:
            return
        for model_id in DEMO_MODELS:
            try:
                run_model(workspace, workspace.services.registry.get(model_id), then=_look_at)
            except MedViewError as error:
                workspace.report(error)

    return workspace.runner.submit(MakeDemo(folder or demo_folder()), Outcome(made, failed=workspace.report))


def _look_at(case: OpenCase, proposal: Proposal) -> None:
    """Bring the planes to what was found, so that the first look shows it."""
    if proposal.prediction.mask is not None or proposal.prediction.boxes:
        case.view.crosshair_kji = place_to_show(proposal.prediction)
