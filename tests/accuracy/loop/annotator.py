"""A script in place of the person: opens cases of a project, runs the model, accepts, repairs slice by slice, says done.

All of it goes the way it goes in the window: the workspace opens the case and runs the model, proposals are accepted by
``operations.labels``, the LabelWriter makes what is repaired, the journal keeps it, and what that took is noted by MedView.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.changes import Command, MarksChange
from medview.core.effort_rate import GUESS
from medview.core.errors import MedViewError
from medview.core.marks import Marks
from medview.core.prediction import Proposal
from medview.core.reading_status import ReadingStatus
from medview.core.segmentation import Segment, SegmentStatus
from medview.core.volume import Volume
from medview.edit.rules import LabelWriter
from medview.edit.take_over import Taken, begin, take_over
from medview.io.library import Library
from medview.io.reader_pool import InlinePool
from medview.ml.packs import ModelPack
from medview.ml.registry import Registry
from medview.store.clock import SystemClock
from medview.store.project import Project
from medview.workspace.case_filter import FINISHED
from medview.workspace.events import Message, Severity
from medview.workspace.jobs import InlineRunner
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.labels import accept, add_segment, reject
from medview.workspace.operations.predict import run_model
from medview.workspace.operations.segments import set_status
from medview.workspace.services import Services
from medview.workspace.work_clock import PAUSE_S, WorkClock
from medview.workspace.workspace import Workspace
from tests.accuracy.loop.corrections import changed_voxels, corrected

Labels = npt.NDArray[np.uint8]
Ranges = Sequence[tuple[int, int]]
"""Slices (k) from, to, both included."""


class HandClock(SystemClock):
    """A clock that goes as a hand would work: by MedView's own guess of how long repairing takes."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def monotonic_s(self) -> float:
        """Return the seconds of work so far."""
        return self._now_s

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self._now_s += seconds


@dataclass(frozen=True, slots=True)
class Work:
    """What became of one case.

    Attributes
    ----------
    slices : int
        That were looked at and hold, or are to hold, anything. All else is counted on the slices that were looked at.
    proposed, changed : int
        Voxels that were taken over from the model, and voxels that were added or taken away; one that goes from one class
        to another counts in both. Of whole cases MedView's notes say the same.
    truth, left : int
        Voxels there truly are, and those that are still called something else than they are.
    """

    case_id: int
    slices: int
    proposed: int
    changed: int
    truth: int
    left: int

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class Annotator:
    """Works through cases of one project.

    Parameters
    ----------
    truth : callable
        Of the file of a case and its volume: the number of the class of each voxel.
    classes : sequence of str
        Their names, from number 1 on; those the annotator knows of.
    """

    def __init__(
        self, workspace: Workspace, project: Project, truth: Callable[[Path, Volume], Labels], classes: Sequence[str]
    ) -> None:
        self._workspace, self._project, self._truth, self._classes = workspace, project, truth, tuple(classes)
        self._clock = HandClock()
        workspace.efforts.clock = WorkClock(self._clock)
        self._said: list[Message] = []
        workspace.message.connect(self._hear)
        workspace.worklist.load()

    def correct(
        self,
        case_id: int,
        pack: ModelPack | None,
        ranges: Ranges | None = None,
        told: Callable[[Work], object] = lambda _work: None,
    ) -> None:
        """Repair what a model makes of a case, and say that it is done; a case that is done stays as it is.

        Broken off and begun again it goes on: what was accepted is not proposed again.

        Parameters
        ----------
        pack : ModelPack, optional
            None draws on what is there.
        ranges : sequence of (int, int), optional
            Only these slices are taken over, repaired and marked done; the whole case unless given.
        told : callable
            Hears what it was, before the case is done.

        Raises
        ------
        MedViewError
            When something of it cannot be done.
        """
        worklist = self._workspace.worklist
        row = worklist.row(case_id)
        assert row is not None, f"case {case_id} is not in the project"
        if row.status in FINISHED:
            return
        worklist.open(case_id)
        case = self._workspace.active
        if case is None or worklist.current is None or worklist.current.case_id != case_id or not case.editable:
            raise MedViewError(self._last_word(f"Case {case_id} does not open."))
        (file,) = self._files(case_id)
        truth = self._truth(file, case.volume)
        if pack is not None and not case.labels.efforts:
            self._propose(case, pack, ranges)
        slices = list(range(len(truth))) if ranges is None else sorted({k for a, b in ranges for k in range(a, b + 1)})
        self._repair(case, truth, slices)
        if ranges is not None:
            before = case.labels.marks
            self._do(case, Command("Mark slices done", (MarksChange(before, Marks(frozenset(slices))),), "marks"))
        named = [segment.segment_id for segment in case.labels.segmentation.segments]
        if any(segment.status is not SegmentStatus.DONE for segment in case.labels.segmentation.segments):
            set_status(case, named, SegmentStatus.DONE)
        told(self._work_of(case_id, case, truth, slices))
        if not worklist.finishing.finish():
            raise MedViewError(self._last_word(f"Case {case_id} cannot be marked done."))
        self._workspace.close_case(case.key)

    def open_again(self, case_id: int) -> None:
        """Take back that a case is done, so that more can be drawn in it."""
        worklist = self._workspace.worklist
        row = worklist.row(case_id)
        assert row is not None
        worklist.changes.set_status(row, ReadingStatus.IN_WORK)

    def _propose(self, case: OpenCase, pack: ModelPack, ranges: Ranges | None) -> None:
        """Run the model and take over what it finds; where it finds nothing there is nothing to take over."""
        for earlier in list(case.labels.proposals):
            reject(case, earlier)
        run_model(self._workspace, pack, "cpu")
        failed = [one.text for one in self._said if one.severity is Severity.ERROR]
        if failed:
            raise MedViewError(failed[-1])
        for proposal in list(case.labels.proposals.values()):
            if ranges is None:
                accept(case, proposal.proposal_id, rules=self._workspace.bench.rules)
            else:
                self._accept_slices(case, proposal, ranges)
                reject(case, proposal.proposal_id)

    def _accept_slices(self, case: OpenCase, proposal: Proposal, ranges: Ranges) -> None:
        """Take over what is proposed on some slices, as strokes of the brush that accepts do."""
        mask, source = proposal.prediction.mask, proposal.prediction.source
        if mask is None:
            return
        gesture = case.gesture("accept")
        segmentation, (_, rows, columns) = case.labels.segmentation, case.volume.geometry.shape_kji
        taken = []
        for predicted in mask.segments:
            segment, changes = begin(segmentation, predicted, source)
            gesture.apply(*changes)
            taken.append(Taken(predicted, segment))
        for first, last in ranges:
            box = Box((first, 0, 0), (last + 1, rows, columns))
            writer = LabelWriter(segmentation, box, self._workspace.bench.rules, case.anchor.volume)
            stroke = np.ones(box.shape_kji, dtype=np.bool_)
            gesture.apply(*take_over(writer, mask, stroke, taken, source))
        gesture.commit(f"Accept slices from {proposal.prediction.model_name}")

    def _work_of(self, case_id: int, case: OpenCase, truth: Labels, slices: Sequence[int]) -> Work:
        held = np.stack([self._held(case, k) for k in slices])
        first = np.zeros_like(held)
        runs = {effort.source.job_id for effort in case.labels.efforts.values()}
        masks = case.recall(runs) if runs and case.recall is not None else {}
        for mask in masks.values():
            on_grid = mask.on_grid(case.volume.geometry.shape_kji)[slices]
            for one in mask.segments:
                if one.name in self._classes:
                    first[on_grid == one.value] = 1 + self._classes.index(one.name)
        true = truth[slices]
        seen = (first != 0) | (held != 0) | (true != 0)
        return Work(
            case_id,
            int(seen.any(axis=(1, 2)).sum()),
            int(np.count_nonzero(first)),
            changed_voxels(first, held, len(self._classes)),
            int(np.count_nonzero(true)),
            int(np.count_nonzero(held != true)),
        )

    def _repair(self, case: OpenCase, truth: Labels, slices: Sequence[int]) -> None:
        segments = {n: self._segment(case, name) for n, name in enumerate(self._classes, start=1)}
        shown = [k for k in range(len(truth)) if truth[k].any() or self._held(case, k).any()]
        # Looking over a segment is looking at every slice that shows any.
        look_s = GUESS.per_segment_s * len(segments) / max(1, len(shown))
        for k in slices:
            before = self._held(case, k)
            after = corrected(before, truth[k])
            changed = int(np.count_nonzero(before != after))
            if changed:
                self._write(case, k, before, after, segments)
            if k in shown:
                self._work(look_s + GUESS.per_voxel_s * changed)

    def _write(self, case: OpenCase, k: int, before: Labels, after: Labels, segments: dict[int, Segment]) -> None:
        """Draw and erase on one slice, as one stroke."""
        rows, columns = before.shape
        box = Box((k, 0, 0), (k + 1, rows, columns))
        writer = LabelWriter(case.labels.segmentation, box, self._workspace.bench.rules, case.anchor.volume)
        for number, segment in segments.items():
            now = case.labels.segmentation.segment(segment.segment_id)
            writer.erase(now, ((before == number) & (after != number))[None])
        for number, segment in segments.items():
            now = case.labels.segmentation.segment(segment.segment_id)
            writer.add(now, ((after == number) & (before != number))[None])
        self._do(case, Command(f"Repair slice {k + 1}", tuple(writer.changes()), "brush"))

    def _held(self, case: OpenCase, k: int) -> Labels:
        """Return the numbers of the classes on a slice as it is labelled now."""
        segmentation = case.labels.segmentation
        found = np.zeros(segmentation.geometry.shape_kji[1:], dtype=np.uint8)
        for number, name in enumerate(self._classes, start=1):
            segment = self._find(case, name)
            if segment is not None:
                found[segmentation.layer(segment.layer_id).voxels[k] == segment.value] = number
        return found

    def _find(self, case: OpenCase, name: str) -> Segment | None:
        return next((one for one in case.labels.segmentation.segments if one.name == name), None)

    def _segment(self, case: OpenCase, name: str) -> Segment:
        """Return the segment of a class; one that is not there yet is added."""
        found = self._find(case, name) or add_segment(case, name)
        assert found is not None
        return found

    def _do(self, case: OpenCase, command: Command) -> None:
        if command.changes and not case.do(command):
            raise MedViewError("A change was refused.")

    def _work(self, seconds: float) -> None:
        """Let a hand work: signs of it come often enough to be no pause."""
        while seconds > 0:
            step = min(seconds, PAUSE_S / 2)
            self._clock.forward(step)
            self._workspace.efforts.sign()
            seconds -= step

    def _files(self, case_id: int) -> list[Path]:
        return [Path(path) for path in self._project.worklist.images(case_id).sources.paths]

    def _hear(self, message: Message) -> None:
        self._said.append(message)

    def _last_word(self, otherwise: str) -> str:
        return self._said[-1].text if self._said else otherwise


@contextmanager
def annotating(
    path: Path, truth: Callable[[Path, Volume], Labels], classes: Sequence[str], reader: str = ""
) -> Iterator[Annotator]:
    """Open a project for an annotator, and close it with everything written. Raises MedViewError."""
    with Project.open(path, reader=reader) as project:
        # Beside the project: nothing of this computer's own is read or written.
        nowhere = path.parent / "no-packs"
        services = Services(InlinePool(), Registry(nowhere, nowhere), project, library=Library(path.parent / "library"))
        workspace = Workspace(InlineRunner(), services)
        yield Annotator(workspace, project, truth, classes)
        for key in list(workspace.cases):
            workspace.close_case(key)
        workspace.worklist.let_go()
