"""What all tests share: the folder of real studies, a cache of their own, and a check that no thread outlives its test."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# One commit, one answer: other examples are looked for by MEDVIEW_FUZZ_SEED, as in the fuzz tests.
settings.register_profile("steady", derandomize="MEDVIEW_FUZZ_SEED" not in os.environ, deadline=None)
settings.load_profile("steady")

DEFAULT_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


ALONE = ("end_to_end", "faults", "fuzz", "accuracy")
"""Folders of tests that start windows and processes, or kill them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what measures time, or fills the computer by itself: ``make test`` runs it after the others, alone."""
    for item in items:
        module = getattr(item, "module", None)
        timed = any(hasattr(module, name) for name in ("allowed_s", "typical_of"))
        if timed or any(part in ALONE for part in item.path.parts):
            item.add_marker("alone")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder with real studies, see README; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("MEDVIEW_TEST_DATA") or DEFAULT_DATA)
    if not folder.is_dir():
        pytest.skip(f"no real studies: {folder} is not there; set MEDVIEW_TEST_DATA")
    return folder.resolve()


@pytest.fixture(autouse=True)
def no_test_touches_the_users_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDVIEW_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(autouse=True)
def little_ballast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Projects of tests reserve little room: hundreds of them are kept for looking at."""
    monkeypatch.setattr("medview.store.ballast.BALLAST_BYTES", 1 << 20)


@pytest.fixture(autouse=True)
def no_thread_outlives_its_test() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    # Python keeps a stand-in for every foreign thread that ever logged, long after a QThread has ended; tests/gui looks at
    # those threads themselves.
    left = [
        t for t in threading.enumerate() if t not in before and t.is_alive() and not isinstance(t, threading._DummyThread)
    ]
    for thread in left:
        # One that is on its way out is no leak.
        thread.join(timeout=2.0)
    still = [thread.name for thread in left if thread.is_alive()]
    assert not still, f"threads outlived the test: {still}"
