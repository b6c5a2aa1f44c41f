"""From the best weights to a model pack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from safetensors.torch import save as packed
from torch import nn

from medview.core.errors import ModelError
from medview.ml.packs import ModelPack, write_pack
from medview.ml.runs.folder import RunFolder, RunSettings
from medview.ml.spec import WEIGHTS_FILE, Card, ModelSpec
from medview.ml.spec_writer import document_of
from medview.ml.weights import build_network

FULL_WEIGHTS = "full_weights"
"""The option of a recipe that keeps kernels in single precision; a pack is twice as large then."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a training came to.

    Attributes
    ----------
    steps : int
        Done.
    best_step : int
        Whose averaged weights are kept.
    figures : mapping of str to float
        Of these weights on the validation examples; ``score`` chose them.
    reason : str
        ``steps``, ``patience``, ``time`` or ``ended early``.
    seconds : float
        So far.
    """

    pack: ModelPack
    steps: int
    best_step: int
    figures: Mapping[str, float]
    reason: str
    seconds: float


def write_outcome(
    run: RunFolder,
    settings: RunSettings,
    spec: ModelSpec,
    network: nn.Module,
    card: Card | None = None,
    more: Mapping[str, bytes] | None = None,
) -> ModelPack:
    """Write the pack of a run, in place of one that is there.

    Parameters
    ----------
    more : mapping of str to bytes
        Further files of it.

    Raises
    ------
    ModelError
        When the trained network lacks weights of the network the pack names.
    WriteError
    """
    wanted = build_network(spec.network).state_dict()
    have = network.state_dict()
    if missing := [name for name, tensor in wanted.items() if name not in have or have[name].shape != tensor.shape]:
        raise ModelError(f"The trained network lacks weights of {spec.network.name}.", detail=", ".join(missing[:5]))
    # What only training needs, such as heads of deep supervision, is left behind.
    weights = {name: have[name].detach().cpu().contiguous() for name in wanted}
    if not settings.recipe.options.get(FULL_WEIGHTS):
        weights = {name: tensor.half() if _kernel(tensor) else tensor for name, tensor in weights.items()}
    named = replace(
        spec,
        id=settings.model_id,
        name=settings.model_name,
        version=settings.model_version,
        card=spec.card if card is None else card,
    )
    content = document_of(named)
    del content["files"]
    return write_pack(run.pack, content, {WEIGHTS_FILE: packed(weights), **(more or {})})


@torch.no_grad()
def round_kernels(network: nn.Module, settings: RunSettings) -> None:
    """Give a network the kernels its pack will have, before anything is measured with them."""
    if not settings.recipe.options.get(FULL_WEIGHTS):
        for tensor in network.state_dict().values():
            if _kernel(tensor):
                tensor.copy_(tensor.half())


def _kernel(tensor: torch.Tensor) -> bool:
    """Whether half precision is enough: not for the statistics and scales of norms, which may be of any size."""
    return tensor.is_floating_point() and tensor.ndim > 1
