"""The detector with a pyramid of features keeps the contract of the table, in slices and volumes."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from medview.ml.networks.fpn_detector import fpn_detector


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


@torch.no_grad()
@pytest.mark.parametrize("shape", [(16, 32, 40), (13, 22, 9), (32, 40), (21, 35)])
def test_every_level_answers_for_every_cell_of_any_size(shape: tuple[int, ...]) -> None:
    dims = len(shape)
    net = fpn_detector(1, 2, dims, [4, 6, 8, 8], 8, 2).eval()
    assert net.levels == tuple((s if dims == 3 else 1, s, s) for s in (4, 8, 16))
    answer = net(torch.randn(2, 1, *shape))
    for n, step in enumerate(net.levels):
        cells = tuple(-(-side // cell) for side, cell in zip(shape, step[-dims:], strict=True))
        assert answer[f"logits_{n}"].shape == (2, 2, *cells)
        assert answer[f"centre_{n}"].shape == (2, 1, *cells)
        assert answer[f"offset_{n}"].shape == answer[f"size_{n}"].shape == (2, dims, *cells)
        assert (answer[f"size_{n}"] > 0).all()
        # Untrained it finds nothing.
        assert answer[f"logits_{n}"].sigmoid().max() < 0.1


@torch.no_grad()
def test_inside_a_tile_it_answers_as_for_the_whole_volume() -> None:
    net = fpn_detector(1, 1, 3, [4, 6, 8], 8, 1).eval()
    volume = torch.randn(1, 1, 96, 16, 16)
    whole, tile = net(volume), net(volume[:, :, :64])
    assert torch.allclose(whole["logits_0"][:, :, :8], tile["logits_0"][:, :, :8], atol=1e-5)


def test_it_can_be_built_without_memory_and_what_cannot_be_is_refused() -> None:
    real = fpn_detector(1, 1, 2, [4, 8], 8, 1)
    with torch.device("meta"):
        empty = fpn_detector(1, 1, 2, [4, 8], 8, 1)
    empty.load_state_dict(real.state_dict(), strict=True, assign=True)
    assert all(t.device.type == "cpu" for t in empty.eval()(torch.zeros(1, 1, 16, 16)).values())
    for dims, first in product((1, 4), (1,)):
        with pytest.raises(ValueError, match="dimensions"):
            fpn_detector(1, 1, dims, [4, 8], 8, first)
    with pytest.raises(ValueError, match="levels"):
        fpn_detector(1, 1, 3, [4, 8], 8, 3)


@torch.no_grad()
@pytest.mark.parametrize("dims", [2, 3])
def test_large_pictures_are_averaged_first_and_answers_are_in_their_own_voxels(dims: int) -> None:
    plain = fpn_detector(1, 2, dims, [4, 6, 8], 8, 1).eval()
    shrunk = fpn_detector(1, 2, dims, [4, 6, 8], 8, 1, shrink=3).eval()
    shrunk.load_state_dict(plain.state_dict())
    assert shrunk.levels == tuple((3 * k if dims == 3 else 1, 3 * j, 3 * i) for k, j, i in plain.levels)
    small = torch.randn(1, 1, *(16, 24, 32)[-dims:])
    large = small
    for axis in range(2, 2 + dims):
        large = large.repeat_interleave(3, dim=axis)
    one, other = plain(small), shrunk(large)
    for n in range(len(plain.levels)):
        for name in ("logits", "centre", "offset"):
            assert torch.allclose(one[f"{name}_{n}"], other[f"{name}_{n}"], atol=1e-5)
        assert torch.allclose(3 * one[f"size_{n}"], other[f"size_{n}"], rtol=1e-4)


@torch.no_grad()
def test_with_norms_in_pyramid_and_head_each_level_has_its_own() -> None:
    net = fpn_detector(1, 1, 2, [4, 6, 8], 8, 1, norm=True)
    assert len(net.smooth_norms) == len(net.class_norms) == len(net.box_norms) == 3
    before = [norm.running_mean.clone() for norm in net.class_norms]
    net.train()(torch.randn(2, 1, 32, 40))
    assert all(not torch.equal(a, norm.running_mean) for a, norm in zip(before, net.class_norms, strict=True))
    assert not any("norms" in name for name in fpn_detector(1, 1, 2, [4, 6, 8], 8, 1).state_dict())
