"""What a tool came to, written by jobs where it is too large for a moment: worked out on a copy, then a part at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medview.core.changes import Command, SegmentChange
from medview.core.errors import LabelError, MedViewError
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.prediction import PredictedSegment, Proposal
from medview.edit.effects.carry_out import Worked
from medview.edit.effects.effect import Effect
from medview.edit.region_growth import RegionGrowth
from medview.edit.whole_masks import added
from medview.workspace.effect_job import EffectJob, asked, why_not
from medview.workspace.effect_writing import EffectWriting
from medview.workspace.events import Severity
from medview.workspace.jobs import Job, Lane, Outcome
from medview.workspace.operations.pieces import take_piece

if TYPE_CHECKING:
    from medview.workspace.open_case import OpenCase
    from medview.workspace.workspace import Workspace

_TRIES = 3
"""Labels that move on while one works are looked at again, so often."""
_LIKELY_BRICKS = 400
"""How far a region is told before anybody knows how large it will be."""


@dataclass(frozen=True, slots=True, eq=False)
class GrowRegion:
    """Request: find the rest of a region."""

    growth: RegionGrowth
    title: str = _("Growing a region")
    lane: Lane = Lane.EDIT

    def run(self, context: JobContext) -> RegionGrowth:
        """Grow in a worker, brick by brick."""

        def told() -> bool:
            context.raise_if_cancelled()
            bricks = self.growth.bricks
            context.progress(bricks / (bricks + _LIKELY_BRICKS), self.title)
            return False

        self.growth.run(told)
        return self.growth


class LargeWriting:
    """At most one piece of work at a time; a tool that comes meanwhile is told so."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._case: OpenCase | None = None
        self._effect: Effect | None = None
        self._segment_id = ""
        """Of the segment it is about: another one may be chosen meanwhile."""
        self._growing: Job | None = None
        self._left = 0
        self._job = EffectJob(workspace.runner, self._on_done, self._on_ended)
        self._writing = EffectWriting(self._on_written)

    @property
    def going_on(self) -> bool:
        """Whether something is being worked out or written."""
        return self._case is not None

    def start(self, case: OpenCase, effect: Effect) -> bool:
        """Begin; False, after saying why, where that cannot be now."""
        if self._busy() or not self._can(case, effect):
            return False
        self._segment_id = case.view.active_segment_id
        self._begin(case, effect)
        return True

    def grow(self, case: OpenCase, growth: RegionGrowth, *, erase: bool) -> bool:
        """Find the rest of a region, then write it; False, after saying why, where that cannot be now."""
        if self._busy():
            return False
        effect = added(growth, erase=erase)
        if not self._can(case, effect):
            return False
        self._case, self._segment_id = case, case.view.active_segment_id

        def done(_value: object) -> None:
            self._growing = None
            if self._case is not case:
                return
            if growth.box is not None and self._workspace.cases.get(case.key) is case:
                self._begin(case, added(growth, erase=erase))
            else:
                self._end()

        outcome = Outcome(done, failed=self._on_failed, cancelled=self._end)
        job = self._workspace.runner.submit(GrowRegion(growth), outcome)
        if self._case is case and self._effect is None:
            self._growing = job
        return True

    def take_piece(
        self, case: OpenCase, proposal: Proposal, predicted: PredictedSegment, at_kji: tuple[int, int, int], *, back: bool
    ) -> None:
        """Take over the piece of a proposed class that holds a voxel, or give it back."""
        take_piece(self._workspace, case, proposal, predicted, at_kji, back=back)

    def cancel(self) -> bool:
        """Give up what goes on and take back what was written of it; False when nothing goes on."""
        if not self.going_on:
            return False
        growing, self._growing = self._growing, None
        if growing is not None:
            growing.cancel()
        self._job.cancel()
        self._writing.cancel()
        self._end()
        return True

    def _busy(self) -> bool:
        if self.going_on:
            self._workspace.say(_("The last cut or region is still being written; wait, or cancel it."), Severity.WARNING)
        return self.going_on

    def _can(self, case: OpenCase, effect: Effect) -> bool:
        why = why_not(effect, case)
        if why:
            self._workspace.say(why, Severity.WARNING)
        return not why

    def _begin(self, case: OpenCase, effect: Effect) -> None:
        self._case, self._effect, self._left = case, effect, _TRIES
        self._work_out()

    def _work_out(self) -> None:
        case, effect = self._case, self._effect
        if case is None or effect is None:
            return
        if case.in_gesture:
            case.after_gesture(self._work_out)
            return
        try:
            request = asked(effect, {}, self._workspace.bench.rules, case, self._segment_id)
        except LabelError as error:
            self._on_ended(error.sentence)
            return
        self._job.start(request, case)

    def _on_done(self, worked: Worked) -> None:
        case, effect = self._case, self._effect
        if case is None or effect is None:
            return
        if not worked.changes:
            self._end()
            self._workspace.say(_("{effect}: nothing changes.").format(effect=effect.title))
            return
        if not case.editable:
            self._again()
            return
        segment = case.labels.segmentation.find(self._segment_id)
        about = segment.name if segment is not None else worked.candidate.amounts[0].name
        command = Command(f"{effect.name} {about}", worked.changes, effect.effect_id)
        self._writing.begin(case, command)

    def _on_written(self, command: Command | None, problem: str) -> None:
        case = self._case
        if command is None:
            if problem and self._left > 0 and case is not None:
                self._again()
            else:
                self._on_ended(problem)
            return
        made = [c.after for c in command.changes if isinstance(c, SegmentChange) and c.before is None and c.after]
        if case is not None and case.active_segment is None and made:
            case.view.active_segment_id = made[0].segment_id
        self._end()

    def _again(self) -> None:
        self._left -= 1
        if self._left <= 0:
            self._on_ended(_("The labels changed meanwhile, so nothing was written; do it again."))
        else:
            self._work_out()

    def _on_failed(self, error: MedViewError) -> None:
        self._on_ended(error.sentence)

    def _on_ended(self, problem: str) -> None:
        self._end()
        if problem:
            self._workspace.say(problem, Severity.WARNING)

    def _end(self) -> None:
        self._case = self._effect = self._growing = None
        self._left = 0
        # It would keep the volume and the region of a case that may be closed long since.
        self._job.cancel()
