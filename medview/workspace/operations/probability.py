"""How probable a proposed class is at every voxel, as a heat map over the series: the model runs once more for it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace

import numpy as np

from medview.core.errors import MedViewError, ModelError
from medview.core.heat import Heat
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.prediction import PredictedSegment, Prediction
from medview.core.source import Source
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest
from medview.ml.runners.quiet_import import import_torch
from medview.workspace.events import Severity
from medview.workspace.input_preparation import Preparation, prepared
from medview.workspace.jobs import Job, Lane, Outcome
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.model_inputs import inputs_for, why_not_now, why_unclear
from medview.workspace.review import probability_name
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)
class MapProbability:
    """Request: the probability of one class."""

    request: PredictRequest | Preparation
    predicted: PredictedSegment
    source: Source

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Probability of {name}").format(name=self.predicted.name)

    @property
    def lane(self) -> Lane:
        """The one GPU lane."""
        return Lane.MODEL

    def run(self, context: JobContext) -> Heat:
        """Run in a worker; torch is imported here, not in the window."""
        import_torch()
        runners = importlib.import_module("medview.ml.runners.run")
        request, inner = prepared(self.request, context)
        levels = runners.probability(request, self.predicted.value, inner)
        if not isinstance(levels, np.ndarray):
            raise TypeError(f"a runner returned {type(levels).__name__}")
        return Heat(levels, request.volume.geometry, probability_name(self.predicted.name), source=self.source)


def pack_of(workspace: Workspace, prediction: Prediction) -> ModelPack:
    """Return the installed pack that made a prediction.

    Raises
    ------
    ModelError
        When it is no longer installed, or has other weights now.
    """
    source = prediction.source
    try:
        pack = workspace.services.registry.get(f"{source.model_id}@{source.model_version}")
    except MedViewError as error:
        raise ModelError(
            f"{prediction.model_name} {source.model_version} is not installed any more; install it to see probabilities.",
            detail=error.sentence,
        ) from error
    if pack.sha256 != source.model_sha256:
        raise ModelError(f"{prediction.model_name} has other weights now; run it again to see its probabilities.")
    return pack


def lay_over(case: OpenCase, heat: Heat) -> None:
    """Show what a model made of a case in colour, over the time point it looked at, which is the first."""
    case.view.heat = replace(heat, time_index=0 if case.entry.time_points > 1 else None)
    case.view.heat_visible = True
    case.view.time_index = 0


def show_probability(workspace: Workspace, proposal_id: str, value: int) -> Job | None:
    """Run the model of a proposal once more and lay the probability of one class over the active case; says why not."""
    case = workspace.active
    proposal = case.labels.proposals.get(proposal_id) if case is not None else None
    mask = proposal.prediction.mask_of(value) if proposal is not None else None
    if case is None or proposal is None or mask is None:
        return None
    predicted = next(s for s in mask.segments if s.value == value)
    problem = why_not_now(case)
    if problem:
        workspace.say(problem, Severity.WARNING)
        return None
    try:
        inputs = inputs_for(workspace, pack_of(workspace, proposal.prediction), case)
        if unclear := why_unclear(inputs):
            workspace.say(unclear, Severity.WARNING)
            return None
        request = inputs.request()
    except ModelError as error:
        workspace.report(error)
        return None

    def done(value: object) -> None:
        if isinstance(value, Heat) and workspace.cases.get(case.key) is case:
            lay_over(case, value)
            workspace.say(_("{name} is shown in colour; point at a place to read it.").format(name=value.name))

    return workspace.runner.submit(
        MapProbability(request, predicted, proposal.prediction.source), Outcome(done, failed=workspace.report)
    )
