"""What this computer can do, in one line, without loading torch."""

from __future__ import annotations

import os
from pathlib import Path

from medview.core.language import _

_NVIDIA_CARDS = Path("/proc/driver/nvidia/gpus")


def computer_line() -> str:
    """Return one sentence: card, processor cores, memory."""
    parts = [
        gpu_name() or _("no NVIDIA GPU, models run on the processor"),
        _("{count} processor cores").format(count=os.cpu_count() or 1),
    ]
    memory = memory_gb()
    if memory:
        parts.append(_("{memory:.0f} GB memory").format(memory=memory))
    return _("This computer: {parts}. Nothing leaves it.").format(parts=", ".join(parts))


def gpu_name() -> str:
    """Return the name of the first NVIDIA card the driver knows, or empty."""
    try:
        for card in sorted(_NVIDIA_CARDS.iterdir()):
            for line in (card / "information").read_text(encoding="utf-8").splitlines():
                if line.startswith("Model:"):
                    return line.partition(":")[2].strip()
    except OSError:
        return ""
    return ""


def memory_gb() -> float:
    """Return the installed memory in GB (10^9 bytes), or 0 when the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):
        return 0.0
