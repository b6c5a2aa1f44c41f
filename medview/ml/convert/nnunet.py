"""nnU-Net v2 trainings: dataset.json, plans.json and a checkpoint per fold become one pack.

Only the network's weights are taken from the checkpoints; trainers, planners and preprocessors of nnU-Net are never run,
and what they would have to be run for is refused by its key.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file

from medview.core.errors import PackError
from medview.ml.convert.foreign_json import ForeignObject
from medview.ml.convert.nnunet_checkpoint import Checkpoint, read_checkpoint
from medview.ml.convert.nnunet_folder import FINGERPRINT_FILE, TrainedFolder, holds_training, open_training
from medview.ml.convert.nnunet_input import channels_of, place_of, sampling_of
from medview.ml.convert.nnunet_labels import output_of
from medview.ml.convert.nnunet_network import configuration_of, network_of
from medview.ml.packs import sha256_of, write_pack
from medview.ml.spec import SCHEMA_VERSION, WEIGHTS_FILE, NetworkSpec
from medview.ml.texts import first_line, plain
from medview.ml.weights import build_network

VERSION = "1.0.0"

OVERLAP = 0.5
"""nnU-Net's step at prediction."""

NOT_STATED = "not stated by the source"

_NUMBER = re.compile(r"^Dataset\d+_(?=.)")
"""Says nothing to a person; it stays in the id."""

_USUAL = {"nnUNetTrainer", "nnUNetPlans"}
"""Names that need not be told apart."""


def recognises(source: Path) -> bool:
    """Whether a folder is a training of nnU-Net v2, or holds one."""
    return holds_training(source)


def convert(source: Path, target: Path) -> None:
    """Write a training as a pack.

    Raises
    ------
    PackError
        When it is damaged, or cannot be run without code of nnU-Net.
    WriteError
        When the pack cannot be written.
    """
    training = open_training(source)
    dataset, plans = training.dataset, training.plans
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".folds-") as made:
        files: dict[str, bytes | Path] = {}
        network: dict[str, object] = {}
        output: dict[str, object] = {}
        first: Checkpoint | None = None
        configuration: ForeignObject | None = None
        for n, path in enumerate(training.used_checkpoints().values()):
            checkpoint = read_checkpoint(path)
            if first is None or configuration is None:
                first = checkpoint
                configuration = configuration_of(plans, _configuration_name(training, checkpoint))
                _refuse_stages(plans, configuration)
                channels = channels_of(dataset, plans, configuration)
                output, classes = output_of(dataset)
                network = network_of(configuration, len(channels), classes)
            elif (checkpoint.mirror_axes, checkpoint.trainer) != (first.mirror_axes, first.trainer):
                raise PackError(
                    f"The folds of {training.folder.name} were not trained alike; keep those that belong together."
                )
            _check_weights(checkpoint.weights, network, path)
            name = WEIGHTS_FILE if n == 0 else f"fold_{n}.safetensors"
            save_file(checkpoint.weights, Path(made) / name)
            files[name] = Path(made) / name
        assert first is not None
        assert configuration is not None
        _write(target, training, configuration, first, network, output, channels, files)


def _write(
    target: Path,
    training: TrainedFolder,
    configuration: ForeignObject,
    checkpoint: Checkpoint,
    network: dict[str, object],
    output: dict[str, object],
    channels: list[dict[str, object]],
    files: dict[str, bytes | Path],
) -> None:
    dataset, plans = training.dataset, training.plans
    patch = configuration.whole_numbers("patch_size", (2, 3))
    flat = 3 - len(patch)
    title = _title(training, checkpoint)
    said = training.said()
    # What was said beside makes another version of the same weights.
    known = [json.dumps(said.content, sort_keys=True)] if said.content else []
    known += [sha256_of(path) for path in files.values() if isinstance(path, Path)]
    digest = hashlib.sha256("".join(known).encode())
    mirror = [axis + flat for axis in checkpoint.mirror_axes if said.flag("mirror", default=True)]
    if mirror and max(mirror) > 2:
        raise PackError(f"The checkpoint of {training.folder.name} mirrors an axis that its patch_size does not have.")
    licence = said.text("licence", "") or training.licence()
    described = dataset.text("description", "")
    fingerprint = training.folder / FINGERPRINT_FILE
    place = place_of(dataset, plans, said)
    card: dict[str, object] = {
        "intended_use": plain(said.text("intended_use", described))[:2000],
        "training_data": _training_data(dataset, title, checkpoint, len(files)),
        "limitations": f"{plain(said.text('limitations', ''))} {_limitations(place, checkpoint)}".strip()[:2000],
    }
    if said.has("modality"):
        modality = [plain(str(one), 16) for one in said.items("modality")]
        if "" in modality or len(set(modality)) != len(modality):
            said.lacks("modality", "a list of different modalities such as CT")
        channels = [{**channel, "modality": modality} for channel in channels]
    if fingerprint.is_file():
        card["training_set_sha256"] = sha256_of(fingerprint)
    given: dict[str, object] = {
        "channels": channels,
        "dimensions": 3 - flat,
        **sampling_of(configuration),
        **place,
        "crop": "nonzero",
        "intensity_first": True,
    }
    if checks := _checks(fingerprint, plans):
        given["checks"] = checks
    document: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "id": re.sub("[^a-z0-9]+", "-", f"nnunet-{title}".lower()).strip("-")[:63].rstrip("-"),
        "name": (plain(said.text("name", "")) or f"{_NUMBER.sub('', title)} (nnU-Net)")[:80],
        "version": said.text("version", "") or f"{VERSION}+{digest.hexdigest()[:6]}",
        "task": "segmentation",
        "summary": plain(described)[:400],
        "network": network,
        "input": given,
        "tiling": {
            "blend": "gaussian",
            "tile_kji": [1] * flat + patch,
            "overlap": OVERLAP,
            "spread": True,
            "mirror": ["kji"[axis] for axis in sorted(mirror)],
        },
        "output": output,
        "ensemble": list(files),
        "card": card,
        "licence": first_line(licence) or NOT_STATED,
        "notice": "Converted from nnU-Net; compare a first result with its own.",
    }
    text = "\n\n".join([f"# {document['name']}", *(str(part) for part in card.values() if part)]) + "\n"
    stated = (
        licence
        or f"The folder of the training states no licence.\nAsk its authors before passing it on.\n{_reference(dataset)}"
    )
    write_pack(target, document, {**files, "LICENSE": stated.encode(), "MODEL_CARD.md": text.encode()})


def _configuration_name(training: TrainedFolder, checkpoint: Checkpoint) -> str:
    name = checkpoint.configuration or training.folder.name.rpartition("__")[2]
    if not training.plans.inside("configurations").has(name):
        raise PackError(
            f"{training.folder.name} does not say which configuration of plans.json it is; "
            "name the folder TRAINER__PLANS__CONFIGURATION as nnU-Net does."
        )
    return name


def _refuse_stages(plans: ForeignObject, configuration: ForeignObject) -> None:
    if configuration.has("previous_stage"):
        configuration.cannot("previous_stage", "a second look at another model's result, which MedView does not do")
    if plans.text("label_manager", "LabelManager") != "LabelManager":
        plans.cannot("label_manager", "which needs code that MedView does not run")


def _check_weights(weights: dict[str, torch.Tensor], network: dict[str, object], path: Path) -> None:
    """Refuse weights of another network than the plans describe, as custom trainers make them, and spoilt ones."""
    kwargs = network["kwargs"]
    assert isinstance(kwargs, dict)
    spec = NetworkSpec(str(network["name"]), kwargs)
    wanted = {name: tuple(tensor.shape) for name, tensor in build_network(spec).state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if wrong:
        raise PackError(
            f"The weights of {path.parent.name} are not those of the network in plans.json ({len(wrong)} differ, first "
            f"{wrong[0][:80]}); a trainer with a network of its own cannot be converted.",
            detail=", ".join(f"{name}: {found.get(name)} for {wanted.get(name)}" for name in wrong[:8]),
        )
    spoilt = [name for name, t in weights.items() if t.is_floating_point() and not torch.isfinite(t).all()]
    if spoilt:
        raise PackError(
            f"The weights of {path.parent.name} hold numbers that are not finite, as a failed training leaves them; "
            "choose another checkpoint.",
            detail=", ".join(spoilt[:8]),
        )


def _title(training: TrainedFolder, checkpoint: Checkpoint) -> str:
    """Return dataset, configuration and what else tells trainings of one dataset apart."""
    dataset = training.plans.text("dataset_name", "") or training.dataset.text("name", "") or training.chosen.name
    parts = [plain(dataset) or "model", _configuration_name(training, checkpoint)]
    parts += [plain(name) for name in (training.plans.text("plans_name", ""), checkpoint.trainer) if name not in _USUAL]
    return " ".join(part for part in parts if part)[:60]


def _training_data(dataset: ForeignObject, title: str, checkpoint: Checkpoint, folds: int) -> str:
    count = dataset.content.get("numTraining")
    cases = f"{count} cases" if isinstance(count, int) else "Cases"
    lines = [
        f"{cases} of {title}, {folds} of its folds, trained by {checkpoint.trainer or 'nnU-Net'}.",
        _reference(dataset),
    ]
    return "\n".join(line for line in lines if line)[:2000]


def _reference(dataset: ForeignObject) -> str:
    return plain(str(dataset.content.get("reference", "")))[:400]


def _limitations(place: dict[str, object], checkpoint: Checkpoint) -> str:
    lines = []
    if place["orientation"] is None:
        lines.append(
            "Looks at series as they are stored, as nnU-Net does. How those of the training were stored, its folder does "
            "not tell; series stored otherwise (turned or mirrored) may get poor results."
        )
    if not checkpoint.mirror_axes:
        lines.append("Was not trained on mirrored images.")
    return " ".join(lines)


def _checks(fingerprint: Path, plans: ForeignObject) -> dict[str, object]:
    """Return what the training images were like, from nnU-Net's fingerprint of the data set."""
    if not fingerprint.is_file():
        return {}
    found = ForeignObject.read(fingerprint).content.get("spacings")
    rows = [
        [float(mm) for mm in row]
        for row in (found if isinstance(found, list) else [])
        if isinstance(row, list) and len(row) == 3 and all(type(mm) in (int, float) and 0 < mm < 1e6 for mm in row)
    ]
    if not rows:
        return {}
    columns = list(zip(*rows, strict=True))
    axes = plans.whole_numbers("transpose_forward", (3,))
    ranges = {
        name: [_rounded(min(columns[axis]), down=True), _rounded(max(columns[axis]), down=False)]
        for name, axis in zip("kji", axes, strict=True)
    }
    return {"spacing_kji_mm": ranges}


def _rounded(mm: float, *, down: bool) -> float:
    return (math.floor(mm * 1000.0) if down else math.ceil(mm * 1000.0)) / 1000.0
