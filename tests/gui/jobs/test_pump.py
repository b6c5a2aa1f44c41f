"""Long work on the GUI thread itself."""

from __future__ import annotations

import time

from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from medview.gui.jobs.job_thread import JobThreads


class Slow:
    """Takes a number of steps of some milliseconds each."""

    title = "Accept organs"

    def __init__(self, steps: int, seconds: float = 0.003) -> None:
        self.left = self.steps = steps
        self.seconds = seconds
        self.aborted = False

    @property
    def fraction(self) -> float:
        return 1.0 - self.left / self.steps

    def step(self) -> bool:
        if self.aborted:
            return True
        end = time.perf_counter() + self.seconds
        while time.perf_counter() < end:
            pass
        self.left -= 1
        return self.left == 0

    def abort(self) -> None:
        self.aborted = True


def test_the_window_breathes_between_the_steps(threads: JobThreads, qtbot: QtBot) -> None:
    work, beats = Slow(60), []
    clock = QTimer()
    clock.timeout.connect(lambda: beats.append(work.left))
    clock.start(5)
    threads.pump(work)
    qtbot.waitUntil(lambda: work.left == 0)
    clock.stop()
    # Timers of the window ran all along: no stretch of ten steps went by without one.
    assert len({left // 10 for left in beats}) >= 6


def test_what_is_over_at_once_never_shows_among_the_jobs(threads: JobThreads) -> None:
    told: list[int] = []
    threads.jobs_changed.connect(lambda: told.append(len(threads.jobs)))
    work = Slow(1)
    threads.pump(work)
    assert work.left == 0
    assert told == []


def test_what_takes_long_shows_how_far_it_is_and_can_be_cancelled(threads: JobThreads, qtbot: QtBot) -> None:
    work = Slow(100_000)
    threads.pump(work)
    qtbot.waitUntil(lambda: bool(threads.jobs))
    assert threads.jobs[0].title == "Accept organs"
    qtbot.waitUntil(lambda: threads.jobs[0].fraction > 0.0)
    threads.jobs[0].cancel()
    qtbot.waitUntil(lambda: not threads.jobs)
    assert work.aborted


def test_closing_finishes_what_was_begun(threads: JobThreads) -> None:
    work = Slow(5)
    threads.pump(work)
    assert work.left > 0
    threads.close()
    assert work.left == 0
