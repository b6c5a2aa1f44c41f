"""Which open and listed series a model is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from medview.core.errors import MedViewError
from medview.core.language import _, in_language
from medview.core.study import Verdict
from medview.ml.estimate import RunEstimate
from medview.ml.packs import ModelPack
from medview.workspace.durations import duration
from medview.workspace.fusion import same_patient
from medview.workspace.jobs import Job, Outcome
from medview.workspace.model_inputs import Given, ModelInputs, given_of
from medview.workspace.open_case import OpenCase, case_key
from medview.workspace.pace import EstimateRun, run_before, with_estimate
from medview.workspace.workspace import Workspace


def inputs_for(workspace: Workspace, pack: ModelPack, case: OpenCase) -> ModelInputs:
    """Return which series a model is given when it is run on a case: the one way to make its request.

    A model of one channel is given the case. For one of several channels the open series of the patient and those of the
    same study that are listed are looked through; what was chosen in this session before is proposed again.
    """
    several = pack.spec.input.several
    own = _given(case)
    given = (*own, *_beside(workspace, case)) if several else own
    inputs = ModelInputs.proposed(pack, given, workspace.services.pool, case.key, workspace.registrations)
    chosen, reference = workspace.model_choices.get((case.key, pack.spec.key), ((), 0))
    known = {one.key for one in given}
    return inputs.confirmed(chosen, reference) if chosen and known.issuperset(chosen) else inputs


def remember_choice(workspace: Workspace, inputs: ModelInputs) -> None:
    """Keep what a model of several channels is given, so that it is proposed again in this session."""
    if inputs.several:
        for key in inputs.chosen:
            workspace.model_choices[key, inputs.pack.spec.key] = inputs.chosen, inputs.reference


def refreshed(workspace: Workspace, inputs: ModelInputs) -> ModelInputs:
    """Return the same choice with what stands open now: series may have been opened, closed or read on meanwhile."""
    found: list[Given] = []
    for one in inputs.given:
        case = workspace.cases.get(one.key)
        now = _given(case) if case is not None else (replace(one, volume=None, problem=""),)
        found += now
    return replace(inputs, given=tuple(found), registrations=workspace.registrations)


def _given(case: OpenCase) -> tuple[Given, ...]:
    # Labels lie on the first time point, whichever is shown: that is what models look at.
    one = given_of(case.key, case.series, case.entry, case.anchor.volume, why_not_now(case))
    return () if one is None else (one,)


def why_not_now(case: OpenCase) -> str:
    """Return why no model can be given an open series at this moment, or an empty text."""
    load = case.anchor.load
    if case.reading or not load.complete:
        return _("The series is still being read; run the model when it is complete.")
    if load.damaged:
        return _("{count} slices are damaged, so a model would see gaps; it was not started.").format(
            count=len(load.damaged)
        )
    return ""


def why_unclear(inputs: ModelInputs) -> str:
    """Return why a model of several channels cannot run before somebody has chosen its series, or an empty text."""
    if not inputs.several or inputs.problem or not inputs.ambiguous:
        return ""
    text = _("Several series could be {channel}; press Run in the Models part and choose one.")
    return text.format(channel=inputs.name(inputs.ambiguous[0]))


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


def asks_first(workspace: Workspace, inputs: ModelInputs) -> bool:
    """Whether a person is to see what a model is given before it runs.

    Where it has several channels, where something is to be said, and before the first run of an added model on this
    computer, whose time and memory nobody knows yet.
    """
    if not inputs.several and inputs.problem:
        return False
    unknown = not inputs.pack.bundled and not run_before(workspace.settings, inputs.pack)
    return inputs.wants_a_look or unknown


def estimate_run(workspace: Workspace, inputs: ModelInputs, then: Callable[[RunEstimate], None]) -> Job | None:
    """Have time and memory of a run found out in a job, and keep them for the next series; None where nothing is chosen.

    Parameters
    ----------
    then : callable
        Takes what was found, be it what went wrong.
    """
    base = inputs.of(inputs.reference)
    if base is None:
        return None
    pack, geometry = inputs.pack, base.candidate.geometry

    def done(value: object) -> None:
        if isinstance(value, RunEstimate):
            workspace.settings = with_estimate(workspace.settings, pack, geometry, value)
            workspace.settings_changed.emit()
            then(value)

    def failed(error: MedViewError) -> None:
        workspace.report(error)
        then(RunEstimate(0.0, problem=error.sentence))

    return workspace.runner.submit(EstimateRun(pack, geometry), Outcome(done, failed=failed))


def estimate_text(found: RunEstimate) -> str:
    """Return what a run takes, in words: ``About 40 s and 1.2 GB on the processor``."""
    if found.problem:
        return in_language(found.problem)
    where = _("the graphics card") if found.device == "cuda" else _("the processor")
    time = duration(found.seconds)
    if not found.memory_bytes:
        return _("About {time} on {where}.").format(time=time, where=where)
    memory = _size(found.memory_bytes)
    if not found.free_bytes:
        return _("About {time} and {memory} on {where}.").format(time=time, memory=memory, where=where)
    free = _size(found.free_bytes)
    if found.too_large:
        return _("It needs about {memory} and {free} are free on {where}; close other programs first.").format(
            memory=memory, free=free, where=where
        )
    return _("About {time} and {memory} of the {free} that are free on {where}.").format(
        time=time, memory=memory, free=free, where=where
    )


def estimate_short(found: RunEstimate) -> str:
    """Return what a run takes in the fewest words: ``about 40 s, 1.2 GB``."""
    time = _("about {time}").format(time=duration(found.seconds))
    return f"{time}, {_size(found.memory_bytes)}" if found.memory_bytes else time


def _size(count: float) -> str:
    return _("{n} GB").format(n=f"{count / 1e9:.1f}") if count >= 1e8 else _("{n} MB").format(n=max(1, round(count / 1e6)))
