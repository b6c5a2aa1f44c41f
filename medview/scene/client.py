"""The window's end of the process that draws."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import threading
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from medview.scene import pipe, process
from medview.scene.messages import Answer, Look, Message, Quit, Unavailable

LOG = logging.getLogger("medview.scene")

_END_TIMEOUT_S = 2.0


class SceneClient:
    """Starts the process, sends it messages and hands on its answers. No method waits for it.

    Two threads write to and read from the pipe, for both may take as long as a picture does. The process is not started
    again after it ended by itself: what crashed a driver once does it again.

    Parameters
    ----------
    on_answer : callable
        Takes each Answer, in a thread of the client; an Unavailable is the last.
    """

    def __init__(self, on_answer: Callable[[Answer], None]) -> None:
        self._on_answer = on_answer
        self._outbox: deque[Message] = deque()
        self._changed = threading.Condition()
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._stopped = False
        self._over = False
        self._inside = 2
        self._writer = threading.Thread(target=self._write, name="medview-scene-writer", daemon=True)
        self._reader = threading.Thread(target=self._read, name="medview-scene-reader", daemon=True)

    def start(self) -> None:
        """Start the process in the background."""
        self._writer.start()

    def send(self, message: Message) -> None:
        """Queue a message; a Look replaces one that still waits behind everything else."""
        with self._changed:
            if self._stopped or self._over:
                return
            if isinstance(message, Look) and self._outbox and isinstance(self._outbox[-1], Look):
                self._outbox[-1] = message
            else:
                self._outbox.append(message)
            self._changed.notify()

    def stop(self) -> None:
        """End the process and forget what was queued. Nothing is answered afterwards. Does not wait for the end."""
        with self._changed:
            self._stopped = True
            self._outbox.clear()
            self._changed.notify()
            running = self._process
        if running is not None:
            # Nothing in it has to be saved, and it may be in the middle of a picture.
            running.kill()

    def wait(self, timeout_s: float) -> None:
        """Wait until the process and both threads have ended after ``stop``."""
        for thread in (self._writer, self._reader):
            if thread.ident is not None:
                thread.join(timeout_s)

    @property
    def pid(self) -> int | None:
        """Number of the process, once it runs."""
        return self._process.pid if self._process is not None else None

    def _write(self) -> None:
        if not self._launch():
            return
        connection = self._connection
        assert connection is not None
        # When it fails the reader sees the end too, and says so.
        with contextlib.suppress(OSError):
            while (message := self._next()) is not None:
                pipe.send(connection, message)
        self._leave()

    def _launch(self) -> bool:
        context = multiprocessing.get_context("spawn")
        connection, theirs = context.Pipe()
        child = context.Process(target=process.main, args=(theirs,), name="medview-scene", daemon=True)
        try:
            child.start()
        except OSError as error:
            connection.close()
            self._end(Unavailable("its process could not be started", repr(error)))
            return False
        finally:
            theirs.close()
        with self._changed:
            self._process, self._connection = child, connection
            stopped = self._stopped
        self._reader.start()
        if stopped:
            child.kill()
        return True

    def _next(self) -> Message | None:
        with self._changed:
            while not self._outbox and not self._stopped and not self._over:
                self._changed.wait()
            if self._stopped or self._over:
                return None
            message = self._outbox.popleft()
        return None if isinstance(message, Quit) else message

    def _read(self) -> None:
        connection, child = self._connection, self._process
        assert connection is not None
        assert child is not None
        last: Answer | None = None
        try:
            while not isinstance(last, Unavailable):
                last = pipe.receive(connection)
                if not isinstance(last, Unavailable):
                    self._tell(last)
        except (EOFError, OSError):
            last = None
        child.join(_END_TIMEOUT_S)
        if child.exitcode is None:
            child.kill()
            child.join(_END_TIMEOUT_S)
        gone = Unavailable("the process that draws it has ended", f"exit code {child.exitcode}", crashed=True)
        self._end(last if isinstance(last, Unavailable) else gone)
        self._leave()

    def _end(self, answer: Unavailable) -> None:
        with self._changed:
            self._over = True
            self._outbox.clear()
            self._changed.notify()
            if not self._stopped:
                LOG.warning("3-D: %s %s", answer.reason, answer.detail)
        self._tell(answer)

    def _tell(self, answer: Answer) -> None:
        # Under the lock, so that nothing is on its way any more when ``stop`` returns.
        with self._changed:
            if not self._stopped:
                self._on_answer(answer)

    def _leave(self) -> None:
        """Close the pipe when the second thread is done: under a thread its number may come to mean another file."""
        with self._changed:
            self._inside -= 1
            last = self._inside == 0
        if last and self._connection is not None:
            self._connection.close()
