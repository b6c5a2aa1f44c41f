"""Pictures and masks for tests of datasets: odd sizes, nothing symmetric."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

ROWS, COLUMNS = 23, 38


def save_picture(path: Path, rows: int = ROWS, columns: int = COLUMNS, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, columns), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def save_mask(path: Path, mask: np.ndarray) -> Path:  # type: ignore[type-arg]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(path)
    return path


def holed_mask() -> np.ndarray:  # type: ignore[type-arg]
    """Return a mask (rows, columns) with a hole, a second piece, one that touches at a corner, and a lone pixel."""
    mask = np.zeros((ROWS, COLUMNS), dtype=np.bool_)
    mask[3:12, 5:21] = True
    mask[6:9, 9:14] = False
    mask[15:19, 30:38] = True
    mask[12:14, 21:24] = True
    mask[22, 0] = True
    return mask
