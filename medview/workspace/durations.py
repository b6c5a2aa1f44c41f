"""Rough times in words."""

from __future__ import annotations

from medview.core.language import _


def duration(seconds: float) -> str:
    """Return a rough time in words: ``8 s``, ``2 min``, ``1 h 5 min``."""
    if seconds < 90:
        return _("{n} s").format(n=max(1, round(seconds)))
    minutes = round(seconds / 60)
    if minutes < 90:
        return _("{n} min").format(n=minutes)
    return _("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)
