"""Packs with small networks of the real table and random weights, and volumes to run them on."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from medview.core.geometry import Geometry
from medview.core.volume import Rescale, Volume
from medview.ml.networks.table import NETWORKS
from medview.ml.packs import ModelPack, write_pack

EXAMPLES = Path(__file__).resolve().parents[2] / "resources" / "schemas" / "examples"


def document(task: str = "segmentation", **changes: Any) -> dict[str, Any]:
    """Return the example model.json of a task without checksums; ``changes`` replace keys at the top."""
    content: dict[str, Any] = json.loads((EXAMPLES / f"{task}.json").read_text())
    del content["files"]
    return {**content, **changes}


def small_network(name: str, kwargs: dict[str, Any], seed: int = 5) -> torch.nn.Module:
    """Build a network of the table with weights large enough that its answers vary."""
    module, _, factory = NETWORKS[name].partition(":")
    torch.manual_seed(seed)
    network: torch.nn.Module = getattr(importlib.import_module(module), factory)(**kwargs)
    for parameter in network.parameters():
        if parameter.ndim == 1:
            torch.nn.init.normal_(parameter, 0.0, 0.3)
    return network.eval()


def small_pack(folder: Path, task: str = "segmentation", seed: int = 5, **changes: Any) -> ModelPack:
    """Write a pack with random weights; its network is as small as the table allows."""
    networks: dict[str, dict[str, Any]] = {
        "segmentation": {"name": "unet3d", "kwargs": {"in_channels": 1, "classes": 3, "channels": [4, 6]}},
        "detection": {
            "name": "centernet3d",
            "kwargs": {"in_channels": 1, "classes": 1, "channels": [4, 4, 4, 4], "typical_mm": 12.0},
        },
        "classification": {"name": "classifier3d", "kwargs": {"in_channels": 1, "classes": 2, "channels": [4, 4, 4, 4]}},
        "interactive": document("interactive")["network"],
    }
    content = document(task, **{"network": networks[task], **changes})
    network = small_network(content["network"]["name"], content["network"]["kwargs"], seed)
    state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    files = {"weights.safetensors": save(state), "LICENSE": b"Apache-2.0\n", "MODEL_CARD.md": b"# Random\n"}
    return write_pack(folder, content, files)


def oblique_geometry(
    shape_kji: tuple[int, int, int], spacing_kji_mm: tuple[float, float, float] = (3.1, 1.3, 0.9)
) -> Geometry:
    """A grid turned by some degrees about two axes, with three different spacings."""
    a, b = np.radians(11.0), np.radians(-7.0)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1.0]])
    turn = turn @ np.array([[1.0, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    axes = np.array([[0, 0, 1.0], [0, 1.0, 0], [1.0, 0, 0]]) * np.asarray(spacing_kji_mm)
    affine = np.eye(4)
    affine[:3, :3] = turn @ axes
    affine[:3, 3] = (-40.0, 12.0, 300.0)
    return Geometry(shape_kji, affine, "1.2.3.4")


def ct_volume(shape_kji: tuple[int, int, int] = (20, 34, 46), geometry: Geometry | None = None) -> Volume:
    """Smooth blobs in Hounsfield units, stored as uint16 with an intercept; different in every direction."""
    rng = np.random.default_rng(11)
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, n) for n in shape_kji], indexing="ij"))
    values = -900.0 + 150.0 * grid[0] + 80.0 * grid[2]
    for _ in range(12):
        centre, width = rng.random(3), rng.uniform(0.05, 0.2)
        away = ((grid - centre[:, None, None, None]) ** 2).sum(axis=0)
        values += rng.uniform(200, 1100) * np.exp(-away / (2 * width**2))
    stored = np.rint(values + 1024.0).clip(0, 4095).astype(np.uint16)
    return Volume(stored, geometry or oblique_geometry(shape_kji), "CT", "HU", Rescale(1.0, -1024.0), "1.2.3")
