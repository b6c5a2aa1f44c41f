"""nnU-Net's two U-Nets, judged by nnU-Net's own code in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from medview.core.errors import PackError
from medview.ml.networks.nnunet import NnUNet, plain_unet, residual_unet
from medview.ml.spec import NetworkSpec
from medview.ml.weights import build_network
from tests.ml.networks.nnunet_judge import KERNELS, STRIDES

JUDGES = Path(sys.prefix) / "judges"
PLAIN = {"encoder_units": [2, 2, 2], "decoder_units": [2, 1]}
RESIDUAL = {"encoder_units": [1, 3, 4], "decoder_units": [2, 1]}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (JUDGES / "dynamic_network_architectures").is_dir():
        pytest.skip("nnU-Net's networks are not in .venv/judges; packaging/setup.sh dev puts them there")
    out = tmp_path_factory.mktemp("judged")
    script = Path(__file__).with_name("nnunet_judge.py")
    # Sums over several threads end in other last bits.
    environment = {**os.environ, "PYTHONPATH": str(JUDGES), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, str(script), str(out)], check=True, env=environment, timeout=120)
    return out


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def without_copies(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {n: t for n, t in state.items() if ".all_modules." not in n and not n.startswith("decoder.encoder.")}


def network(name: str, *, flat: bool = False) -> NnUNet:
    kernels = [(1, *k[1:]) if flat else k for k in KERNELS]
    strides = [(1, *s[1:]) if flat else s for s in STRIDES]
    make, units = (plain_unet, PLAIN) if name == "plain" else (residual_unet, RESIDUAL)
    return make(2, 3, [4, 8, 8], kernels, strides, **units).eval()


@pytest.mark.parametrize("name", ["plain", "residual"])
def test_a_volume_gets_the_same_logits_from_the_same_weights(judged: Path, name: str) -> None:
    found = torch.load(judged / f"{name}-3d.pt", weights_only=True)
    ours = network(name)
    ours.load_state_dict(without_copies(found["state"]), strict=True)
    with torch.no_grad():
        answer = ours(found["volume"])
    assert found["answer"].std() > 0.1
    assert torch.equal(answer, found["answer"])


@pytest.mark.parametrize("name", ["plain", "residual"])
def test_a_slice_gets_the_same_logits_from_kernels_one_voxel_deep(judged: Path, name: str) -> None:
    found = torch.load(judged / f"{name}-2d.pt", weights_only=True)
    ours = network(name, flat=True)
    deep = {n: t[:, :, None] if t.ndim == 4 else t for n, t in without_copies(found["state"]).items()}
    ours.load_state_dict(deep, strict=True)
    with torch.no_grad():
        answer = ours(found["volume"][:, :, None])
    torch.testing.assert_close(answer[:, :, 0], found["answer"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["nnunet_plain", "nnunet_residual"])
def test_a_pack_may_name_them_and_one_that_cannot_be_is_refused(name: str) -> None:
    kwargs = {
        "in_channels": 1,
        "classes": 2,
        "channels": [4, 8, 8],
        "kernels": [list(k) for k in KERNELS],
        "strides": [list(s) for s in STRIDES],
        **(PLAIN if name == "nnunet_plain" else RESIDUAL),
    }
    assert isinstance(build_network(NetworkSpec(name, kwargs)), NnUNet)
    for wrong in ({"kernels": [[3, 3, 3]]}, {"strides": [[1, 1, 1], [0, 1, 1], [1, 1, 1]]}, {"channels": [4]}):
        with pytest.raises(PackError, match="cannot be built"):
            build_network(NetworkSpec(name, kwargs | wrong))
