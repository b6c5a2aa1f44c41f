"""How probable one class is, streamed, against working all of it out at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from medview.core.box import Box
from medview.core.errors import CancelledError, ModelError
from medview.core.job import Inline
from medview.core.prediction import PredictedSegment
from medview.core.resources import resource_path
from medview.core.volume import Volume
from medview.ml.outputs import SegmentationOutput
from medview.ml.predict import PredictRequest
from medview.ml.registry import Registry
from medview.ml.runners.body import Body
from medview.ml.runners.carried import level_grid, probability_of
from medview.ml.runners.finish import Decision, GridLabels
from medview.ml.runners.memory_plan import MemoryPlan
from medview.ml.runners.orientation import Orientation
from medview.ml.runners.preprocess import Prepared
from medview.ml.runners.run import predict, probability
from medview.ml.runners.tiling import LogitSlab, logit_slabs
from medview.ml.runners.watched import Progress, Stopwatch, WatchedNetwork
from medview.ml.spec import Blend, Shape3, Tiling
from medview.phantom.chest import chest
from tests.ml.runners.test_finish import smooth_logits
from tests.ml.small_packs import ct_volume, small_pack

MODEL_KJI = (17, 21, 26)


def _output(count: int, activation: str) -> SegmentationOutput:
    labels = tuple(PredictedSegment(n + 1, f"S{n + 1}", (n, n, n)) for n in range(count))
    return SegmentationOutput(labels, activation)


@pytest.fixture(scope="module")
def thorax() -> Volume:
    phantom = chest(9102, shape_kji=(34, 80, 80), spacing_kji_mm=(8.0, 4.5, 4.5), nodules=2)
    # A part of it is enough, and takes a part of the time.
    box = Box((10, 16, 8), (22, 64, 44))
    return Volume(phantom.hu[box.slices].copy(), phantom.geometry.cropped(box), "CT", "HU")


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("shape_kji", [MODEL_KJI, (40, 33, 51), (9, 30, 20)])
def test_levels_are_the_interpolated_probability(activation: str, shape_kji: Shape3) -> None:
    logits = 4.0 * smooth_logits(4, MODEL_KJI)
    output = _output(3 if activation == "softmax" else 4, activation)
    whole = logits.softmax(0)[2] if activation == "softmax" else logits.sigmoid()[1]
    wide = functional.interpolate(whole[None, None], shape_kji, mode="trilinear", align_corners=False)[0, 0]
    grid = GridLabels(shape_kji, Orientation(), MODEL_KJI, Inline(), decision=Decision.LEVELS)
    for first in range(0, 17, 5):
        grid.add(probability_of(LogitSlab(first, logits[:, first : first + 5]), output, 2))
    assert np.abs(grid.labels / 255.0 - wide.numpy()).max() <= 0.5 / 255 + 1e-4


def test_large_logits_overflow_nothing() -> None:
    logits = torch.tensor([[-1e4, 0.0], [1e4, 3e4], [0.0, 3e4]])[:, None, None, :]
    found = probability_of(LogitSlab(0, logits), _output(2, "softmax"), 1).logits
    assert found.flatten().tolist() == pytest.approx([1.0, 0.5])


class Sure(torch.nn.Module):
    """Says of every voxel that the first label is there, or with ``no`` that nothing is."""

    def __init__(self, channels: int, no: bool) -> None:
        super().__init__()
        self.seen = torch.nn.Identity()
        self.channels, self.no = channels, no

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        tiles = self.seen(values)
        answer = torch.full((len(tiles), self.channels, *tiles.shape[2:]), -20.0)
        answer[:, 0 if self.no else min(1, self.channels - 1)] = -20.0 if self.no and self.channels == 1 else 20.0
        return answer


@pytest.mark.parametrize(("activation", "channels"), [("softmax", 2), ("sigmoid", 1)])
@pytest.mark.parametrize("no", [True, False], ids=["nothing there", "all of it"])
@pytest.mark.parametrize("finer", [1, 2])
def test_nothing_is_probable_where_the_model_did_not_look(activation: str, channels: int, no: bool, finer: int) -> None:
    cells = np.zeros((1, 4, 4), dtype=np.bool_)
    # Two corners of the box are air.
    cells[0, 0, 0] = cells[0, 3, 3] = True
    body = Body(cells, (8.0, 8.0, 8.0), (8, 32, 32))
    values, context, output = torch.zeros(1, 8, 32, 32), Inline(), _output(1, activation)
    shape_kji = (8, 32 * finer, 32 * finer)
    prepared = Prepared(values, Orientation(), shape_kji, (1.0, 1.0, 1.0))
    grid, plan = level_grid(shape_kji, prepared, context), MemoryPlan(torch.device("cpu"), (1, 1, 1), 2, 0)
    tiling = Tiling((8, 8, 8), 0.0, Blend.GAUSSIAN)
    with (
        torch.inference_mode(),
        WatchedNetwork(Sure(channels, no), context, Progress(context, 0, 1), Stopwatch()) as network,
    ):
        for slab in logit_slabs(network, values, tiling, plan, 0, body, channels):
            grid.add(probability_of(slab, output, 1))
    # In the middle of each tile.
    levels = grid.labels[:, 4 * finer :: 8 * finer, 4 * finer :: 8 * finer]
    looked = np.eye(4, dtype=np.bool_) & np.isin(np.arange(4), (0, 3))
    assert (levels[:, looked] == (0 if no else 255)).all()
    assert not levels[:, ~looked].any()


def test_a_pack_run_again_is_sure_where_it_says_so(thorax: Volume) -> None:
    pack = Registry(resource_path("packs"), Path("nowhere")).get("phantom-organs-nodules")
    mask = predict(PredictRequest(thorax, pack, "cpu"), Inline()).mask
    assert mask is not None
    labels = mask.on_grid(thorax.geometry.shape_kji)
    value = mask.segments[0].value
    levels = probability(PredictRequest(thorax, pack, "cpu"), value, Inline())
    assert levels.shape == labels.shape
    # What holds more than half of it cannot lose, but that logits are interpolated there and probabilities here.
    sure = levels >= 160
    assert sure.any()
    assert (labels[sure] == value).mean() > 0.99
    assert (levels[labels == value] > 100).mean() > 0.95


def test_what_has_no_such_segment_says_so(tmp_path: Path) -> None:
    pack, volume = small_pack(tmp_path / "pack"), ct_volume()
    with pytest.raises(ModelError, match="no such segment"):
        probability(PredictRequest(volume, pack, "cpu"), 9, Inline())
    other = small_pack(tmp_path / "other", "classification")
    with pytest.raises(ModelError, match="makes no masks"):
        probability(PredictRequest(volume, other, "cpu"), 1, Inline())


def test_cancel_is_seen(tmp_path: Path) -> None:
    context = Inline()
    context.cancel()
    with pytest.raises(CancelledError):
        probability(PredictRequest(ct_volume(), small_pack(tmp_path / "pack"), "cpu"), 1, context)
