"""What kind of disk a folder lies on."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")

_REMOTE = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "afs",
        "ceph",
        "glusterfs",
        "lustre",
        "gpfs",
        "beegfs",
        "ncpfs",
        "vboxsf",
        "davfs",
    }
)
_REMOTE_FUSE = re.compile(
    r"fuse\.(sshfs|rclone|glusterfs|ceph|davfs2?|s3fs|gcsfuse|gvfsd-fuse|smbnetfs|curlftpfs|onedriver)"
)
_MEDIA = frozenset({"iso9660", "udf", "squashfs", "cramfs", "erofs"})
"""Discs and images that nobody can write."""


@dataclass(frozen=True, slots=True)
class Place:
    """A file system.

    Attributes
    ----------
    kind : str
        As the system calls it, e.g. ``ext4`` or ``nfs4``; empty when it is not known.
    remote : bool
        On another computer: locks may not reach, and the connection can go.
    read_only : bool
        Mounted so that nothing can be written, or a medium that cannot be.
    """

    kind: str = ""
    remote: bool = False
    read_only: bool = False


def place_of(folder: Path, mounts: Path | None = None) -> Place:
    """Return the file system of a folder; one of which nothing is known counts as a local disk.

    Parameters
    ----------
    mounts : Path, optional
        A table as Linux's ``/proc/self/mountinfo``.
    """
    if sys.platform == "win32":
        return _windows_place(folder)
    try:
        lines = (mounts or MOUNTS).read_text("utf-8", "surrogateescape").splitlines()
        where = os.path.realpath(folder)
    except OSError:
        return Place()
    best, found = -1, Place()
    for line in lines:
        mount = _mount(line)
        # Of two at one point the later one lies above.
        if mount is not None and _holds(mount[0], where) and len(mount[0]) >= best:
            best, found = len(mount[0]), mount[1]
    return found


def _mount(line: str) -> tuple[str, Place] | None:
    """Return the point and kind of a line ``id parent major:minor root point options [...] - type source options``."""
    before, dash, after = line.partition(" - ")
    left, right = before.split(), after.split()
    if not dash or len(left) < 6 or not right:
        return None
    point = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), left[4])
    kind = right[0]
    options = {*left[5].split(","), *(right[2].split(",") if len(right) > 2 else ())}
    remote = kind in _REMOTE or _REMOTE_FUSE.fullmatch(kind) is not None
    return point, Place(kind, remote, "ro" in options or kind in _MEDIA)


def _holds(point: str, where: str) -> bool:
    return point == "/" or where == point or where.startswith(point + "/")


if sys.platform == "win32":
    import ctypes

    _REMOTE_DRIVE, _DISC_DRIVE = 4, 5

    def _windows_place(folder: Path) -> Place:
        anchor = folder.absolute().anchor
        if anchor.startswith("\\\\"):
            return Place("share", remote=True)
        drive = ctypes.windll.kernel32.GetDriveTypeW(anchor)
        return Place(remote=drive == _REMOTE_DRIVE, read_only=drive == _DISC_DRIVE)

else:

    def _windows_place(_folder: Path) -> Place:
        return Place()
