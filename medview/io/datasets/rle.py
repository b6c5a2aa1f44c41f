"""Masks as runs, the way COCO keeps them.

A mask is read down its columns, one after the other; the runs count pixels that are off and on in turn, off first (COCO,
https://cocodataset.org/#format-data). ``counts`` is the list of runs, or a text: each run, from the fourth on less the run
two before it, in groups of five bits, lowest first, 48 added to each; bit 5 says that more follow, and bit 4 of the last
group is the sign.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

MOST_PIXELS = 300_000_000


def runs_of(mask: Mask) -> list[int]:
    """Return the runs of a mask (rows, columns)."""
    flat = np.ravel(mask, order="F")
    if not flat.size:
        return []
    turns = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff([0, *turns.tolist(), flat.size]).tolist()
    return [0, *runs] if flat[0] else runs


def mask_of(runs: Sequence[int], size: tuple[int, int]) -> Mask:
    """Return the mask (rows, columns) of runs. Raises ValueError when they do not fill it."""
    rows, columns = size
    if rows < 1 or columns < 1 or rows * columns > MOST_PIXELS:
        raise ValueError(f"a mask of {rows} x {columns} pixels")
    if len(runs) > rows * columns + 1 or min(runs, default=0) < 0 or sum(runs) != rows * columns:
        raise ValueError("runs that do not fill their mask")
    on = np.zeros(len(runs), dtype=np.bool_)
    on[1::2] = True
    return np.repeat(on, np.asarray(runs, dtype=np.int64)).reshape((columns, rows)).T


def packed(runs: Sequence[int]) -> str:
    """Return runs as COCO's text."""
    letters = bytearray()
    for place, run in enumerate(runs):
        left = run - runs[place - 2] if place > 2 else run
        more = True
        while more:
            group = left & 0x1F
            left >>= 5
            more = left != (-1 if group & 0x10 else 0)
            letters.append((group | (0x20 if more else 0)) + 48)
    return letters.decode("ascii")


def unpacked(text: str) -> list[int]:
    """Return the runs of COCO's text. Raises ValueError when it is none."""
    runs: list[int] = []
    run = shift = 0
    for letter in text:
        group = ord(letter) - 48
        if not 0 <= group < 0x40 or shift > 40:
            raise ValueError("a text that holds no runs")
        run |= (group & 0x1F) << shift
        shift += 5
        if group & 0x20:
            continue
        if group & 0x10:
            run -= 1 << shift
        runs.append(run + runs[-2] if len(runs) > 2 else run)
        run = shift = 0
    if shift:
        raise ValueError("runs that end early")
    return runs
