"""A disk that fails when told to: ``faulty_disk.c`` built, preloaded into a child process and steered from inside it."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
import sys
from enum import Enum
from pathlib import Path

import pytest

_SOURCE = Path(__file__).with_suffix(".c")
ALWAYS = 1 << 40


class Manner(Enum):
    """What happens to the Nth write."""

    REFUSED = 0
    """It writes nothing."""
    SHORT = 1
    """It writes half, and the next one nothing: as a disk does that becomes full."""
    KILLED = 2
    """The program dies before it."""
    TORN = 3
    """The program dies when half of it is written."""


def built(folder: Path) -> Path:
    """Build the library; skips the test where that cannot be done."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not sys.platform.startswith("linux"):
        pytest.skip("only on Linux a library can be put between a program and its disk this way")
    if compiler is None:
        pytest.skip("there is no C compiler (cc) to build the failing disk with; install one to try it")
    library = folder / "faulty_disk.so"
    made = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(_SOURCE), "-ldl"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return library


class FaultyDisk:
    """The library from inside a program it was preloaded into."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        for name in ("faulty_disk_calls", "faulty_disk_hits"):
            getattr(self._library, name).restype = ctypes.c_long

    def arm(self, folder: Path, at: int, manner: Manner, error: int = errno.EIO, *, lasting: bool = False) -> None:
        """Count writes under a folder from now on and let number ``at`` fail, or all from there on; 0 lets none."""
        last = ALWAYS if lasting and at else at
        self._library.faulty_disk_arm(os.fsencode(folder), ctypes.c_long(at), ctypes.c_long(last), error, manner.value)

    def heal(self) -> None:
        """Let the disk work again; counting goes on."""
        self._library.faulty_disk_heal()

    def record(self, file: Path) -> None:
        """Write down in a file outside the folder all that changes files under it from now on; see ``power_cut.py``."""
        self._library.faulty_disk_record(os.fsencode(file))

    def told(self, seq: int) -> None:
        """Write down that somebody was told row ``seq`` is saved."""
        self._library.faulty_disk_told(ctypes.c_long(seq))

    @property
    def calls(self) -> int:
        """Writes counted since ``arm``."""
        return int(self._library.faulty_disk_calls())

    @property
    def hits(self) -> int:
        """Writes that failed since ``arm``."""
        return int(self._library.faulty_disk_hits())
