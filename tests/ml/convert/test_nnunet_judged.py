"""Checkpoints of networks that nnU-Net's own code built, converted, against that code's answers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from medview.ml.convert import nnunet
from medview.ml.packs import load_pack
from medview.ml.weights import load_network
from tests.ml.convert.nnunet_folders import checkpoint, configuration, dataset_json, plans_json, trained_folder
from tests.ml.networks.test_nnunet import judged

__all__ = ["judged"]


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("name", ["plain", "residual"])
def test_a_checkpoint_of_nnunets_own_network_gives_its_answers(judged: Path, tmp_path: Path, name: str, flat: bool) -> None:
    found = torch.load(judged / f"{name}-{'2d' if flat else '3d'}.pt", weights_only=True)
    state = found["state"]
    assert any(".all_modules." in key for key in state)
    assert any(key.startswith("decoder.encoder.") for key in state)
    given = configuration(flat=flat, residual=name == "residual", channels=2)
    if name == "residual":
        given["architecture"]["arch_kwargs"]["n_blocks_per_stage"] = [1, 3, 4]
    kind = "2d" if flat else "3d_fullres"
    dataset = dataset_json(channel_names={"0": "CT", "1": "PET"})
    trained = trained_folder(tmp_path, [{}], kind, dataset, plans_json({kind: given}))
    saved = {**checkpoint({}, kind), "network_weights": state, "inference_allowed_mirroring_axes": (0, 1)}
    torch.save(saved, trained / "fold_0" / "checkpoint_final.pth")
    nnunet.convert(trained, tmp_path / "pack")
    network = load_network(load_pack(tmp_path / "pack"))
    # Networks for slices are given slices as tiles one voxel deep.
    tiles = found["volume"][:, :, None] if flat else found["volume"]
    answer = found["answer"][:, :, None] if flat else found["answer"]
    with torch.no_grad():
        torch.testing.assert_close(network(tiles), answer, rtol=1e-4, atol=1e-4)
