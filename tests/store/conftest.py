from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from medview.store.project import Project
from tests.store.painter import Painter


class StillClock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
        self.passed_s = 1000.0

    def utc(self) -> datetime:
        return self.now

    def monotonic_s(self) -> float:
        return self.passed_s

    def forward(self, **step: float) -> None:
        """Let time pass."""
        self.now += timedelta(**step)
        self.passed_s += timedelta(**step).total_seconds()

    def set_to(self, **step: float) -> None:
        """Set the date forward or back, as a person or a time server does; no time passes."""
        self.now += timedelta(**step)


@pytest.fixture(autouse=True)
def ada_is_at_the_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a project without giving a name is its reader Ada."""
    monkeypatch.setenv("LOGNAME", "Ada")


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def project(tmp_path: Path, clock: StillClock) -> Iterator[Project]:
    opened = Project.create(tmp_path / "chest.medview", "Chest", reader="Ada", clock=clock)
    yield opened
    opened.close(discard=True)


@pytest.fixture
def painter(project: Project) -> Painter:
    return Painter(project)
