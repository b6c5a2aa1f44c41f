"""While the backbone is frozen nothing of it moves, averages included; afterwards it learns, more carefully."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from medview.core.job import Inline
from medview.ml.training.classification.task import ClassificationTask
from medview.ml.training.optimisers import make_optimiser, set_rate
from tests.ml.training.pictures import Trained, bright_or_not, recipe

FAMILIES = [("small_cnn", {"width": 8}), ("resnet18", {"width": 4})]


@pytest.mark.parametrize(("family", "options"), FAMILIES, ids=[name for name, _ in FAMILIES])
def test_a_frozen_backbone_does_not_move_and_is_freed_when_it_is_time(
    family: str, options: dict[str, int], tmp_path: Path
) -> None:
    made = recipe("classification", family, network_options=options, steps=6, options={"frozen": 0.5})
    states: list[dict[str, torch.Tensor]] = []

    def watch(step: int, network: nn.Module) -> None:
        states.append({name: tensor.clone() for name, tensor in network.state_dict().items()})

    Trained(ClassificationTask(), bright_or_not(count=12), made, tmp_path, watch=watch)
    head = {name for name in states[0] if name.split(".")[0] in ("head", "fc", "classifier")}
    rest = set(states[0]) - head
    assert any("running_mean" in name for name in rest)
    assert all(torch.equal(states[0][name], states[2][name]) for name in rest)
    assert all(not torch.equal(states[0][name], states[2][name]) for name in head)
    moved = [name for name in rest if not torch.equal(states[2][name], states[5][name])]
    assert len(moved) > 0.9 * len(rest)


def test_what_was_frozen_learns_at_a_tenth_of_the_rate_and_the_head_at_all_of_it() -> None:
    made = recipe("classification", "resnet18", network_options={"width": 4}, options={"frozen": 0.3})
    task = ClassificationTask()
    network = task.network(task.plan(bright_or_not(count=12), made, Inline()))
    optimiser = make_optimiser(network, made.optimiser, task.rates(network, made))
    set_rate(optimiser, 0.02)
    rates = {id(weights): group["lr"] for group in optimiser.param_groups for weights in group["params"]}
    assert rates[id(network.fc.weight)] == pytest.approx(0.02)  # type: ignore[union-attr]
    assert rates[id(network.conv1.weight)] == pytest.approx(0.002)  # type: ignore[union-attr]
    assert len(rates) == len(list(network.parameters()))


def test_without_a_frozen_share_all_of_it_learns_at_once() -> None:
    made = recipe("classification", "resnet18", network_options={"width": 4})
    task = ClassificationTask()
    network = task.network(task.plan(bright_or_not(count=12), made, Inline())).train()
    task.phase(network, 0.0, made)
    assert all(weights.requires_grad for weights in network.parameters())
    assert task.rates(network, made) == [(1.0, list(network.parameters()))]
    task.phase(network, 0.0, replace(made, options={"frozen": 0.5}))
    assert sum(weights.requires_grad for weights in network.parameters()) == 2
