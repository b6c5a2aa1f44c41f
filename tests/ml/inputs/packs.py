"""Packs of several channels with small networks and random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medview.ml.packs import ModelPack
from tests.ml.small_packs import document, small_pack

BRAIN_CHANNELS = [
    {"name": "T1", "modality": ["MR"], "words": ["t1"], "not_words": ["post", "gd"]},
    {"name": "T1c", "modality": ["MR"], "words": ["t1c", "post", "gd"]},
    {"name": "T2", "modality": ["MR"], "words": ["t2"], "not_words": ["flair"]},
    {"name": "FLAIR", "modality": ["MR"], "words": ["flair"]},
]


def several(folder: Path, channels: list[dict[str, Any]] = BRAIN_CHANNELS, **changes: Any) -> ModelPack:
    """Write a pack that sees several channels; ``changes`` are of its ``input`` but for ``id`` and ``version``."""
    names = {key: changes.pop(key) for key in ("id", "version", "name") if key in changes}
    given = {
        "channels": channels,
        "dimensions": 3,
        "spacing_kji_mm": [6.5, 2.0, 2.0],
        "orientation": "SPL",
        "intensity": [{"op": "zscore"}],
        **changes,
    }
    network = {"name": "unet3d", "kwargs": {"in_channels": len(channels), "classes": 3, "channels": [4, 6]}}
    tiling = {"tile_kji": [16, 64, 64], "overlap": 0.25, "blend": "gaussian"}
    content = {key: document()[key] for key in ("output",)}
    return small_pack(
        folder, input=given, network=network, tiling=tiling, schema_version=2, postprocess=[], **content, **names
    )
