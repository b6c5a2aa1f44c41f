"""Jobs in threads: one QThread per lane; everything comes back on the GUI thread."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue

from PySide6.QtCore import QObject, Qt, QThread, QTimer, Signal, Slot

from medview.core.errors import CancelledError, MedViewError
from medview.core.language import _
from medview.gui.jobs.pump import Pump
from medview.workspace.jobs import Job, JobStatus, Lane, Outcome, Request
from medview.workspace.pour import Poured

LOG = logging.getLogger("medview.jobs")

_DELIVERY_INTERVAL_MS = 16
"""Reports are delivered at most once a frame: four hundred slices that arrive at once are a few deliveries."""

_DELIVERY_BUDGET_S = 0.008
"""Longest time one delivery keeps the GUI thread; the rest waits for the next frame."""

_OVER = (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)


class JobThreads(QObject):
    """The JobRunner of the window.

    Requests of one lane run one after the other in that lane's thread, first in first out. Outcomes are called on the
    thread this object lives in, and only there: workers leave reports in a mailbox and ring, and a slot of this object,
    reached by a queued connection, empties it. (A signal connected to a plain function would run it in the worker.)

    Attributes
    ----------
    jobs : list of Job
        Queued and running, oldest first.
    """

    jobs_changed = Signal()
    """A job came, went or moved on."""
    _rang = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.jobs: list[Job] = []
        self._tickets: dict[Job, _Ticket] = {}
        self._lanes: dict[Lane, _LaneThread] = {}
        self._mailbox = _Mailbox(self._rang.emit)
        self._rang.connect(self._on_ring, Qt.ConnectionType.QueuedConnection)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._deliver)
        self._last_delivery = 0.0
        self._closed = False
        self._pump = Pump(self.jobs, self.jobs_changed.emit, self)

    def submit(self, request: Request, outcome: Outcome) -> Job:
        """Queue a request on its lane and return at once."""
        job = Job(request.title, request.lane)
        if self._closed:
            job.status = JobStatus.CANCELLED
            return job
        ticket = _Ticket(job, request, outcome, self._mailbox)
        job.cancel = lambda: self._cancel(ticket)
        self.jobs.append(job)
        self._tickets[job] = ticket
        self._lane(request.lane).queue.put(ticket)
        self._clear_the_way(ticket)
        self.jobs_changed.emit()
        return job

    def pump(self, poured: Poured) -> None:
        """Carry out what has to be done on this thread, a few milliseconds at a time."""
        self._pump.take(poured)

    def close(self) -> None:
        """Cancel everything and wait until the threads have ended. Nothing is delivered afterwards."""
        self._closed = True
        self._timer.stop()
        self._pump.close()
        for ticket in self._tickets.values():
            ticket.cancelled.set()
        for lane in self._lanes.values():
            lane.queue.put(None)
        for lane in self._lanes.values():
            lane.wait()
        self._lanes.clear()
        self._tickets.clear()
        self.jobs.clear()
        self._mailbox.empty()

    def _lane(self, lane: Lane) -> _LaneThread:
        if lane not in self._lanes:
            self._lanes[lane] = _LaneThread(lane)
            self._lanes[lane].start(QThread.Priority.LowPriority)
        return self._lanes[lane]

    def _clear_the_way(self, ticket: _Ticket) -> None:
        """Let jobs of the same lane that nobody waits for give way to one that somebody may."""
        if hasattr(ticket.request, "give_way"):
            return
        for other in list(self._tickets.values()):
            give_way = getattr(other.request, "give_way", None)
            if give_way is not None and other.job.lane is ticket.job.lane:
                give_way()

    def _cancel(self, ticket: _Ticket) -> None:
        ticket.cancelled.set()
        if ticket.job.status is JobStatus.QUEUED:
            self.ended(ticket, JobStatus.CANCELLED)
        else:
            ticket.job.text = _("Cancelling")
            self.jobs_changed.emit()

    @Slot()
    def _on_ring(self) -> None:
        if self._closed or self._timer.isActive():
            return
        since_ms = (time.monotonic() - self._last_delivery) * 1000.0
        if since_ms >= _DELIVERY_INTERVAL_MS:
            self._deliver()
        else:
            self._timer.start(max(1, round(_DELIVERY_INTERVAL_MS - since_ms)))

    @Slot()
    def _deliver(self) -> None:
        start = time.monotonic()
        reports = self._mailbox.empty()
        while reports and not self._closed:
            report = reports.popleft()
            if report.ticket.job.status not in _OVER:
                try:
                    report.tell(self)
                except Exception:  # noqa: BLE001 - whoever listens may fail in any way; reports of other jobs are still due
                    sys.excepthook(*sys.exc_info())
            if time.monotonic() - start > _DELIVERY_BUDGET_S:
                break
        self._last_delivery = time.monotonic()
        if self._closed:
            return
        if reports:
            self._mailbox.give_back(reports)
            self._timer.start(1)
        self.jobs_changed.emit()

    def ended(self, ticket: _Ticket, status: JobStatus) -> None:
        """Take a job off the list."""
        job = ticket.job
        job.status = status
        job.cancel = _nothing
        self.jobs.remove(job)
        del self._tickets[job]
        self.jobs_changed.emit()
        if status is JobStatus.CANCELLED:
            ticket.outcome.cancelled()


def _nothing() -> None:
    """Cancel a job that is already over."""


@dataclass(eq=False)
class _Ticket:
    """One request on its way through a lane; the JobContext its work sees. Its methods are called in the worker."""

    job: Job
    request: Request
    outcome: Outcome
    mailbox: _Mailbox
    cancelled: threading.Event = field(default_factory=threading.Event)

    def progress(self, fraction: float, text: str) -> None:
        self.mailbox.post(_Progress(self, fraction, text))

    def partial(self, value: object) -> None:
        self.mailbox.post(_Part(self, value))

    def raise_if_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise CancelledError

    def work(self) -> None:
        """Run the request and post how it ended."""
        self.mailbox.post(_Start(self))
        try:
            self.raise_if_cancelled()
            value = self.request.run(self)
        except CancelledError as error:
            self.mailbox.post(_Failure(self, error))
        except MedViewError as error:
            LOG.warning("%s: %s %s", type(self.request).__name__, type(error).__name__, error.detail)
            self.mailbox.post(_Failure(self, error))
        except MemoryError:
            LOG.exception("%s ran out of memory", type(self.request).__name__)
            sentence = _("{title} needs more memory than is free; close other series or programs and try again.").format(
                title=self.job.title
            )
            self.mailbox.post(_Failure(self, MedViewError(sentence)))
        except Exception:  # whatever went wrong must become one sentence and leave the thread alive
            LOG.exception("%s failed unexpectedly", type(self.request).__name__)
            sentence = _("{title} failed unexpectedly; details are in the log.").format(title=self.job.title)
            self.mailbox.post(_Failure(self, MedViewError(sentence)))
        else:
            self.mailbox.post(_Value(self, value))


@dataclass(frozen=True, slots=True, eq=False)
class _Start:
    ticket: _Ticket

    def tell(self, _runner: JobThreads) -> None:
        self.ticket.job.status, self.ticket.job.started = JobStatus.RUNNING, time.monotonic()


@dataclass(frozen=True, slots=True, eq=False)
class _Progress:
    ticket: _Ticket
    fraction: float
    text: str

    def tell(self, _runner: JobThreads) -> None:
        if not self.ticket.cancelled.is_set():
            self.ticket.job.fraction, self.ticket.job.text = min(1.0, max(0.0, self.fraction)), self.text


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    ticket: _Ticket
    value: object

    def tell(self, _runner: JobThreads) -> None:
        if not self.ticket.cancelled.is_set():
            self.ticket.outcome.partial(self.value)


@dataclass(frozen=True, slots=True, eq=False)
class _Value:
    ticket: _Ticket
    value: object

    def tell(self, runner: JobThreads) -> None:
        if self.ticket.cancelled.is_set():
            runner.ended(self.ticket, JobStatus.CANCELLED)
            return
        self.ticket.job.fraction = 1.0
        runner.ended(self.ticket, JobStatus.DONE)
        self.ticket.outcome.done(self.value)


@dataclass(frozen=True, slots=True, eq=False)
class _Failure:
    ticket: _Ticket
    error: MedViewError

    def tell(self, runner: JobThreads) -> None:
        if self.ticket.cancelled.is_set():
            runner.ended(self.ticket, JobStatus.CANCELLED)
            return
        self.ticket.job.error = self.error.sentence
        runner.ended(self.ticket, JobStatus.FAILED)
        self.ticket.outcome.failed(self.error)


_Report = _Start | _Progress | _Part | _Value | _Failure


class _Mailbox:
    """Reports of all lanes in the order they were made. Of progress that follows progress only the newest is kept."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._reports: deque[_Report] = deque()
        self._ring = ring

    def post(self, report: _Report) -> None:
        with self._lock:
            first = not self._reports
            last = self._reports[-1] if self._reports else None
            if isinstance(report, _Progress) and isinstance(last, _Progress) and last.ticket is report.ticket:
                self._reports[-1] = report
            else:
                self._reports.append(report)
        if first:
            self._ring()

    def empty(self) -> deque[_Report]:
        """Take everything out."""
        with self._lock:
            taken, self._reports = self._reports, deque()
        return taken

    def give_back(self, reports: deque[_Report]) -> None:
        """Put reports that were not delivered back in front."""
        with self._lock:
            self._reports.extendleft(reversed(reports))


class _LaneThread(QThread):
    """Runs the tickets of one lane, one after the other."""

    def __init__(self, lane: Lane) -> None:
        super().__init__()
        self.setObjectName(f"medview-{lane.value}")
        self.queue: SimpleQueue[_Ticket | None] = SimpleQueue()

    def run(self) -> None:
        """Work until None comes."""
        while self._work(self.queue.get()):
            pass

    def _work(self, ticket: _Ticket | None) -> bool:
        # A method of its own, so that an idle lane does not keep the last request and its volume alive.
        if ticket is None:
            return False
        if not ticket.cancelled.is_set():
            ticket.work()
        elif ticket.job.status is not JobStatus.CANCELLED:
            ticket.mailbox.post(_Failure(ticket, CancelledError()))
        return True
