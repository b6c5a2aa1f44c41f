"""Messages through a pipe, with their arrays beside them."""

from __future__ import annotations

import pickle
from multiprocessing.connection import Connection
from typing import Any


def send(connection: Connection, message: object) -> None:
    """Send a message.

    Arrays are written from where they are, without the interpreter's lock: pickled, a volume would hold up the window for
    tens of milliseconds. Raises OSError when the other end is gone.
    """
    buffers: list[pickle.PickleBuffer] = []
    frame = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    connection.send_bytes(len(buffers).to_bytes(4, "little") + frame)
    for buffer in buffers:
        connection.send_bytes(buffer.raw())


def receive(connection: Connection) -> Any:
    """Return the next message; its arrays are read-only. Raises EOFError or OSError when the other end is gone."""
    frame = connection.recv_bytes()
    count = int.from_bytes(frame[:4], "little")
    buffers = [connection.recv_bytes() for _ in range(count)]
    return pickle.loads(memoryview(frame)[4:], buffers=buffers)
