"""Brainchop's MeshNets: the architecture as JSON, the weights as safetensors or state dict, both named ``model.pth``.

Brainchop trains on T1 heads brought to 1 mm, axes left-inferior-anterior, scaled to 0..1; the folder does not say so. Its
``bnorm`` is a normalisation over the volume without parameters. Channel numbers in the JSON may be placeholders: the
weights decide.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import torch
from safetensors.torch import save as save_safetensors

from medview.core.errors import PackError
from medview.core.segmentation import COLOUR_CYCLE
from medview.ml.convert.foreign_weights import read_tensors
from medview.ml.packs import write_pack
from medview.ml.spec import MODEL_FILE, SCHEMA_VERSION, WEIGHTS_FILE
from medview.ml.spec_reader import LARGEST_DOCUMENT
from medview.ml.texts import plain

WEIGHT_NAMES = ("model.safetensors", "model.pth", "model.pt")

VERSION = "1.0.0"

LICENCE = (
    "The source of these weights states no licence for them.\n"
    "Ask the authors (https://github.com/neuroneural/brainchop-models) before passing them on.\n"
)

CARD = {
    "intended_use": "Research on T1-weighted MR of the adult head. Not a medical device.",
    "training_data": "Stated by the authors at https://github.com/neuroneural/brainchop-models.",
    "limitations": "Expects a whole head. Other contrasts, contrast agent, lesions and children were not checked.",
}


def recognises(source: Path) -> bool:
    """Whether a folder holds a Brainchop model."""
    try:
        return "layers" in _read_json(source / MODEL_FILE)
    except PackError:
        return False


def convert(source: Path, target: Path) -> None:
    """Write the model of a Brainchop folder as a pack.

    Raises
    ------
    PackError
        When the folder is not what Brainchop publishes.
    WriteError
        When the pack cannot be written.
    """
    description = _read_json(source / MODEL_FILE)
    weights = next((source / name for name in WEIGHT_NAMES if (source / name).is_file()), None)
    if weights is None:
        raise PackError(f"The folder {source.name} has no weights beside its {MODEL_FILE}; copy them there too.")
    tensors = read_tensors(weights)
    dilations = _dilations(description, source)
    # safetensors sorts by size and name; the layers' numbers are in the names.
    kernels = sorted(((n, t) for n, t in tensors.items() if t.ndim == 5), key=lambda item: _natural(item[0]))
    state, biased = _renamed(tensors, kernels, len(dilations), source)
    first, head = state["layers.0.weight"], state["head.weight"]
    normalised = bool(description.get("bnorm"))
    classes = int(head.shape[0])
    kwargs = {
        "in_channels": int(first.shape[1]),
        "out_channels": classes,
        "channels": int(first.shape[0]),
        "dilations": dilations,
        "activation": "gelu" if description.get("gelu") else "relu",
        "norm": "instance" if normalised else "none",
        "bias": biased,
    }
    radius = sum(dilations)
    header = description.get("header")
    title = plain(source.resolve().name)
    document = {
        "schema_version": SCHEMA_VERSION,
        "id": f"brainchop-{re.sub('[^a-z0-9]+', '-', title.lower()).strip('-') or 'model'}"[:63].rstrip("-"),
        "name": f"Brainchop {title}"[:80],
        "version": VERSION,
        "task": "segmentation",
        "summary": plain(header)[:400] if isinstance(header, str) else "",
        "network": {"name": "meshnet", "kwargs": kwargs},
        "input": {
            "channels": ["T1"],
            "modality": ["MR"],
            "dimensions": 3,
            "unit": "",
            "spacing_kji_mm": [1.0, 1.0, 1.0],
            "orientation": "LIA",
            "intensity": [{"op": "minmax"}],
        },
        "tiling": {"blend": "whole"} if normalised else {"blend": "valid", "margin_kji": [radius] * 3},
        "output": {"labels": _labels(source, classes)},
        "card": CARD,
        "licence": "not stated by the source",
        "notice": "Converted from Brainchop; checked on one T1 head only.",
    }
    card = "\n\n".join([f"# {document['name']}", *CARD.values(), str(document["notice"])]) + "\n"
    files = {WEIGHTS_FILE: save_safetensors(state), "LICENSE": LICENCE.encode(), "MODEL_CARD.md": card.encode()}
    write_pack(target, document, files)


def _read_json(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as opened:
            content = json.loads(opened.read(LARGEST_DOCUMENT))
    except (OSError, ValueError, RecursionError) as error:
        raise PackError(f"{path.name} in {path.parent.name} cannot be read as JSON.", detail=repr(error)) from error
    if not isinstance(content, dict):
        raise PackError(f"{path.name} in {path.parent.name} is not a description of a model.")
    return content


def _dilations(description: dict[str, object], source: Path) -> list[int]:
    found = description.get("layers")
    layers = found if isinstance(found, list) else []
    dilations = []
    for layer in layers:
        if not isinstance(layer, dict):
            break
        size, dilation = layer.get("kernel_size"), layer.get("dilation")
        if size == 3 and layer.get("stride") == 1 and layer.get("padding") == dilation and isinstance(dilation, int):
            dilations.append(dilation)
        elif size != 1 or layer is not layers[-1]:
            break
        else:
            return dilations
    raise PackError(f"{MODEL_FILE} of {source.name} describes layers that no MeshNet has; MedView cannot convert it.")


def _renamed(
    tensors: dict[str, torch.Tensor], kernels: list[tuple[str, torch.Tensor]], layers: int, source: Path
) -> tuple[dict[str, torch.Tensor], bool]:
    """Return the tensors under MedView's names, and whether the dilated convolutions have biases."""
    state: dict[str, torch.Tensor] = {}
    if len(kernels) == layers + 1:
        for n, (name, kernel) in enumerate(kernels):
            new = "head" if n == layers else f"layers.{n}"
            state[f"{new}.weight"] = kernel.float().contiguous()
            bias = tensors.get(name.removesuffix("weight") + "bias")
            if bias is not None:
                state[f"{new}.bias"] = bias.float().contiguous()
    biased = [f"layers.{n}.bias" in state for n in range(layers)]
    if len(state) != len(tensors) or "head.bias" not in state or len(set(biased)) != 1:
        raise PackError(
            f"The weights of {source.name} are not those of the MeshNet its {MODEL_FILE} describes; get both anew.",
            detail=f"{len(kernels)} kernels for {layers + 1} layers, {len(tensors)} tensors",
        )
    return state, biased[0]


def _labels(source: Path, classes: int) -> list[dict[str, object]]:
    """Return the labels of the colour map that has as many as the network; numbers where there is none."""
    for path in sorted(source.glob("colormap*.json")):
        found = _read_json(path)
        names, channels = found.get("labels"), [found.get(c) for c in "RGB"]
        if isinstance(names, list) and len(names) == classes:
            colours = [c if isinstance(c, list) and len(c) == classes else [128] * classes for c in channels]
            return [
                {"value": n, "name": plain(str(names[n]))[:64] or f"Label {n}", "colour": [c[n] for c in colours]}
                for n in range(1, classes)
            ]
    names = ["Brain"] if classes == 2 else [f"Label {n}" for n in range(1, classes)]
    return [
        {"value": n + 1, "name": name, "colour": list(COLOUR_CYCLE[n % len(COLOUR_CYCLE)])} for n, name in enumerate(names)
    ]


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
