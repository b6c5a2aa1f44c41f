"""What tests of the window share: no lane of the job threads outlives its test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

_TASKS = Path("/proc/self/task")


@pytest.fixture(autouse=True)
def no_lane_outlives_its_test() -> Iterator[None]:
    yield
    if _TASKS.is_dir():
        names = [(task / "comm").read_text().strip() for task in _TASKS.iterdir() if task.exists()]
        assert not [name for name in names if name.startswith("medview-")]
