"""One writer per project."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
from pathlib import Path

from medview.core.errors import LockedError
from medview.store.clock import Clock, SystemClock, iso
from medview.store.holder import FILE_NAME, Holder, read_holder, write_holder
from medview.store.os_lock import OsLock
from medview.store.place import place_of
from medview.store.silence import Silence

HEARTBEAT_S = 5.0

log = logging.getLogger("medview.store")


class ProjectLock:
    """The right to write a project.

    Two things have to agree. The operating system's lock on ``writer.lock`` goes away with the process that held it, so a
    crash leaves nothing to clean up. Where that lock does not reach, on some network shares, the signs of life in
    ``lock.json`` do: a holder that may still be there keeps the project until it has been silent for two minutes.

    Parameters
    ----------
    folder : Path
        Of the project.
    silence : Silence, optional
        Has watched the present holder; without it nothing is known of its silence.
    """

    def __init__(self, folder: Path, clock: Clock | None = None, silence: Silence | None = None) -> None:
        self._folder = folder
        self._clock = clock or SystemClock()
        self._silence = silence or Silence(folder, self._clock)
        self._os_lock = OsLock(folder / "writer.lock")
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
        try:
            before = self._claim()
            if before is not None:
                log.warning("the lock of process %d is taken over", before.pid)
            holder = Holder.here(iso(self._clock.utc()))
            write_holder(self._folder, holder)
            now = read_holder(self._folder)
            if now is not None and now.token != holder.token:
                # Somebody was a moment faster, where the operating system's lock does not reach.
                raise self._refusal(now)
            self._holder = holder
        except BaseException:  # also an interrupt: a lock that nobody holds on to must not stay; raised again below
            self._os_lock.release()
            raise

    def free(self) -> bool:
        """Whether ``acquire`` would succeed now; nothing is taken. Raises OSError when the folder may not be written."""
        try:
            self._claim()
        except LockedError:
            return False
        finally:
            self._os_lock.release()
        return True

    @property
    def works(self) -> bool:
        """Whether the operating system's lock keeps others out here; known once the lock was acquired."""
        return self._os_lock.works

    def start_heartbeat(self) -> None:
        """Give signs of life from a thread until ``release``."""
        self._thread = threading.Thread(target=self._run, name="medview-lock", daemon=True)
        self._thread.start()

    def beat(self) -> None:
        """Give one sign of life, if the lock is still ours."""
        if self._holder is None or not self.mine:
            return
        self._holder = self._holder.beat(iso(self._clock.utc()))
        try:
            write_holder(self._folder, self._holder)
        except OSError:
            # A full disk has no room for a new file, but the time of the old one can still be moved.
            with contextlib.suppress(OSError):
                os.utime(self._folder / FILE_NAME)

    @property
    def mine(self) -> bool:
        """Whether no one has taken the project over, e.g. while this computer slept."""
        if self._holder is None:
            return False
        found = read_holder(self._folder)
        return found is None or found.token == self._holder.token

    def refusal(self) -> LockedError:
        """Return the error that names the present holder."""
        return self._refusal(read_holder(self._folder))

    def release(self) -> None:
        """Let go."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._holder is None:
            return
        if self.mine:
            with contextlib.suppress(OSError):
                (self._folder / FILE_NAME).unlink(missing_ok=True)
        self._holder = None
        self._os_lock.release()

    def _claim(self) -> Holder | None:
        """Take the operating system's lock and return the holder before, who is gone; raises LockedError when not."""
        if not self._os_lock.take():
            raise self._refusal(read_holder(self._folder))
        holder = self._silence.look()
        if holder is not None and not self._gone(holder):
            raise self._refusal(holder)
        return holder

    def _gone(self, holder: Holder) -> bool:
        if holder.on_this_system:
            # Its lock went away with it. Where there are no locks a process of that number may be another one by now.
            if self._os_lock.works or not holder.alive:
                return True
        elif holder.host == socket.gethostname() and not place_of(self._folder).remote:
            # This computer was started anew, and nobody else reaches its disks.
            return True
        return self._silence.over

    def _run(self) -> None:
        while not self._stop.wait(HEARTBEAT_S):
            self.beat()

    def _refusal(self, holder: Holder | None) -> LockedError:
        who = "another window or person" if holder is None else f"{holder.user} on {holder.host}"
        return LockedError(
            f"{self._folder.name} is being written by {who}; it can be read here, or close it there first.",
            detail=repr(holder),
        )
