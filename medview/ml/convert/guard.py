"""What the converting child process may not do, whatever it reads.

Foreign weights are read by code that runs nothing from them. Should that ever fail, what got to run is without network,
starts no process, writes nowhere but where the pack is made, and ends when it takes too much memory or time.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

MEMORY_LIMIT_BYTES = 24 << 30
"""Address space; torch alone maps several gigabytes."""

FILE_LIMIT_BYTES = 8 << 30
PROCESSOR_LIMIT_S = 600

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
NEVER = (
    "socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "os.kill",
    "pty.", "webbrowser.", "urllib.", "http.client.", "ftplib.", "smtplib.", "poplib.", "imaplib.", "telnetlib.", "winreg.",
    "ctypes.dlopen", "sqlite3.", "syslog.",
)  # fmt: skip
"""Beginnings of the names of what Python announces before it does it (PEP 578)."""

_CHANGING: Mapping[str, tuple[tuple[int, int | None], ...]] = {
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.link": ((0, 2), (1, 3)),
    "os.mkdir": ((0, 2),),
    "os.remove": ((0, 1),),
    "os.removexattr": ((0, None),),
    "os.rename": ((0, 2), (1, 3)),
    "os.rmdir": ((0, 1),),
    "os.setxattr": ((0, None),),
    "os.symlink": ((0, 2), (1, 2)),
    "os.truncate": ((0, None),),
    "os.utime": ((0, 3),),
    "shutil.move": ((0, None), (1, None)),
    "shutil.rmtree": ((0, 1),),
}
"""Which of what is announced are paths, and which the open folders (``dir_fd``) those are relative to."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class ForbiddenError(PermissionError):
    """Something tried what a conversion never does."""


def limit_resources() -> None:
    """Bound memory, file sizes and processor time, where the system can."""
    try:
        import resource
    except ImportError:  # Windows: the parent's time limit has to do.
        return
    for kind, limit in (
        (resource.RLIMIT_AS, MEMORY_LIMIT_BYTES),
        (resource.RLIMIT_FSIZE, FILE_LIMIT_BYTES),
        (resource.RLIMIT_CPU, PROCESSOR_LIMIT_S),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def leave_network() -> bool:
    """Move this process into a network of its own that has no way out; False where the system does not allow that.

    Has to come before anything starts a thread.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        unshare = ctypes.CDLL(None, use_errno=True).unshare
    except (OSError, AttributeError):
        return False
    return bool(unshare(_NEW_USER | _NEW_NETWORK) == 0)


def forbid(writable: Sequence[Path]) -> None:
    """From now on refuse network, processes and writing outside of some folders; it cannot be taken back.

    Raises
    ------
    ForbiddenError
        From whatever is tried later.
    """
    sys.dont_write_bytecode = True
    roots = tuple(os.path.realpath(folder) for folder in writable)

    def inside(path: object, folder: object = None) -> bool:
        named = _named(path)
        opened = path if isinstance(path, int) else folder
        if isinstance(opened, int) and opened >= 0 and not named.is_absolute():
            # Something open: on Linux its path can be asked for.
            try:
                named = Path(f"/proc/self/fd/{opened}").readlink() / named
            except OSError:
                # Where nothing has such a path nobody can tell; on Linux what cannot be told is refused.
                return sys.platform != "linux"
        real = os.path.realpath(named)
        return any(real == root or real.startswith(root + os.sep) for root in roots)

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(NEVER):
            raise ForbiddenError(f"{event} is not allowed here")
        if event == "open":
            path, mode, flags = arguments
            writes = isinstance(mode, str) and bool(set(mode) & set("wax+"))
            writes = writes or (isinstance(flags, int) and bool(flags & _WRITING))
            if not writes or isinstance(path, int):
                # What is open already was asked about when it was opened.
                return
            # os.open, which has no mode, does not announce the folder that a path is relative to.
            known = mode is not None or _named(path).is_absolute()
            if not known or not inside(path):
                raise ForbiddenError("writing is not allowed there")
        for place, folder in _CHANGING.get(event, ()):
            where = arguments[folder] if folder is not None and folder < len(arguments) else None
            if not inside(arguments[place], where):
                raise ForbiddenError(f"{event} is not allowed there")

    sys.addaudithook(watch)


def _named(path: object) -> Path:
    return Path(os.fsdecode(path)) if isinstance(path, str | bytes | os.PathLike) else Path()
