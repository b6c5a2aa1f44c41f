"""The detector with a pyramid learns to find held-out nodules, in volumes and in slices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import save

from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.volume import Volume
from medview.ml.networks.fpn_detector import FpnDetector, fpn_detector
from medview.ml.packs import write_pack
from medview.ml.predict import PredictRequest
from medview.ml.runners.decode import decode_levels
from medview.ml.runners.run import predict
from medview.ml.training.cases import TrainingCase
from medview.ml.training.loop import LoopSettings, fit
from medview.ml.training.patches import PatchBatch, PatchPlan, draw_patches
from tests.helpers.fpn_training import fpn_loss, fpn_targets
from tests.ml.small_packs import document

SPACING_KJI_MM = (2.0, 1.5, 1.5)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


def balls(seed: int, count: int = 4) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.float32]]:
    """Bright balls among dim tubes and noise; boxes as training cases have them."""
    rng = np.random.default_rng(seed)
    shape = (28, 64, 72)
    grid = np.stack(np.meshgrid(*[np.arange(n) + 0.5 for n in shape], indexing="ij"), axis=-1) * SPACING_KJI_MM
    values = rng.normal(0.1, 0.04, shape)
    for _ in range(5):
        # Tubes along k are what a detector has to leave alone.
        j, i = rng.uniform(8, 90, 2)
        values[((grid[..., 1] - j) ** 2 + (grid[..., 2] - i) ** 2) < 3] = 0.7
    boxes: list[npt.NDArray[np.float64]] = []
    while len(boxes) < count:
        radius = rng.uniform(4.0, 8.0)
        centre = rng.uniform(radius + 1, np.asarray(shape) * SPACING_KJI_MM - radius - 1)
        if any(np.linalg.norm(centre - b[:3] * SPACING_KJI_MM) < 20 for b in boxes):
            continue
        values[((grid - centre) ** 2).sum(axis=-1) < radius**2] = 0.8
        boxes.append(np.concatenate([centre / SPACING_KJI_MM, np.full(3, 2 * radius)]))
    return values.astype(np.float16), np.asarray(boxes, dtype=np.float32)


def cases() -> list[TrainingCase]:
    return [TrainingCase(v, np.zeros(v.shape, np.uint8), b) for v, b in (balls(n) for n in range(6))]


def iou(low: npt.NDArray[np.float64], high: npt.NDArray[np.float64], box: npt.NDArray[np.float32]) -> float:
    edges = box[3:] / np.asarray(SPACING_KJI_MM)
    others = box[:3] - edges / 2, box[:3] + edges / 2
    common = float(np.prod(np.clip(np.minimum(high, others[1]) - np.maximum(low, others[0]), 0, None)))
    return common / float(np.prod(high - low) + np.prod(edges) - common)


def holds(box: npt.NDArray[np.float32], place_kji: npt.NDArray[np.float64]) -> bool:
    return bool((np.abs(place_kji - box[:3]) * SPACING_KJI_MM <= box[3:] / 2).all())


def targets_as_answer(
    boxes: list[npt.NDArray[np.float32]], net: FpnDetector, shape: tuple[int, ...]
) -> dict[str, torch.Tensor]:
    cells = [tuple(-(-n // s) for n, s in zip(shape, step[-len(shape) :], strict=True)) for step in net.levels]
    answer = {}
    for n, truth in enumerate(fpn_targets(boxes, cells, net.levels)):
        answer |= {
            f"logits_{n}": torch.where(truth.present > 0, 12.0, -12.0),
            f"centre_{n}": torch.logit(truth.centre.clamp(1e-6, 1 - 1e-6)),
            f"offset_{n}": truth.offset,
            f"size_{n}": truth.size,
        }
    return answer


def test_what_is_to_be_answered_decodes_to_the_boxes_on_the_level_of_their_size() -> None:
    net = fpn_detector(1, 1, 3, [4, 8, 8, 8], 8, 1)
    boxes = np.array([[10.2, 13.7, 40.1, 5.0, 6.0, 4.0], [16.0, 40.0, 20.0, 9.0, 30.0, 14.0]], dtype=np.float32)
    answer = targets_as_answer([boxes], net, (32, 64, 64))
    (found,) = decode_levels(answer, net.levels, 0.2)
    middles, sizes = (found.low_kji + found.high_kji) / 2, found.high_kji - found.low_kji
    for n, box in enumerate(boxes):
        mine = np.abs(middles - box[:3]).max(axis=1) < 1e-3
        assert mine.sum() >= 1
        assert np.allclose(sizes[mine], box[3:], atol=1e-3), n
    # The best of each is a cell next to its middle.
    assert found.scores.max() > 0.6
    assert answer["logits_0"].max() > 0  # 6 voxels: cells of 2
    assert answer["logits_1"].max() > 0  # 30 voxels: cells of 4
    assert answer["logits_2"].max() < 0


def test_a_perfect_answer_costs_nearly_nothing_and_a_shifted_one_its_shift() -> None:
    net = fpn_detector(1, 1, 3, [4, 8, 8], 8, 1)
    in_mm = np.array([[10.2, 13.7, 20.1, 10.0, 9.0, 6.0]], dtype=np.float32)
    in_voxels = in_mm / np.array([1, 1, 1, *SPACING_KJI_MM], dtype=np.float32)
    answer = targets_as_answer([in_voxels], net, (24, 32, 32))
    batch = PatchBatch(torch.zeros(1, 1, 24, 32, 32), torch.zeros(1, 24, 32, 32, dtype=torch.int64), (in_mm,))
    truth = fpn_targets([in_voxels], [(12, 16, 16)], net.levels[:1])[0]
    centres = truth.centre[truth.present > 0]
    entropy = torch.nn.functional.binary_cross_entropy(centres, centres)
    assert float(fpn_loss(answer, batch, net.levels, SPACING_KJI_MM) - entropy) < 1e-3
    shifted = {**answer, "offset_0": answer["offset_0"] + 0.5}
    assert float(fpn_loss(shifted, batch, net.levels, SPACING_KJI_MM) - entropy) == pytest.approx(0.5, abs=2e-3)


@pytest.mark.parametrize("dimensions", [3, 2])
def test_trained_for_seconds_it_finds_nodules_it_has_never_seen(tmp_path: Path, dimensions: int) -> None:
    kwargs: dict[str, Any] = {
        "in_channels": 1,
        "classes": 1,
        "dimensions": dimensions,
        "channels": [8, 16, 16],
        "width": 16,
        "first_level": 1,
    }
    size = (24, 32, 32) if dimensions == 3 else (1, 64, 64)
    plan = PatchPlan(size, 4 if dimensions == 3 else 16, on_box=0.8 if dimensions == 3 else 0.4, on_label=0.0)
    batches = draw_patches(cases(), plan, np.random.default_rng(3))

    def loss(net: FpnDetector, batch: PatchBatch) -> torch.Tensor:
        values = batch.values if dimensions == 3 else batch.values[:, :, 0]
        return fpn_loss(net(values), batch, net.levels, SPACING_KJI_MM)

    steps = 60 if dimensions == 3 else 80
    net = fit(FpnDetector(**kwargs), batches, loss, LoopSettings(steps, peak_rate=6e-3, average=0.9), lambda *_: None)
    content = document("detection", network={"name": "fpn_detector", "kwargs": kwargs}, schema_version=2)
    content["input"] |= {"spacing_kji_mm": None, "orientation": None, "intensity": [], "unit": "", "dimensions": dimensions}
    content["tiling"] = {"tile_kji": [24, 48, 48] if dimensions == 3 else [1, 64, 64], "overlap": 0.5, "blend": "gaussian"}
    content["output"] |= {"score_threshold": 0.3 if dimensions == 3 else 0.4, "nms_iou": 0.2}
    if dimensions == 2:
        content["output"]["join_slices"] = True
    state = {name: tensor.contiguous() for name, tensor in net.state_dict().items()}
    pack = write_pack(
        tmp_path / "pack", content, {"weights.safetensors": save(state), "LICENSE": b"x", "MODEL_CARD.md": b"x"}
    )
    hits, truths, false = 0, 0, 0
    for seed in (100, 101):
        values, boxes = balls(seed)
        grid = Geometry.from_spacing((28, 64, 72), SPACING_KJI_MM)
        volume = Volume(values.astype(np.float32), grid, "CT", "HU")
        found = [b.bounds_kji(grid) for b in predict(PredictRequest(volume, pack, "cpu"), Inline()).boxes]
        best = [max((iou(low, high, box) for low, high in found), default=0.0) for box in boxes]
        hits, truths = hits + sum(b > 0.25 for b in best), truths + len(boxes)
        false += sum(not any(holds(box, (low + high) / 2) for box in boxes) for low, high in found)
    assert hits >= 0.75 * truths, (hits, truths, false)
    assert false <= truths // 2, (hits, truths, false)
