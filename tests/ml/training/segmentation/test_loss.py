"""Losses against numbers worked out by hand, and against those of MONAI."""

from __future__ import annotations

import math

import pytest
import torch
from monai.losses import DiceLoss, FocalLoss

from medview.ml.examples import UNKNOWN
from medview.ml.training.segmentation.loss import LOSSES, SMOOTH, segmentation_loss
from medview.ml.training.segmentation.samples import Batch


def _batch(labels: list[list[int]], open_classes: tuple[tuple[int, ...], ...] | None = None) -> Batch:
    """Rows of voxels, as volumes of one row."""
    maps = torch.tensor(labels, dtype=torch.uint8)[:, None, None]
    return Batch(torch.zeros(maps.shape), maps, open_classes or ((),) * len(labels))


def _logits(chances: list[list[list[float]]]) -> torch.Tensor:
    """Probabilities (sample, voxel, channel) as logits (N, channels, 1, i)."""
    return torch.tensor(chances).log().movedim(-1, 1)[:, :, None]


def _loss(logits: torch.Tensor, batch: Batch, name: str, *, overlapping: bool = False) -> float:
    return float(segmentation_loss(logits, batch, name, overlapping=overlapping)["loss"])


def test_cross_entropy_is_the_mean_over_known_voxels() -> None:
    logits = _logits([[[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]]])
    assert _loss(logits, _batch([[0, 1, 2]]), "ce") == pytest.approx(-(math.log(0.7) + math.log(0.8) + math.log(0.4)) / 3)
    assert _loss(logits, _batch([[0, UNKNOWN, 2]]), "ce") == pytest.approx(-(math.log(0.7) + math.log(0.4)) / 2)


def test_overlap_leaves_out_what_nobody_knows() -> None:
    logits = _logits([[[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]]])
    one = (2 * 0.8 + SMOOTH) / (0.2 + 0.8 + 1 + SMOOTH)
    two = (2 * 0.4 + SMOOTH) / (0.1 + 0.4 + 1 + SMOOTH)
    assert _loss(logits, _batch([[0, 1, UNKNOWN]]), "dice") == pytest.approx(1 - one)
    assert _loss(logits, _batch([[0, UNKNOWN, 2]]), "dice") == pytest.approx(1 - two)


def test_background_may_be_one_of_the_classes_nobody_drew() -> None:
    logits = _logits([[[0.5, 0.2, 0.3], [0.1, 0.8, 0.1]]])
    batch = _batch([[0, 1]], ((2,),))
    assert _loss(logits, batch, "ce") == pytest.approx(-(math.log(0.5 + 0.3) + math.log(0.8)) / 2, rel=1e-5)
    # Class 2 is in no truth, so that only class 1 has an overlap; its voxel 0 is known not to be class 1.
    assert _loss(logits, batch, "dice") == pytest.approx(1 - (2 * 0.8 + SMOOTH) / (0.2 + 0.8 + 1 + SMOOTH))


def test_an_open_class_that_is_drawn_by_another_counts_there_only() -> None:
    logits = _logits([[[0.5, 0.2, 0.3]], [[0.1, 0.2, 0.7]]])
    batch = _batch([[0], [2]], ((2,), ()))
    expected = (2 * 0.7 + SMOOTH) / (0.7 + 1 + SMOOTH)
    assert _loss(logits, batch, "dice") == pytest.approx(1 - expected)
    assert _loss(logits, batch, "ce") == pytest.approx(-(math.log(0.8) + math.log(0.7)) / 2, rel=1e-5)


def test_unknown_voxels_and_open_classes_move_nothing() -> None:
    logits = torch.randn(2, 3, 4, 5, requires_grad=True)
    labels = torch.randint(0, 3, (2, 1, 4, 5)).to(torch.uint8)
    labels[0, 0, :2] = UNKNOWN
    labels[1] = 0
    for name in LOSSES:
        batch = Batch(torch.zeros(2, 1, 4, 5), labels, ((), (2,)))
        (gradient,) = torch.autograd.grad(segmentation_loss(logits, batch, name, overlapping=False)["loss"], logits)
        assert not gradient[0, :, :2].any()
        assert gradient[0, :, 2:].any()
    # Whether it is background or the open class makes no difference to the loss.
    swapped = logits.detach()[1:2, [2, 1, 0]]
    only = Batch(torch.zeros(1, 1, 4, 5), labels[1:], ((2,),))
    for name in LOSSES:
        assert _loss(logits.detach()[1:2], only, name) == pytest.approx(_loss(swapped, only, name), rel=1e-5)


def test_nothing_known_is_no_loss() -> None:
    batch = _batch([[UNKNOWN, UNKNOWN]])
    for name in LOSSES:
        assert _loss(_logits([[[0.5, 0.5], [0.5, 0.5]]]), batch, name) == 0


def test_overlapping_classes_are_judged_one_by_one() -> None:
    labels = torch.tensor([[[[1, 0]], [[1, UNKNOWN]]]], dtype=torch.uint8)
    batch = Batch(torch.zeros(1, 1, 1, 2), labels, ((),))
    chances = torch.tensor([[[[0.9, 0.2]], [[0.6, 0.5]]]])
    expected = -(math.log(0.9) + math.log(0.8) + math.log(0.6)) / 3
    assert _loss(torch.logit(chances), batch, "ce", overlapping=True) == pytest.approx(expected, rel=1e-5)
    first, second = (2 * 0.9 + SMOOTH) / (1.1 + 1 + SMOOTH), (2 * 0.6 + SMOOTH) / (0.6 + 1 + SMOOTH)
    expected = 1 - (first + second) / 2
    assert _loss(torch.logit(chances), batch, "dice", overlapping=True) == pytest.approx(expected, rel=1e-5)


def test_losses_are_those_of_monai_where_everything_is_known() -> None:
    logits = torch.randn(2, 3, 4, 5, 6)
    labels = torch.randint(0, 3, (2, 1, 4, 5, 6))
    batch = Batch(torch.zeros(2, 1, 4, 5, 6), labels.to(torch.uint8), ((), ()))
    theirs = DiceLoss(
        include_background=False, to_onehot_y=True, softmax=True, batch=True, smooth_nr=SMOOTH, smooth_dr=SMOOTH
    )
    assert _loss(logits, batch, "dice") == pytest.approx(float(theirs(logits, labels)), rel=1e-5)
    each = DiceLoss(include_background=False, to_onehot_y=True, softmax=True, smooth_nr=SMOOTH, smooth_dr=SMOOTH)
    alone = segmentation_loss(logits, batch, "dice", overlapping=False, alone=True)["loss"]
    assert float(alone) == pytest.approx(float(each(logits, labels)), rel=1e-5)
    focal = FocalLoss(to_onehot_y=True, use_softmax=True, gamma=2.0)
    # MONAI averages over the channels as well, all but one of which are 0.
    assert _loss(logits, batch, "focal") == pytest.approx(3 * float(focal(logits, labels)), rel=1e-5)
    entropy = torch.nn.functional.cross_entropy(logits, labels[:, 0])
    assert _loss(logits, batch, "dice_ce") == pytest.approx(float(theirs(logits, labels) + entropy), rel=1e-5)


def test_a_small_object_counts_like_a_large_one_where_each_sample_is_judged_alone() -> None:
    logits = _logits([[[0.1, 0.9]] * 8, [[0.9, 0.1]] * 8])
    batch = _batch([[1] * 8, [1] + [0] * 7])
    large, small = (2 * 7.2 + SMOOTH) / (7.2 + 8 + SMOOTH), (2 * 0.1 + SMOOTH) / (0.8 + 1 + SMOOTH)
    alone = segmentation_loss(logits, batch, "dice", overlapping=False, alone=True)["loss"]
    assert float(alone) == pytest.approx(1 - (large + small) / 2)
    assert float(alone) > 2 * _loss(logits, batch, "dice")
    # What a sample does not show has no overlap there.
    nothing = _batch([[1] * 8, [0] * 8])
    alone = segmentation_loss(logits, nothing, "dice", overlapping=False, alone=True)["loss"]
    assert float(alone) == pytest.approx(1 - large)


def test_coarser_answers_count_half_as_much_each_and_are_judged_by_the_nearest_labels() -> None:
    fine = torch.randn(1, 2, 4, 4)
    coarse = torch.randn(1, 2, 2, 2)
    labels = torch.randint(0, 2, (1, 1, 4, 4)).to(torch.uint8)
    batch = Batch(torch.zeros(1, 1, 4, 4), labels, ((),))
    below = Batch(torch.zeros(1, 1, 2, 2), labels[:, :, 1::2, 1::2], ((),))
    both = float(segmentation_loss([fine, coarse], batch, "dice_ce", overlapping=False)["loss"])
    assert both == pytest.approx((2 * _loss(fine, batch, "dice_ce") + _loss(coarse, below, "dice_ce")) / 3, rel=1e-5)
