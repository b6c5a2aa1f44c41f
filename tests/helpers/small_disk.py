"""A real file system that is soon full."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(place: Path, *, megabytes: int = 1) -> Iterator[Path]:
    """Mount a file system of a few megabytes; skips the test where that is not allowed."""
    place.mkdir(parents=True, exist_ok=True)
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root on Linux can make a small disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this container may not mount a small disk")
    try:
        yield place
    finally:
        # Lazily: a window that a failing test leaves behind may still hold files on it.
        subprocess.run(["umount", "--lazy", str(place)], check=True)
