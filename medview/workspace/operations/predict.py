"""Run a model on the active case."""

from __future__ import annotations

import importlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from medview.core.job import JobContext
from medview.core.language import _
from medview.core.prediction import Prediction, Proposal
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest
from medview.ml.registry import Fit, fits
from medview.ml.runners.quiet_import import import_torch
from medview.workspace.events import Severity
from medview.workspace.jobs import Job, Lane, Outcome
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.device import reporting
from medview.workspace.operations.labels import propose
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Offer:
    """A pack and whether it fits the active case."""

    pack: ModelPack
    fit: Fit


@dataclass(frozen=True, slots=True)
class RunModel:
    """Request: one prediction."""

    request: PredictRequest

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Running {name}").format(name=self.request.pack.spec.name)

    @property
    def lane(self) -> Lane:
        """The one GPU lane."""
        return Lane.MODEL

    def run(self, context: JobContext) -> Prediction:
        """Run in a worker; torch is imported here, not in the window."""
        import_torch()
        runners = importlib.import_module("medview.ml.runners.run")
        prediction = runners.predict(self.request, context)
        if not isinstance(prediction, Prediction):
            raise TypeError(f"a runner returned {type(prediction).__name__}")
        if prediction.mask is not None:
            # Counted here once, so that panels need not.
            prediction.mask.counts()
        return prediction


def offers(workspace: Workspace) -> list[Offer]:
    """Return every installed pack with whether it fits the active case; those that fit come first."""
    case = workspace.active
    found = []
    for pack in workspace.services.registry.list():
        fit = Fit(False, "Open a series first.") if case is None else _fit(pack, case)
        found.append(Offer(pack, fit))
    return sorted(found, key=lambda offer: not offer.fit.ok)


def run_model(
    workspace: Workspace,
    pack: ModelPack,
    device: str = "auto",
    then: Callable[[OpenCase, Proposal], None] = lambda _case, _proposal: None,
) -> Job | None:
    """Start a model on the active case; its result becomes a proposal. Says why when it cannot start.

    Parameters
    ----------
    then : callable
        Called with the case and the proposal once it is up.
    """
    case = workspace.active
    if case is None:
        return None
    fit = _fit(pack, case)
    if not fit.ok:
        workspace.say(fit.reason, Severity.WARNING)
        return None
    if not case.ready:
        workspace.say(_("The series is still being read; run the model when it is complete."), Severity.WARNING)
        return None
    if case.load.damaged:
        workspace.say(
            _("{count} slices are damaged, so a model would see gaps; it was not started.").format(
                count=len(case.load.damaged)
            ),
            Severity.WARNING,
        )
        return None
    revision = case.labels.revision
    request = PredictRequest(volume=case.volume, pack=pack, device=device, job_id=uuid.uuid4().hex)

    def done(value: object) -> None:
        if not isinstance(value, Prediction) or workspace.cases.get(case.key) is not case:
            return
        proposal = Proposal(request.job_id, value, revision)
        if proposal.empty:
            workspace.say(_("{model_name} found nothing.").format(model_name=value.model_name))
            return

        def shown() -> None:
            workspace.say(_summary(value))
            then(case, proposal)

        propose(case, proposal, shown)

    failed = reporting(workspace, case.key, lambda: run_model(workspace, pack, "cpu", then))
    return workspace.runner.submit(RunModel(request), Outcome(done, failed=failed))


def _fit(pack: ModelPack, case: OpenCase) -> Fit:
    volume = case.volume
    return fits(pack.spec, volume.modality, volume.geometry, volume.unit, volume.colour)


def _summary(prediction: Prediction) -> str:
    found = []
    if prediction.mask is not None and prediction.mask.segments:
        found.append(_("{count} segments").format(count=len(prediction.mask.segments)))
    if prediction.boxes:
        found.append(_("{count} boxes").format(count=len(prediction.boxes)))
    found += [f"{name} {value:.0%}" for name, value in prediction.scores.items()]
    seconds = sum(prediction.seconds.values())
    return _("{model_name} proposes {found} after {seconds:.1f} s. Accept or reject it in the panel.").format(
        model_name=prediction.model_name, found=", ".join(found), seconds=seconds
    )
