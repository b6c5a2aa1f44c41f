"""The closed table of networks a model pack may name. Nothing outside this table is ever built."""

from __future__ import annotations

from collections.abc import Mapping

NETWORKS: Mapping[str, str] = {
    "meshnet": "medview.ml.networks.meshnet:meshnet",
    "monai_attention_unet": "medview.ml.networks.monai_attention_unet:attention_unet",
    "monai_basicunet": "medview.ml.networks.monai_basic_unet:basic_unet",
    "monai_dynunet": "medview.ml.networks.monai_dynunet:dynunet",
    "monai_segresnet": "medview.ml.networks.monai_segresnet:segresnet",
    "monai_unet": "medview.ml.networks.monai_unet:unet",
    "nnunet_plain": "medview.ml.networks.nnunet:plain_unet",
    "nnunet_residual": "medview.ml.networks.nnunet:residual_unet",
    "unet3d": "medview.ml.networks.unet:unet3d",
    "centernet3d": "medview.ml.networks.detector:centernet3d",
    "classifier3d": "medview.ml.networks.classifier:classifier3d",
}
"""Name to ``module:factory``, imported when a network is built; ``factory(**kwargs) -> torch.nn.Module``.

Contract, for an input of float32, shape (N, channels, k, j, i):

- segmentation: logits, shape (N, 1 + labels, k, j, i);
- detection: a dict with ``heatmap`` logits (N, classes, k/s, j/s, i/s), ``size_mm`` (N, 3, ...) edge lengths along k, j, i
  in millimetres, and ``offset`` (N, 3, ...) of the centre from the cell's own centre, in cells along k, j, i; the module
  has ``stride: int`` = s, and cell n covers the voxels n * s to (n + 1) * s;
- classification: logits, shape (N, classes).
"""
