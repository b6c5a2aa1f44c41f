"""Prompts on their way into a segment: worked out by jobs one after the other, each written as one command."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.changes import Change, PromptChange, SegmentChange
from medview.core.errors import MedViewError, PackError
from medview.core.label_patch import PIECE_KJI
from medview.core.language import _
from medview.core.prompt import Prompt
from medview.core.prompt_log import NOTHING, HeldVoxels, PromptLog
from medview.core.segmentation import Segment, Segmentation
from medview.edit.rules import EditRules, LabelWriter, Overlap
from medview.edit.segments import new_segment
from medview.ml.packs import ModelPack
from medview.ml.spec import Task
from medview.workspace.events import Severity
from medview.workspace.jobs import Job, Outcome
from medview.workspace.last_word import LastWord
from medview.workspace.operations.device import reporting
from medview.workspace.prompt_state import PromptState
from medview.workspace.requests_prompt import FindObject, Others

if TYPE_CHECKING:
    from medview.workspace.open_case import OpenCase
    from medview.workspace.workspace import Workspace

_TRIES = 4
"""Labels that move on while one works are looked at again, so often."""

Mask = npt.NDArray[np.bool_]


@dataclass(eq=False)
class _Ask:
    """One thing that was asked for.

    Attributes
    ----------
    segment_id : str
        Empty for one that is made with the first prompt.
    prompt : Prompt or None
        To be added; None where one is to be taken out.
    without : str
        Id of the one that is taken out.
    device : str
        Where a model is asked, as ``PredictRequest`` has it.
    reading_id : int or None
        Whose labels the case showed when it was asked for.
    """

    case: OpenCase
    segment_id: str
    prompt: Prompt | None = None
    without: str = ""
    device: str = "auto"
    asked: float = field(default_factory=time.monotonic)
    tries: int = _TRIES
    revision: int = -1
    log: PromptLog | None = None
    reading_id: int | None = field(init=False)

    def __post_init__(self) -> None:
        self.reading_id = self.case.reading_id

    @property
    def other_labels(self) -> str:
        """Say that the case shows other labels now; nothing where it shows those it was asked for."""
        if not self.case.shows_others(self.reading_id):
            return ""
        return _("Other labels are shown now than when the prompt was set, so nothing was written; set it again.")


class Prompting:
    """Works out what was pointed at, in the order it was, on whichever case that was. One object is alive at a time.

    Other segments stay as they are, but where the rules say that segments may overlap.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._asked: deque[_Ask] = deque()
        self._job: Job | None = None
        self._told = LastWord(workspace)
        workspace.case_closing.connect(self._on_closing)
        workspace.models_changed.connect(self._on_models)

    @property
    def going_on(self) -> bool:
        """Whether something is being worked out."""
        return bool(self._asked)

    def add(self, case: OpenCase, prompt: Prompt) -> None:
        """Add a prompt to the active segment; the first of a case makes its first segment."""
        segment = case.active_segment
        if segment is None and self._asked and self._asked[-1].case is case:
            # The one that the prompt before is about to make.
            self.ask(_Ask(case, self._asked[-1].segment_id, prompt))
        else:
            self.ask(_Ask(case, segment.segment_id if segment is not None else "", prompt))

    def remove(self, case: OpenCase, segment_id: str, prompt_id: str, device: str = "auto") -> bool:
        """Take a prompt out and work out what the others come to; False, after saying why, where that cannot be."""
        log, segment = case.labels.prompts.get(segment_id), case.labels.segmentation.find(segment_id)
        if log is None or segment is None or all(prompt.prompt_id != prompt_id for prompt in log.prompts):
            return False
        if case.read_only:
            self._say(case.read_only)
        elif log.changed_by_hand(digest_by(case.labels.segmentation, segment)):
            self._say(
                _("{name} was changed since, and that would be lost; undo those changes first.").format(name=segment.name)
            )
        else:
            self.ask(_Ask(case, segment_id, without=prompt_id, device=device))
            return True
        return False

    def cancel(self) -> bool:
        """Forget what is not worked out yet; False when there is nothing."""
        if not self._asked:
            return False
        self._asked.clear()
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
        self._tell()
        return True

    def ask(self, ask: _Ask) -> None:
        """Work something out once what was asked before is."""
        # Why the one before came to nothing is over.
        self._told.over()
        self._asked.append(ask)
        self._tell()
        if len(self._asked) == 1:
            self._begin()

    def _begin(self) -> None:
        if not self._asked:
            self._tell()
            return
        ask = self._asked[0]
        if ask.case.in_gesture or ask.case.pouring is not None:
            ask.case.after_gesture(self._begin)
            return
        problem = self._prepare(ask)
        if problem:
            self._next(problem)
            return
        assert ask.log is not None
        pack = None
        if ask.log.engine:
            pack = engine(self._workspace, ask.log.engine)
            if pack is None or pack.sha256 != ask.log.model_sha256:
                self._next(_("The model {name} is no longer installed.").format(name=ask.log.engine))
                return
        segmentation = ask.case.labels.segmentation
        overlapping = self._workspace.bench.rules.overlap is Overlap.ALLOW
        others = Others() if overlapping else Others.than(segmentation, segmentation.find(ask.segment_id))
        ask.revision = ask.case.labels.revision
        request = FindObject(ask.case.anchor.volume, ask.log, others, pack, ask.device)

        def done(value: object) -> None:
            if isinstance(value, HeldVoxels) and self._asked and self._asked[0] is ask:
                self._job = None
                ask.case.after_gesture(lambda: self._write(ask, value))

        def failed(error: MedViewError) -> None:
            if self._asked and self._asked[0] is ask:
                told(error)
                self._next()

        def cancelled() -> None:
            if self._asked and self._asked[0] is ask:
                self.cancel()

        told = reporting(self._workspace, ask.case.key, _again(self, self._workspace, ask))
        job = self._workspace.runner.submit(request, Outcome(done, failed=failed, cancelled=cancelled))
        if self._asked and self._asked[0] is ask and ask.log is not None:
            self._job = job

    def _on_models(self) -> None:
        """Ask the version of a model that counts now in place of another one; say so where there is none any more."""
        bench, listed = self._workspace.bench, engines(self._workspace)
        wanted = bench.prompt_engine
        if not wanted or any(pack.spec.key == wanted for pack in listed):
            return
        own_id = wanted.partition("@")[0]
        bench.prompt_engine = next((pack.spec.key for pack in listed if pack.spec.id == own_id), "")
        if not bench.prompt_engine:
            text = _("The model that was asked for objects is not here any more; they are grown without a model now.")
            self._workspace.say(text, Severity.WARNING)

    def _prepare(self, ask: _Ask) -> str:
        """Find out which prompts count; return why it cannot be, or nothing."""
        case, segment = ask.case, ask.case.labels.segmentation.find(ask.segment_id)
        if self._workspace.cases.get(case.key) is not case:
            return _("The series was closed before the prompt was worked out.")
        if ask.other_labels:
            return ask.other_labels
        if ask.segment_id and segment is None:
            return _("The segment the prompt was for is gone.")
        if segment is not None and segment.locked:
            return _("{name} is locked; unlock it in the segment list to change it.").format(name=segment.name)
        known = case.labels.prompts.get(ask.segment_id)
        if ask.prompt is None:
            if known is None:
                return _("The prompt is gone already.")
            ask.log = known.without(ask.without)
            return ""
        wanted = engine(self._workspace, self._workspace.bench.prompt_engine)
        name, checksum = (wanted.spec.key, wanted.sha256) if wanted is not None else ("", "")
        segmentation, log = case.labels.segmentation, known if known is not None else PromptLog(ask.segment_id)
        going_on = log.going_on(digest_by(segmentation, segment), lambda: held_by(segmentation, segment), name, checksum)
        ask.log = going_on.with_prompt(ask.prompt)
        return ""

    def _write(self, ask: _Ask, found: HeldVoxels) -> None:
        case = ask.case
        if not self._asked or self._asked[0] is not ask or ask.log is None:
            return
        if self._workspace.cases.get(case.key) is not case or case.read_only:
            self._next(case.read_only)
            return
        if ask.other_labels:
            # Revisions of two readings may be the same number.
            self._next(ask.other_labels)
            return
        if case.labels.revision != ask.revision:
            ask.tries -= 1
            if ask.tries > 0:
                self._begin()
            else:
                self._next(_("The labels changed meanwhile, so nothing was written; do it again."))
            return
        rules = self._workspace.bench.rules
        segment = case.labels.segmentation.find(ask.segment_id)
        about = segment.name if segment is not None else new_segment(case.labels.segmentation).name
        changes = _written(case, ask, ask.log, found, rules)
        pieces = Box.union_of(filter(None, (found.box, case.labels.segmentation.box(segment) if segment else None)))
        total = 2 + (sum(1 for _piece in pieces.pieces(PIECE_KJI)) if pieces is not None else 0)
        if ask.prompt is not None:
            began = case.pour(f"Prompt {about}", "prompt", changes, total)
        else:
            began = case.pour(f"Remove a prompt of {about}", "prompt", changes, total)
        if began:
            case.after_gesture(lambda: self._done(ask, found))
        else:
            self._next(_("The labels cannot be changed now, so the prompt was not written."))

    def _done(self, ask: _Ask, found: HeldVoxels) -> None:
        if self._asked and self._asked[0] is ask:
            for later in self._asked:
                if later.case is ask.case and not later.segment_id:
                    later.segment_id = ask.segment_id
            seconds = time.monotonic() - ask.asked
            nothing = found.empty and ask.prompt is not None and ask.prompt.positive
            self._next(_("Nothing was found there; another segment may hold it.") if nothing else "", seconds)

    def _next(self, problem: str = "", seconds: float | None = None) -> None:
        self._job = None
        if self._asked:
            self._asked.popleft()
        if problem:
            self._say(problem)
        self._tell(seconds)
        if self._asked:
            self._begin()

    def _tell(self, seconds: float | None = None) -> None:
        bench = self._workspace.bench
        first = self._asked[0].case.key if self._asked else ""
        waiting = tuple(ask.prompt for ask in self._asked if ask.prompt is not None and ask.case.key == first)
        took = bench.prompts.seconds if seconds is None else seconds
        bench.prompts = PromptState(first, waiting, bool(self._asked), took)

    def _say(self, text: str) -> None:
        self._told.say(text, Severity.WARNING)

    def _on_closing(self, case: OpenCase) -> None:
        if any(ask.case is case for ask in self._asked):
            left = [ask for ask in self._asked if ask.case is not case]
            self.cancel()
            for ask in left:
                self.ask(ask)


def _again(prompting: Prompting, workspace: Workspace, ask: _Ask) -> Callable[[], None]:
    """Return what asks once more for the active case, on the processor; it holds no case."""
    segment_id, prompt, without = ask.segment_id, ask.prompt, ask.without

    def again() -> None:
        case = workspace.active
        if case is not None and prompt is not None:
            prompting.ask(_Ask(case, segment_id, prompt, device="cpu"))
        elif case is not None:
            prompting.remove(case, segment_id, without, "cpu")

    return again


def engine(workspace: Workspace, key: str) -> ModelPack | None:
    """Return the model for prompts that has this key, be it one that counted before; None where there is none."""
    if not key:
        return None
    try:
        pack = workspace.services.registry.get(key)
    except PackError:
        return None
    return pack if pack.spec.task is Task.INTERACTIVE else None


def engines(workspace: Workspace) -> list[ModelPack]:
    """Return the installed models that find objects from prompts."""
    return [pack for pack in workspace.services.registry.list() if pack.spec.task is Task.INTERACTIVE]


def held_by(segmentation: Segmentation, segment: Segment | None) -> HeldVoxels:
    """Return what a segment holds now, nothing without one."""
    found = _mask_of(segmentation, segment)
    return HeldVoxels() if found is None else HeldVoxels.of(*found)


def digest_by(segmentation: Segmentation, segment: Segment | None) -> str:
    """Return the digest of what a segment holds now."""
    found = _mask_of(segmentation, segment)
    return NOTHING.digest if found is None else HeldVoxels.digest_of(*found)


def _mask_of(segmentation: Segmentation, segment: Segment | None) -> tuple[Box, Mask] | None:
    box = None if segment is None else segmentation.box(segment)
    if segment is None or box is None:
        return None
    return box, segmentation.layer(segment.layer_id).voxels[box.slices] == segment.value


def _written(case: OpenCase, ask: _Ask, log: PromptLog, found: HeldVoxels, rules: EditRules) -> Iterator[Change | None]:
    """Yield what makes a segment hold what was found, and its log say so; a segment is made where there is none."""
    segmentation = case.labels.segmentation
    before = case.labels.prompts.get(ask.segment_id)
    if not ask.segment_id:
        made = new_segment(segmentation)
        yield SegmentChange(None, made, len(segmentation.segments))
        ask.segment_id = case.view.active_segment_id = made.segment_id
        log = replace(log, segment_id=made.segment_id)
    if rules.overlap is Overlap.REPLACE:
        # A prompt says where one object is, not that another one is wrong.
        rules = replace(rules, overlap=Overlap.KEEP)
    own = segmentation.box(segmentation.segment(ask.segment_id))
    whole = Box.union_of(filter(None, (own, found.box)))
    wanted = found.mask(whole) if whole is not None else None
    if whole is not None and wanted is not None:
        for piece in whole.pieces(PIECE_KJI):
            writer = LabelWriter(segmentation, piece, rules, case.anchor.volume)
            # Asked for anew: where segments overlap it may move to another layer.
            writer.put(segmentation.segment(ask.segment_id), wanted[piece.within(whole).slices])
            yield from writer.changes() or (None,)
    yield PromptChange(before, log.with_found(digest_by(segmentation, segmentation.segment(ask.segment_id))))
