"""The job that works an effect out, on the labels as they are when it begins."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from medview.core.changes import Change, Command, MarksChange, SegmentChange
from medview.core.errors import LabelError, MedViewError
from medview.core.geometry import Calibration
from medview.core.label_patch import LabelPatch
from medview.core.language import _
from medview.core.segmentation import Segment
from medview.edit.effects.carry_out import Worked
from medview.edit.effects.effect import Effect
from medview.edit.effects.settings import Values
from medview.edit.rules import EditRules
from medview.workspace.jobs import Job, JobRunner, JobStatus, Outcome
from medview.workspace.requests_effect import LabelsPiece, RunEffect
from medview.workspace.rule_words import why_nothing

if TYPE_CHECKING:
    from medview.workspace.open_case import OpenCase


class EffectJob:
    """At most one: a later one cancels it, and what it brings then is not looked at.

    Parameters
    ----------
    done : callable
        Called with what was worked out.
    ended : callable
        Called with a sentence when it failed, with nothing when a person cancelled it.
    """

    def __init__(self, runner: JobRunner, done: Callable[[Worked], None], ended: Callable[[str], None]) -> None:
        self._runner, self._done, self._ended = runner, done, ended
        self._case: OpenCase | None = None
        self._job: Job | None = None
        self._turn = 0
        self.request: RunEffect | None = None
        """What was asked last, running or done; None after ``cancel`` or a failure."""

    @property
    def running(self) -> bool:
        """Whether it is at work."""
        return self._job is not None

    def start(self, request: RunEffect, case: OpenCase) -> None:
        """Begin."""
        self.cancel()
        self.request, self._case, turn = request, case, self._turn
        outcome = Outcome(
            partial(self._on_done, turn),
            partial(self._on_piece, turn),
            partial(self._on_failed, turn),
            partial(self._on_cancelled, turn),
        )
        job = self._runner.submit(request, outcome)
        if turn == self._turn and job.status in (JobStatus.QUEUED, JobStatus.RUNNING):
            self._job = job

    def cancel(self) -> None:
        """Give it up without a word."""
        self._turn += 1
        job, self._job, self.request, self._case = self._job, None, None, None
        if job is not None:
            job.cancel()

    def _on_piece(self, turn: int, value: object) -> None:
        if turn == self._turn and self._case is not None and isinstance(value, LabelsPiece):
            value.fill(self._case.labels.segmentation)

    def _on_done(self, turn: int, value: object) -> None:
        if turn == self._turn and isinstance(value, Worked):
            self._job = None
            self._done(value)

    def _on_failed(self, turn: int, error: MedViewError) -> None:
        if turn == self._turn:
            self.cancel()
            self._ended(error.sentence)

    def _on_cancelled(self, turn: int) -> None:
        if turn == self._turn:
            self.cancel()
            self._ended("")


def asked(effect: Effect, values: Values, rules: EditRules, case: OpenCase, segment_id: str | None = None) -> RunEffect:
    """Return the request for an effect on the labels of a case as they are now.

    Parameters
    ----------
    segment_id : str, optional
        Of the segment it is about, empty for none; the active one when not given.

    Raises
    ------
    LabelError
        When the effect cannot be used now or has nothing to work on.
    """
    if problem := why_not(effect, case, segment_id):
        raise LabelError(problem)
    labels, segment = case.labels.segmentation, _segment(case, segment_id)
    region = effect.region(labels, segment, values)
    own = labels.box(segment) if segment is not None else None
    if own is not None:
        # A segment that has to move to another layer moves with all its voxels.
        region = region.union_of((region, own)) or region
    return RunEffect(
        effect,
        dict(values),
        rules,
        region,
        tuple(n for n, layer in sorted(labels.layers.items()) if layer.index.total),
        tuple(labels.segments),
        segment.segment_id if segment is not None else "",
        case.anchor.volume,
        case.view.crosshair_kji,
        case.key,
        {s.segment_id: labels.count(s) for s in labels.segments},
        case.labels.marks,
    )


def why_not(effect: Effect, case: OpenCase | None, segment_id: str | None = None) -> str:
    """Return why an effect cannot be used on a case now, or nothing; ``segment_id`` as in ``asked``."""
    if case is None:
        return _("Open a series first.")
    if case.read_only:
        return case.read_only
    if case.reading or not case.load.complete:
        return _("The series is still being read; effects can be used when it is complete.")
    volume, segment = case.anchor.volume, _segment(case, segment_id)
    if effect.needs_values and volume.colour:
        return _("This picture is in colour, so there is no one value to compare.")
    if effect.needs_mm and volume.geometry.calibration is not Calibration.VOLUME:
        return _("This series has no millimetres in all directions, which the effect needs.")
    if segment is None:
        return _("Choose a segment first.") if effect.needs_segment else ""
    if segment.locked:
        return _("{name} is locked; unlock it in the segment list to change it.").format(name=segment.name)
    if segment.absent:
        return _("{name} is confirmed absent; take that back in the segment list to change it.").format(name=segment.name)
    if effect.needs_segment and effect.needs_voxels and not case.labels.segmentation.count(segment):
        return _("{name} holds no voxels yet; draw it first.").format(name=segment.name)
    return ""


def _segment(case: OpenCase, segment_id: str | None) -> Segment | None:
    return case.active_segment if segment_id is None else case.labels.segmentation.find(segment_id)


def matters(change: Change, request: RunEffect | None, case: OpenCase) -> bool:
    """Whether a change of the labels makes what was asked for stale."""
    if isinstance(change, MarksChange):
        return request is None or request.effect.reads_marks
    if not isinstance(change, LabelPatch):
        return isinstance(change, SegmentChange)
    segment = case.active_segment
    # Beside the region as well where it is the segment's layer: the region may have to be larger now.
    own = segment is not None and change.layer_id == segment.layer_id
    return own or request is None or not change.box.intersection(request.region).empty


def command_of(effect: Effect, worked: Worked, case: OpenCase) -> Command:
    """Return what Apply does, as one entry of the history."""
    about = case.active_segment.name if case.active_segment is not None else worked.candidate.amounts[0].name
    return Command(f"{effect.name}: {about}", worked.changes, f"effect {effect.effect_id}")


def why_unchanged(effect: Effect, worked: Worked, case: OpenCase, rules: EditRules) -> str:
    """Return a sentence for an effect that comes to nothing."""
    name = case.active_segment.name if case.active_segment is not None else effect.title
    held_back = why_nothing(worked.held_back, name, rules, case.anchor.volume)
    return held_back or _("{effect}: nothing changes.").format(effect=effect.title)
