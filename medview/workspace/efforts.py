"""Keeps what correcting models takes: notes, beside the history of a case, how much was changed and how long it took."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from psygnal import EmissionInfo, Signal

from medview.core.changes import Command, EffortChange, ProposalChange, SegmentChange
from medview.core.effort import Agreement, Effort, ModelEffort
from medview.core.errors import MedViewError, StoreError
from medview.core.job import Inline
from medview.core.prediction import PredictedMask, Prediction
from medview.core.segmentation import SegmentStatus
from medview.workspace.effort_job import GONE, MeasureEfforts, ReadEfforts, RecallMasks, Stamp, measuring
from medview.workspace.events import LabelsChanged
from medview.workspace.jobs import Outcome
from medview.workspace.work_clock import WorkClock

if TYPE_CHECKING:
    from medview.workspace.open_case import OpenCase
    from medview.workspace.workspace import Workspace

log = logging.getLogger("medview.workspace")

_AT_CLOSE_VOXELS = 1 << 26
"""More than this is not measured while the project closes; it is when the case is open the next time."""
_AT_ONCE_VOXELS = 1 << 22
"""More than this is measured by a job while another case is shown."""
_WORTH_NOTING_S = 1.0
_BY_JOBS = frozenset({"unfinished", "heat", "heat_visible"})
"""Fields of a view that are set when a job brings something, though nobody may be there."""


@dataclass(slots=True)
class _Followed:
    """What is known of an open case beside its labels.

    Attributes
    ----------
    running : frozenset of str
        Accepted segments that are not done: time counts for them.
    waiting_s : float
        Worked since that was looked at last.
    worked_s : dict of str to float
        By segment, not noted yet.
    measured : dict of str to tuple
        By segment: the voxels its agreement is true of.
    asked : dict of str to tuple
        By segment: the voxels that a job measures now.
    noted : dict of str to Effort
        By segment, as it was noted last: what is undone and done again has taken as long as before.
    masks : dict of str to PredictedMask
        As they were proposed, by run.
    recalled : set of str
        Runs whose masks the journal was asked for.
    """

    running: frozenset[str] = frozenset()
    waiting_s: float = 0.0
    worked_s: dict[str, float] = field(default_factory=dict)
    measured: dict[str, Stamp] = field(default_factory=dict)
    asked: dict[str, Stamp] = field(default_factory=dict)
    noted: dict[str, Effort] = field(default_factory=dict)
    masks: dict[str, PredictedMask] = field(default_factory=dict)
    recalled: set[str] = field(default_factory=set)


class Efforts:
    """Follows the cases that are open.

    A segment is measured when it is marked done, and every accepted one when the case is left, exported or closed. Time
    counts while somebody works on the case, for each accepted segment until it is done.

    Attributes
    ----------
    models : tuple of ModelEffort
        Of the whole project, as read last.
    clock : WorkClock
        Tells how long somebody worked.
    """

    changed = Signal()
    """``models`` was read."""
    worked = Signal(object, float)
    """Somebody worked on a case (OpenCase) for so many seconds, pauses left out."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.clock = WorkClock()
        self._followed: dict[str, _Followed] = {}
        self._case: OpenCase | None = None
        self.models: tuple[ModelEffort, ...] = ()
        workspace.active_changed.connect(self._on_active)
        workspace.labels_changed.connect(self._on_labels)
        workspace.looked_elsewhere.connect(self.look)
        workspace.case_closing.connect(self._on_closing)

    def sign(self) -> None:
        """Take notice that somebody works on the active case."""
        worked_s, case = self.clock.sign(), self._case
        if case is not None and worked_s:
            self.worked.emit(case, worked_s)
        if case is not None and case.labels.efforts and not case.read_only:
            self._of(case).waiting_s += worked_s

    def look(self) -> None:
        """Take notice that something else is looked at: by somebody, unless the pictures are played."""
        if not self._workspace.bench.cine_on:
            self.sign()

    def note(self, case: OpenCase) -> None:
        """Have measured what changed, and note it once that is done, though the case may be closed by then."""
        request = self._to_measure(case)
        if request is not None:
            self._measure(case, request)

    def _measure(self, case: OpenCase, request: MeasureEfforts) -> None:
        followed = self._of(case)
        asked = {one.effort.segment_id: one.stamp for one in request.asked}
        followed.asked |= asked

        def over() -> None:
            for segment_id in [one for one, stamp in asked.items() if followed.asked.get(one) == stamp]:
                del followed.asked[segment_id]

        def done(value: object) -> None:
            over()
            if not isinstance(value, dict):
                return
            if self._workspace.cases.get(case.key) is case:
                case.after_gesture(lambda: self._write_and_read(case, request, value))
            elif case.key not in self._workspace.cases and case.key not in self._workspace.opening:
                self._note_closed(case, request, value)

        def failed(error: MedViewError) -> None:
            over()
            _not_measured(error)

        self._workspace.runner.submit(request, Outcome(done, failed=failed, cancelled=over))

    def end(self, case: OpenCase) -> None:
        """Note everything before the project closes, at once; what would take long stays as it was measured last."""
        case.settle()
        request = self._to_measure(case)
        if request is not None:
            self._write(case, request, self._measured_now(request, _AT_CLOSE_VOXELS))
        self._let_go(case)

    def _on_closing(self, case: OpenCase) -> None:
        """Note what was worked before a case closes; what takes long to measure is noted after it, the project stays."""
        case.settle()
        request = self._to_measure(case, again=False)
        if request is not None:
            found = self._measured_now(request, _AT_ONCE_VOXELS)
            if not found and request.asked:
                self._measure(case, request)
            self._write(case, request, found)
        self._let_go(case)

    def _measured_now(self, request: MeasureEfforts, most: int) -> dict[str, Agreement]:
        """Return what was corrected, unless that would take long."""
        if request.voxels > most or not request.at_hand:
            return {}
        try:
            return request.run(Inline())
        except MedViewError as error:
            _not_measured(error)
            return {}

    def _let_go(self, case: OpenCase) -> None:
        self._followed.pop(case.key, None)
        case.view.events.disconnect(self._on_view, missing_ok=True)
        if self._case is case:
            self._case = None

    def read_anew(self) -> None:
        """Show nothing of the project before, and read what the one says that is open now."""
        self.models = ()
        self.changed.emit()
        self.read()

    def read(self) -> None:
        """Read what the project says of all models; ``changed`` tells when it is there."""
        project = self._workspace.services.project
        if project is None:
            return

        def done(value: object) -> None:
            if isinstance(value, list) and self._workspace.services.project is project:
                self.models = tuple(value)
                self.changed.emit()

        self._workspace.runner.submit(ReadEfforts(project), Outcome(done, failed=_not_measured))

    def _on_active(self) -> None:
        self.sign()
        left, case = self._case, self._workspace.active
        self._case = case
        if left is not None and left is not case and self._workspace.cases.get(left.key) is left:
            self.note(left)
        if case is not None:
            case.view.events.connect(self._on_view, unique=True)
            self._of(case)

    def _on_view(self, info: EmissionInfo) -> None:
        if info.signal.name not in _BY_JOBS:
            self.look()

    def _on_labels(self, event: LabelsChanged) -> None:
        case = self._workspace.cases.get(event.series_uid)
        if event.changes and not event.by_itself:
            self.sign()
        elif not event.changes and case is not None and case is self._case:
            # It was waited for: work on the case begins now.
            self.sign()
        if case is None:
            return
        if not event.changes:
            # The labels are others than before: they were read from the project just now.
            self._followed.pop(case.key, None)
            # What was too much to be measured while it closed, or was left behind by a crash.
            self.note(case)
        done = False
        self._time_again(case, event)
        for change in event.changes:
            if isinstance(change, ProposalChange) and change.before is not None:
                self._remember(case, change.before.prediction)
            elif isinstance(change, SegmentChange) and change.before is not None and change.after is not None:
                became = change.before.status is not SegmentStatus.DONE and change.after.status is SegmentStatus.DONE
                done = done or (became and change.after.segment_id in case.labels.efforts)
        if any(isinstance(change, EffortChange | SegmentChange) for change in event.changes):
            self._give(case)
        if done:
            case.after_gesture(lambda: self.note(case))
        elif case.labels.efforts and event.boxes():
            self._recall(case)

    def _time_again(self, case: OpenCase, event: LabelsChanged) -> None:
        """Note the time again of what was taken over, undone and done again: it was worked all the same."""
        changes: list[EffortChange] = []
        for change in event.changes:
            after = change.after if isinstance(change, EffortChange) else None
            noted = None if after is None else self._of(case).noted.get(after.segment_id)
            if after is None or noted is None or not noted.source.same_run(after.source):
                continue
            if noted.active_s > after.active_s:
                changes.append(EffortChange(after, replace(after, active_s=noted.active_s)))
        if changes:
            case.after_gesture(lambda: case.note(_noted(changes)))

    def _remember(self, case: OpenCase, prediction: Prediction) -> None:
        if prediction.mask is not None:
            self._of(case).masks[prediction.source.job_id] = prediction.mask

    def _recall(self, case: OpenCase) -> None:
        """Have masks of earlier sessions brought from the journal, so that they are there when the case closes."""
        followed, recall = self._of(case), case.recall
        runs = {effort.source.job_id for effort in case.labels.efforts.values()} - followed.masks.keys() - followed.recalled
        if not runs or recall is None:
            return
        followed.recalled |= runs

        def done(value: object) -> None:
            if isinstance(value, dict):
                followed.masks.update(value)

        case.after_gesture(
            lambda: self._workspace.runner.submit(RecallMasks(recall, tuple(runs)), Outcome(done, failed=_not_measured))
        )

    def _of(self, case: OpenCase) -> _Followed:
        """Return what is known of a case; at the first look, what was measured before is taken for true where it can be."""
        if case.key not in self._followed:
            followed = self._followed[case.key] = _Followed()
            segmentation = case.labels.segmentation
            for effort in case.labels.efforts.values():
                segment = segmentation.find(effort.segment_id)
                count = 0 if segment is None else segmentation.count(segment)
                if effort.agreement is not None and effort.agreement.final == count:
                    followed.measured[effort.segment_id] = self._stamp(case, effort)
            self._give(case)
        return self._followed[case.key]

    def _give(self, case: OpenCase) -> None:
        """Give what was worked to the segments that were not done meanwhile, and look which are not done now."""
        followed = self._of(case)
        for segment_id in followed.running & case.labels.efforts.keys():
            followed.worked_s[segment_id] = followed.worked_s.get(segment_id, 0.0) + followed.waiting_s
        followed.waiting_s = 0.0
        found = (case.labels.segmentation.find(segment_id) for segment_id in case.labels.efforts)
        followed.running = frozenset(s.segment_id for s in found if s is not None and s.status is not SegmentStatus.DONE)

    def _to_measure(self, case: OpenCase, *, again: bool = True) -> MeasureEfforts | None:
        """Return what measures the segments that changed; None where nothing is to be noted.

        Parameters
        ----------
        again : bool
            Those too that a job measures just now.
        """
        if not case.labels.efforts or case.read_only or case.reading:
            return None
        self._give(case)
        followed, efforts = self._of(case), case.labels.efforts
        changed = []
        for one in efforts.values():
            stamp = self._stamp(case, one)
            known = followed.measured.get(one.segment_id), None if again else followed.asked.get(one.segment_id)
            if stamp not in known:
                changed.append(one)
        worked = any(followed.worked_s.get(segment_id, 0.0) >= _WORTH_NOTING_S for segment_id in efforts)
        if not changed and not worked:
            return None
        live = {p.prediction.source.job_id: p.prediction.mask for p in case.labels.proposals.values() if p.prediction.mask}
        return measuring(case, changed, {**followed.masks, **live})

    def _write_and_read(self, case: OpenCase, request: MeasureEfforts, found: dict[str, Agreement]) -> None:
        if self._write(case, request, found):
            self.read()

    def _note_closed(self, case: OpenCase, request: MeasureEfforts, found: dict[str, Agreement]) -> None:
        """Note what was measured of a case that was closed meanwhile, as it was when it closed."""
        changes = []
        for one in request.asked:
            effort = case.labels.efforts.get(one.effort.segment_id)
            agreement = found.get(one.effort.segment_id)
            if effort is None or agreement in (None, effort.agreement) or self._stamp(case, effort) != one.stamp:
                continue
            changes.append(EffortChange(effort, replace(effort, agreement=agreement)))
        try:
            if changes and case.note(_noted(changes)):
                self.read()
        except StoreError as error:
            # The project was closed as well: it is measured when the case is open the next time.
            _not_measured(error)

    def _write(self, case: OpenCase, request: MeasureEfforts, found: dict[str, Agreement]) -> bool:
        """Note what was measured; whether there was anything new."""
        followed = self._of(case)
        changes = []
        for segment_id, effort in list(case.labels.efforts.items()):
            worked_s = followed.worked_s.get(segment_id, 0.0)
            agreement = found.get(segment_id, effort.agreement)
            if agreement != effort.agreement or worked_s >= _WORTH_NOTING_S:
                after = replace(effort, active_s=effort.active_s + worked_s, agreement=agreement)
                changes.append(EffortChange(effort, after))
        if changes and not case.note(_noted(changes)):
            return False
        for change in changes:
            if change.after is not None:
                followed.worked_s.pop(change.after.segment_id, None)
                followed.noted[change.after.segment_id] = change.after
        for one in request.asked:
            if one.effort.segment_id in found:
                followed.measured[one.effort.segment_id] = one.stamp
        return bool(changes)

    def _stamp(self, case: OpenCase, effort: Effort) -> Stamp:
        segment = case.labels.segmentation.find(effort.segment_id)
        return GONE if segment is None else case.labels.segmentation.stamp(segment)


def _noted(changes: Sequence[EffortChange]) -> Command:
    return Command("Note what was corrected", tuple(changes), "effort")


def _not_measured(error: MedViewError) -> None:
    # Nobody waits for it: it is measured the next time.
    log.warning("what was corrected could not be measured: %s", error.detail or error.sentence)
