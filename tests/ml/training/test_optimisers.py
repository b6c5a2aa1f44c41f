"""Every optimiser and schedule does what its name says."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from medview.ml.recipes.reader import OPTIMISERS, SCHEDULES
from medview.ml.recipes.recipe import OptimiserChoice, ScheduleChoice
from medview.ml.training.optimisers import MAKERS, make_optimiser, set_rate
from medview.ml.training.schedules import SHAPES, rate_at

CHOICES = [
    OptimiserChoice("sgd", 0.3),
    OptimiserChoice("sgd", 0.02, momentum=0.9),
    OptimiserChoice("sgd", 0.02, momentum=0.9, nesterov=True),
    OptimiserChoice("adagrad", 1.0),
    OptimiserChoice("rmsprop", 0.05),
    OptimiserChoice("rmsprop", 0.03, momentum=0.5),
    OptimiserChoice("adam", 0.05),
    OptimiserChoice("adamw", 0.05),
]


def test_the_tables_hold_what_recipes_may_name() -> None:
    assert tuple(MAKERS) == OPTIMISERS
    assert tuple(SHAPES) == SCHEDULES


@pytest.mark.parametrize("choice", CHOICES, ids=lambda c: f"{c.name}-{c.momentum}-{c.nesterov}")
def test_every_optimiser_finds_a_line(choice: OptimiserChoice) -> None:
    x = torch.linspace(-1, 1, 32)[:, None]
    y = 3 * x + 1
    network = nn.Linear(1, 1)
    optimiser = make_optimiser(network, choice)
    first = last = 0.0
    for step in range(150):
        set_rate(optimiser, rate_at(step, 150, choice.rate, ScheduleChoice("cosine")))
        optimiser.zero_grad()
        loss = (network(x) - y).square().mean()
        torch.autograd.backward(loss)
        optimiser.step()
        first, last = (float(loss.detach()) if step == 0 else first), float(loss.detach())
    assert last < 0.02 * first


def test_momentum_and_nesterov_take_other_steps_than_plain_descent() -> None:
    found = []
    for choice in CHOICES[:3]:
        weight = nn.Parameter(torch.ones(1, 1))
        holder = nn.Module()
        holder.weight = weight
        optimiser = make_optimiser(holder, OptimiserChoice("sgd", 0.1, choice.momentum, choice.nesterov))
        for _ in range(3):
            optimiser.zero_grad()
            torch.autograd.backward(weight.square().sum())
            optimiser.step()
        found.append(float(weight.detach()))
    assert len(set(found)) == 3


def test_kernels_decay_and_biases_do_not() -> None:
    network = nn.Linear(2, 2)
    nn.init.ones_(network.weight)
    nn.init.ones_(network.bias)
    optimiser = make_optimiser(network, OptimiserChoice("adamw", 0.1, weight_decay=0.5))
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    assert torch.allclose(network.weight, torch.full((2, 2), 0.95))
    assert torch.equal(network.bias, torch.ones(2))


def test_the_rate_rises_in_the_warm_up_and_goes_as_the_schedule_says() -> None:
    for name in SCHEDULES:
        choice = ScheduleChoice(name, 0.1)
        rates = [rate_at(step, 100, 2.0, choice) for step in range(100)]
        assert rates[:10] == pytest.approx([0.2 * (step + 1) for step in range(10)])
        assert rates[10] == pytest.approx(2.0)
        assert rates == pytest.approx(sorted(rates[:10]) + sorted(rates[10:], reverse=True))
    assert rate_at(99, 100, 2.0, ScheduleChoice("constant", 0.1)) == 2.0
    assert rate_at(55, 100, 2.0, ScheduleChoice("cosine", 0.1)) == pytest.approx(1.0)
    assert rate_at(50, 100, 1.0, ScheduleChoice("poly", 0.0)) == pytest.approx(0.5**0.9)
    assert rate_at(500, 100, 2.0, ScheduleChoice("cosine", 0.1)) == 0.0
