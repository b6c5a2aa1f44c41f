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

    def utc(self) -> datetime:
        return self.now

    def forward(self, **step: float) -> None:
        self.now += timedelta(**step)


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
