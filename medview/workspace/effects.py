"""The effect a person looks at: worked out, shown as a candidate, kept up with what moves, applied or dropped."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from medview.core.changes import Command, SegmentChange
from medview.core.errors import LabelError
from medview.core.language import _
from medview.edit.effects.carry_out import Worked
from medview.edit.effects.settings import ValueRange, personal
from medview.edit.effects.table import effect as effect_of
from medview.workspace.effect_job import EffectJob, asked, command_of, matters, why_not, why_unchanged
from medview.workspace.effect_state import EffectState
from medview.workspace.effect_writing import EffectWriting
from medview.workspace.events import LabelsChanged, Severity
from medview.workspace.view_state import Mode

if TYPE_CHECKING:
    from medview.workspace.open_case import OpenCase
    from medview.workspace.workspace import Workspace


class Effects:
    """At most one effect is open, on the active case. Its state, for panels and panes, is ``bench.effect``.

    A candidate is worked out by a job on a copy. Once what it was computed on has changed it is stale and worked out again,
    after the gesture that changed it.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._remembered: dict[str, dict[str, object]] = {}
        self._case: OpenCase | None = None
        self._worked: Worked | None = None
        self._wanted = False
        """A candidate is to be there, and follows what changes."""
        self._apply_when_done = False
        self._will_repeat = False
        self._job = EffectJob(workspace.runner, self._on_done, self._on_ended)
        self._writing = EffectWriting(self._on_written)
        workspace.bench.events.rules.connect(self._on_changed)
        workspace.bench.events.mode.connect(self._on_elsewhere)
        workspace.active_changed.connect(self._on_elsewhere)
        workspace.labels_changed.connect(self._on_labels)

    @property
    def worked(self) -> Worked | None:
        """What it comes to on the labels as they are; None while that is not known."""
        return self._worked

    def open(self, effect_id: str) -> None:
        """Open an effect with the settings it had last; the one that is open is dropped."""
        self.close()
        effect, case = effect_of(effect_id), self._workspace.active
        if effect is None or case is None:
            return
        self._workspace.bench.mode = Mode.ANNOTATE
        self._case = case
        case.view.events.active_segment_id.connect(self._on_changed)
        case.view.events.crosshair_kji.connect(self._on_crosshair)
        values = effect.defaults() | self._remembered.get(effect_id, {})
        self._set(EffectState(effect_id, values, problem=why_not(effect, case)))
        if effect.at_once:
            self.preview()

    def change(self, key: str, value: object) -> None:
        """Change a setting; what is shown is worked out anew."""
        if self._state.effect is not None and self._state.values.get(key) != value:
            also = next((s.sets for s in self._state.effect.settings if s.key == key and isinstance(s, ValueRange)), None)
            self._keep({**self._state.values, key: value, **dict([also] if also else [])})
            self._on_changed()

    def preview(self) -> None:
        """Work the effect out and show what it would write."""
        effect, case = self._state.effect, self._case
        if effect is None or case is None or self._writing.going_on:
            return
        self._job.cancel()
        self._worked, self._wanted = None, True
        if case.in_gesture or case.pouring is not None:
            self._repeat_later(case)
            return
        try:
            request = asked(effect, self._state.values, self._workspace.bench.rules, case)
        except LabelError as error:
            self._on_ended(error.sentence)
            return
        self._set(replace(self._state, working=True, problem=""))
        self._job.start(request, case)

    def apply(self) -> None:
        """Write the effect; one that is not worked out yet is written once it is."""
        if self._state.effect is None or self._writing.going_on:
            return
        if self._worked is not None:
            self._write(self._worked)
            return
        self._apply_when_done = True
        if not self._job.running and not self._will_repeat:
            self.preview()

    def close(self) -> bool:
        """Drop the candidate and close the effect; what is being written is taken back. False when none is open."""
        if not self._state.effect_id:
            return False
        self._job.cancel()
        if self._state.effect is not None:
            self._state.effect.closed()
        self._worked, self._wanted, self._apply_when_done, self._will_repeat = None, False, False, False
        self._writing.cancel()
        if self._case is not None:
            self._case.view.events.active_segment_id.disconnect(self._on_changed, missing_ok=True)
            self._case.view.events.crosshair_kji.disconnect(self._on_crosshair, missing_ok=True)
            self._case = None
        self._set(EffectState())
        return True

    @property
    def _state(self) -> EffectState:
        return self._workspace.bench.effect

    # ------------------------------------------------------------------------------------ what the job brings

    def _on_done(self, worked: Worked) -> None:
        self._worked = worked
        if worked.found:
            self._keep({**self._state.values, **worked.found})
        state = replace(self._state, candidate=worked.candidate, working=False, stale=False)
        self._set(replace(state, note=worked.note, seconds=worked.seconds))
        if self._apply_when_done:
            self._write(worked)

    def _on_ended(self, problem: str) -> None:
        # What fails is tried again with other settings; what a person cancelled is not.
        self._wanted, self._apply_when_done = bool(problem), False
        self._set(replace(self._state, candidate=None, working=False, stale=False, note="", problem=problem))

    # ------------------------------------------------------------------------------------ what moves meanwhile

    def _on_changed(self, *_values: object) -> None:
        effect = self._state.effect
        if effect is None or self._writing.going_on:
            return
        if self._wanted:
            self.preview()
        else:
            self._set(replace(self._state, problem=why_not(effect, self._case)))

    def _on_crosshair(self, *_values: object) -> None:
        if self._state.asks_place:
            self._on_changed()

    def _on_elsewhere(self, *_values: object) -> None:
        workspace, case = self._workspace, self._case
        if case is not None and (workspace.active is not case or workspace.bench.mode is not Mode.ANNOTATE):
            self.close()

    def _on_labels(self, event: LabelsChanged) -> None:
        case = self._case
        if case is None or event.series_uid != case.key or self._writing.going_on:
            return
        if not self._wanted:
            self._on_changed()
        elif self._will_repeat:
            return
        elif not event.changes or any(matters(change, self._job.request, case) for change in event.changes):
            # Without changes all labels are others: they were read anew.
            self._repeat_later(case)

    def _repeat_later(self, case: OpenCase) -> None:
        self._job.cancel()
        self._worked = None
        self._will_repeat = True
        self._set(replace(self._state, stale=self._state.candidate is not None, working=True))
        # No job while a hand is drawing: what it draws next would make it stale again.
        case.after_gesture(self._repeat)

    def _repeat(self) -> None:
        if self._will_repeat:
            self._will_repeat = False
            self.preview()

    # ------------------------------------------------------------------------------------ writing

    def _write(self, worked: Worked) -> None:
        effect, case = self._state.effect, self._case
        if effect is None or case is None:
            return
        self._apply_when_done = False
        if not case.editable:
            self._workspace.say(case.read_only or _("Finish drawing, then apply the effect."), Severity.WARNING)
        elif not worked.changes:
            why = why_unchanged(effect, worked, case, self._workspace.bench.rules)
            self.close()
            self._workspace.say(why, Severity.WARNING if worked.held_back else Severity.INFO)
        else:
            self._set(replace(self._state, writing=True))
            self._writing.begin(case, command_of(effect, worked, case))

    def _on_written(self, command: Command | None, problem: str) -> None:
        self._set(replace(self._state, writing=False))
        case, effect = self._case, self._state.effect
        if case is None or effect is None:
            return
        if command is None:
            # What is shown is worked out again; it is never written on labels it was not computed on.
            if problem:
                self._workspace.say(problem, Severity.WARNING)
            self.preview()
            return
        self.close()
        added = [c.after for c in command.changes if isinstance(c, SegmentChange) and c.before is None and c.after]
        if added and case.active_segment is None:
            case.view.active_segment_id = added[0].segment_id
        self._workspace.say(_("{effect} applied.").format(effect=effect.title), undo=True)

    def _keep(self, values: dict[str, object]) -> None:
        effect = self._state.effect
        if effect is not None:
            self._remembered[effect.effect_id] = personal(effect.settings, values)
        self._set(replace(self._state, values=values))

    def _set(self, state: EffectState) -> None:
        if state != self._state:
            self._workspace.bench.effect = state
