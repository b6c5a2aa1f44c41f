"""Models trained by the public command line on public data reach what they have to; see docs/accuracy.md."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.accuracy.trainings.__main__ import bench_of_environment, chosen
from tests.accuracy.trainings.row import Row

ASKED = [row for row in chosen(os.environ.get("MEDVIEW_ACCURACY_ROWS", "").split()) if row.thresholds]

pytestmark = [pytest.mark.data, pytest.mark.alone, pytest.mark.timeout(12 * 3600)]


@pytest.mark.parametrize("row", ASKED, ids=[row.name for row in ASKED])
def test_a_training_reaches_what_is_asked(test_data: Path, row: Row) -> None:
    assert test_data.is_dir()
    found = bench_of_environment().carry_out(row)
    assert found["share"] == 1.0, "only trainings of their full budget count: unset MEDVIEW_ACCURACY_SHARE"
    missed = [
        f"{one.figure} {found['figures'][one.figure]['value']} is not {one.words()}"
        for one in row.thresholds
        if not one.reached(found["figures"])
    ]
    assert not missed, "; ".join(missed)
    assert row.in_time(found), f"{row.name} took longer than {row.minutes:g} minutes"
