"""Patches, losses and the loop learn what they are shown."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from medview.ml.networks.classifier import classifier3d
from medview.ml.networks.detector import centernet3d
from medview.ml.networks.unet import unet3d
from medview.ml.training.cases import TrainingCase
from medview.ml.training.loop import LoopSettings, fit
from medview.ml.training.losses import detection_loss, detection_targets, presence_loss, segmentation_loss
from medview.ml.training.patches import PatchBatch, PatchPlan, draw_patches


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def _case() -> TrainingCase:
    """An asymmetric volume with one bright block."""
    values = np.zeros((40, 48, 56), dtype=np.float16)
    labels = np.zeros(values.shape, dtype=np.uint8)
    values[10:16, 20:24, 30:38] = 1
    labels[10:16, 20:24, 30:38] = 2
    labels[30:, 30:, :20] = 1
    return TrainingCase(values, labels, np.array([[13, 22, 34, 12, 8, 16]], dtype=np.float32))


def _batches(**plan: Any) -> Iterator[PatchBatch]:
    settings = PatchPlan((24, 24, 24), batch=4, jitter=0.0, **plan)
    return draw_patches([_case()], settings, np.random.default_rng(5))


def test_patches_on_a_box_hold_its_centre_where_the_image_has_it() -> None:
    batch = next(_batches(on_box=1.0))
    assert batch.holds_a_box().all()
    for values, boxes in zip(batch.values[:, 0], batch.boxes, strict=True):
        k, j, i = np.floor(boxes[0, :3]).astype(int)
        assert values[k, j, i] == 1


def test_mirrored_patches_carry_their_boxes_and_labels_along() -> None:
    for batch in itertools.islice(_batches(on_box=1.0, flips=True), 5):
        assert torch.equal(batch.values[:, 0] == 1, batch.labels == 2)
        for values, boxes in zip(batch.values[:, 0], batch.boxes, strict=True):
            bright = np.argwhere(values.numpy() == 1)
            centre = (bright.min(axis=0) + bright.max(axis=0) + 1) / 2
            whole = (bright.min(axis=0) > 0) & (bright.max(axis=0) < 23)
            assert np.allclose(centre[whole], boxes[0, :3][whole])


def test_the_same_seed_draws_the_same_patches() -> None:
    first, second = next(_batches(flips=True)), next(_batches(flips=True))
    assert torch.equal(first.values, second.values)


def test_a_volume_smaller_than_the_patch_is_padded() -> None:
    plan = PatchPlan((64, 24, 24), batch=1, jitter=0.0)
    batch = next(draw_patches([_case()], plan, np.random.default_rng(0)))
    assert batch.values.shape == (1, 1, 64, 24, 24)
    assert not batch.values[:, :, 40:].any()


def test_detection_targets_give_the_centre_back() -> None:
    batch = next(_batches(on_box=1.0))
    heatmap, near, size, offset = detection_targets(batch, (6, 6, 6), 4)
    for n, boxes in enumerate(batch.boxes):
        cell = np.unravel_index(int(heatmap[n].argmax()), (6, 6, 6))
        centre = (np.array(cell) + 0.5 + offset[n][(slice(None), *cell)].numpy()) * 4
        assert heatmap[n].max() == 1
        assert near[n][cell]
        assert np.allclose(centre, boxes[0, :3], atol=1e-4)
        assert np.allclose(size[n][(slice(None), *cell)], [12, 8, 16])


def test_a_perfect_detection_costs_nearly_nothing() -> None:
    batch = next(_batches(on_box=1.0))
    heatmap, _, size, offset = detection_targets(batch, (6, 6, 6), 4)
    logits = torch.where(heatmap == 1, 9.0, -9.0)[:, None]
    perfect = {"heatmap": logits, "size_mm": size, "offset": offset}
    assert detection_loss(perfect, batch, 4) < 1e-3
    assert detection_loss({**perfect, "offset": offset + 0.5}, batch, 4) == pytest.approx(0.5, abs=1e-2)


def test_a_perfect_segmentation_costs_nearly_nothing() -> None:
    batch = next(_batches(on_box=1.0))
    logits = nn.functional.one_hot(batch.labels, 3).movedim(-1, 1) * 20.0
    weights = torch.ones(3)
    assert segmentation_loss(logits, batch, weights) < 1e-2
    assert segmentation_loss(-logits, batch, weights) > 5


def _unet_loss(net: nn.Module, batch: PatchBatch) -> torch.Tensor:
    return segmentation_loss(net(batch.values), batch, torch.ones(3))


def _boxes_loss(net: nn.Module, batch: PatchBatch) -> torch.Tensor:
    return detection_loss(net(batch.values), batch, 4)


def _presence_loss(net: nn.Module, batch: PatchBatch) -> torch.Tensor:
    return presence_loss(net(batch.values), batch)


@pytest.mark.parametrize(
    ("network", "loss"),
    [
        (lambda: unet3d(1, 3, [4, 8, 8]), _unet_loss),
        (lambda: centernet3d(1, 1, [4, 8, 8, 8], 13), _boxes_loss),
        (lambda: classifier3d(1, 1, [4, 8, 8, 8]), _presence_loss),
    ],
    ids=["unet", "detector", "classifier"],
)
def test_a_few_steps_lower_the_loss(
    network: Callable[[], nn.Module], loss: Callable[[nn.Module, PatchBatch], torch.Tensor]
) -> None:
    batch = next(_batches(on_box=0.5))
    seen: list[float] = []
    settings = LoopSettings(steps=16, peak_rate=1e-2)
    kept = fit(network(), itertools.repeat(batch), loss, settings, lambda _step, value: seen.append(value))
    assert len(seen) == 16
    assert sum(seen[-3:]) < 0.8 * sum(seen[:3])
    assert not kept.training
    assert all(torch.isfinite(value).all() for value in kept.state_dict().values())


def test_the_same_seed_trains_the_same_weights() -> None:
    def once() -> dict[str, torch.Tensor]:
        torch.manual_seed(3)
        settings = LoopSettings(steps=3)
        return fit(classifier3d(1, 1, [4, 4, 4, 4]), _batches(), _presence_loss, settings, lambda *_: None).state_dict()

    first, second = once(), once()
    assert all(torch.equal(first[name], second[name]) for name in first)
