"""Room on the disk that is kept for the moment when there is no other."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from pathlib import Path

FILE_NAME = "ballast"
BALLAST_BYTES = 64 * 1024 * 1024
_STEP_BYTES = 8 * 1024 * 1024

LOOK_FOR_ROOM_S = 5.0
"""While there is no room for the ballast, it is looked for this often."""

log = logging.getLogger("medview.store")


class Ballast:
    """A file of 64 MB in a project that is given up when the disk is full, so that what waits can still be written.

    It is laid while a project is being written and taken away when it is closed; one that a crash left is used again.

    Parameters
    ----------
    folder : Path
        Of the project.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME

    @property
    def size_bytes(self) -> int:
        """How much is laid."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    @property
    def missing_bytes(self) -> int:
        """How much is still to be laid."""
        return max(0, BALLAST_BYTES - self.size_bytes)

    def lay_more(self) -> bool:
        """Lay a few megabytes more; False when there is no room, which leaves none laid.

        In steps, since on a network drive the whole takes seconds in which gestures want to be written.
        """
        size = self.size_bytes
        step = min(_STEP_BYTES, BALLAST_BYTES - size)
        try:
            # As much again has to stay free, or it would be the ballast that fills the disk.
            if shutil.disk_usage(self._path.parent).free < 2 * BALLAST_BYTES - size:
                return False
            with self._path.open("ab") as file:
                _allocate(file.fileno(), size, step)
        except OSError:
            self.give_up()
            return False
        return True

    def give_up(self) -> bool:
        """Give the room back; False when there was none."""
        there = self.size_bytes > 0
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        return there and self.size_bytes == 0


class Reserve:
    """The ballast of a project while it is written, and what a person has to know about it. Belongs to one thread.

    Attributes
    ----------
    warning : str
        One sentence while the ballast is used or there is no room to lay it; empty otherwise.

    Parameters
    ----------
    ballast : Ballast or None
        None where none is wanted.
    title : str
        How the project is called in sentences.
    """

    def __init__(self, ballast: Ballast | None, title: str) -> None:
        self._ballast = ballast
        self._title = title
        self.warning = ""

    def use(self) -> bool:
        """Give the ballast up, since the disk is full; False when there is none."""
        if self._ballast is None or not self._ballast.give_up():
            return False
        log.warning("the disk is full: the ballast of %s is given up", self._title)
        self.warning = (
            f"The disk is full and {self._title} is being saved into its last reserve; "
            "free some space now, or save a copy elsewhere."
        )
        return True

    def lay(self) -> float | None:
        """Lay some of what is missing; return after how many seconds to go on, None once all is there."""
        if self._ballast is None:
            return None
        if self._ballast.missing_bytes and not self._ballast.lay_more():
            self.warning = self.warning or (
                f"The disk has little room left for {self._title}; free some space, or save a copy elsewhere."
            )
            return LOOK_FOR_ROOM_S
        if self._ballast.missing_bytes:
            return 0.0
        self.warning = ""
        return None

    def take_away(self) -> None:
        """Leave no ballast in a project that is closed."""
        if self._ballast is not None:
            self._ballast.give_up()


def _allocate(descriptor: int, start: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, start, size)
        return
    # Nothing that could be compressed.
    for _ in range(0, size, 1 << 20):
        os.write(descriptor, os.urandom(min(size, 1 << 20)))
