"""A real process that draws, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scene.drawing import Drawing


@pytest.fixture
def drawing() -> Iterator[Drawing]:
    started = Drawing()
    yield started
    started.end()


# A second fixture, since the first must not be shared by tests that kill the process.
@pytest.fixture(scope="module")
def shared_drawing() -> Iterator[Drawing]:
    """One process for all tests of a module that only look; starting takes a second."""
    started = Drawing()
    # Its threads have to be there before the first test counts threads.
    started.ready()
    yield started
    started.end()
