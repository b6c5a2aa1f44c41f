"""Processes that parse foreign bytes, and the same face without processes."""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from medview.core.errors import MedViewError, ReadError
from medview.io import boundary, reader_process

LOG = logging.getLogger("medview.io")

FILE_TIMEOUT_S = 10.0
"""Longest a single file may take."""
START_TIMEOUT_S = 60.0
"""Longest a process may take to import what it needs, on a cold disk."""
TICK_S = 0.1
"""How often work that can be cancelled looks whether it was."""
END_TIMEOUT_S = 2.0
"""How long a killed process is waited for."""
MOST_READERS = 4
MEMORY_BYTES = 3 << 30
"""Most private memory of one reader process; the largest frame the guard lets pass needs about half."""


class Pool(Protocol):
    """Where tasks about foreign bytes run. The first argument of a task is the path it is about."""

    def start(self) -> None:
        """Get ready in the background."""

    def close(self) -> None:
        """End all processes."""

    def call(self, function: Callable[..., Any], *args: Any, timeout_s: float = FILE_TIMEOUT_S) -> Any:
        """Return what ``function(*args)`` returns; raises its MedViewError."""

    def each(
        self,
        function: Callable[..., Any],
        items: Sequence[tuple[Any, ...]],
        timeout_s: float = FILE_TIMEOUT_S,
        while_waiting: Callable[[], None] | None = None,
        pick: Callable[[], int] | None = None,
    ) -> Iterator[tuple[int, Any]]:
        """Yield (index, value or MedViewError) for each item as it is done, in any order.

        ``while_waiting`` is called every tenth of a second or between items; what it raises ends the work. ``pick`` is
        asked for the index of the next item whenever a reader is free and names each once; in order unless given.
        """


class InlinePool:
    """Runs every task in the calling thread. For the command line on trusted files, and tests."""

    def start(self) -> None:
        """Nothing to get ready."""

    def close(self) -> None:
        """Nothing to end."""

    def call(self, function: Callable[..., Any], *args: Any, timeout_s: float = FILE_TIMEOUT_S) -> Any:
        """Return what ``function(*args)`` returns; raises its MedViewError."""
        return _value(boundary.run(function, args))

    def each(
        self,
        function: Callable[..., Any],
        items: Sequence[tuple[Any, ...]],
        timeout_s: float = FILE_TIMEOUT_S,
        while_waiting: Callable[[], None] | None = None,
        pick: Callable[[], int] | None = None,
    ) -> Iterator[tuple[int, Any]]:
        """Yield (index, value or MedViewError) for each item, in order or as ``pick`` says."""
        for following in range(len(items)):
            if while_waiting is not None:
                while_waiting()
            index = following if pick is None else pick()
            yield index, boundary.run(function, items[index])


class _Reader:
    """One process and the pipe to it."""

    def __init__(self, memory_bytes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(
            target=reader_process.main, args=(theirs, memory_bytes), name="medview-reader", daemon=True
        )
        self.process.start()
        theirs.close()
        self._number = reader_process.READY
        self._timeout_s = 0.0
        self.ready = False
        self.begun = False
        """Whether the last task was taken up: a process that is gone before that was not brought down by it."""
        self.deadline = time.monotonic() + START_TIMEOUT_S
        """When the last task has to be answered; until then earlier work, or the start, may still hold the process up."""

    def send(self, function: Callable[..., Any], args: tuple[Any, ...], timeout_s: float) -> None:
        """Hand over a task. Raises OSError when the process is gone."""
        self._number += 1
        self._timeout_s = timeout_s
        self.begun = False
        self.connection.send((self._number, function, args, timeout_s))
        self.deadline = max(time.monotonic(), self.deadline) + timeout_s

    def answer(self) -> tuple[bool, Any]:
        """Return (True, outcome) once the last task is answered. Raises EOFError or OSError when the process is gone."""
        while self.connection.poll():
            number, outcome = self.connection.recv()
            self.ready = True
            if number == -self._number:
                self.begun = True
                continue
            if number == self._number:
                self.deadline = 0.0
                return True, outcome
            # The process is ready, or answers a task nobody waits for any more; its last task may begin only now.
            if number == self._number - 1:
                self.deadline = time.monotonic() + self._timeout_s
        return False, None

    def end(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.join(END_TIMEOUT_S)
        self.connection.close()
        if self.process.exitcode is not None:
            self.process.close()
        # One that hangs in the system (a dead network disk) cannot be killed; it is a daemon and ends with the program.


class ReaderPool:
    """Spawned reader processes. Any thread may call; a process that dies or hangs costs the file it had begun.

    Parameters
    ----------
    size : int, optional
        Number of processes; one per core, at most four, unless given.
    memory_bytes : int
        Most private memory of one process.
    """

    def __init__(self, size: int | None = None, memory_bytes: int = MEMORY_BYTES) -> None:
        self.size = size or max(1, min(MOST_READERS, os.cpu_count() or 1))
        self._memory_bytes = memory_bytes
        self._changed = threading.Condition()
        self._idle: list[_Reader] = []
        self._made = 0
        self._waiting: deque[object] = deque()
        self._closed = False

    def start(self) -> None:
        """Start all processes without waiting for them."""
        while (reader := self._grow()) is not None:
            self._release(reader)

    def close(self) -> None:
        """End all processes. Calls under way get a ReadError."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            self._changed.notify_all()
        for reader in idle:
            reader.end()

    def process_ids(self) -> list[int]:
        """Process ids of the readers that are idle now; for the self-test and tests."""
        with self._changed:
            return [reader.process.pid for reader in self._idle if reader.process.pid is not None]

    def call(self, function: Callable[..., Any], *args: Any, timeout_s: float = FILE_TIMEOUT_S) -> Any:
        """Run one task and return its value.

        Raises
        ------
        MedViewError
            What the task raised; ReadError when its process died, hung or ran out of memory.
        """
        for _, outcome in self.each(function, [args], timeout_s):
            return _value(outcome)
        raise ReadError("The file readers are closed.")

    def each(
        self,
        function: Callable[..., Any],
        items: Sequence[tuple[Any, ...]],
        timeout_s: float = FILE_TIMEOUT_S,
        while_waiting: Callable[[], None] | None = None,
        pick: Callable[[], int] | None = None,
    ) -> Iterator[tuple[int, Any]]:
        """Yield (index, value or MedViewError) for each item as it is done; several processes work at once.

        Others may use the pool meanwhile: readers are shared item by item. Closing the iterator drops what is left.
        ``while_waiting`` is called every tenth of a second; what it raises ends the work. ``pick`` is asked for the index
        of the next item whenever a reader is free and names each once; in order unless given.
        """
        running: dict[_Reader, int] = {}
        again: list[int] = []
        twice: set[int] = set()
        following = 0
        chosen: int | None = None
        try:
            while True:
                while following < len(items) or again or chosen is not None:
                    reader = self._acquire(block=not running, while_waiting=while_waiting)
                    if reader is None:
                        break
                    if chosen is None and again:
                        chosen = again.pop()
                    elif chosen is None:
                        chosen = following if pick is None else pick()
                        following += 1
                    try:
                        reader.send(function, items[chosen], timeout_s)
                    except OSError:
                        # It died while idle; that is not this item's fault.
                        self._release(self._replaced(reader))
                        continue
                    running[reader] = chosen
                    chosen = None
                if not running:
                    return
                if while_waiting is not None:
                    while_waiting()
                for reader, outcome in _answers(running, items, TICK_S if while_waiting else START_TIMEOUT_S):
                    index = running.pop(reader)
                    lost = isinstance(outcome, _Died) and not reader.begun and reader.deadline > time.monotonic()
                    self._release(self._replaced(reader) if isinstance(outcome, _Died) else reader)
                    if lost and index not in twice:
                        # Killed before it took the item up; a process that cannot even start dies the second time too.
                        twice.add(index)
                        again.append(index)
                        continue
                    yield index, outcome.error if isinstance(outcome, _Died) else outcome
        finally:
            for reader in running:
                # A short task may end by itself; a long one would keep the next file waiting.
                long = reader.deadline - time.monotonic() > FILE_TIMEOUT_S + TICK_S
                self._release(self._replaced(reader) if long and reader.ready else reader)

    def _acquire(self, *, block: bool, while_waiting: Callable[[], None] | None) -> _Reader | None:
        """Return a reader for one task; None when none is free and ``block`` is false. First come, first served.

        Who waits for a reader that another is using can be cancelled all the same, by what ``while_waiting`` raises.

        Raises
        ------
        ReadError
            When the pool is closed.
        """
        ticket = object()
        with self._changed:
            if not block and (self._waiting or self._closed):
                return None
            if block:
                self._waiting.append(ticket)
        try:
            while True:
                with self._changed:
                    if self._closed:
                        raise ReadError("The file readers are closed.")
                    if not block or self._waiting[0] is ticket:
                        if self._idle:
                            # The one used last has the warmest caches.
                            return self._idle.pop()
                        may_grow = self._made < self.size
                    else:
                        may_grow = False
                    if not may_grow:
                        if not block:
                            return None
                        self._changed.wait(TICK_S if while_waiting else None)
                if may_grow:
                    reader = self._grow()
                    if reader is not None:
                        return reader
                elif while_waiting is not None:
                    while_waiting()
        finally:
            if block:
                with self._changed:
                    self._waiting.remove(ticket)
                    self._changed.notify_all()

    def _grow(self) -> _Reader | None:
        with self._changed:
            if self._closed or self._made >= self.size:
                return None
            self._made += 1
        return self._spawned()

    def _replaced(self, reader: _Reader) -> _Reader:
        LOG.warning("A reader process was replaced (exit code %s)", reader.process.exitcode)
        reader.end()
        return self._spawned()

    def _spawned(self) -> _Reader:
        """Return a new process in a place that is counted already. Raises ReadError when the system refuses one."""
        try:
            return _Reader(self._memory_bytes)
        except OSError as error:
            with self._changed:
                self._made -= 1
                self._changed.notify_all()
            raise ReadError(
                "The system has no room for another process; close other programs.", detail=repr(error)
            ) from error

    def _release(self, reader: _Reader) -> None:
        with self._changed:
            if not self._closed:
                self._idle.append(reader)
                self._changed.notify_all()
                return
        reader.end()


class _Died:
    """The outcome of a task whose process has to be replaced."""

    def __init__(self, error: ReadError) -> None:
        self.error = error


def _answers(running: dict[_Reader, int], items: Sequence[tuple[Any, ...]], most_s: float) -> list[tuple[_Reader, Any]]:
    """Wait for the next answers, deaths or deadlines, ``most_s`` at most."""
    watched: list[Connection | int] = []
    for reader in running:
        watched += [reader.connection, reader.process.sentinel]
    patience = min(reader.deadline for reader in running) - time.monotonic()
    wait(watched, min(max(patience, 0.0), most_s))
    found: list[tuple[_Reader, Any]] = []
    for reader, index in running.items():
        subject = boundary.subject(items[index])
        try:
            done, outcome = reader.answer()
            if done:
                found.append((reader, outcome))
                continue
            gone = not reader.process.is_alive()
        except (EOFError, OSError):
            gone = True
        if gone:
            text = f"{subject} could not be read: it brought the reader process down."
            found.append((reader, _Died(ReadError(text, detail="reader process died"))))
        elif time.monotonic() >= reader.deadline:
            text = f"{subject} could not be read: it took too long."
            found.append((reader, _Died(ReadError(text, detail="watchdog"))))
    return found


def _value(outcome: Any) -> Any:
    if isinstance(outcome, MedViewError):
        raise outcome
    return outcome
