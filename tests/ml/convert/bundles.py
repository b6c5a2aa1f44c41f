"""MONAI bundles made with MONAI's own networks and random weights, with what real ones have besides."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import torch

from tests.ml.networks.test_monai_networks import stirred

JSON = dict[str, Any]


def metadata(labels: dict[str, str], **changes: Any) -> JSON:
    """Return the text about a model of one CT channel."""
    image = {
        "type": "image",
        "format": "hounsfield",
        "modality": "CT",
        "num_channels": 1,
        "spatial_shape": ["16*n", "16*n", "16*n"],
        "dtype": "float32",
        "value_range": [0, 1],
        "is_patch_data": True,
        "channel_def": {"0": "image"},
    }
    answer = {"type": "image", "format": "segmentation", "num_channels": len(labels), "channel_def": labels}
    return {
        "schema": "https://example.org/meta_schema.json",
        "version": "0.3.1",
        "changelog": {"0.3.1": "first"},
        "monai_version": "1.4.0",
        "pytorch_version": "2.4.0",
        "numpy_version": "1.24.4",
        "optional_packages_version": {"nibabel": "5.2.1"},
        "name": "Two organs",
        "task": "Segmentation of two organs",
        "description": "A network that was never trained.",
        "authors": "Nobody",
        "copyright": "None",
        "data_source": "A random generator",
        "eval_metrics": {"mean_dice": {"left": 0.5, "right": 0.25}},
        "intended_use": "Tests.",
        "references": ["Nobody et al., On nothing, 2026."],
        "network_data_format": {"inputs": {"image": image}, "outputs": {"pred": answer}},
        **changes,
    }


def inference(network_def: JSON, preprocessing: list[JSON], inferer: JSON, postprocessing: list[JSON]) -> JSON:
    """Return a program for MONAI around the parts that matter, as bundles have it."""
    return {
        "imports": ["$import glob", "$import os"],
        "bundle_root": ".",
        "image_key": "image",
        "output_dir": "$@bundle_root + '/eval'",
        "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
        "datalist": "$list(sorted(glob.glob(@bundle_root + '/images/*.nii.gz')))",
        "network_def": network_def,
        "network": "$@network_def.to(@device)",
        "preprocessing": {"_target_": "Compose", "transforms": preprocessing},
        "dataset": {"_target_": "Dataset", "data": "$[{'image': i} for i in @datalist]", "transform": "@preprocessing"},
        "inferer": inferer,
        "postprocessing": {"_target_": "Compose", "transforms": postprocessing},
        "evaluator": {"_target_": "SupervisedEvaluator", "network": "@network", "inferer": "@inferer"},
        "checkpointloader": {
            "_target_": "CheckpointLoader",
            "load_path": "$@bundle_root + '/models/model.pt'",
            "load_dict": {"model": "@network"},
        },
        "initialize": ["$monai.utils.set_determinism(seed=123)", "$@checkpointloader(@evaluator)"],
        "run": ["$@evaluator.run()"],
    }


def on_image(target: str, **arguments: Any) -> JSON:
    """Return a transform of the image."""
    return {"_target_": target, "keys": "@image_key", **arguments}


def on_answer(target: str, **arguments: Any) -> JSON:
    """Return a transform of the answer."""
    return {"_target_": target, "keys": "pred", **arguments}


LOADED = [on_image("LoadImaged"), on_image("EnsureChannelFirstd")]
SPLEEN_LIKE = [
    *LOADED,
    on_image("Orientationd", axcodes="RAS"),
    on_image("Spacingd", pixdim=[1.5, 1.5, 2.0], mode="bilinear"),
    on_image("ScaleIntensityRanged", a_min=-900, a_max=200, b_min=0.0, b_max=1.0, clip=True),
    on_image("EnsureTyped"),
]
WINDOW = {"_target_": "SlidingWindowInferer", "roi_size": [32, 32, 16], "sw_batch_size": 4, "overlap": 0.5}
INVERTED = on_answer("Invertd", transform="@preprocessing", orig_keys="@image_key", nearest_interp=False, to_tensor=True)
SAVED = on_answer("SaveImaged", output_dir="@output_dir", output_dtype="$numpy.float32")
SOFTMAX = [on_answer("Activationsd", softmax=True), INVERTED, on_answer("AsDiscreted", argmax=True), SAVED]
UNET = {
    "_target_": "UNet",
    "spatial_dims": 3,
    "in_channels": 1,
    "out_channels": 3,
    "channels": [4, 8, 12],
    "strides": [2, 2],
    "num_res_units": 2,
    "norm": "batch",
}
ORGANS = {"0": "background", "1": "left_organ", "2": "right organ"}


def spleen_like() -> tuple[JSON, JSON]:
    """Return metadata and inference of a bundle for CT."""
    return metadata(ORGANS), copy.deepcopy(inference(UNET, SPLEEN_LIKE, WINDOW, SOFTMAX))


def write_bundle(folder: Path, about: JSON, program: JSON, network: torch.nn.Module | None = None) -> Path:
    """Write a bundle as it is downloaded; ``network`` gives the weights."""
    for inner in ("configs", "models", "docs", "scripts"):
        (folder / inner).mkdir(parents=True)
    (folder / "configs" / "metadata.json").write_text(json.dumps(about))
    (folder / "configs" / "inference.json").write_text(json.dumps(program))
    (folder / "configs" / "logging.conf").write_text("[handlers]\nkeys=x\n[handler_x]\nclass=__import__('os').abort()\n")
    (folder / "scripts" / "__init__.py").write_text("raise SystemExit('ran')\n")
    (folder / "docs" / "README.md").write_text("# Two organs\n")
    (folder / "LICENSE").write_text("\nApache License\nVersion 2.0\n")
    if network is not None:
        torch.save(network.state_dict(), folder / "models" / "model.pt")
    return folder


def monai_network(definition: JSON) -> torch.nn.Module:
    """Build MONAI's own network of a definition."""
    from monai.networks import nets

    arguments = {key: value for key, value in definition.items() if not key.startswith("_")}
    network: torch.nn.Module = getattr(nets, definition["_target_"])(**arguments)
    return stirred(network)
