"""Which open and listed series a model is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from medview.core.language import _
from medview.core.study import Verdict
from medview.ml.packs import ModelPack
from medview.workspace.fusion import same_patient
from medview.workspace.model_inputs import Given, ModelInputs, given_of
from medview.workspace.open_case import OpenCase, case_key
from medview.workspace.workspace import Workspace


def inputs_for(workspace: Workspace, pack: ModelPack, case: OpenCase) -> ModelInputs:
    """Return which series a model is given when it is run on a case: the one way to make its request.

    A model of one channel is given the case. For one of several channels the open series of the patient and those of the
    same study that are listed are looked through.
    """
    several = len(pack.spec.input.channels) > 1
    own = _given(case)
    given = (*own, *_beside(workspace, case)) if several else own
    return ModelInputs.proposed(pack, given, workspace.services.pool, case.key, workspace.registrations)


def refreshed(workspace: Workspace, inputs: ModelInputs) -> ModelInputs:
    """Return the same choice with what stands open now: series may have been opened, closed or read on meanwhile."""
    found: list[Given] = []
    for one in inputs.given:
        case = workspace.cases.get(one.key)
        now = _given(case) if case is not None else (replace(one, volume=None, problem=""),)
        found += now
    return replace(inputs, given=tuple(found), registrations=workspace.registrations)


def _given(case: OpenCase) -> tuple[Given, ...]:
    one = given_of(case.key, case.series, case.entry, case.volume, why_not_now(case))
    return () if one is None else (one,)


def why_not_now(case: OpenCase) -> str:
    """Return why no model can be given an open series at this moment, or an empty text."""
    if not case.ready:
        return _("The series is still being read; run the model when it is complete.")
    if case.load.damaged:
        return _("{count} slices are damaged, so a model would see gaps; it was not started.").format(
            count=len(case.load.damaged)
        )
    return ""


def _beside(workspace: Workspace, case: OpenCase) -> Iterator[Given]:
    for other in workspace.cases.values():
        if other is not case and same_patient(other.series, case.series):
            yield from _given(other)
    for series in workspace.series:
        best = series.best
        if best is None or best.verdict is not Verdict.VOLUME or series.study_uid != case.series.study_uid:
            continue
        key = case_key(series, best)
        if key not in workspace.cases and same_patient(series, case.series):
            one = given_of(key, series, best)
            yield from () if one is None else (one,)
