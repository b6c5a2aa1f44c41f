"""The steps that are planned fit into the time, with looks at validation and the report."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from medview.core.errors import ModelError
from medview.core.job import Inline
from medview.ml.training.engine.pace import FINAL_EXAMPLE_S, FULL, HALF, find_pace
from tests.ml.training.engine.pictures import recipe


def trial(
    step_s: float, check_s: float, *, half_s: float = 99.0, draw_s: float = 0.0, looks: int = 1, **changes: Any
) -> Any:
    return SimpleNamespace(
        recipe=recipe(**{"steps": 1000, "check_every": 50, **changes}),
        batches=SimpleNamespace(at=lambda _step: None),
        move=lambda batch, _device: batch,
        device=torch.device("cpu"),
        examples=40,
        final_looks=looks,
        step_seconds=lambda precision, _batch: step_s if precision == FULL else half_s,
        draw_seconds=lambda: draw_s,
        check_seconds=lambda: check_s,
    )


@pytest.mark.parametrize(("step_s", "check_s"), [(0.01, 0.2), (0.3, 5.0), (0.05, 20.0), (1.0, 0.1)])
def test_steps_looks_and_the_report_fit_into_the_minutes(step_s: float, check_s: float) -> None:
    pace = find_pace(trial(step_s, check_s), 20.0, lambda: 60.0, Inline())
    looks = -(-pace.steps // pace.check_every)
    final = 4 * check_s + FINAL_EXAMPLE_S * 40
    assert 60.0 + pace.steps * step_s + looks * check_s + final < 20.0 * 60
    assert pace.steps * step_s > 0.6 * (20.0 * 60 - 60.0)
    assert looks * check_s < 0.25 * pace.steps * step_s
    assert pace.deadline_seconds is not None
    assert pace.deadline_seconds < 20.0 * 60 - final + 1e-9


def test_what_judging_such_a_model_took_before_is_left_over_in_the_end() -> None:
    usual, dear = (find_pace(trial(1.0, 2.0), 20.0, lambda: 60.0, Inline(), seconds) for seconds in (0.0, 300.0))
    assert usual.deadline_seconds is not None
    assert dear.deadline_seconds is not None
    assert dear.deadline_seconds + 300.0 < 20.0 * 60 < usual.deadline_seconds + 300.0
    assert dear.steps < usual.steps - 200
    # What is quicker than was thought changes nothing.
    assert find_pace(trial(1.0, 2.0), 20.0, lambda: 60.0, Inline(), 0.5) == usual


def test_a_model_that_looks_at_mirrored_places_as_well_has_time_to_be_judged() -> None:
    pace = find_pace(trial(0.3, 5.0, looks=8), 20.0, lambda: 60.0, Inline())
    assert pace.deadline_seconds is not None
    # Once for finishing, once for the report.
    assert pace.deadline_seconds + 2 * 8 * 5.0 < 20.0 * 60


def test_a_longer_training_looks_as_often_as_the_recipe_does_so_that_patience_lasts() -> None:
    pace = find_pace(trial(0.01, 0.01), 20.0, lambda: 0.0, Inline())
    assert pace.steps > 50_000
    assert -(-pace.steps // pace.check_every) <= 1000 // 50 + 1


def test_a_short_training_with_dear_looks_has_some_all_the_same() -> None:
    pace = find_pace(trial(1.78, 18.5, steps=12_000, check_every=250), 8.0, lambda: 100.0, Inline())
    assert -(-pace.steps // pace.check_every) >= 2


def test_drawing_counts_where_it_is_what_takes_long() -> None:
    quick, slow = (find_pace(trial(0.01, 0.1, draw_s=s), 5.0, lambda: 0.0, Inline()).steps for s in (0.0, 0.1))
    assert slow < quick / 5


def test_half_precision_is_taken_where_it_helps_and_steps_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medview.ml.training.engine.pace._has_half", lambda _device: True)

    def precision(step_s: float, half_s: float) -> str:
        return find_pace(trial(step_s, 0.1, half_s=half_s), None, lambda: 0.0, Inline()).precision

    assert precision(1.0, 0.5) == HALF
    assert precision(1.0, 0.9) == FULL
    assert precision(0.01, 0.001) == FULL


def test_without_a_limit_the_recipe_says_how_long() -> None:
    pace = find_pace(trial(1.0, 1.0), None, lambda: 0.0, Inline())
    assert (pace.steps, pace.check_every, pace.deadline_seconds) == (1000, 50, None)


def test_too_little_time_says_what_takes_it() -> None:
    with pytest.raises(ModelError, match=r"a step takes 30\.00 s"):
        find_pace(trial(30.0, 1.0, half_s=30.0), 2.0, lambda: 0.0, Inline())
