"""Where tiles lie on an axis."""

from __future__ import annotations

import math


def tile_starts(length: int, tile: int, overlap: float, *, spread: bool = False) -> list[int]:
    """Return where tiles start on an axis: one step apart, the last one pulled back inside; or spread at even distances."""
    if length <= tile:
        return [0]
    if spread:
        # Tiles of one slice have no part to share: never less than a voxel apart.
        last = math.ceil((length - tile) / max(1.0, tile * (1.0 - overlap)))
        return [round((length - tile) / last * n) for n in range(last + 1)]
    step = max(1, int(tile * (1.0 - overlap)))
    count = math.ceil((length - tile) / step) + 1
    return [min(n * step, length - tile) for n in range(count)]
