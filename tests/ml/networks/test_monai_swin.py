"""MONAI's SwinUNETR from its own weights, judged by MONAI; einops, which it moves axes with, is played by torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from medview.core.errors import PackError
from medview.ml.networks.monai_swin import MERGED
from medview.ml.spec import NetworkSpec
from medview.ml.weights import build_network
from tests.ml.networks.test_monai_networks import stirred

swin = pytest.importorskip("monai.networks.nets.swin_unetr")


def rearranged(values: torch.Tensor, pattern: str) -> torch.Tensor:
    """Move axes by names, all that is asked of einops."""
    before, after = (side.split() for side in pattern.split("->"))
    return values.permute([before.index(name) for name in after])


class OldMerging(swin.PatchMergingV2):  # type: ignore[misc, name-defined]
    """MONAI's merging before 1.5, by its list of offsets."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = [x[:, i::2, j::2, k::2, :] for i, j, k in MERGED["old"]]
        found: torch.Tensor = self.reduction(self.norm(torch.cat(parts, -1)))
        return found


@pytest.mark.parametrize(
    ("dims", "theirs", "ours"),
    [
        (3, {"window_size": (4, 5, 3), "depths": (2, 1, 1, 1)}, {"window": [4, 5, 3], "depths": [2, 1, 1, 1]}),
        (3, {"downsample": "mergingv2", "use_v2": True, "depths": (1, 2, 1, 1), "window_size": 4},
         {"merging": "second", "second": True, "depths": [1, 2, 1, 1], "window": 4}),
        (3, {"downsample": OldMerging, "normalize": False, "depths": (1, 1, 1, 2), "window_size": 4},
         {"merging": "old", "normalised": False, "depths": [1, 1, 1, 2], "window": 4}),
        (2, {"window_size": 4, "qkv_bias": False, "norm_name": "batch"},
         {"window": 4, "qkv_bias": False, "norm": "batch", "affine": True}),
    ],
)  # fmt: skip
def test_logits_are_those_of_monai(
    monkeypatch: pytest.MonkeyPatch, dims: int, theirs: dict[str, Any], ours: dict[str, Any]
) -> None:
    monkeypatch.setattr(swin, "rearrange", rearranged)
    judge = stirred(swin.SwinUNETR(in_channels=2, out_channels=3, feature_size=12, spatial_dims=dims, **theirs))
    network = build_network(
        NetworkSpec("monai_swinunetr", {"in_channels": 2, "classes": 3, "features": 12, "dims": dims, **ours})
    ).eval()
    state = {n: t for n, t in judge.state_dict().items() if not n.endswith("relative_position_index")}
    network.load_state_dict(state, strict=True, assign=True)
    torch.manual_seed(1)
    volume = torch.randn(1, 2, *((32, 64, 32)[:dims]))
    with torch.no_grad():
        expected, found = judge(volume), network(volume)
    assert expected.std() > 1e-3
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize(
    "kwargs", [{"depths": [2, 2]}, {"heads": [5, 5, 5, 5]}, {"merging": "third"}, {"window": 99}, {"depths": [4096] * 4}]
)
def test_numbers_that_do_not_fit_are_refused(kwargs: dict[str, Any]) -> None:
    with pytest.raises(PackError, match="cannot be built"):
        build_network(NetworkSpec("monai_swinunetr", {"in_channels": 1, "classes": 2, **kwargs}))
