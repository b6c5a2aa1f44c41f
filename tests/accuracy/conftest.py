"""Long runs that ``make accuracy`` makes; the tests of every day leave them out."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def only_when_asked_for() -> None:
    if "MEDVIEW_ACCURACY" not in os.environ:
        pytest.skip("takes minutes: run by make accuracy")
