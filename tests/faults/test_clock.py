"""A clock that jumps, back and forward, while somebody works: order and locks do not depend on it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import LockedError
from medview.store import row_writer
from medview.store.project import Project
from tests.faults.kept import READER, open_kept
from tests.faults.painters import ROOT
from tests.helpers.annotating import fingerprint


class JumpingClock:
    """A date that is set wildly while time itself goes on."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._now = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
        self._elapsed_s = 0.0

    def utc(self) -> datetime:
        self._now += timedelta(days=float(self._rng.choice((-4000.0, -400.0, -1.0, -0.02, 0.0, 0.001, 30.0, 4000.0))))
        self._now = min(max(self._now, datetime(1975, 1, 1, tzinfo=UTC)), datetime(2090, 1, 1, tzinfo=UTC))
        return self._now

    def monotonic_s(self) -> float:
        self._elapsed_s += 0.01
        return self._elapsed_s


@pytest.mark.parametrize("seed", range(3))
def test_rows_keep_their_order_and_everything_is_there(
    quick_disk: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(row_writer, "SNAPSHOT_ROWS", 7)
    path = quick_disk / "clock.medview"
    Project.create(path, reader=READER, clock=JumpingClock(seed)).close()
    step, last = 0, ""
    for opening in range(3):
        with Project.open(path, reader=READER, clock=JumpingClock(10 * seed + opening)) as project:
            kept = open_kept(project)
            assert not kept.case.read_only
            assert kept.case.losses == ()
            assert not last or fingerprint(kept.case) == last
            hand = kept.annotator(seed)
            for _ in range(20):
                hand.step(step)
                step += 1
                assert project.journal.flush()
            last = fingerprint(kept.case)
            assert project.verify().problems == ()
            assert project.readings()[0].changed_utc


_SECOND = """
import sys
from pathlib import Path
from medview.core.errors import LockedError
from medview.store.project import Project
from tests.faults.test_clock import JumpingClock
for seed in range(40):
    try:
        Project.open(Path(sys.argv[1]), clock=JumpingClock(seed))
    except LockedError:
        continue
    raise SystemExit("taken over")
"""


def test_a_date_years_ahead_or_behind_takes_no_project_from_whoever_writes_it(quick_disk: Path) -> None:
    path = quick_disk / "held.medview"
    with Project.create(path, reader=READER, clock=JumpingClock(1)) as project:
        with pytest.raises(LockedError):
            Project.open(path, clock=JumpingClock(2))
        second = subprocess.run(
            [sys.executable, "-c", _SECOND, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert second.returncode == 0, second.stderr
        kept = open_kept(project)
        kept.annotator(0).step(0)
        assert project.journal.flush()
