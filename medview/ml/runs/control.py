"""What somebody asks of a training that runs: a file in its folder, read between two steps. Works over shared disks."""

from __future__ import annotations

import time
from enum import Enum

from medview.core.atomic import write_error
from medview.core.errors import ReadError
from medview.ml.runs.folder import RunFolder

LOOK_S = 1.0
"""Shortest time between two looks at the file."""


class Ask(Enum):
    """What can be asked."""

    PAUSE = "pause"
    """Write a checkpoint and end; the training can be gone on with."""
    STOP = "stop"
    """Make no more steps: judge the best weights so far and write their pack."""


def ask(run: RunFolder, what: Ask) -> None:
    """Ask something of a training; it obeys when the step it is at ends. Raises WriteError."""
    run.write_json(run.control, {"ask": what.value})


def take_back(run: RunFolder) -> None:
    """Ask nothing any more. Raises WriteError."""
    try:
        run.control.unlink(missing_ok=True)
    except OSError as error:
        raise write_error(run.control, error) from error


class Control:
    """What a training that runs is asked for, looked at once a second at most.

    Parameters
    ----------
    enough : bool
        No more steps are made whatever the file says: what is there already is judged.
    """

    def __init__(self, run: RunFolder, *, enough: bool = False) -> None:
        self._run, self._enough = run, enough
        self._seen: Ask | None = None
        self._looked_at = float("-inf")

    @property
    def pause(self) -> bool:
        """Whether a break is wanted."""
        return self._look() is Ask.PAUSE

    @property
    def stop(self) -> bool:
        """Whether no more steps are wanted."""
        return self._enough or self._look() is Ask.STOP

    def obeyed(self) -> None:
        """Forget what was asked, and remove the file."""
        self._seen = None
        self._looked_at = float("-inf")
        take_back(self._run)

    def _look(self) -> Ask | None:
        now = time.monotonic()
        if now - self._looked_at >= LOOK_S:
            self._looked_at = now
            self._seen = _asked(self._run)
        return self._seen


def _asked(run: RunFolder) -> Ask | None:
    if not run.control.exists():
        return None
    try:
        content = run.read_json(run.control)
        return None if content is None else Ask(content["ask"])
    except (ReadError, KeyError, ValueError, TypeError):
        # Half a file on a share, or a word of a newer MedView: asked again if it was meant.
        return None
