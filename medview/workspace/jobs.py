"""Long work as values: a frozen request in, a value out, on a lane."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from medview.core.errors import CancelledError, MedViewError
from medview.core.job import Inline, JobContext
from medview.workspace.pour import Poured, at_once


class Lane(Enum):
    """Jobs on one lane run one after the other; lanes run side by side."""

    READ = "read"
    """Scanning and reading files."""
    AHEAD = "ahead"
    """Reading what the queue of models comes to next; nobody waits for it."""
    MODEL = "model"
    """The one GPU lane."""
    WRITE = "write"
    """Exports, installing models."""
    COMPUTE = "compute"
    """Arithmetic on whole volumes, on the processor."""
    EDIT = "edit"
    """What a person waits for while drawing: effects on labels."""
    LOOK = "look"
    """Thumbnails."""
    TRAIN = "train"
    """Freezing labels for a training."""
    FOLLOW = "follow"
    """Looking at what trainings do in their own processes; short, and again and again."""


class Request(Protocol):
    """Frozen description of a job.

    One that nobody waits for may have a method ``give_way()``, called where the workspace lives when another job comes to
    its lane while it is there: it is to cancel the job, and may submit it again.
    """

    @property
    def title(self) -> str:
        """What the person reads: ``Reading CT chest``."""

    @property
    def lane(self) -> Lane:
        """Where it runs."""

    def run(self, context: JobContext) -> object:
        """Do the work in a worker and return the value."""


class JobStatus(Enum):
    """Life of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(eq=False)
class Job:
    """One job as the window sees it. Changed on the GUI thread only."""

    title: str
    lane: Lane
    status: JobStatus = JobStatus.QUEUED
    fraction: float = 0.0
    text: str = ""
    error: str = ""
    started: float = 0.0
    cancel: Callable[[], None] = field(default=lambda: None)

    def remaining_seconds(self, now: float) -> float | None:
        """Estimate from the pace so far, or None while it is too early to say."""
        elapsed = now - self.started
        if self.status is not JobStatus.RUNNING or self.fraction < 0.02 or elapsed < 0.5:
            return None
        return elapsed * (1.0 - self.fraction) / self.fraction


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to do with parts and ends of a job; called where the workspace lives."""

    done: Callable[[object], None]
    partial: Callable[[object], None] = lambda _value: None
    failed: Callable[[MedViewError], None] = lambda _error: None
    cancelled: Callable[[], None] = lambda: None


class JobRunner(Protocol):
    """Starts jobs. The window runs them in threads, tests and the command line in place."""

    def submit(self, request: Request, outcome: Outcome) -> Job:
        """Queue a request on its lane."""

    def pump(self, poured: Poured) -> None:
        """Carry out what has to be done where the workspace lives, step by step."""


class InlineRunner:
    """Runs each job at once in the calling thread."""

    pump = staticmethod(at_once)

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def submit(self, request: Request, outcome: Outcome) -> Job:
        """Run the request and report its outcome before returning."""
        context = _InlineContext(outcome)
        job = Job(request.title, request.lane, JobStatus.RUNNING, started=time.monotonic(), cancel=context.cancel)
        self.jobs.append(job)
        try:
            value = request.run(context)
        except CancelledError:
            job.status = JobStatus.CANCELLED
            outcome.cancelled()
        except MedViewError as error:
            job.status, job.error = JobStatus.FAILED, error.sentence
            outcome.failed(error)
        else:
            job.status, job.fraction = JobStatus.DONE, 1.0
            outcome.done(value)
        return job


class _InlineContext(Inline):
    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self._outcome = outcome

    def partial(self, value: object) -> None:
        self._outcome.partial(value)
