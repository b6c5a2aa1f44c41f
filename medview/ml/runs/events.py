"""What happens in a training, one JSON object a line: appended by the training, followed by windows and terminals.

Every event has ``kind``, ``utc`` and ``used`` (seconds of the whole training so far, over all its lives), and:

- ``stage``: ``name`` (``judge``: of the ``model`` that counts, ``plan``, ``prepare``, ``train``, ``finish``, ``evaluate``);
- ``step``: ``step``, ``steps``, ``rate``, ``loss`` and its other parts;
- ``check``: ``step``, ``best`` (whether these weights are kept) and the figures;
- ``checkpoint``: ``step``;
- ``resumed``: ``step`` it goes on from; steps and checks after it are made again;
- ``borrowed``: ``text``, ``rung`` and ``gone``: what became of the parent's weights and classes (``borrowed.json``);
- ``gate``: ``verdict`` and ``sentence``;
- ``note``: ``text``;
- ``stopped``: ``reason`` (``steps``, ``patience``, ``time``, ``ended early``, each with ``step``; ``asked``);
- ``failed``: ``text``;
- ``done``: the result.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from medview.core.atomic import write_error
from medview.core.errors import ReadError

Event = Mapping[str, Any]

ENDS = ("done", "failed", "stopped")
"""Events after which a process of a training ends; ``stopped`` only where it was asked to."""


class EventLog:
    """Appends events, each on disk for readers before the next.

    Parameters
    ----------
    before : float
        Seconds that the training used before, in earlier lives and since this process began.

    Raises
    ------
    WriteError
        When the file cannot be written.
    """

    def __init__(self, path: Path, before: float = 0.0) -> None:
        self._path = path
        self._before = before
        self._began = time.monotonic()
        try:
            # A line that a killed process left unfinished must not run into the next one.
            torn = path.exists() and not path.read_bytes().endswith(b"\n")
            self._file = path.open("ab", buffering=0)
            if torn and path.stat().st_size:
                self._file.write(b"\n")
        except OSError as error:
            raise write_error(path, error) from error

    @property
    def used(self) -> float:
        """Seconds the training used so far."""
        return self._before + time.monotonic() - self._began

    def add(self, kind: str, **said: Any) -> None:
        """Append an event; numbers that are none become null. Raises WriteError."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        event = {"kind": kind, "utc": now, "used": round(self.used, 3), **said}
        line = json.dumps(_plain(event), ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
        try:
            self._file.write(line.encode())
        except OSError as error:
            raise write_error(self._path, error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_events(path: Path) -> list[Event]:
    """Return all events; none where there is no file. Lines that a kill tore are left out. Raises ReadError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ReadError(f"{path.name} cannot be read; check the file.", detail=str(error)) from error
    return list(_events(data.splitlines()))


def used_seconds(events: Sequence[Event]) -> float:
    """Return what a training used so far."""
    return max((float(event["used"]) for event in events), default=0.0)


class EventTail:
    """Reads on where it stopped, for those who follow a training."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0

    def fresh(self) -> list[Event]:
        """Return the events that came since the last call; an unfinished line waits for its rest. Raises ReadError."""
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._at:
                    # Somebody began anew.
                    self._at = 0
                file.seek(self._at)
                data = file.read()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ReadError(f"{self._path.name} cannot be read; check the file.", detail=str(error)) from error
        whole = data[: data.rfind(b"\n") + 1]
        self._at += len(whole)
        return list(_events(whole.splitlines()))


def _events(lines: Sequence[bytes]) -> Iterator[Event]:
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and isinstance(event.get("kind"), str) and isinstance(event.get("used"), int | float):
            yield event


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
