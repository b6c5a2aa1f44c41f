"""A virtual screen for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.driver import Driver, missing_tools, virtual_screen

Start = Callable[..., Driver]


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    if missing := missing_tools():
        pytest.skip(f"the virtual screen needs {' and '.join(missing)}")
    with virtual_screen() as name:
        yield name


@pytest.fixture
def start(display: str, tmp_path: Path) -> Iterator[Start]:
    """Starts MedView, as often as a test wants, for users who have seen the notice; each has a home of their own."""
    drivers: list[Driver] = []

    def home_of(user: str) -> Path:
        home = tmp_path / (f"home-{user}" if user else "home")
        if not home.exists():
            (home / "config").mkdir(parents=True)
            (home / "config" / "settings.json").write_text('{"notice_seen": true}', encoding="utf-8")
        return home

    home_of("")

    def begin(*places: Path, user: str = "") -> Driver:
        home = home_of(user)
        drivers.append(Driver(display, home, *places, user=user))
        return drivers[-1]

    yield begin
    for driver in drivers:
        driver.stop()
