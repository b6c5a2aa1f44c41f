"""Long work on a large scan: what can be undone fits into memory, and the case is open again at once."""

from __future__ import annotations

import time
from pathlib import Path

from medview.store.recover import UNDO_STEPS_KEPT
from tests.faults.big_case import STROKES, open_big, paint, undo_bytes
from tests.helpers.annotating import content
from tests.helpers.timing import allowed_s

UNDO_BYTES = 20e6
REOPENED_S = 2.0


def test_five_hundred_strokes_take_little_memory_and_are_open_again_in_two_seconds(quick_disk: Path) -> None:
    path = quick_disk / "big.medview"
    project, kept = open_big(path)
    with project:
        paint(kept, stamps=2)
        assert len(kept.case.history.names) == STROKES + 5
        assert undo_bytes(kept.case) < UNDO_BYTES
        last = content(kept.case.labels)
        steps = min(UNDO_STEPS_KEPT, STROKES + 5)
    del kept
    began = time.perf_counter()
    project, again = open_big(path)
    took_s = time.perf_counter() - began
    with project:
        assert content(again.case.labels) == last
        assert again.case.losses == ()
        assert len(again.case.history.names) == steps
        assert undo_bytes(again.case) < UNDO_BYTES
        assert took_s < allowed_s(REOPENED_S)
        # The oldest of them can be reached.
        for _ in range(steps):
            assert again.case.undo() is not None
        assert again.case.undo() is None
