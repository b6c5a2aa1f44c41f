"""What runs inside a reader process: one loop that takes a task, runs it and answers."""

from __future__ import annotations

import importlib
import os
import pickle
import signal
import sys
from multiprocessing.connection import Connection
from typing import Any

READY = 0
"""Answer number that says the process has imported what it needs."""

GRACE_S = 5
"""A process whose parent is gone or stuck ends itself this long after its watchdog should have ended it."""


def main(connection: Connection, memory_bytes: int) -> None:
    """Answer tasks ``(number, function, args, timeout_s)`` with ``(number, outcome)`` until the connection closes.

    ``(-number, None)`` goes ahead of each answer: the task has begun, and an end of the process is its doing from now on.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _silence()
    _limit_memory(memory_bytes)
    # Imported here so that the first file does not wait for it.
    from medview.core.errors import ReadError
    from medview.io import boundary

    for name in ("medview.io.dicom.scan", "medview.io.fill"):
        importlib.import_module(name)

    _send(connection, (READY, None))
    while True:
        try:
            number, function, args, timeout_s = connection.recv()
        except (EOFError, OSError):
            return
        _send(connection, (-number, None))
        _alarm(int(timeout_s) + GRACE_S)
        outcome = boundary.run(function, args)
        _alarm(0)
        try:
            connection.send((number, outcome))
        except (BrokenPipeError, ConnectionResetError):
            return
        except (
            pickle.PicklingError,
            TypeError,
            AttributeError,
            ValueError,
            ImportError,
            RecursionError,
            MemoryError,
        ) as error:
            text = f"{boundary.subject(args)} could not be read."
            _send(connection, (number, ReadError(text, detail=f"{type(error).__name__} while answering")))


def _send(connection: Connection, message: Any) -> None:
    try:
        connection.send(message)
    except OSError:
        sys.exit(0)


def _silence() -> None:
    """Send what native decoders print nowhere: it may quote the file, and stdout belongs to the program's own answer."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _limit_memory(memory_bytes: int) -> None:
    try:
        import resource
    except ImportError:
        return  # Windows: the guard's budgets and the watchdog remain
    if memory_bytes:
        # Data, not address space: shared blocks are mapped here too and are no one file's fault.
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _alarm(seconds: int) -> None:
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)
