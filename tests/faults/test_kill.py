"""``kill -9`` at any moment while somebody paints: nothing that was called saved is lost, and work goes on at once.

``MEDVIEW_KILLS`` says how often, ``MEDVIEW_FAULTS_SEED`` when.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from medview.store.project import Project
from tests.faults.kept import READER, Mirror
from tests.faults.painters import painters, reopened
from tests.helpers.timing import allowed_s

KILLS = int(os.environ.get("MEDVIEW_KILLS", "20"))
SEED = int(os.environ.get("MEDVIEW_FAULTS_SEED", "5"))
IN_A_ROW = 10
"""Kills a project goes through."""
LONGEST_LIFE_S = 0.3
REOPENED_S = 2.0

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="painters are forked, and there is no fork here")


@pytest.mark.timeout(0)
def test_whoever_is_killed_while_painting_has_lost_nothing_that_was_called_saved(tmp_path: Path, quick_disk: Path) -> None:
    moments = random.Random(SEED)
    took_s: list[tuple[float, float]] = []
    rows = deaths_after_work = 0
    with painters() as at_work:
        for round_ in range(-(-KILLS // IN_A_ROW)):
            seed = 1000 * SEED + round_
            # On a slow disk most die while they wait for it, on a quick one anywhere.
            path = (tmp_path, quick_disk)[round_ % 2] / f"{round_}.medview"
            Project.create(path, reader=READER).close()
            mirror = Mirror(seed)
            for _ in range(min(IN_A_ROW, KILLS - round_ * IN_A_ROW)):
                order = {"what": "paint", "path": str(path), "seed": seed, "step": mirror.next_step}
                # Some die while they open the project, some while they paint.
                since = moments.choice(("pid", "open", "open"))
                life = at_work.live(order, moments.uniform(0.0, LONGEST_LIFE_S), since)
                assert life.status == -signal.SIGKILL, life.failed
                deaths_after_work += life.saved > 0
                took_s.append(reopened(path, mirror, life.saved))
            rows += len(mirror.states) - 1
    by_clock, busy = np.asarray(took_s).T
    p50, p95, most = (float(n) for n in np.percentile(by_clock, (50, 95, 100)))
    sys.stdout.write(f"{len(took_s)} kills, {rows} rows, 0 lost, 0 corrupt; reopened in {p50:.3f} s (median), {p95:.3f} s ")
    sys.stdout.write(f"(p95), {most:.3f} s (most), {float(busy.max()):.3f} s of the processor (most)\n")
    # Not all of them died before they had begun.
    assert deaths_after_work > KILLS / 5
    assert p95 < allowed_s(REOPENED_S)
    assert float(busy.max()) < allowed_s(REOPENED_S)
