"""Run a model on the active case."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from medview.core.errors import MedViewError
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.prediction import Prediction, Proposal
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest
from medview.ml.registry import Fit, fits
from medview.ml.runners.quiet_import import import_torch
from medview.ml.spec import Task
from medview.workspace.events import Severity
from medview.workspace.input_preparation import Preparation, prepared
from medview.workspace.jobs import Job, Lane, Outcome
from medview.workspace.model_inputs import ModelInputs
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.device import reporting
from medview.workspace.operations.growing import Growing
from medview.workspace.operations.labels import propose
from medview.workspace.operations.model_inputs import inputs_for, refreshed, remember_choice, why_not_now, why_unclear
from medview.workspace.pace import with_run
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Offer:
    """A pack and whether it fits the active case."""

    pack: ModelPack
    fit: Fit


@dataclass(frozen=True, slots=True)
class RunModel:
    """Request: one prediction, of volumes that stand or of channels that are read and brought onto one grid before."""

    request: PredictRequest | Preparation

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
        began = time.monotonic()
        request, inner = prepared(self.request, context)
        before = time.monotonic() - began
        prediction = runners.predict(request, inner)
        if not isinstance(prediction, Prediction):
            raise TypeError(f"a runner returned {type(prediction).__name__}")
        for mask in prediction.masks:
            # Counted here once, so that panels need not.
            mask.counts()
        if isinstance(self.request, Preparation):
            seconds = {**prediction.seconds, "load": prediction.seconds.get("load", 0.0) + before}
            prediction = replace(prediction, seconds=seconds)
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
    if pack.spec.task is Task.INTERACTIVE:
        take_prompt_tool(workspace, pack)
        return None
    fit = _fit(pack, case)
    problem = why_not_now(case) if fit.ok else fit.reason
    if problem:
        workspace.say(problem, Severity.WARNING)
        return None
    inputs = inputs_for(workspace, pack, case)
    if unclear := why_unclear(inputs):
        workspace.say(unclear, Severity.WARNING)
        return None
    return run_on(workspace, inputs, device, then)


def take_prompt_tool(workspace: Workspace, pack: ModelPack) -> None:
    """Put the prompt tool into the hand and let it ask a model: such a model runs on what is pointed at."""
    workspace.bench.prompt_engine = pack.spec.key
    set_tool(workspace, Tool.PROMPT)
    workspace.say(_("Click on an object; {name} finds it.").format(name=pack.spec.name))


def run_on(
    workspace: Workspace,
    inputs: ModelInputs,
    device: str = "auto",
    then: Callable[[OpenCase, Proposal], None] = lambda _case, _proposal: None,
) -> Job | None:
    """Start a model on the series it is given; its result becomes a proposal on the case of the reference.

    A reference that is not open is opened first. Says why when it cannot start.
    """
    inputs = refreshed(workspace, inputs)
    base = inputs.of(inputs.reference)
    if inputs.problem or base is None:
        workspace.say(inputs.problem, Severity.WARNING)
        return None
    case = workspace.cases.get(base.key)
    if case is None:

        def opened(_case: OpenCase) -> None:
            run_on(workspace, refreshed(workspace, inputs), device, then)

        # Readers take a while to import; the window is on screen before anybody runs a model.
        from medview.workspace.operations.open import open_series

        return open_series(workspace, base.series, base.entry, then=opened)
    revision, reading_id = case.labels.revision, case.reading_id
    request = inputs.request(device)
    if isinstance(request, PredictRequest):
        request = replace(request, near_kji=case.view.crosshair_kji)
    remember_choice(workspace, inputs)
    unread = inputs.without_volumes()
    growing = Growing(case, request.job_id, unread.pack.spec.name)

    def done(value: object) -> None:
        growing.end()
        if isinstance(value, Prediction):
            workspace.settings = with_run(workspace.settings, unread.pack, value)
            workspace.settings_changed.emit()
        if not isinstance(value, Prediction) or workspace.cases.get(case.key) is not case:
            return
        if case.shows_others(reading_id):
            text = _(
                "Other labels are shown now than when {model_name} was started, so what it found is not kept; run it again."
            )
            workspace.say(text.format(model_name=value.model_name), Severity.WARNING)
            return
        proposal = Proposal(request.job_id, value, revision)

        def shown() -> None:
            if proposal.empty:
                workspace.say(_("{model_name} found nothing.").format(model_name=value.model_name))
                return
            told = _summary(value)
            if case.view.time_index:
                told += " " + _("It looked at the first time point, on which labels lie.")
            workspace.say(told)
            then(case, proposal)

        propose(case, proposal, shown)

    told = reporting(workspace, case.key, lambda: run_on(workspace, unread, "cpu", then))

    def failed(error: MedViewError) -> None:
        growing.end()
        told(error)

    return workspace.runner.submit(RunModel(request), Outcome(done, growing.add, failed, growing.end))


def _fit(pack: ModelPack, case: OpenCase) -> Fit:
    """Whether the case can be any of the channels; the best answer counts."""
    volume = case.volume
    found = [
        fits(pack.spec, volume.modality, volume.geometry, volume.unit, volume.colour, channel)
        for channel in range(len(pack.spec.input.channels))
    ]
    return next((fit for fit in found if fit.ok), found[0])


def _summary(prediction: Prediction) -> str:
    found = []
    segments = sum(len(mask.segments) for mask in prediction.masks)
    if segments:
        found.append(_("{count} segments").format(count=segments))
    if prediction.boxes:
        found.append(_("{count} boxes").format(count=len(prediction.boxes)))
    found += [f"{name} {value:.0%}" for name, value in prediction.scores.items()]
    seconds = sum(prediction.seconds.values())
    return _("{model_name} proposes {found} after {seconds:.1f} s. Accept or reject it in the panel.").format(
        model_name=prediction.model_name, found=", ".join(found), seconds=seconds
    )
