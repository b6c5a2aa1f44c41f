"""Where tiles lie on an axis."""

from __future__ import annotations

import math


def tile_starts(length: int, tile: int, overlap: float) -> list[int]:
    """Return where tiles start on an axis: evenly, the last one pulled back inside."""
    if length <= tile:
        return [0]
    step = max(1, int(tile * (1.0 - overlap)))
    count = math.ceil((length - tile) / step) + 1
    return [min(n * step, length - tile) for n in range(count)]
