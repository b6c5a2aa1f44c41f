"""The closed table of networks a model pack may name. Nothing outside this table is ever built."""

from __future__ import annotations

from collections.abc import Mapping

NETWORKS: Mapping[str, str] = {
    "attention_unet": "medview.ml.networks.attention_unet:attention_unet",
    "fcn": "medview.ml.networks.fcn:fcn",
    "meshnet": "medview.ml.networks.meshnet:meshnet",
    "monai_attention_unet": "medview.ml.networks.monai_attention_unet:attention_unet",
    "monai_basicunet": "medview.ml.networks.monai_basic_unet:basic_unet",
    "monai_dynunet": "medview.ml.networks.monai_dynunet:dynunet",
    "monai_segresnet": "medview.ml.networks.monai_segresnet:segresnet",
    "monai_swinunetr": "medview.ml.networks.monai_swin_unetr:swin_unetr",
    "monai_unet": "medview.ml.networks.monai_unet:unet",
    "nnunet_plain": "medview.ml.networks.nnunet:plain_unet",
    "nnunet_residual": "medview.ml.networks.nnunet:residual_unet",
    "unet3d": "medview.ml.networks.unet:unet3d",
    "densenet121": "medview.ml.networks.densenet:densenet121",
    "resnet18": "medview.ml.networks.resnet:resnet18",
    "resnet50": "medview.ml.networks.resnet:resnet50",
    "small_cnn": "medview.ml.networks.small_cnn:small_cnn",
    "centernet3d": "medview.ml.networks.detector:centernet3d",
    "fpn_detector": "medview.ml.networks.fpn_detector:fpn_detector",
    "classifier2d": "medview.ml.networks.classifier:classifier2d",
    "classifier3d": "medview.ml.networks.classifier:classifier3d",
}
"""Name to ``module:factory``, imported when a network is built; ``factory(**kwargs) -> torch.nn.Module``.

Contract, for an input of float32, shape (N, channels, k, j, i):

- segmentation: logits, shape (N, 1 + labels, k, j, i);
- detection: a dict with ``heatmap`` logits (N, classes, k/s, j/s, i/s), ``size_mm`` (N, 3, ...) edge lengths along k, j, i
  in millimetres, and ``offset`` (N, 3, ...) of the centre from the cell's own centre, in cells along k, j, i; the module
  has ``stride: int`` = s, and cell n covers the voxels n * s to (n + 1) * s;
  or, where the module has ``levels``, a tuple of voxels per cell along k, j, i, for every level n the logits
  ``logits_n`` (N, classes, ...) and ``centre_n`` (N, 1, ...) whose probabilities' geometric mean is the score, ``offset_n``
  (N, 3, ...) of the centre from the cell's own, in cells, and ``size_n`` (N, 3, ...) edge lengths in voxels; networks of
  two dimensions leave k out, and their boxes are one slice thick;
- classification: logits, shape (N, classes).
"""
