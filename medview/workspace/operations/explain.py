"""Ask why a model answered as it did; the answer lies over the pictures as a heat map."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from medview.core.annotations import BoxAnnotation
from medview.core.errors import MedViewError, ModelError
from medview.core.explanation import Explanation
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.prediction import Proposal
from medview.ml.explain_request import ExplainRequest, explainable
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest
from medview.ml.runners.quiet_import import import_torch
from medview.workspace.events import Severity
from medview.workspace.input_preparation import Preparation, prepared
from medview.workspace.jobs import Job, Lane, Outcome
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.device import reporting
from medview.workspace.operations.model_inputs import inputs_for, why_unclear
from medview.workspace.operations.probability import lay_over
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)
class ExplainModel:
    """Request: one explanation; the other attributes are those of ``ExplainRequest``.

    Attributes
    ----------
    predict : PredictRequest or Preparation
        The run that is explained, or what reads and resamples its channels first.
    """

    predict: PredictRequest | Preparation
    class_name: str
    method: str = "gradcam"
    box: BoxAnnotation | None = None
    slice_index: int | None = None

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Explaining {name}").format(name=self.predict.pack.spec.name)

    @property
    def lane(self) -> Lane:
        """The one GPU lane."""
        return Lane.MODEL

    def run(self, context: JobContext) -> Explanation:
        """Run in a worker; torch is imported here, not in the window."""
        import_torch()
        module = importlib.import_module("medview.ml.explain.explain")
        predict, inner = prepared(self.predict, context)
        request = ExplainRequest(predict, self.class_name, self.method, self.box, self.slice_index)
        found = module.explain(request, inner)
        if not isinstance(found, Explanation):
            raise TypeError(f"an explanation is a {type(found).__name__}")
        return found


def can_explain(workspace: Workspace, proposal: Proposal) -> bool:
    """Whether the model of a proposal is installed and gives scores or boxes."""
    pack = _pack_of(workspace, proposal)
    return pack is not None and bool(explainable(pack.spec))


def explain(
    workspace: Workspace,
    case: OpenCase,
    proposal: Proposal,
    class_name: str,
    method: str = "gradcam",
    box: BoxAnnotation | None = None,
    slice_index: int | None = None,
    device: str = "auto",
) -> Job | None:
    """Start to explain a class, or a box, of a proposal; says why when it cannot.

    Parameters
    ----------
    slice_index : int, optional
        Of a classifier of slices: the slice of the series along the axis it scored.
    device : str
        Where, as ``PredictRequest`` has it.
    """
    pack = _pack_of(workspace, proposal)
    if pack is None:
        workspace.say(_("The model that made this is no longer installed; add it to explain its result."), Severity.WARNING)
        return None
    if pack.sha256 != proposal.prediction.source.model_sha256:
        workspace.say(_("The installed model is not the one that made this; run it again."), Severity.WARNING)
        return None
    if not case.ready:
        workspace.say(_("The series is still being read; ask again when it is complete."), Severity.WARNING)
        return None
    given = _given(workspace, case, pack, device)
    if given is None:
        return None
    request = ExplainModel(given, class_name, method, box, slice_index)
    key = case.key

    def done(value: object) -> None:
        open_case = workspace.cases.get(key)
        if isinstance(value, Explanation) and open_case is not None:
            _show(workspace, open_case, value)

    proposal_id = proposal.proposal_id

    def again() -> None:
        open_case = workspace.cases.get(key)
        live = open_case.labels.proposals.get(proposal_id) if open_case is not None else None
        if open_case is not None and live is not None:
            explain(workspace, open_case, live, class_name, method, box, slice_index, "cpu")
        else:
            workspace.say(
                _("The proposal is no longer there; run the model again to explain its result."), Severity.WARNING
            )

    return workspace.runner.submit(request, Outcome(done, failed=reporting(workspace, key, again)))


def _given(workspace: Workspace, case: OpenCase, pack: ModelPack, device: str) -> PredictRequest | Preparation | None:
    """Return what the model saw, its series chosen as for a run; None where it is not clear which, which is said."""
    inputs = inputs_for(workspace, pack, case)
    if unclear := why_unclear(inputs):
        workspace.say(unclear, Severity.WARNING)
        return None
    try:
        return inputs.request(device)
    except ModelError as error:
        workspace.report(error)
        return None


def _show(workspace: Workspace, case: OpenCase, found: Explanation) -> None:
    lay_over(case, found.heat)
    workspace.say(found.heat.note, Severity.INFO if found.check.holds else Severity.WARNING)


def _pack_of(workspace: Workspace, proposal: Proposal) -> ModelPack | None:
    source = proposal.prediction.source
    try:
        return workspace.services.registry.get(f"{source.model_id}@{source.model_version}")
    except MedViewError:
        return None
