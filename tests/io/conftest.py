"""An index of known files of its own for a test, and what a scan opens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medview.io.dicom import scan as scan_module
from medview.io.library import Library


@pytest.fixture
def index(tmp_path: Path) -> Library:
    return Library(tmp_path / "cache")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that a scan opened since the list was cleared."""
    names: list[str] = []
    real, sniffed = scan_module.look_at, scan_module.plainly_other

    def look_at(path: str) -> Any:
        names.append(Path(path).name)
        return real(path)

    def plainly_other(paths: list[str], between: Callable[[], None]) -> Any:
        for path, kind in sniffed(paths, between):
            names.append(Path(path).name)
            yield path, kind

    monkeypatch.setattr(scan_module, "look_at", look_at)
    monkeypatch.setattr(scan_module, "plainly_other", plainly_other)
    return names
