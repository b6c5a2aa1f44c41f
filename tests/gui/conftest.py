"""What tests of the window share: no lane of the job threads outlives its test."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_TASKS = Path("/proc/self/task")


@pytest.fixture(autouse=True)
def no_test_reads_the_users_settings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDVIEW_CONFIG", str(tmp_path_factory.mktemp("config")))


@pytest.fixture(autouse=True)
def no_lane_outlives_its_test() -> Iterator[None]:
    yield
    end = time.monotonic() + 2.0
    # QThread.wait returns a moment before the system has let the thread go.
    while (lanes := _lanes()) and time.monotonic() < end:
        pass
    assert not lanes


def _lanes() -> list[str]:
    names = []
    for task in _TASKS.iterdir() if _TASKS.is_dir() else ():
        try:
            names.append((task / "comm").read_text().strip())
        except OSError:
            continue
    return [name for name in names if name.startswith("medview-")]
