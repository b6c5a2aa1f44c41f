"""Studies that were written long ago, and a look into the index of known files."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from medview.core.study import ScanResult
from medview.io.library import Library
from tests.helpers.dicom_series import write_ct

DAY_S = 86_400


def age(folder: Path, seconds: float = DAY_S) -> None:
    """Let files have been written long ago."""
    then = time.time() - seconds
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (then, then))


def old_ct(folder: Path) -> Path:
    write_ct(folder)
    age(folder)
    return folder


def same(one: ScanResult, other: ScanResult) -> bool:
    return repr(one) == repr(other)


def entries(index: Library) -> list[tuple[bytes, int, bytes]]:
    with closing(sqlite3.connect(index.file)) as database:
        return database.execute("SELECT path, used, content FROM folder ORDER BY path").fetchall()
