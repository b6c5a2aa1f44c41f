"""One writer per project."""

from __future__ import annotations

import contextlib
import getpass
import json
import logging
import os
import socket
import sys
import threading
import uuid
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from medview.core.errors import LockedError
from medview.store.clock import Clock, SystemClock, iso

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

HEARTBEAT_S = 15.0
STALE_AFTER = timedelta(minutes=2)
"""A holder on another computer that has not been heard of for this long is taken to be gone."""

log = logging.getLogger("medview.store")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who writes a project.

    Attributes
    ----------
    token : str
        Random; tells one holding from the next.
    heartbeat_utc : str
        ISO 8601 time of the last sign of life.
    """

    user: str
    host: str
    pid: int
    token: str
    since_utc: str
    heartbeat_utc: str


class ProjectLock:
    """The right to write a project.

    Two things have to agree. The operating system's lock on ``writer.lock`` goes away with the process that held it, so a
    crash leaves nothing to clean up. Where that lock does not reach, on some network shares, the heartbeat in ``lock.json``
    does: a holder on another host that was heard of within two minutes keeps the project.

    Parameters
    ----------
    folder : Path
        Of the project.
    """

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self._folder = folder
        self._clock = clock or SystemClock()
        self._file: BinaryIO | None = None
        self._holder: Holder | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def acquire(self) -> None:
        """Take the lock; a crashed holder's is taken over.

        Raises
        ------
        LockedError
            When someone else is writing, naming them.
        OSError
            When the folder may not be written.
        """
        file = (self._folder / "writer.lock").open("ab")
        try:
            if not _lock(file):
                raise self._refusal(self._read())
            holder = self._read()
            if holder is not None and holder.host != socket.gethostname() and not self._stale(holder):
                raise self._refusal(holder)
            if holder is not None:
                log.warning("the lock of process %d is taken over", holder.pid)
            now = iso(self._clock.utc())
            self._holder = Holder(user_name(), socket.gethostname(), os.getpid(), uuid.uuid4().hex, now, now)
            self._write(self._holder)
        except BaseException:  # also an interrupt: a lock that nobody holds on to must not stay; raised again below
            file.close()
            self._holder = None
            raise
        self._file = file

    def start_heartbeat(self) -> None:
        """Give signs of life from a thread until ``release``."""
        self._thread = threading.Thread(target=self._run, name="medview-lock", daemon=True)
        self._thread.start()

    def beat(self) -> None:
        """Give one sign of life, if the lock is still ours."""
        if self._holder is None or not self.mine:
            return
        self._holder = Holder(
            self._holder.user,
            self._holder.host,
            self._holder.pid,
            self._holder.token,
            self._holder.since_utc,
            iso(self._clock.utc()),
        )
        with contextlib.suppress(OSError):
            self._write(self._holder)

    @property
    def mine(self) -> bool:
        """Whether no one has taken the project over, e.g. while this computer slept."""
        if self._holder is None:
            return False
        found = self._read()
        return found is None or found.token == self._holder.token

    def refusal(self) -> LockedError:
        """Return the error that names the present holder."""
        return self._refusal(self._read())

    def release(self) -> None:
        """Let go."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._file is None:
            return
        if self.mine:
            with contextlib.suppress(OSError):
                (self._folder / "lock.json").unlink(missing_ok=True)
        self._holder = None
        self._file.close()
        self._file = None

    def _run(self) -> None:
        while not self._stop.wait(HEARTBEAT_S):
            self.beat()

    def _stale(self, holder: Holder) -> bool:
        try:
            heard = datetime.fromisoformat(holder.heartbeat_utc)
            return self._clock.utc() - heard > STALE_AFTER
        except (ValueError, TypeError):
            return True

    def _read(self) -> Holder | None:
        try:
            found = json.loads((self._folder / "lock.json").read_text("utf-8"))
            # A newer MedView may say more about itself.
            return Holder(**{field.name: found[field.name] for field in fields(Holder)})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def _write(self, holder: Holder) -> None:
        temporary = self._folder / f".lock-{holder.token}.part"
        try:
            temporary.write_text(json.dumps(asdict(holder)), "utf-8")
            temporary.replace(self._folder / "lock.json")
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise

    def _refusal(self, holder: Holder | None) -> LockedError:
        who = "another window or person" if holder is None else f"{holder.user} on {holder.host}"
        return LockedError(
            f"{self._folder.name} is being written by {who}; it can be read here, or close it there first.",
            detail=repr(holder),
        )


def user_name() -> str:
    """Return the login name of who runs MedView, or ``reader`` where there is none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "reader"


if sys.platform == "win32":

    def _lock(file: BinaryIO) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def _lock(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
