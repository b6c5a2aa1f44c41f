"""The weights of a model become the first weights of one for other classes or channels, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from medview.core.errors import ModelError
from medview.ml.lineage.channel_map import ChannelMap
from medview.ml.training.borrowed import LEAST_TAKEN
from medview.ml.training.finetune.counted import Counted
from medview.ml.training.finetune.rows import Row


@dataclass(frozen=True, slots=True)
class Carried:
    """Names of weights, by what became of them.

    Attributes
    ----------
    taken : tuple of str
        As they were, or their rows as they were in another order.
    adapted : tuple of str
        First layers for other channels.
    heads : tuple of str
        Of which rows are new or gone.
    fresh : tuple of str
        Those for which the parent has nothing.
    unused : tuple of str
        Of the parent, those that have no place.
    """

    taken: tuple[str, ...]
    adapted: tuple[str, ...]
    heads: tuple[str, ...]
    fresh: tuple[str, ...]
    unused: tuple[str, ...]


def carry(
    network: nn.Module,
    weights: Mapping[str, torch.Tensor],
    counted: Counted,
    rows: Sequence[Row],
    channels: ChannelMap,
    name: str,
) -> Carried:
    """Fill a network in place with the weights of one that differs in nothing but what it is counted by.

    Parameters
    ----------
    counted : Counted
        Of the network.
    rows : sequence of Row
        What each answer begins with.
    channels : ChannelMap
        Of the picture; channels that prompts are given in come after and stay.
    name : str
        Of the model, for sentences.

    Raises
    ------
    ModelError
        When the weights are not those of such a network.
    """
    own = network.state_dict()
    filled: dict[str, torch.Tensor] = {}
    adapted, heads, fresh = [], [], []
    plain_rows = list(rows) == [Row(n) for n in range(len(rows))]
    for key, tensor in own.items():
        if key not in weights:
            if not key.endswith("num_batches_tracked"):
                fresh.append(key)
            continue
        value = weights[key].to(tensor.dtype)
        if key in counted.head:
            same = plain_rows and value.shape == tensor.shape
            value = value if same else _of_rows(value, key, counted, rows)
            heads += [] if same else [key]
        if key in counted.channels and not channels.unchanged:
            for axis in counted.channels[key]:
                value = _of_channels(value, axis, channels)
            adapted.append(key)
        if value.shape == tensor.shape:
            filled[key] = value
        else:
            fresh.append(key)
    share = sum(own[key].numel() for key in filled) / max(1, sum(tensor.numel() for tensor in own.values()))
    if share < LEAST_TAKEN:
        raise ModelError(f"The weights of {name} are not those of the network it describes: only {share:.0%} of them fit.")
    with torch.no_grad():
        for key, value in filled.items():
            own[key].copy_(value)
    changed = {*adapted, *heads}
    return Carried(
        taken=tuple(key for key in filled if key not in changed),
        adapted=tuple(key for key in adapted if key in filled),
        heads=tuple(key for key in heads if key in filled),
        fresh=tuple(fresh),
        unused=tuple(sorted(set(weights) - set(own))),
    )


def _of_rows(value: torch.Tensor, key: str, counted: Counted, rows: Sequence[Row]) -> torch.Tensor:
    bias = value.ndim == 1 and key.endswith("bias")
    for axis in counted.answers.get(key, ()):
        value = _along(value, axis, [_row_of(value, axis, row, bias=bias) for row in rows])
    for axis in counted.inputs.get(key, ()):
        value = _along(value, axis, [_column_of(value, axis, row) for row in rows])
    return value


def _column_of(value: torch.Tensor, axis: int, row: Row) -> torch.Tensor:
    """Return how an answer goes on into one more layer: what is new says nothing there yet."""
    return torch.zeros_like(_picked(value, axis, 0)) if row.new else _picked(value, axis, row.plus)


def _row_of(value: torch.Tensor, axis: int, row: Row, *, bias: bool) -> torch.Tensor:
    if row.plus is None:
        found = torch.zeros_like(_picked(value, axis, 0))
        if value.ndim == 1:
            # The scales of norms among them.
            return found + (value.mean() if row.more is None or not bias else row.more)
    else:
        found = _picked(value, axis, row.plus)
    if row.minus is not None:
        found = found - _picked(value, axis, row.minus)
    if row.new and value.ndim > 1:
        # Two rows that are the same, or one of nothing, ask nothing of the features before them: they would never part.
        found = found + torch.randn_like(found) * found.numel() ** -0.5
    return found + row.more if bias and row.more else found


def _of_channels(value: torch.Tensor, axis: int, channels: ChannelMap) -> torch.Tensor:
    """Return kernels for other channels; those of prompts come after the picture's and stay."""
    before = value.narrow(axis, 0, channels.before)
    rest = value.narrow(axis, channels.before, value.shape[axis] - channels.before)
    if channels.averaged:
        # Equal channels are answered to as before.
        mean = before.mean(dim=axis) * (channels.before / len(channels.old))
        picked = [mean] * len(channels.old)
    else:
        nothing = torch.zeros_like(_picked(before, axis, 0))
        picked = [nothing if old is None else _picked(before, axis, old) for old in channels.old]
    return torch.cat((_along(before, axis, picked), rest), dim=axis)


def _picked(value: torch.Tensor, axis: int, place: int | None) -> torch.Tensor:
    assert place is not None
    return value.select(axis, place)


def _along(value: torch.Tensor, axis: int, parts: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.stack(list(parts), dim=axis) if parts else value.narrow(axis, 0, 0)
