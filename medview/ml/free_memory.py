"""How much memory there is to be had."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path


def free_memory_bytes() -> int:
    """Return the memory this process may still take, with the limits of a container."""
    if sys.platform == "win32":
        return _free_on_windows()
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):
            # No such group, or its limit is the word "max".
            continue
    return max(0, free)


def _free_on_windows() -> int:
    if sys.platform == "win32":
        numbers = [(f"bytes{n}", ctypes.c_ulonglong) for n in range(6)]

        class Status(ctypes.Structure):
            _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong), ("total", ctypes.c_ulonglong), *numbers]

        status = Status(length=ctypes.sizeof(Status))
        ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        # After the total comes the available physical memory.
        return int(status.bytes0)
    return 0
