from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from medview.store import ballast
from tests.faults.kept import LITTLE_BALLAST_BYTES

_MEMORY = Path("/dev/shm")


@pytest.fixture
def quick_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder whose disk makes nobody wait, where there is one: thousands of gestures are written here."""
    if not _MEMORY.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="medview-", dir=_MEMORY) as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def little_ballast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Projects are made and copied by the hundred here."""
    monkeypatch.setattr(ballast, "BALLAST_BYTES", LITTLE_BALLAST_BYTES)
    monkeypatch.setattr(ballast, "_STEP_BYTES", LITTLE_BALLAST_BYTES // 4)
