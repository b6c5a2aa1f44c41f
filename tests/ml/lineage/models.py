"""Descriptions of models, without weights."""

from __future__ import annotations

import json
from typing import Any

from medview.ml.spec import ModelSpec
from medview.ml.spec_reader import read_spec
from tests.ml.small_packs import document

UNET = {
    "in_channels": 1, "classes": 3, "channels": [6, 12], "kernels": [[3, 3, 3], [3, 3, 3]],
    "strides": [[1, 1, 1], [2, 2, 2]], "encoder_units": [1, 2], "decoder_units": [1],
}  # fmt: skip


def segmenter(**changes: Any) -> ModelSpec:
    """Return the description of a residual U-Net of two labels."""
    content = document("segmentation", network={"name": "nnunet_residual", "kwargs": UNET}, **changes)
    return read_spec(json.dumps({**content, "files": {"weights.safetensors": "0" * 64}}))
