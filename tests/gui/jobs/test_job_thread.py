"""Jobs in real threads."""

from __future__ import annotations

import gc
import logging
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from medview.core.errors import MedViewError, ReadError
from medview.core.job import JobContext
from medview.gui.jobs.job_thread import JobThreads
from medview.workspace.jobs import Job, JobStatus, Lane, Outcome
from tests.helpers.timing import allowed_s, typical_of


@dataclass(frozen=True)
class Work:
    """A request that does what a test wants."""

    do: Callable[[JobContext], object]
    title: str = "Counting"
    lane: Lane = Lane.READ

    def run(self, context: JobContext) -> object:
        return self.do(context)


@dataclass
class Record:
    """What an outcome was told, and in which thread."""

    done: list[object] = field(default_factory=list)
    parts: list[object] = field(default_factory=list)
    errors: list[MedViewError] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)

    def outcome(self) -> Outcome:
        def into(target: list[object]) -> Callable[[object], None]:
            def put(value: object) -> None:
                self.threads.add(threading.get_ident())
                target.append(value)

            return put

        return Outcome(into(self.done), into(self.parts), into(self.errors))  # type: ignore[arg-type]


def test_jobs_of_one_lane_run_in_the_order_they_were_asked_for(threads: JobThreads, qtbot: QtBot) -> None:
    record, order = Record(), []
    for n in range(20):
        threads.submit(Work(lambda _context, n=n: order.append(n) or n), record.outcome())
    qtbot.waitUntil(lambda: len(record.done) == 20)
    assert order == list(range(20))
    assert record.done == list(range(20))
    assert threads.jobs == []


def test_work_is_done_outside_the_gui_thread_and_told_inside_it(threads: JobThreads, qtbot: QtBot) -> None:
    record, workers = Record(), []

    def work(context: JobContext) -> int:
        workers.append(threading.get_ident())
        context.progress(0.5, "half")
        context.partial("part")
        return 1

    def fail(context: JobContext) -> int:
        raise ReadError("The file scan.dcm ends early; ask for it again.")

    threads.submit(Work(work), record.outcome())
    threads.submit(Work(work, lane=Lane.MODEL), record.outcome())
    threads.submit(Work(fail), record.outcome())
    qtbot.waitUntil(lambda: len(record.done) == 2 and len(record.errors) == 1)
    assert record.threads == {threading.get_ident()}
    assert len(set(workers)) == 2
    assert threading.get_ident() not in workers


def test_lanes_do_not_wait_for_each_other(threads: JobThreads, qtbot: QtBot) -> None:
    gate, record = threading.Event(), Record()
    threads.submit(Work(lambda _context: gate.wait(5), lane=Lane.MODEL), record.outcome())
    threads.submit(Work(lambda _context: "read", lane=Lane.READ), record.outcome())
    qtbot.waitUntil(lambda: record.done == ["read"])
    gate.set()
    qtbot.waitUntil(lambda: record.done == ["read", True])


def test_parts_arrive_in_order_before_the_value(threads: JobThreads, qtbot: QtBot) -> None:
    told: list[object] = []

    def work(context: JobContext) -> str:
        for n in range(400):
            context.partial(n)
        return "whole"

    threads.submit(Work(work), Outcome(told.append, told.append))
    qtbot.waitUntil(lambda: "whole" in told)
    assert told == [*range(400), "whole"]


def test_a_flood_of_parts_comes_in_few_deliveries(threads: JobThreads, qtbot: QtBot) -> None:
    parts: list[object] = []
    deliveries: list[int] = []
    threads.jobs_changed.connect(lambda: deliveries.append(len(parts)))

    def work(context: JobContext) -> None:
        for n in range(400):
            context.partial(n)

    job = threads.submit(Work(work), Outcome(lambda _value: None, parts.append))
    qtbot.waitUntil(lambda: job.status is JobStatus.DONE)
    assert len(parts) == 400
    assert len(deliveries) < 40


def test_progress_is_seen_on_the_job_and_only_the_newest_counts(threads: JobThreads, qtbot: QtBot) -> None:
    gate = threading.Event()

    def work(context: JobContext) -> None:
        for n in range(100):
            context.progress(n / 200, f"slice {n}")
        gate.wait(5)

    job = threads.submit(Work(work), Outcome(lambda _value: None))
    qtbot.waitUntil(lambda: job.text == "slice 99")
    assert job.status is JobStatus.RUNNING
    assert job.fraction == pytest.approx(99 / 200)
    gate.set()
    qtbot.waitUntil(lambda: job.status is JobStatus.DONE)
    assert job.fraction == 1.0


def test_a_running_job_stops_when_cancelled_and_tells_nothing(threads: JobThreads, qtbot: QtBot) -> None:
    record, running = Record(), threading.Event()

    def work(context: JobContext) -> None:
        running.set()
        while True:
            context.raise_if_cancelled()

    def seconds_to_stop() -> float:
        running.clear()
        job = threads.submit(Work(work), record.outcome())
        qtbot.waitUntil(running.is_set)
        start = time.monotonic()
        job.cancel()
        qtbot.waitUntil(lambda: job.status is JobStatus.CANCELLED)
        return time.monotonic() - start

    assert typical_of(seconds_to_stop) < allowed_s(0.2)
    assert record == Record()


def test_a_queued_job_that_is_cancelled_never_runs(threads: JobThreads, qtbot: QtBot) -> None:
    gate, ran = threading.Event(), []
    first = threads.submit(Work(lambda _context: gate.wait(5)), Outcome(lambda _value: None))
    second = threads.submit(Work(lambda _context: ran.append(2)), Outcome(lambda _value: None))
    second.cancel()
    assert second.status is JobStatus.CANCELLED
    gate.set()
    qtbot.waitUntil(lambda: first.status is JobStatus.DONE)
    third = threads.submit(Work(lambda _context: ran.append(3)), Outcome(lambda _value: None))
    qtbot.waitUntil(lambda: third.status is JobStatus.DONE)
    assert ran == [3]


def test_a_value_that_comes_after_cancel_is_dropped(threads: JobThreads, qtbot: QtBot) -> None:
    gate, running, record = threading.Event(), threading.Event(), Record()

    def stubborn(_context: JobContext) -> str:
        running.set()
        gate.wait(5)
        return "late"

    job = threads.submit(Work(stubborn), record.outcome())
    qtbot.waitUntil(running.is_set)
    job.cancel()
    gate.set()
    qtbot.waitUntil(lambda: job.status is JobStatus.CANCELLED)
    assert record.done == []


def test_a_failure_is_its_own_sentence(threads: JobThreads, qtbot: QtBot) -> None:
    record = Record()

    def fail(_context: JobContext) -> None:
        raise ReadError("The file scan.dcm ends early; ask for it again.", detail="EOF at 100")

    job = threads.submit(Work(fail), record.outcome())
    qtbot.waitUntil(lambda: job.status is JobStatus.FAILED)
    assert job.error == "The file scan.dcm ends early; ask for it again."
    assert [e.sentence for e in record.errors] == [job.error]


def test_an_unexpected_failure_is_one_sentence_with_the_traceback_in_the_log(
    threads: JobThreads, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    record = Record()
    with caplog.at_level(logging.ERROR, "medview.jobs"):
        job = threads.submit(Work(lambda _context: 1 // 0, title="Reading CT chest"), record.outcome())
        qtbot.waitUntil(lambda: job.status is JobStatus.FAILED)
    assert job.error == "Reading CT chest failed unexpectedly; details are in the log."
    assert "ZeroDivisionError" in caplog.text
    after = threads.submit(Work(lambda _context: "alive"), record.outcome())
    qtbot.waitUntil(lambda: after.status is JobStatus.DONE)


def test_an_idle_lane_does_not_keep_the_last_request_alive(threads: JobThreads, qtbot: QtBot) -> None:
    class Volume:
        def read(self, _context: JobContext) -> None:
            """Do nothing."""

    volume = Volume()
    gone = weakref.ref(volume)
    job = threads.submit(Work(volume.read), Outcome(lambda _value: None))
    del volume
    qtbot.waitUntil(lambda: job.status is JobStatus.DONE)
    qtbot.waitUntil(lambda: gc.collect() >= 0 and gone() is None)


def test_close_cancels_and_leaves_no_thread(qtbot: QtBot) -> None:
    runner, record, running = JobThreads(), Record(), threading.Event()

    def work(context: JobContext) -> None:
        running.set()
        while True:
            context.raise_if_cancelled()

    runner.submit(Work(work), record.outcome())
    waiting = runner.submit(Work(lambda _context: 1), record.outcome())
    lane = runner._lanes[Lane.READ]
    qtbot.waitUntil(running.is_set)
    runner.close()
    assert lane.isFinished()
    assert record == Record()
    assert runner.submit(Work(lambda _context: 1), record.outcome()).status is JobStatus.CANCELLED
    assert isinstance(waiting, Job)


def test_the_window_does_not_stall_while_a_job_computes(threads: JobThreads, qtbot: QtBot) -> None:
    """Heartbeat of a 5 ms timer while numpy and Python compute in a lane."""

    def work(context: JobContext) -> float:
        total, noise = 0.0, np.random.default_rng(3).normal(size=(96, 96, 96)).astype(np.float32)
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            total += float(np.sort(noise.ravel())[5]) + sum(range(20_000))
            context.progress(0.5, "sorting")
        return total

    def longest_gap_s() -> float:
        beats: list[float] = []
        timer = QTimer()
        timer.setInterval(5)
        timer.timeout.connect(lambda: beats.append(time.monotonic()))
        timer.start()
        job = threads.submit(Work(work), Outcome(lambda _value: None))
        qtbot.waitUntil(lambda: job.status is JobStatus.DONE)
        timer.stop()
        assert len(beats) > 40
        return float(np.diff(beats).max())

    assert typical_of(longest_gap_s) < allowed_s(0.05)


@dataclass(frozen=True)
class Patient(Work):
    """A request nobody waits for."""

    give_way: Callable[[], None] = lambda: None


def test_what_nobody_waits_for_is_asked_to_give_way_on_its_own_lane_and_only_to_what_somebody_may_wait_for(
    threads: JobThreads, qtbot: QtBot
) -> None:
    going, asked, order = threading.Event(), list[str](), list[str]()

    def long(context: JobContext) -> None:
        going.set()
        while True:
            context.raise_if_cancelled()
            threading.Event().wait(0.001)

    def begin(name: str, work: Callable[[JobContext], object]) -> None:
        jobs: list[Job] = []

        def give_way() -> None:
            asked.append(name)
            jobs[0].cancel()

        def again() -> None:
            order.append(f"{name} gave way")
            begin(f"{name} again", lambda _context: order.append(f"{name} again"))

        jobs.append(
            threads.submit(Patient(work, lane=Lane.MODEL, give_way=give_way), Outcome(order.append, cancelled=again))
        )

    begin("first", long)
    qtbot.waitUntil(going.is_set)
    threads.submit(Patient(lambda _context: None, lane=Lane.MODEL), Outcome(lambda _value: None))
    threads.submit(Work(lambda _context: None, lane=Lane.READ), Outcome(lambda _value: None))
    assert asked == []
    threads.submit(Work(lambda _context: order.append("somebody's"), lane=Lane.MODEL), Outcome(lambda _value: None))
    qtbot.waitUntil(lambda: not threads.jobs)
    assert asked == ["first"]
    assert order.index("somebody's") < order.index("first again")
    assert "first gave way" in order


def test_a_listener_that_fails_costs_no_other_job_its_result(
    threads: JobThreads, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[type[BaseException]] = []
    monkeypatch.setattr("sys.excepthook", lambda kind, _error, _trace: seen.append(kind))

    def fails(_value: object) -> None:
        raise LookupError("nobody expected this")

    record, go = Record(), threading.Event()
    first = threads.submit(Work(lambda _context: go.wait(30.0)), Outcome(fails))
    jobs = [threads.submit(Work(lambda _context, n=n: n, lane=Lane.COMPUTE), record.outcome()) for n in range(3)]
    go.set()
    qtbot.waitUntil(lambda: not threads.jobs)
    assert seen == [LookupError]
    assert first.status is JobStatus.DONE
    assert [job.status for job in jobs] == [JobStatus.DONE] * 3
    assert record.done == [0, 1, 2]
