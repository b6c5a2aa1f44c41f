"""Asks a model about cases nobody began, one after the other, whenever nobody else asks for a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from medview.core.effort_rate import EffortRate
from medview.core.errors import DeviceError, MedViewError
from medview.core.job import JobContext
from medview.core.language import _
from medview.ml.next_cases.case_scores import CaseScores
from medview.ml.next_cases.strategy import Strategy
from medview.ml.packs import ModelPack
from medview.ml.registry import Registry
from medview.store.case_images import CaseImages
from medview.store.project import Project
from medview.workspace.jobs import Job, JobStatus, Lane, Outcome
from medview.workspace.model_line import ModelLines
from medview.workspace.next_cases.batch import Candidates, NextCase, candidates, next_cases
from medview.workspace.next_cases.models import usable
from medview.workspace.next_cases.project_next import rate_of
from medview.workspace.next_cases.scoring import ScoreCase
from medview.workspace.next_cases.shelf import ScoreShelf
from medview.workspace.next_cases.state import COUNT, SHOWN, NextCases
from medview.workspace.workspace import Workspace

Batches = Mapping[Strategy, tuple[NextCase, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Value: what a project knows before anything is looked at."""

    packs: tuple[ModelPack, ...]
    pack: ModelPack | None
    images: tuple[CaseImages, ...]
    rate: EffortRate
    shelf: ScoreShelf | None
    scores: dict[int, CaseScores]


@dataclass(frozen=True, slots=True, eq=False)
class ReadKnown:
    """Request: the models there are, what one of them made of cases before, and how long work takes."""

    project: Project
    registry: Registry
    digest: str

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Looking up what to label next")

    @property
    def lane(self) -> Lane:
        """Beside what a person does."""
        return Lane.COMPUTE

    def run(self, context: JobContext) -> Known:
        """Read in a worker."""
        packs = usable((*ModelLines(self.project).packs(), *self.registry.list()))
        images = tuple(self.project.images())
        modalities = {row.sources.modality for row in images}
        asked = [pack for pack in packs if pack.digest == self.digest] or _fitting(packs, modalities) or list(packs)
        rate = rate_of(self.project.cases(), self.project)
        if not asked:
            return Known(packs, None, images, rate, None, {})
        shelf, scores = ScoreShelf(self.project.path, asked[0].digest), dict[int, CaseScores]()
        for row in images:
            context.raise_if_cancelled()
            if (known := shelf.get(row)) is not None:
                scores[row.case_id] = known
        return Known(packs, asked[0], images, rate, shelf, scores)


@dataclass(frozen=True, slots=True, eq=False)
class ProposeNext:
    """Request: both batches, of the cases with scores."""

    found: Candidates
    scores: Mapping[int, CaseScores]
    seed: int
    rate: EffortRate

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Choosing what to label next")

    @property
    def lane(self) -> Lane:
        """Arithmetic."""
        return Lane.COMPUTE

    def run(self, _context: JobContext) -> Batches:
        """Choose in a worker."""
        return {one: next_cases(self.found, self.scores, COUNT, one, self.seed, self.rate) for one in SHOWN}


class CaseScorer:
    """One case at a time is in memory. Gives way to whoever asks for a model, and to the queue of models."""

    def __init__(self, workspace: Workspace, state: NextCases) -> None:
        self._workspace, self._state = workspace, state
        self._known: Known | None = None
        self._job: Job | None = None
        self._round = 0
        """Of asking one model in one project: what an earlier one brings is dropped."""
        self._gave_way = self._choosing = self._again = False
        workspace.queue.changed.connect(self.go_on)

    def load(self, digest: str) -> None:
        """Read what a model made of cases before; of the project's own where none is named."""
        services = self._workspace.services
        if services.project is None:
            return
        self._round += 1
        self.stop()
        now = self._round

        def done(value: object) -> None:
            if now == self._round and isinstance(value, Known):
                self._on_known(value)

        def failed(error: MedViewError) -> None:
            if now == self._round:
                self._state.not_known(error.sentence)
                self._workspace.report(error)

        def cancelled() -> None:
            if now == self._round:
                self._state.not_known(_("That was cancelled."))

        request = ReadKnown(services.project, services.registry, digest)
        self._workspace.runner.submit(request, Outcome(done, failed=failed, cancelled=cancelled))

    def go_on(self) -> None:
        """Look at the next case, unless one is looked at or a hand is painting."""
        if not self._state.looking or self._job is not None:
            return
        case = self._workspace.active
        if case is None:
            self._look()
        else:
            case.after_gesture(self._look)

    def stop(self) -> None:
        """Stop looking at the case that is looked at."""
        if self._job is not None:
            self._job.cancel()

    def propose(self) -> None:
        """Choose again among the cases with scores, unless a hand is painting: then right after it."""
        case = self._workspace.active
        if case is None:
            self._propose()
        else:
            case.after_gesture(self._propose)

    def _propose(self) -> None:
        """Choose now, or once what is being chosen is."""
        known = self._known
        if known is None:
            return
        if self._choosing:
            self._again = True
            return
        found = candidates(self._workspace.worklist.rows)
        self._count(found)
        self._choosing, now = True, self._round

        def done(value: object) -> None:
            self._chosen()
            if now == self._round and isinstance(value, dict):
                self._state.batches = value
                self._state.changed.emit()

        def failed(error: MedViewError) -> None:
            self._chosen()
            self._workspace.report(error)

        request = ProposeNext(found, dict(known.scores), self._state.seed, known.rate)
        self._workspace.runner.submit(request, Outcome(done, failed=failed, cancelled=self._chosen))

    def let_go(self) -> None:
        """Forget the project."""
        self._round += 1
        self._known = None
        self._again = False
        self.stop()

    def _chosen(self) -> None:
        self._choosing = False
        if self._again:
            self._again = False
            self.propose()

    def _on_known(self, known: Known) -> None:
        state = self._state
        self._known = known
        state.packs, state.pack, state.rate = known.packs, known.pack, known.rate
        state.failed, state.batches = {}, {}
        state.known, state.problem = True, ""
        state.changed.emit()
        self.propose()
        self.go_on()

    def _count(self, found: Candidates) -> None:
        known, state = self._known, self._state
        if known is None:
            return
        free = {row.case_id for row in found.free}
        state.total = len(free)
        state.looked = len(free & (known.scores.keys() | state.failed.keys()))
        state.held_out = len(found.held_out)

    def _look(self) -> None:
        known, state = self._known, self._state
        waiting = self._workspace.queue.queue
        if not state.looking or self._job is not None or known is None or known.pack is None or known.shelf is None:
            return
        if waiting.open and not waiting.paused:
            # What somebody asked for comes first; the queue tells when it is through.
            return
        row = self._following(known)
        if row is None:
            state.looking = False
            state.changed.emit()
            return
        now, services = self._round, self._workspace.services
        self._gave_way = False

        def over() -> bool:
            self._job = None
            if now != self._round:
                # Another model is asked meanwhile, or in another project.
                self.go_on()
            return now == self._round

        def done(value: object) -> None:
            if over() and isinstance(value, CaseScores):
                known.scores[row.case_id] = value
                self.propose()
                self.go_on()

        def failed(error: MedViewError) -> None:
            if not over():
                return
            if isinstance(error, DeviceError):
                # The next case would end the same way.
                state.looking = False
                self._workspace.report(error)
            state.failed[row.case_id] = error.sentence
            self.propose()
            self.go_on()

        def cancelled() -> None:
            if over():
                state.looking &= self._gave_way
                state.changed.emit()
                self.go_on()

        request = ScoreCase(
            known.pack,
            row,
            known.images,
            known.shelf,
            services.pool,
            state.looked + 1,
            state.total,
            self._give_way,
            services.library,
        )
        job = self._workspace.runner.submit(request, Outcome(done, failed=failed, cancelled=cancelled))
        if job.status in (JobStatus.QUEUED, JobStatus.RUNNING):
            self._job = job

    def _give_way(self) -> None:
        """A person asks for a model: what was begun is begun anew behind it."""
        self._gave_way = True
        self.stop()

    def _following(self, known: Known) -> CaseImages | None:
        """Return the next case without scores, in an order of chance: those looked at first speak for the others."""
        found = candidates(self._workspace.worklist.rows)
        self._count(found)
        free = {row.case_id for row in found.free} - known.scores.keys() - self._state.failed.keys()
        left = [row for row in known.images if row.case_id in free]
        if not left:
            return None
        order = np.random.default_rng(0).permutation(max(row.case_id for row in known.images) + 1)
        return min(left, key=lambda row: int(order[row.case_id]))


def _fitting(packs: Sequence[ModelPack], modalities: set[str]) -> list[ModelPack]:
    """Return the models that are for the images of a project, as far as their modality says."""
    return [pack for pack in packs if modalities & {m for c in pack.spec.input.channels for m in c.modality}]
