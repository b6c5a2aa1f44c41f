"""What this computer can do for models, found out in a child, so that a broken driver cannot take this process down."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

from medview.core.child_module import SELF_TEST, child_command
from medview.core.errors import DeviceError, PackError
from medview.ml.packs import load_pack
from medview.ml.registry import Registry
from medview.ml.runners.device_errors import trouble_of_exit

LIMIT_S = 120


def networks_run() -> dict[str, object]:
    """Return what ``medview.ml.runners.self_test`` found; ``ok`` false and ``problem`` in words where it could not run."""
    command = child_command(SELF_TEST)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return _told(DeviceError(f"A small network did not come to an end within {LIMIT_S} s."))
    if done.returncode == 0:
        try:
            return dict(json.loads(done.stdout))
        except ValueError:
            return _told(DeviceError("The self-test of networks gave no answer that can be read."))
    lines = done.stderr.strip().splitlines()
    last = lines[-1] if lines else ""
    trouble = trouble_of_exit(done.returncode, last)
    detail = last or str(done.returncode)
    if trouble is None:
        return _told(DeviceError("A small network does not run here.", detail=detail))
    return {"ok": False, "problem": trouble.sentence.format(name="models"), "detail": detail, "devices": []}


def altered_packs(registry: Registry) -> list[str]:
    """Return what is wrong with installed packs, one sentence each: damaged ones, and files other than were packed."""
    found = []
    for pack in registry.list():
        try:
            load_pack(pack.folder, bundled=pack.bundled)
        except PackError as error:
            found.append(error.sentence)
    return [*(damaged.reason for damaged in registry.damaged), *found]


def writable(folder: Path) -> bool:
    """Whether files can be made in a folder, which is made where it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def free_memory_gb() -> float | None:
    """Return the memory that is free now in GB (10^9 bytes); None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(round(int(line.split()[1]) * 1024 / 1e9, 1) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        pass
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES") / 1e9, 1)
    except (AttributeError, ValueError, OSError):
        return None


def _told(error: DeviceError) -> dict[str, object]:
    return {"ok": False, "problem": error.sentence, "detail": error.detail, "devices": []}
