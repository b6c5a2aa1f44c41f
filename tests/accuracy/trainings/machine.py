"""What a figure was computed on, without the names of computers or people."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Return processor, cores, how many threads compute at once, memory in GB, system, and the versions that compute."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "threads": _threads(),
        "memory_gb": _memory_gb(),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": version("torch"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    found = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return found or platform.machine()


def cores_of(found: Mapping[str, Any]) -> str:
    """Say how many cores a machine has, and how many of them a training had where others ran beside it."""
    cores = f"{found['cores']} cores"
    if found.get("threads", found["cores"]) < found["cores"]:
        cores += f", {found['threads']} of them for each training"
    return cores


def _threads() -> int:
    """Return what the environment says that trainings inherit, the number of cores where it says nothing."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdigit() and int(told) else os.cpu_count() or 1


def _memory_gb() -> int | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)
    except (ValueError, OSError, AttributeError):
        return None
