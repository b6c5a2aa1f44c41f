"""Trained folders with nnU-Net v2's files and key layout, with small networks and random weights.

No published training is small enough to go with the tests: these are synthetic. Their checkpoints hold what nnU-Net's
trainer saves, copies of weights and numpy's numbers included.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from medview.ml.networks.nnunet import NnUNet, plain_unet, residual_unet

NAME = "Dataset777_Synthetic"

KERNELS = [[1, 3, 3], [3, 3, 3], [3, 3, 3]]
STRIDES = [[1, 1, 1], [1, 2, 2], [2, 2, 2]]
CT_PROPERTIES = {
    "max": 2000.0,
    "mean": -120.5,
    "median": -100.0,
    "min": -1024.0,
    "percentile_00_5": -900.0,
    "percentile_99_5": 350.0,
    "std": 310.25,
}
OTHER_PROPERTIES = {**CT_PROPERTIES, "mean": 40.0, "std": 20.0}
RESAMPLING = {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None}


def dataset_json(**changes: Any) -> dict[str, Any]:
    """Return a dataset.json of one CT channel and two labels."""
    return {
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, "liver": 1, "tumour": 2},
        "numTraining": 42,
        "file_ending": ".nii.gz",
        **changes,
    }


def configuration(*, flat: bool = False, residual: bool = False, channels: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a configuration as plans.json of nnU-Net 2.4 and later has it."""
    dims = 2 if flat else 3
    units = {"n_blocks_per_stage": [1, 2, 2]} if residual else {"n_conv_per_stage": [2, 2, 2]}
    kind = "ResidualEncoderUNet" if residual else "PlainConvUNet"
    return {
        "data_identifier": "nnUNetPlans_x",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": [24, 32] if flat else [12, 16, 24],
        "median_image_size_in_voxels": [40.0, 50.0, 60.0][-dims:],
        "spacing": [1.5, 1.25] if flat else [2.5, 1.5, 1.25],
        "normalization_schemes": ["CTNormalization"] + ["ZScoreNormalization"] * (channels - 1),
        "use_mask_for_norm": [False] * channels,
        "resampling_fn_data": "resample_data_or_seg_to_shape",
        "resampling_fn_seg": "resample_data_or_seg_to_shape",
        "resampling_fn_data_kwargs": dict(RESAMPLING),
        "resampling_fn_seg_kwargs": {**RESAMPLING, "is_seg": True, "order": 1},
        "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
        "resampling_fn_probabilities_kwargs": {**RESAMPLING, "order": 1},
        "architecture": {
            "network_class_name": f"dynamic_network_architectures.architectures.unet.{kind}",
            "arch_kwargs": {
                "n_stages": 3,
                "features_per_stage": [4, 8, 8],
                "conv_op": f"torch.nn.modules.conv.Conv{dims}d",
                "kernel_sizes": [sides[-dims:] for sides in KERNELS],
                "strides": [sides[-dims:] for sides in STRIDES],
                **units,
                "n_conv_per_stage_decoder": [2, 1],
                "conv_bias": True,
                "norm_op": f"torch.nn.modules.instancenorm.InstanceNorm{dims}d",
                "norm_op_kwargs": {"eps": 1e-05, "affine": True},
                "dropout_op": None,
                "dropout_op_kwargs": None,
                "nonlin": "torch.nn.LeakyReLU",
                "nonlin_kwargs": {"inplace": True},
            },
            "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
        },
        "batch_dice": False,
        **changes,
    }


def old_configuration(*, residual: bool = False, **changes: Any) -> dict[str, Any]:
    """Return a configuration as plans.json had it before nnU-Net 2.4."""
    new = configuration(residual=residual)
    kwargs = new.pop("architecture")["arch_kwargs"]
    return {
        **new,
        "UNet_class_name": "ResidualEncoderUNet" if residual else "PlainConvUNet",
        "UNet_base_num_features": 4,
        "n_conv_per_stage_encoder": kwargs["n_blocks_per_stage" if residual else "n_conv_per_stage"],
        "n_conv_per_stage_decoder": kwargs["n_conv_per_stage_decoder"],
        "num_pool_per_axis": [1, 2, 2],
        "pool_op_kernel_sizes": kwargs["strides"],
        "conv_kernel_sizes": kwargs["kernel_sizes"],
        "unet_max_num_features": 8,
        **changes,
    }


def plans_json(configurations: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a plans.json."""
    return {
        "dataset_name": NAME,
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": [2.5, 1.5, 1.25],
        "original_median_shape_after_transp": [40, 50, 60],
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "configurations": configurations,
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {"0": CT_PROPERTIES, "1": OTHER_PROPERTIES, "2": OTHER_PROPERTIES},
        **changes,
    }


def network(*, flat: bool = False, residual: bool = False, channels: int = 1, classes: int = 3, seed: int = 1) -> NnUNet:
    """Build the network of ``configuration`` with weights large enough that its answers vary."""
    dims = 2 if flat else 3
    make, units = (residual_unet, [1, 2, 2]) if residual else (plain_unet, [2, 2, 2])
    torch.manual_seed(seed)
    kernels, strides = [sides[-dims:] for sides in KERNELS], [sides[-dims:] for sides in STRIDES]
    made = make(channels, classes, [4, 8, 8], kernels, strides, units, [2, 1]).eval().requires_grad_(requires_grad=False)
    for weights in made.parameters():
        torch.nn.init.normal_(weights, std=0.4)
    return made


def as_saved(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return a state with the copies nnU-Net's modules add: layers under ``all_modules``, the encoder in the decoder."""
    saved = {}
    for name, tensor in state.items():
        saved[name] = tensor
        for n, layer in enumerate((".conv.", ".norm.")):
            if layer in name:
                saved[name.replace(layer, f".all_modules.{n}.")] = tensor
    return saved | {f"decoder.{name}": tensor for name, tensor in saved.items() if name.startswith("encoder.")}


def checkpoint(state: dict[str, torch.Tensor], name: str = "3d_fullres", **changes: Any) -> dict[str, Any]:
    """Return what nnU-Net's trainer saves."""
    return {
        "network_weights": as_saved(state),
        "optimizer_state": {
            "state": {0: {"momentum_buffer": torch.zeros(3)}},
            "param_groups": [{"lr": 0.01, "params": [0]}],
        },
        "grad_scaler_state": None,
        "logging": {
            "mean_fg_dice": [np.float64(0.5)],
            "train_losses": [np.float32(-0.25)],
            "epoch_start_timestamps": [1.0],
            "lrs": [0.01],
        },
        "_best_ema": np.float64(0.5),
        "current_epoch": 1000,
        "init_args": {"plans": {}, "configuration": name, "fold": 0, "dataset_json": {}, "device": torch.device("cpu")},
        "trainer_name": "nnUNetTrainer",
        "inference_allowed_mirroring_axes": (0, 1, 2),
        **changes,
    }


def trained_folder(
    folder: Path,
    states: list[dict[str, torch.Tensor]],
    name: str = "3d_fullres",
    dataset: dict[str, Any] | None = None,
    plans: dict[str, Any] | None = None,
    **changes: Any,
) -> Path:
    """Write a training with a fold per state; ``changes`` are of the checkpoints.

    Returns
    -------
    Path
        The folder ``TRAINER__PLANS__CONFIGURATION`` inside ``folder``.
    """
    trained = folder / NAME / f"nnUNetTrainer__nnUNetPlans__{name}"
    trained.mkdir(parents=True)
    (trained / "dataset.json").write_text(json.dumps(dataset or dataset_json()))
    (trained / "plans.json").write_text(json.dumps(plans or plans_json({name: configuration(flat=name == "2d")})))
    for n, state in enumerate(states):
        (trained / f"fold_{n}").mkdir()
        torch.save(checkpoint(state, name, **changes), trained / f"fold_{n}" / "checkpoint_final.pth")
    return trained
