"""How long corrections take, learnt from those that were noted."""

from __future__ import annotations

import pytest

from medview.core.effort import Agreement, Effort
from medview.core.effort_rate import GUESS, Grounds, effort_rate
from medview.core.source import Source, SourceKind

SOURCE = Source(SourceKind.MODEL, "m", "1", "ab", "job")


def corrected(seconds: float, *changed: int) -> dict[str, Effort]:
    """A case whose segments had so many voxels changed; the clock ran for all of them."""
    return {
        str(n): Effort(str(n), SOURCE, n + 1, f"class {n}", seconds, Agreement(0.9, 1000, 1000 + voxels, voxels, 0, 0.001))
        for n, voxels in enumerate(changed)
    }


def test_nothing_noted_is_a_guess_that_says_so() -> None:
    assert effort_rate([]) == GUESS
    assert GUESS.grounds is Grounds.GUESS
    assert GUESS.seconds(2, 1000.0) == pytest.approx(100.0)


def test_few_corrections_make_the_guess_faster_or_slower_as_a_whole() -> None:
    rate = effort_rate([corrected(50.0, 500, 500)])
    assert (rate.grounds, rate.cases) == (Grounds.CORRECTIONS, 1)
    assert rate.seconds(2, 1000.0) == pytest.approx(50.0)
    assert rate.per_segment_s / rate.per_voxel_s == pytest.approx(GUESS.per_segment_s / GUESS.per_voxel_s)


def test_more_of_them_tell_looking_from_correcting() -> None:
    cases = [corrected(20.0 * segments + 0.05 * voxels * segments, *[voxels] * segments)
             for segments, voxels in ((1, 100), (2, 50), (3, 400), (1, 900), (2, 0))]  # fmt: skip
    rate = effort_rate(cases)
    assert rate.per_segment_s == pytest.approx(20.0)
    assert rate.per_voxel_s == pytest.approx(0.05)


def test_no_rate_is_below_zero() -> None:
    # More is corrected in less time: only looking explains it.
    cases = [corrected(seconds, voxels) for seconds, voxels in ((100, 0), (80, 500), (60, 900), (50, 1500))]
    rate = effort_rate(cases)
    assert rate.per_voxel_s == 0.0
    assert 50 < rate.per_segment_s < 100


def test_without_corrections_finished_cases_say_how_long_a_case_takes() -> None:
    rate = effort_rate([corrected(0.0, 5)], [0.0, 120.0, 600.0, 240.0])
    assert (rate.grounds, rate.cases) == (Grounds.FINISHED, 3)
    assert rate.seconds(7, 1e6) == 240.0
