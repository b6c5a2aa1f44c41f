"""Batches hang on seed, step and place alone, whoever draws them; averages of weights follow the weights."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from medview.ml.training.averaging import average, decay_at
from medview.ml.training.engine.draws import Batches


def batches(first: int = 0, last: int = 6, rank: int = 0, processes: int = 1, seed: int = 7) -> Batches:
    return Batches(
        lambda rng: float(rng.random()),
        list,
        batch=5,
        seed=seed,
        first=first,
        last=last,
        rank=rank,
        processes=processes,
    )


def drawn(some: Batches) -> dict[int, Any]:
    try:
        return {step: content for step, _, content in some}
    finally:
        some.close()


def test_a_step_has_the_same_samples_wherever_a_training_begins() -> None:
    every, later = drawn(batches()), drawn(batches(first=4))
    assert list(every) == list(range(6))
    assert {step: every[step] for step in (4, 5)} == later
    assert len({value for samples in every.values() for value in samples}) == 30
    assert drawn(batches(seed=8)) != every
    assert batches().at(3) == every[3]


def test_processes_share_the_places_of_a_batch_between_them() -> None:
    every, even, odd = drawn(batches()), drawn(batches(rank=0, processes=2)), drawn(batches(rank=1, processes=2))
    assert all(every[step][0::2] == even[step] and every[step][1::2] == odd[step] for step in every)


def test_what_goes_wrong_in_the_thread_is_raised_where_the_batch_is_wanted() -> None:
    def broken(rng: np.random.Generator) -> float:
        raise ValueError("no sample")

    some = Batches(broken, list, batch=1, seed=0, first=0, last=3)
    with pytest.raises(ValueError, match="no sample"):
        drawn(some)


def test_nothing_goes_on_once_nobody_wants_batches_any_longer() -> None:
    some = batches(last=10_000_000)
    assert next(iter(some))[0] == 0
    some.close()
    assert "batches" not in [thread.name for thread in threading.enumerate()]


def test_averages_come_nearer_to_the_weights_and_take_counters_as_they_are() -> None:
    network, kept = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    with torch.no_grad():
        network.weight.fill_(3.0)
        network.running_mean.fill_(10.0)  # type: ignore[union-attr]
        network.num_batches_tracked.fill_(4)  # type: ignore[union-attr]
    average(kept, network, 0.75)
    assert kept.weight.tolist() == [1.5, 1.5]
    assert kept.running_mean.tolist() == [2.5, 2.5]  # type: ignore[union-attr]
    assert int(kept.num_batches_tracked) == 4  # type: ignore[arg-type]
    average(kept, network, 0.0)
    assert kept.weight.tolist() == [3.0, 3.0]


def test_the_first_weights_do_not_linger_in_the_average() -> None:
    assert decay_at(0, 0.99) == pytest.approx(0.1)
    assert decay_at(10_000, 0.99) == 0.99
