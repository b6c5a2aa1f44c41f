"""Brainchop folders become packs in a process of their own; what could run code does not."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from medview.core.errors import PackError
from medview.ml.convert import brainchop
from medview.ml.outputs import SegmentationOutput
from medview.ml.packs import load_pack
from medview.ml.spec import Blend
from medview.ml.weights import load_network

REAL = "weights-brainchop/meshnet"


def layers(dilations: list[int], classes: int) -> list[dict[str, int]]:
    found = [
        {"kernel_size": 3, "padding": d, "stride": 1, "dilation": d, "in_channels": -1, "out_channels": 5}
        for d in dilations
    ]
    return [*found, {"kernel_size": 1, "padding": 0, "stride": 1, "dilation": 1, "in_channels": 5, "out_channels": classes}]


def foreign_folder(folder: Path, *, bias: bool = True) -> Path:
    """Write a Brainchop model of eleven layers, so that numbers sort differently as text."""
    folder.mkdir()
    torch.manual_seed(1)
    convolutions = [nn.Conv3d(1 if n == 0 else 4, 4, 3, bias=bias) for n in range(11)]
    state = {f"model.{2 * n}.{k}": v for n, c in enumerate(convolutions) for k, v in c.state_dict().items()}
    state |= {f"model.22.{k}": v for k, v in nn.Conv3d(4, 2, 1).state_dict().items()}
    torch.save(state, folder / "model.pth")
    (folder / "model.json").write_text(json.dumps({"bnorm": False, "layers": layers([1, 2] * 5 + [1], 2)}))
    return folder


def run_child(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "medview.ml.convert", str(source), str(target)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.data
def test_the_real_meshnets_become_packs_in_a_child_process(test_data: Path, tmp_path: Path) -> None:
    assert run_child(test_data / REAL / "model5_gw_ae", tmp_path / "gw").returncode == 0
    tissue = load_pack(tmp_path / "gw")
    assert tissue.spec.id == "brainchop-model5-gw-ae"
    assert isinstance(tissue.spec.output, SegmentationOutput)
    assert [label.name for label in tissue.spec.output.labels] == ["White Matter", "Grey Matter"]
    assert tissue.spec.output.labels[1].colour == (205, 62, 78)
    assert tissue.spec.tiling is not None
    assert (tissue.spec.tiling.blend, tissue.spec.tiling.margin_kji) == (Blend.VALID, (46, 46, 46))

    assert run_child(test_data / REAL / "mindgrab", tmp_path / "brain").returncode == 0
    brain = load_pack(tmp_path / "brain")
    assert brain.spec.network.kwargs["channels"] == 15
    assert brain.spec.network.kwargs["norm"] == "instance"
    assert brain.spec.network.kwargs["activation"] == "gelu"
    assert brain.spec.tiling is not None
    assert brain.spec.tiling.blend is Blend.WHOLE
    assert load_network(brain)(torch.zeros(1, 1, 9, 8, 7)).shape == (1, 2, 9, 8, 7)


@pytest.mark.parametrize("file", ["torch", "safetensors"])
def test_layers_keep_their_order_whatever_the_file(tmp_path: Path, file: str) -> None:
    source = foreign_folder(tmp_path / "net")
    state = torch.load(source / "model.pth", weights_only=True)
    if file == "safetensors":
        # Named .pth all the same, as Brainchop does.
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, source / "model.pth")
    brainchop.convert(source, tmp_path / "pack")
    network = load_network(load_pack(tmp_path / "pack"))
    for n in range(11):
        assert torch.equal(network.get_parameter(f"layers.{n}.weight"), state[f"model.{2 * n}.weight"])
    assert torch.equal(network.get_parameter("head.bias"), state["model.22.bias"])


class Bomb:
    """Unpickling this leaves a folder behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("zipped", [True, False])
def test_weights_that_run_code_are_refused_and_do_not_run(tmp_path: Path, zipped: bool) -> None:
    source, trap = foreign_folder(tmp_path / "net"), tmp_path / "trap"
    if zipped:
        torch.save({"model.0.weight": Bomb(trap)}, source / "model.pth")
    else:
        (source / "model.pth").write_bytes(pickle.dumps({"model.0.weight": Bomb(trap)}, protocol=2))
    done = run_child(source, tmp_path / "pack")
    assert done.returncode == 1
    assert "could run code" in done.stderr.splitlines()[-1]
    assert not trap.exists()
    assert not (tmp_path / "pack").exists()


def test_torchscript_is_refused(tmp_path: Path) -> None:
    source = foreign_folder(tmp_path / "net")
    with pytest.warns(DeprecationWarning, match=r"torch\.jit"):
        torch.jit.script(nn.ReLU()).save(str(source / "model.pth"))
    with pytest.raises(PackError, match="TorchScript"):
        brainchop.convert(source, tmp_path / "pack")


def test_a_state_dict_that_is_not_this_network_is_refused(tmp_path: Path) -> None:
    source = foreign_folder(tmp_path / "net")
    torch.save({"model.0.weight": torch.zeros(4, 1, 3, 3, 3)}, source / "model.pth")
    with pytest.raises(PackError, match="not those of the MeshNet"):
        brainchop.convert(source, tmp_path / "pack")


@pytest.mark.parametrize(
    "description",
    [
        {"layers": [{"kernel_size": 5, "padding": 1, "stride": 1, "dilation": 1}]},
        {"layers": "many"},
        {"layers": [1, 2]},
        {"layers": layers([1], 2)[:-1]},
        {"layers": [*layers([1], 2), *layers([1], 2)]},
    ],
)
def test_layers_no_meshnet_has_are_refused(tmp_path: Path, description: dict[str, object]) -> None:
    source = foreign_folder(tmp_path / "net")
    (source / "model.json").write_text(json.dumps(description))
    with pytest.raises(PackError, match="no MeshNet has"):
        brainchop.convert(source, tmp_path / "pack")


def test_damaged_weights_give_one_sentence(tmp_path: Path) -> None:
    source = foreign_folder(tmp_path / "net")
    whole = (source / "model.pth").read_bytes()
    for damaged in (b"", b"hello", whole[: len(whole) // 2], b"PK\x03\x04" + bytes(100)):
        (source / "model.pth").write_bytes(damaged)
        with pytest.raises(PackError, match=r"model\.pth"):
            brainchop.convert(source, tmp_path / "pack")


def test_a_folder_of_something_else_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "holiday").mkdir()
    done = run_child(tmp_path / "holiday", tmp_path / "pack")
    assert done.returncode == 1
    known = "MONAI bundles, Brainchop's MeshNets, nnU-Net's trained folders"
    assert done.stderr.strip() == f"holiday is neither a model pack nor a model MedView can convert ({known})."
