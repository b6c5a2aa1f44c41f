"""Who writes a project, as ``lock.json`` says it."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import socket
import sys
import uuid
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

FILE_NAME = "lock.json"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who writes a project.

    Attributes
    ----------
    token : str
        Random; tells one holding from the next.
    since_utc, heartbeat_utc : str
        ISO 8601, for people: clocks jump and differ, nothing is decided by them.
    beats : int
        Counts the signs of life. Whether it grows is what others look at.
    boot : str
        Names one run of one computer's system; empty where the system has no such name, or an older MedView wrote it.
    """

    user: str
    host: str
    pid: int
    token: str
    since_utc: str
    heartbeat_utc: str
    beats: int = 0
    boot: str = ""

    @classmethod
    def here(cls, now_utc: str) -> Holder:
        """Return this process as a new holder."""
        return cls(user_name(), socket.gethostname(), os.getpid(), uuid.uuid4().hex, now_utc, now_utc, 0, boot_name())

    def beat(self, now_utc: str) -> Holder:
        """Return the holder with one more sign of life."""
        return replace(self, heartbeat_utc=now_utc, beats=self.beats + 1)

    @property
    def on_this_system(self) -> bool:
        """Whether it runs, or ran, under this very system: the operating system's locks and process numbers hold here."""
        if self.boot and boot_name():
            return self.boot == boot_name()
        return self.host == socket.gethostname()

    @property
    def alive(self) -> bool:
        """Whether a process of its number runs here; only of use ``on_this_system``. Numbers are given out again."""
        return _process_runs(self.pid)


def read_holder(folder: Path) -> Holder | None:
    """Return who writes a project, or None when nobody does or the file cannot be understood."""
    try:
        found = json.loads((folder / FILE_NAME).read_text("utf-8"))
        # A newer MedView may say more about itself, an older one says less.
        known = {field.name: found[field.name] for field in fields(Holder) if field.name in found}
        holder = Holder(**known)
        return replace(holder, pid=int(holder.pid), beats=int(holder.beats))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_holder(folder: Path, holder: Holder) -> None:
    """Put a holder into ``lock.json``, whole or not at all. Raises OSError."""
    temporary = folder / f".lock-{holder.token}.part"
    try:
        temporary.write_text(json.dumps(asdict(holder)), "utf-8")
        temporary.replace(folder / FILE_NAME)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def user_name() -> str:
    """Return the login name of who runs MedView, or ``reader`` where there is none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "reader"


def boot_name() -> str:
    """Return what names this run of this computer's system, or nothing where it has no name."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


if sys.platform == "win32":
    import ctypes

    _QUERY_LIMITED_INFORMATION = 0x1000

    def _process_runs(pid: int) -> bool:
        handle = ctypes.windll.kernel32.OpenProcess(_QUERY_LIMITED_INFORMATION, False, pid)
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)

else:

    def _process_runs(pid: int) -> bool:
        if pid <= 0:
            return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except (OSError, OverflowError):
            # Somebody else's process.
            return True
        return True
