"""Keeping labels: until a stroke is saved, memory of the steps that can be undone, opening a case again."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.benchmarks.row import Row, percentile, timed
from tests.faults.big_case import STROKES, open_big, paint, undo_bytes

RUNS = 5


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big.medview"
        project, kept = open_big(path)
        with project:
            saved_s = paint(kept)
            memory_mb = undo_bytes(kept.case) / 1e6
        del kept

        def reopen() -> None:
            opened, _ = open_big(path)
            opened.close()

        reopened_s = timed(reopen, RUNS)
        began = time.perf_counter()
        project, _ = open_big(path)
        with project:
            report = project.verify()
        verified_s = time.perf_counter() - began
    assert report.ok, report.problems
    what = f"{STROKES} strokes of 10 stamps on 512 x 512 x 300"
    return [
        Row("stroke until it is saved, p95", percentile(saved_s, 95), "ms", None, f"{what}; on the disk of {folder}"),
        Row(f"undo of {STROKES} strokes kept in memory", memory_mb, "MB", 20.0, what),
        Row(
            f"labels open again after {STROKES} strokes",
            percentile(reopened_s, 50),
            "ms",
            2000.0,
            f"{what}; pixels compared too",
        ),
        Row("project checked from its first row", verified_s * 1000.0, "ms", None, what),
    ]
