"""A project of small volumes whose labels are what one pack finds in them, and trainings of it that are over at once.

Everything but the training itself is real: what is frozen, judged, compared and taken into the project.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from medview.core.job import Inline
from medview.core.resources import resource_path
from medview.io import nifti
from medview.io.datasets.foreign import DatasetRequest
from medview.io.load import load_volume
from medview.io.reader_pool import InlinePool
from medview.ml.packs import ModelPack, copy_pack, load_pack, write_pack
from medview.ml.predict import PredictRequest
from medview.ml.recipes.reader import read_recipe
from medview.ml.runners.run import predict
from medview.ml.runs.folder import RunFolder
from medview.ml.spec import Task
from medview.ml.training.engine.outcome import Outcome
from medview.ml.training.engine.train import Training
from medview.store.project import Project
from medview.workspace.dataset_import import ImportRun, import_dataset
from medview.workspace.training.child import train_run
from medview.workspace.training.freeze import Wanted, freeze
from tests.ml.small_packs import document, small_network
from tests.workspace.evaluation.test_evaluate import SMALL, images

PATIENTS = 10
VALIDATION = 4
"""The first ones; the others are for training, but the last, for testing."""


NETWORK: dict[str, Any] = {"name": "unet3d", "kwargs": {"in_channels": 1, "classes": 3, "channels": [4, 6]}}


def made_pack(folder: Path, noise: float = 0.0, *, names: Sequence[str] = ("Lungs", "Nodule"), **more: Any) -> ModelPack:
    """A pack that finds all of its classes in the volumes here; with noise in its weights it finds others than without."""
    network = small_network(NETWORK["name"], NETWORK["kwargs"])
    image = np.asarray(images(1)[0].voxels, dtype=np.float32)
    with torch.no_grad():
        seen = torch.from_numpy((image - image.mean()) / image.std())[None, None]
        middle = network(seen).flatten(2).median(dim=2).values[0]
        last = [tensor for name, tensor in network.named_parameters() if name.endswith("bias")][-1]
        last.sub_(middle)
        torch.manual_seed(3)
        for tensor in network.parameters():
            tensor.add_(noise * tensor.std().nan_to_num() * torch.randn_like(tensor))
    told = document("segmentation")
    labels = [{**one, "name": name, "code": None} for one, name in zip(told["output"]["labels"], names, strict=True)]
    content = {
        **told,
        "network": NETWORK,
        "input": {**told["input"], "modality": [], "unit": "", "spacing_kji_mm": None, "orientation": None,
                  "intensity": [{"op": "zscore"}]},
        "tiling": {**told["tiling"], "tile_kji": [16, 32, 32]},
        "output": {**told["output"], "labels": labels},
        "postprocess": [],
        **more,
    }  # fmt: skip
    state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    return write_pack(folder, content, {"weights.safetensors": save(state), "LICENSE": b"CC0\n"})


def project_of(folder: Path, truth: ModelPack, names: Mapping[int, str] | None = None) -> Path:
    """Make a project in which everything is labelled as a pack finds it; cases are done and split by patient."""
    values = dict(names or {1: "Lungs", 2: "Nodule"})
    for name in ("images", "labels"):
        (folder / "set" / name).mkdir(parents=True)
    lines = ["image,split"]
    for n, volume in enumerate(images(PATIENTS)):
        name = f"pat{n}_scan.nii.gz"
        noise = np.random.default_rng(n).integers(0, 3, volume.voxels.shape).astype(volume.voxels.dtype)
        voxels = np.asarray(volume.voxels) + noise
        nifti.write_volume(folder / "set" / "images" / name, replace(volume, voxels=voxels, modality="", unit=""))
        read = load_volume(folder / "set" / "images" / name, None, Inline()).volume
        found = predict(PredictRequest(read, truth), Inline()).mask
        assert found is not None
        nifti.write_label_map(folder / "set" / "labels" / name, found.on_grid(SMALL), read.geometry)
        split = "val" if n < VALIDATION else "test" if n == PATIENTS - 1 else "train"
        lines.append(f"{name},{split}")
    (folder / "splits.csv").write_text("\n".join(lines) + "\n")
    path = folder / "hippo.medview"
    request = DatasetRequest(
        None, folder / "set" / "images", folder / "set" / "labels",
        values, r"(pat\d+)", folder / "splits.csv",
    )  # fmt: skip
    with Project.create(path, reader="Rut") as project:
        report = import_dataset(ImportRun("nifti-pairs", request), project, Inline(), InlinePool())
        assert report.labelled == PATIENTS, report
    return path


def small_recipe() -> Any:
    told = json.loads(resource_path("recipes/segmentation-plain-unet.json").read_text())
    small = {"network_options": {"features": 4}, "batch": 1, "steps": 2, "check_every": 2}
    return read_recipe(json.dumps({**told, **small}))


def frozen_run(project: Path, folder: Path, parent: ModelPack | None = None, **more: Any) -> RunFolder:
    """Freeze a training of a project, as people start it."""
    wanted = Wanted(project, Task.SEGMENTATION, small_recipe(), parent=parent, confirmed=True, device="cpu", **more)
    return freeze(wanted, folder, Inline(), InlinePool(), lambda _said: None)


def trained(run: RunFolder, pack: ModelPack, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Let a training come to a pack at once; everything after that is done as ever."""

    def carry_out(_training: Training, _processes: object, _events: object) -> Outcome:
        if not run.pack.exists():
            copy_pack(pack, run.pack)
        return Outcome(load_pack(run.pack), 2, 2, {"score": 0.5}, "steps", 1.0)

    with monkeypatch.context() as patched:
        patched.setattr(Training, "carry_out", carry_out)
        return train_run(run.path, Inline(), lambda: False)
