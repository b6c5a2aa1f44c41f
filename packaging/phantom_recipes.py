"""What each bundled pack is: its network, how it is trained, what its model.json says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from phantom_cohort import SPACING_MM, WINDOW_HU
from torch import nn

from medview.ml.networks.classifier import classifier3d
from medview.ml.networks.detector import centernet3d
from medview.ml.networks.unet import unet3d
from medview.ml.training.loop import LoopSettings
from medview.ml.training.losses import detection_loss, presence_loss, segmentation_loss
from medview.ml.training.patches import PatchBatch, PatchPlan

VERSION = "1.0.0"
NOTICE = "Trained on phantoms. Means nothing on patients."

Loss = Callable[[Any, PatchBatch], torch.Tensor]


@dataclass(frozen=True, slots=True)
class Phase:
    """What the training loop gets."""

    plan: PatchPlan
    settings: LoopSettings
    loss: Loss


@dataclass(frozen=True, slots=True)
class Recipe:
    """One pack.

    Attributes
    ----------
    document : mapping
        model.json without card and files; ``network`` names the factory's arguments.
    starts_from : mapping of str to str
        Weights of the boxes pack that this one starts from: beginnings of names there, and what they are called here.
    """

    pack_id: str
    factory: Callable[..., nn.Module]
    document: Mapping[str, Any]
    phase: Phase
    seed: int
    starts_from: Mapping[str, str] = field(default_factory=dict)

    def network(self, boxes: Mapping[str, torch.Tensor]) -> nn.Module:
        """Build the network with its first weights: those of the boxes pack where it starts from them, else random ones."""
        torch.manual_seed(self.seed)
        network = self.factory(**self.document["network"]["kwargs"])
        state = network.state_dict()
        for theirs, ours in self.starts_from.items():
            taken = {ours + name.removeprefix(theirs): value for name, value in boxes.items() if name.startswith(theirs)}
            state.update(taken)
        network.load_state_dict(state)
        return network


INPUT = {
    "channels": ["CT"],
    "modality": ["CT"],
    "dimensions": 3,
    "unit": "HU",
    "spacing_kji_mm": [SPACING_MM] * 3,
    "shape_kji": None,
    "orientation": "SPL",
    "intensity": [
        {"op": "clip", "low": WINDOW_HU[0], "high": WINDOW_HU[1]},
        {"op": "scale", "low": WINDOW_HU[0], "high": WINDOW_HU[1]},
    ],
}

TILE_KJI = [80, 104, 104]
"""A multiple of the networks' coarsest stride, and smaller than any chest: a smaller volume is padded with air, and the
networks have not seen air below a cut body."""

NODULE_COLOUR = [230, 159, 0]

CLASS_WEIGHTS = (1.0, 1.0, 4.0, 1.0, 1.0)
DICE_WEIGHTS = (1.0, 3.0, 1.0, 1.0)
"""Nodules are small and matter most."""


def _organs_loss(network: nn.Module, batch: PatchBatch) -> torch.Tensor:
    return segmentation_loss(network(batch.values), batch, torch.tensor(CLASS_WEIGHTS), torch.tensor(DICE_WEIGHTS))


def _boxes_loss(network: Any, batch: PatchBatch) -> torch.Tensor:
    return detection_loss(network(batch.values), batch, network.stride)


def _presence_loss(network: nn.Module, batch: PatchBatch) -> torch.Tensor:
    return presence_loss(network(batch.values), batch)


def _label(value: int, name: str, colour: list[int], code: str, meaning: str) -> dict[str, Any]:
    return {"value": value, "name": name, "colour": colour, "code": {"value": code, "scheme": "SCT", "meaning": meaning}}


_common = partial(dict, schema_version=1, version=VERSION, input=INPUT, licence="Apache-2.0", notice=NOTICE)

ORGANS = Recipe(
    pack_id="phantom-organs-nodules",
    factory=unet3d,
    document=_common(
        id="phantom-organs-nodules",
        name="Organs and nodules (phantom)",
        task="segmentation",
        summary="Lungs, nodules, heart and spine in the chest CT phantoms of the demo.",
        network={"name": "unet3d", "kwargs": {"in_channels": 1, "classes": 5, "channels": [8, 16, 32, 48]}},
        tiling={"tile_kji": TILE_KJI, "overlap": 0.25, "blend": "gaussian"},
        output={
            "labels": [
                _label(1, "Lungs", [86, 180, 233], "39607008", "Lung"),
                _label(2, "Nodule", NODULE_COLOUR, "27925004", "Nodule"),
                _label(3, "Heart", [213, 94, 0], "80891009", "Heart"),
                _label(4, "Spine", [240, 228, 66], "421060004", "Vertebral column"),
            ]
        },
        postprocess=[
            {"op": "remove_small", "min_mm3": 40, "values": [2]},
            {"op": "remove_small", "min_mm3": 5000, "values": [1, 3, 4]},
        ],
    ),
    phase=Phase(
        PatchPlan((64, 64, 64), batch=2, on_box=0.5, on_label=0.3),
        LoopSettings(steps=1600, peak_rate=3e-3),
        _organs_loss,
    ),
    seed=1,
    starts_from={
        "trunk.at_full.": "stem.",
        "trunk.at_half.": "down.0.",
        "trunk.at_quarter.": "down.1.",
        "trunk.at_eighth.": "down.2.",
        "trunk.up.": "up.0.",
        "trunk.joined.": "join.0.",
    },
)

BOXES = Recipe(
    pack_id="phantom-nodule-boxes",
    factory=centernet3d,
    document=_common(
        id="phantom-nodule-boxes",
        name="Nodule boxes (phantom)",
        task="detection",
        summary="Boxes with scores around nodules in the chest CT phantoms of the demo.",
        network={
            "name": "centernet3d",
            "kwargs": {"in_channels": 1, "classes": 1, "channels": [8, 16, 32, 48], "typical_mm": 13},
        },
        tiling={"tile_kji": TILE_KJI, "overlap": 0.25, "blend": "gaussian"},
        output={
            "classes": [{"name": "Nodule", "colour": NODULE_COLOUR}],
            "score_threshold": 0.5,
            "nms_iou": 0.1,
            "max_boxes": 50,
        },
    ),
    phase=Phase(
        PatchPlan((64, 64, 64), batch=4, on_box=0.5, on_label=0.35, flips=True), LoopSettings(steps=1600), _boxes_loss
    ),
    seed=2,
)

PRESENT = Recipe(
    pack_id="phantom-nodule-present",
    factory=classifier3d,
    document=_common(
        id="phantom-nodule-present",
        name="Nodule present (phantom)",
        task="classification",
        summary="Probability that a chest CT phantom of the demo holds a nodule.",
        network={"name": "classifier3d", "kwargs": {"in_channels": 1, "classes": 1, "channels": [8, 16, 32, 48]}},
        tiling=None,
        output={"classes": ["Nodule present"], "activation": "sigmoid", "threshold": 0.5},
    ),
    phase=Phase(
        PatchPlan((48, 48, 48), batch=8, on_box=0.4, on_label=0.4, flips=True),
        LoopSettings(steps=400, peak_rate=2e-3),
        _presence_loss,
    ),
    seed=3,
    starts_from={"trunk.": "trunk.", "tower.": "tower.", "heatmap.": "score."},
)

RECIPES = {recipe.pack_id: recipe for recipe in (BOXES, ORGANS, PRESENT)}
"""In the order of training: the others start from the first."""
