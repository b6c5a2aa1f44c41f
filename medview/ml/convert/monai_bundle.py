"""MONAI bundles to model packs, as data: nothing a bundle names is imported or called.

A bundle is ``configs/metadata.json``, ``configs/inference.json`` and ``models/model.pt``; its ``scripts``, ``logging.conf``
and everything else are never opened. docs/model-packs.md says what is understood.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path, PureWindowsPath
from typing import cast

import torch
from safetensors.torch import save as save_safetensors

from medview.core.errors import PackError
from medview.ml.convert.bundle_card import BundleCard, read_card
from medview.ml.convert.bundle_config import BundleConfig, read_config
from medview.ml.convert.bundle_input import InputRead, read_preprocessing
from medview.ml.convert.bundle_networks import BundleNetwork, read_network
from medview.ml.convert.bundle_output import TilesRead, labels_of, read_inferer, read_postprocessing
from medview.ml.convert.foreign_weights import read_tensors
from medview.ml.packs import write_pack
from medview.ml.spec import SCHEMA_VERSION, WEIGHTS_FILE, Literal, NetworkSpec
from medview.ml.weights import build_network

CONFIGS = "configs"
METADATA = "metadata.json"
INFERENCE = "inference.json"
WEIGHT_NAMES = ("model.safetensors", "model.pt", "model.pth")
MODEL_KEYS = ("model", "network", "net", "model_state_dict")
"""Where checkpoints of MONAI's handlers keep the state dict."""

NOTICE = "Converted from a MONAI bundle; compare its results with those of its author before relying on them."


def recognises(source: Path) -> bool:
    """Whether a folder is a MONAI bundle, or holds one and nothing else."""
    return _root(source) is not None


def convert(source: Path, target: Path) -> None:
    """Write the model of a bundle as a pack.

    Raises
    ------
    PackError
        When the bundle needs running code, or holds something MedView does not have; the sentence shows the line.
    WriteError
        When the pack cannot be written.
    """
    root = _root(source)
    if root is None:
        raise PackError(f"{source.name} is not a MONAI bundle: it has no {CONFIGS}/{METADATA}.")
    title = root.resolve().name
    if not (root / CONFIGS / INFERENCE).is_file():
        written = sorted((root / CONFIGS).glob("inference.y*ml"))
        why = f"{written[0].name} is YAML" if written else f"it has no {CONFIGS}/{INFERENCE}"
        raise PackError(f"The MONAI bundle {title} cannot be read: {why}; ask its author for {INFERENCE}.")
    metadata, config = (read_config(root / CONFIGS / name, title) for name in (METADATA, INFERENCE))
    made_with = str(metadata.content.get("monai_version", ""))
    network = read_network(config, _wanted(config, "network_def"), "network_def", made_with)
    tiles = read_inferer(config, _wanted(config, "inferer"), "inferer", network.dimensions)
    read = read_preprocessing(config, _wanted(config, "preprocessing"), "preprocessing", network.channels)
    volume_mm3 = math.prod(read.spacing_mm) if read.spacing_mm else None
    output = read_postprocessing(config, _wanted(config, "postprocessing"), "postprocessing", network.classes, volume_mm3)
    card = read_card(metadata, root, title, network.channels)
    labels = labels_of(card.outputs, output.activation, network.classes)
    document = {
        "schema_version": SCHEMA_VERSION,
        "id": _id(title),
        "name": card.name,
        "version": card.version,
        "task": "segmentation",
        "summary": card.summary,
        "network": {"name": network.name, "kwargs": network.kwargs},
        "input": _input(read, tiles, network, card),
        "tiling": _tiling(tiles),
        "output": {
            "labels": [{"value": n + 1, "name": name} for n, name in enumerate(labels)],
            "activation": output.activation,
            "carried": output.carried,
            **({"overlapping": True} if output.activation == "sigmoid" and len(labels) > 1 else {}),
        },
        "postprocess": output.postprocess,
        "card": card.document([*read.remarks, *output.remarks]),
        "licence": card.licence,
        "notice": NOTICE,
    }
    state = _state(_weights(config, root, title), network, title)
    text = card.text([*read.remarks, *output.remarks], NOTICE)
    files = {WEIGHTS_FILE: save_safetensors(state), "LICENSE": card.licence_text.encode(), "MODEL_CARD.md": text.encode()}
    write_pack(target, document, files)


def _root(source: Path) -> Path | None:
    """Return the folder of the bundle: the source itself, or the only folder in it."""
    if not source.is_dir():
        return None
    inner = [path for path in source.iterdir() if not path.name.startswith(("__MACOSX", "."))]
    places = [source, *(inner if len(inner) == 1 and inner[0].is_dir() and not inner[0].is_symlink() else [])]
    return next((place for place in places if (place / CONFIGS / METADATA).is_file()), None)


def _wanted(config: BundleConfig, key: str) -> object:
    found = config.content.get(key)
    if found is None:
        raise PackError(f"{config.file} has no {key}, so it does not say how to run the model; ask its author for a pack.")
    return found


def _input(read: InputRead, tiles: TilesRead, network: BundleNetwork, card: BundleCard) -> dict[str, object]:
    axes = [0, 1, 2]
    if tiles.slice_axis is not None:
        axes = [tiles.slice_axis, *(axis for axis in axes if axis != tiles.slice_axis)]
    spacing, letters = read.spacing_mm, read.orientation
    # MONAI's arrays have columns first and slices last.
    turned: dict[str, object] = {"axes": [2 - axis for axis in axes]}
    if letters is not None:
        turned = {"orientation": "".join(letters[axis] for axis in axes)}
    return {
        **turned,
        "channels": card.channels,
        "modality": card.modality,
        "unit": card.unit,
        "dimensions": network.dimensions,
        "spacing_kji_mm": None if spacing is None else [spacing[axis] for axis in axes],
        "grid": "edges" if spacing is None or read.edges else "centres",
        "crop": read.crop,
        "intensity": read.intensity,
        "intensity_first": 0 < read.before == len(read.intensity),
    }


def _tiling(tiles: TilesRead) -> dict[str, object]:
    tile = tiles.roi if tiles.slice_axis is None else (1, *tiles.roi)
    return {"blend": "gaussian", "tile_kji": list(tile), "overlap": tiles.overlap, "even": tiles.even, "pad": tiles.pad}


def _weights(config: BundleConfig, root: Path, title: str) -> Path:
    """Return the weights' file: the one the bundle's loader names where that is plain text, else the usual ones."""
    folder = root / "models"
    names = [*_named(config), *WEIGHT_NAMES]
    for name in names:
        path = folder / name
        if path.is_file() and not path.is_symlink():
            return path
    others = sorted(path.name for path in folder.glob("*")) if folder.is_dir() else []
    if any(name.endswith(".ts") for name in others):
        raise PackError(f"The weights of the MONAI bundle {title} are a TorchScript program only; ask for safetensors.")
    raise PackError(f"The MONAI bundle {title} has no weights models/model.pt; download them into it first.")


def _named(config: BundleConfig) -> list[str]:
    loader = config.content.get("checkpointloader")
    raw = loader.get("load_path") if isinstance(loader, dict) else None
    try:
        found = config.value(raw, "checkpointloader#load_path")
    except PackError:
        return []
    # Only its last part counts: nothing a bundle says becomes a path outside of it.
    name = PureWindowsPath(found).name if isinstance(found, str) else ""
    return [name] if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name) and not name.endswith(".ts") else []


def _state(path: Path, network: BundleNetwork, title: str) -> dict[str, torch.Tensor]:
    tensors = read_tensors(path, MODEL_KEYS)
    plain = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    state = {
        name: (tensor.float() if tensor.is_floating_point() else tensor).contiguous().clone()
        for name, tensor in plain.items()
        if not name.startswith(network.copies) and not name.endswith(network.endings)
    }
    built = build_network(NetworkSpec(network.name, cast("Mapping[str, Literal]", network.kwargs)))
    try:
        built.load_state_dict(state, strict=True, assign=True)
    except RuntimeError as error:
        raise PackError(
            f"The weights {path.name} of {title} are not those of the network its {INFERENCE} describes; get both anew.",
            detail=str(error)[:2000],
        ) from error
    wrong = [name for name, tensor in state.items() if tensor.is_floating_point() and not torch.isfinite(tensor).all()]
    if wrong:
        raise PackError(
            f"The weights {path.name} of {title} hold numbers that are not finite; get them anew.", detail=wrong[0]
        )
    return state


def _id(title: str) -> str:
    plain = re.sub("[^a-z0-9]+", "-", title.lower()).strip("-") or "model"
    return f"monai-{plain}"[:63].rstrip("-")
