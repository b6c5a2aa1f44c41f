from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from medview.core.job import JobContext
from medview.gui.jobs.garbage import GarbageInWindow
from medview.gui.jobs.job_thread import JobThreads
from medview.workspace.jobs import JobStatus, Outcome
from tests.gui.jobs.test_job_thread import Work


@pytest.fixture
def garbage(qtbot: QtBot) -> Iterator[GarbageInWindow]:
    collector = GarbageInWindow()
    yield collector
    collector.stop()
    assert gc.isenabled()


class Piece:
    """Stands for a piece of the window: it notes which thread takes it apart."""

    taken_apart_in: list[str]

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        self.taken_apart_in.append(threading.current_thread().name)


def busy(_context: JobContext) -> int:
    """Allocate far more than any threshold of the collector."""
    return sum(len([[n] for n in range(1000)]) for _ in range(200))


def test_pieces_of_the_window_are_taken_apart_in_its_own_thread(qtbot: QtBot, garbage: GarbageInWindow) -> None:
    names: list[str] = []
    Piece.taken_apart_in = names
    threads = JobThreads()
    try:
        for _ in range(500):
            Piece()
        job = threads.submit(Work(busy), Outcome(lambda _value: None))
        qtbot.waitUntil(lambda: job.status is JobStatus.DONE)
        assert names == []
        kept = [[n] for n in range(3000)]
        garbage.look()
        assert len(kept) == 3000
        assert names == [threading.current_thread().name] * 500
    finally:
        threads.close()


def test_the_oldest_are_looked_through_too(garbage: GarbageInWindow) -> None:
    names: list[str] = []
    Piece.taken_apart_in = names
    piece = Piece()
    gc.collect()
    del piece
    kept = []
    for _ in range(250):
        kept.append([[n] for n in range(2500)])
        garbage.look()
        if names:
            break
    assert names == [threading.current_thread().name]
