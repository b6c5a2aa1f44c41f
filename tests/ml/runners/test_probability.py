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
from medview.ml.runners.carried import probability_of
from medview.ml.runners.finish import Decision, GridLabels
from medview.ml.runners.orientation import Orientation
from medview.ml.runners.run import predict, probability
from medview.ml.runners.tiling import LogitSlab
from medview.ml.spec import Shape3
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
