"""What a model is unsure of: judged by sums over whole maps of probability."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from medview.core.errors import CancelledError, ModelError
from medview.core.job import Inline
from medview.ml.networks.looks import CONTRAST, looks_for
from medview.ml.predict import PredictRequest
from medview.ml.runners import run
from medview.ml.runners.doubts import LEAST_VOXELS, NEAR_MM, PLAUSIBLE, Doubts
from medview.ml.runners.run import predict, unsure
from medview.ml.runners.tiling import LogitSlab
from tests.ml.small_packs import ct_volume, document, oblique_geometry, small_pack

WHOLE = {"blend": "whole"}


def logits(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """Logits with a smooth object in them: background, a large class and a small one."""
    rng = np.random.default_rng(seed)
    k, j, i = np.indices(shape[-3:]).astype(float)
    made = rng.normal(0, 0.4, shape)
    away = (k - 6) ** 2 + (j - 10) ** 2 + (i - 14) ** 2
    made[..., 1, :, :, :] += 4 - 0.12 * away
    made[..., 2, :, :, :] += 3 - 0.5 * ((k - 2) ** 2 + (j - 3) ** 2 + (i - 4) ** 2)
    return torch.as_tensor(made, dtype=torch.float32)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("exclusive", [True, False])
def test_slabs_add_up_to_what_whole_maps_of_probability_say(axis: int, exclusive: bool) -> None:
    shape, looks = (13, 21, 27), 3
    every = torch.stack([logits((3, *shape), seed) for seed in range(looks)])
    origin, whole = (2, 1, 3), (17, 24, 33)
    spacing = (2.5, 1.0, 1.6)
    doubts = Doubts((1, 2), looks, exclusive, whole, origin, spacing, axis)
    for first, last in ((5, 13), (0, 5)):
        doubts.add(LogitSlab(first, every.flatten(0, 1)[:, first:last]), Inline())
    p = (every.softmax(1) if exclusive else every.sigmoid()).double().numpy()
    mean = p.mean(axis=0)
    for number, channel in enumerate((1, 2)):
        there = mean.argmax(axis=0) == channel if exclusive else mean[channel] > 0.5
        near = widened(there, round(NEAR_MM / spacing[1]), round(NEAR_MM / spacing[2])) | (mean[channel] > PLAUSIBLE)
        of_mean = bits(mean[channel])
        doubt = (of_mean + np.maximum(of_mean - bits(p[:, channel]).mean(axis=0), 0)) / 2 * near
        across = tuple(n for n in range(3) if n != axis)
        for found, wanted in (
            (doubts.doubt, doubt), (doubts.near, near), (doubts.found, there),
            (doubts.wrong, np.minimum(mean[channel], 1 - mean[channel]) * near),
        ):  # fmt: skip
            curve = np.zeros(whole[axis])
            curve[origin[axis] : origin[axis] + shape[axis]] = wanted.sum(axis=across)
            assert np.allclose(found[number], curve, rtol=1e-4, atol=1e-3)
        assert doubts.unsure[number] == pytest.approx(doubt.sum() / (near.sum() + LEAST_VOXELS), rel=1e-4)


def bits(p: np.ndarray) -> np.ndarray:
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return np.asarray(-(p * np.log2(p) + (1 - p) * np.log2(1 - p)))


def widened(there: np.ndarray, rows: int, columns: int) -> np.ndarray:
    from scipy.ndimage import binary_dilation

    return np.asarray(binary_dilation(there, np.ones((1, 2 * rows + 1, 2 * columns + 1))))


@pytest.mark.parametrize("orientation", ["SPL", "LAS", "PRI"])
def test_slices_are_those_of_the_case_however_the_model_turns_it(tmp_path: Path, orientation: str) -> None:
    content: dict[str, Any] = document()
    spacing = {**content["input"], "orientation": orientation, "spacing_kji_mm": None}
    pack = small_pack(tmp_path / "pack", input=spacing, tiling=WHOLE)
    volume = ct_volume((12, 30, 26), oblique_geometry((12, 30, 26), (3.0, 1.5, 1.5)))
    scores = unsure(PredictRequest(volume, pack), Inline())
    assert scores.unsure_slices.shape == (2, 12)
    assert scores.looks == 1 + len(CONTRAST)
    # Looked at plainly alone it finds what a run finds: three looks agree on nearly all of it.
    mask = predict(PredictRequest(volume, pack), Inline()).mask
    assert mask is not None
    labels = mask.on_grid((12, 30, 26))
    for number, value in enumerate((1, 2)):
        found = (labels == value).sum(axis=(1, 2))
        assert np.abs(scores.foreground_slices[number] - found).sum() <= 0.1 * max(found.sum(), 50)
        assert scores.foreground[number] == pytest.approx(found.sum(), rel=0.1, abs=30)


def test_a_model_that_mirrors_is_looked_at_mirrored_and_one_that_does_not_with_other_contrast(tmp_path: Path) -> None:
    assert [look.flipped for look in looks_for((0, 1, 2))] == [None, 0, 1, 2]
    assert [look.flipped for look in looks_for((2,))] == [None, 2]
    assert [look.contrast for look in looks_for(())] == [1.0, *CONTRAST]
    tiling = {"tile_kji": [16, 16, 16], "overlap": 0.25, "blend": "gaussian", "mirror": ["j", "i"]}
    pack = small_pack(tmp_path / "pack", tiling=tiling)
    scores = unsure(PredictRequest(ct_volume(), pack), Inline())
    assert scores.looks == 3
    # A network with random weights contradicts itself when it is mirrored.
    assert scores.unsure.max() > 0.3


def test_a_sure_model_is_less_unsure_than_an_unsure_one(tmp_path: Path) -> None:
    request = PredictRequest(ct_volume(), small_pack(tmp_path / "pack", tiling=WHOLE))
    before = unsure(request, Inline())
    from medview.ml.weights import RESIDENT

    network = RESIDENT.get(request.pack, torch.device("cpu"))
    last = [m for m in network.modules() if isinstance(m, torch.nn.Conv3d)][-1]
    assert last.bias is not None
    with torch.inference_mode():
        last.weight.mul_(20.0)
        last.bias.mul_(20.0)
    try:
        after = unsure(request, Inline())
    finally:
        RESIDENT.clear()
    assert after.unsure[0] < before.unsure[0] / 2
    assert after.errors.sum() < before.errors.sum()


@pytest.mark.parametrize("task", ["detection", "classification"])
def test_boxes_and_answers_have_scores_and_features_too(tmp_path: Path, task: str) -> None:
    pack = small_pack(tmp_path / "pack", task)
    scores = unsure(PredictRequest(ct_volume(), pack), Inline())
    assert scores.unit == ("boxes" if task == "detection" else "answers")
    assert scores.looks == 1
    assert ((scores.unsure >= 0) & (scores.unsure <= 1)).all()
    assert len(scores.features) > len(scores.classes)
    if task == "detection":
        found = predict(PredictRequest(ct_volume(), pack), Inline()).boxes
        assert scores.foreground[0] == pytest.approx(len(found), abs=1)


def test_the_same_case_has_the_same_scores_and_a_model_for_other_images_is_refused(tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "pack", tiling=WHOLE)
    first, second = (unsure(PredictRequest(ct_volume(), pack), Inline()) for _ in range(2))
    assert first.stored() == second.stored()
    other = small_pack(tmp_path / "mr", input={**document()["input"], "modality": ["MR"]}, tiling=WHOLE)
    with pytest.raises(ModelError, match="is for MR"):
        unsure(PredictRequest(ct_volume(), other), Inline())


def test_where_memory_has_no_room_for_several_looks_one_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = PredictRequest(ct_volume(), small_pack(tmp_path / "pack", tiling=WHOLE))
    plan = run.plan_for

    def tight(*given: Any, looks: int = 1) -> object:
        if looks > 1:
            raise ModelError("Organs needs about 9.0 GB of memory.")
        return plan(*given, looks=looks)

    monkeypatch.setattr(run, "plan_for", tight)
    assert unsure(request, Inline()).looks == 1


def test_it_stops_when_it_is_cancelled(tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "pack", tiling=WHOLE)
    context = Inline()
    context.cancel()
    with pytest.raises(CancelledError):
        unsure(PredictRequest(ct_volume(), pack), context)


@pytest.fixture(autouse=True)
def no_network_stays() -> Iterator[None]:
    from medview.ml.weights import RESIDENT

    RESIDENT.clear()
    yield
    RESIDENT.clear()
