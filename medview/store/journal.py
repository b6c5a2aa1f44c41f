"""The writer thread: every gesture one row, on disk before it is called saved."""

from __future__ import annotations

import atexit
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from psygnal import EmitLoopError, Signal

from medview.core.errors import DiskFullError, MedViewError, StoreError
from medview.store.ballast import Reserve
from medview.store.blobs import BlobStore
from medview.store.clock import Clock, SystemClock, iso
from medview.store.database import Database
from medview.store.entry import Entry, SavedKind, SavedState
from medview.store.faults import explain
from medview.store.heads import Heads
from medview.store.row_writer import Gesture, RowWriter
from medview.store.undo_stacks import UndoStacks

RETRY_S = 2.0
"""Rows that could not be written are tried again this often."""

log = logging.getLogger("medview.store")


@dataclass(eq=False, slots=True)
class Ticket:
    """One appended gesture.

    Attributes
    ----------
    seq : int
        Its row number within the case.
    """

    reading_id: int
    seq: int
    _saved: threading.Event = field(default_factory=threading.Event)

    @property
    def saved(self) -> bool:
        """Whether the row is on disk."""
        return self._saved.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Wait until the row is on disk; False when it is not in time. Not for the window's thread."""
        return self._saved.wait(timeout_s)

    def mark_saved(self) -> None:
        """For the writer: the row is on disk."""
        self._saved.set()


@dataclass(frozen=True, slots=True)
class _Pending:
    ticket: Ticket
    gesture: Gesture


class Journal:
    """Appends gestures to the project from one thread of its own.

    ``append`` takes the values by reference and returns at once; encoding, files, the transaction and snapshots are the
    writer thread's. What cannot be written stays in memory in its order and is tried again.

    Parameters
    ----------
    reader : tuple of str
        Name and uid of who labels; the uid is used when the project does not know the name yet.
    check_owner : callable
        Raises LockedError when the project has been taken over.
    reserve : Reserve, optional
        Laid once there are gestures to write, used when the disk is full, and laid again.
    """

    saved_changed = Signal(SavedState)
    """Emitted FROM THE WRITER THREAD; a window has to pass it on to its own thread."""

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        reader: tuple[str, str],
        check_owner: Callable[[], None],
        clock: Clock | None = None,
        reserve: Reserve | None = None,
    ) -> None:
        self._reserve = reserve or Reserve(None, database.title)
        self._database = database
        self._check_owner = check_owner
        self._clock = clock or SystemClock()
        self._writer = RowWriter(database, blobs, reader, self._clock)
        self._condition = threading.Condition()
        self._pending: deque[_Pending] = deque()
        self._heads = Heads(database, blobs)
        self._state = SavedState(SavedKind.SAVED)
        self._error: MedViewError | None = None
        self._failures = 0
        self._retry = False
        self._closing = False
        self._why_held = ""
        self._ending = False
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> SavedState:
        """Whether everything appended so far is on disk."""
        with self._condition:
            return self._state

    def append(self, reading_id: int, entry: Entry) -> Ticket:
        """Take a gesture in; any thread, in the order the gestures were made.

        Raises
        ------
        StoreError
            When there is nothing to undo or redo, the project is closed, or it is ``held``.
        """
        with self._condition:
            if self._closing:
                raise StoreError("The project is closed; open it again to go on labelling.")
            if self._why_held:
                raise StoreError(self._why_held)
            seq, target = self._heads.next(reading_id, entry.kind)
            ticket = Ticket(reading_id, seq)
            gesture = Gesture(reading_id, ticket.seq, target, iso(self._clock.utc()), entry)
            self._pending.append(_Pending(ticket, gesture))
            if self._state.kind is not SavedKind.FAILED:
                # From this moment on, not only once the writer has come to it.
                self._state = SavedState(SavedKind.WRITING, waiting=len(self._pending), warning=self._state.warning)
            if self._thread is None:
                # A daemon, with a flush at exit: a program that forgets to close must neither hang nor lose a row.
                self._thread = threading.Thread(target=self._run, name="medview-journal", daemon=True)
                self._thread.start()
                atexit.register(self._at_exit)
            self._condition.notify_all()
        return ticket

    def head(self, reading_id: int) -> int | None:
        """Return the number of the newest row of a case, one that is still to be written included; None where unknown."""
        with self._condition:
            return self._heads.of(reading_id)

    def adopt(self, reading_id: int, seq: int, stacks: UndoStacks, *, head: int | None) -> bool:
        """Go on from a case as it was just loaded; refused, as False, where a row was added to it meanwhile.

        Parameters
        ----------
        head : int or None
            What ``head`` returned before the case was read.
        """
        with self._condition:
            if self._heads.of(reading_id) != head:
                return False
            self._heads.adopt(reading_id, seq, stacks)
            return True

    @contextmanager
    def held(self, why: str) -> Iterator[None]:
        """Take no gesture in meanwhile; whoever makes one is told why.

        Raises
        ------
        StoreError
            When gestures are still to be written.
        """
        with self._condition:
            if self._pending:
                raise StoreError(f"Changes of {self._database.title} are not saved yet; try again once they are.")
            self._why_held = why
        try:
            yield
        finally:
            with self._condition:
                self._why_held = ""

    def forget(self, reading_ids: Iterable[int]) -> None:
        """Look again where some readings stand: rows were added to them by another way."""
        with self._condition:
            self._heads.forget(reading_ids)

    def flush(self, timeout_s: float = 30.0) -> bool:
        """Wait until everything is on disk; False when it cannot be written or does not get there in time.

        Not for the window's thread while it has to stay responsive.
        """
        with self._condition:
            failures = self._failures
            self._retry = True
            self._condition.notify_all()
            self._condition.wait_for(lambda: not self._pending or self._failures > failures, timeout_s)
            return not self._pending

    def retry(self) -> None:
        """Try at once to write what could not be written; returns without waiting."""
        with self._condition:
            self._retry = True
            self._condition.notify_all()

    def close(self, *, discard: bool = False) -> None:
        """Write what is waiting and stop the thread.

        Parameters
        ----------
        discard : bool
            Stop even when something cannot be written.

        Raises
        ------
        MedViewError
            When something cannot be written and is not to be discarded; the journal goes on trying.
        """
        self._ending = True
        if not self.flush() and not discard:
            self._ending = False
            with self._condition:
                error = self._error or StoreError("The disk is too slow.")
                raise type(error)(f"{len(self._pending)} changes are not saved yet. {error.sentence}", detail=error.detail)
        with self._condition:
            self._closing = True
            self._pending.clear()
            self._condition.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            atexit.unregister(self._at_exit)
        self._reserve.take_away()

    def waiting(self) -> list[Gesture]:
        """Return the gestures that are not on disk, oldest first."""
        with self._condition:
            return [pending.gesture for pending in self._pending]

    def _at_exit(self) -> None:
        if not self.flush(10.0):
            log.error("changes could not be saved before the program ended")

    # ------------------------------------------------------------------------------------------ the writer thread

    def _run(self) -> None:
        idle_s: float | None = 0.0
        while True:
            with self._condition:
                self._condition.wait_for(lambda: bool(self._pending) or self._closing, idle_s)
                pending = self._pending[0] if self._pending else None
                if pending is None and self._closing:
                    break
            if pending is None:
                warning = self._reserve.warning
                idle_s = self._reserve.lay()
                if self._reserve.warning != warning:
                    self._tell(SavedKind.SAVED)
                continue
            if self._error is None:
                self._tell(SavedKind.WRITING)
            try:
                self._check_owner()
                self._writer.write(pending.gesture)
            except Exception as error:  # whatever it is, the thread has to live on: the rows are still in memory
                self._writer.reset()
                explained = explain(error, self._database.title)
                if not (isinstance(explained, DiskFullError) and self._reserve.use()):
                    if self._error is None:
                        log.exception("a change could not be written")
                    self._fail(explained)
                continue
            self._written(pending)
            # Nobody waits for a shortcut at the end, and it needs room; the next gesture on this case will make it.
            if self.state.kind is SavedKind.SAVED and not self._reserve.warning and not self._ending:
                self._writer.snapshot_if_due(pending.gesture.reading_id)
            idle_s = 0.0
        self._writer.reset()

    def _written(self, pending: _Pending) -> None:
        with self._condition:
            # close(discard=True) may have emptied the queue meanwhile.
            if self._pending and self._pending[0] is pending:
                self._pending.popleft()
            self._error = None
            empty = not self._pending
        self._tell(SavedKind.SAVED if empty else SavedKind.WRITING)
        pending.ticket.mark_saved()
        with self._condition:
            self._condition.notify_all()

    def _fail(self, error: MedViewError) -> None:
        self._error = error
        self._tell(SavedKind.FAILED, error.sentence)
        with self._condition:
            self._failures += 1
            self._retry = False
            self._condition.notify_all()
            self._condition.wait_for(lambda: self._retry or self._closing, RETRY_S)
            self._retry = False

    def _tell(self, kind: SavedKind, reason: str = "") -> None:
        with self._condition:
            if kind is SavedKind.SAVED and self._pending:
                # A gesture came in while the writer was looking after something else.
                kind = SavedKind.WRITING
            warning = self._reserve.warning if kind is not SavedKind.FAILED else ""
            state = SavedState(kind, reason, len(self._pending), warning)
            self._state = state
        try:
            self.saved_changed.emit(state)
        except EmitLoopError:
            log.exception("a listener of the journal failed")
