"""The packs that come with MedView do on fresh phantoms what their cards say."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from medview.core.job import Inline
from medview.core.prediction import Prediction
from medview.core.volume import Volume
from medview.ml.packs import ModelPack, load_pack
from medview.ml.predict import PredictRequest
from medview.ml.runners.run import predict
from medview.phantom.chest import HEART, LUNGS, NODULE, SPINE, ChestPhantom, chest

PACKS = Path(__file__).resolve().parents[2] / "resources" / "packs"
ORGANS, BOXES, PRESENT = "phantom-organs-nodules", "phantom-nodule-boxes", "phantom-nodule-present"

LARGEST_PACK_BYTES = 5_000_000

TARGETS = {
    ORGANS: {"Dice lungs": 0.97, "Dice nodule": 0.75},
    BOXES: {"Sensitivity at 1 false positive per scan": 0.9},
    PRESENT: {"AUC": 0.9},
}

WITH_NODULES, HEALTHY = 9100, 9101
"""Seeds no training, tuning or judging uses."""


@pytest.fixture(scope="module")
def packs() -> Mapping[str, ModelPack]:
    return {pack_id: load_pack(PACKS / pack_id, bundled=True) for pack_id in TARGETS}


@pytest.fixture(scope="module")
def phantom() -> ChestPhantom:
    return chest(WITH_NODULES, nodules=4)


@pytest.fixture(scope="module")
def healthy() -> ChestPhantom:
    return chest(HEALTHY, nodules=0)


def _predict(pack: ModelPack, phantom: ChestPhantom) -> Prediction:
    torch.set_num_threads(1)
    return predict(PredictRequest(Volume(phantom.hu, phantom.geometry, "CT", "HU"), pack, "cpu"), Inline())


def _dice(truth: npt.NDArray[np.bool_], predicted: npt.NDArray[np.bool_]) -> float:
    return float(2 * (truth & predicted).sum() / (truth.sum() + predicted.sum()))


@pytest.mark.parametrize("pack_id", TARGETS)
def test_a_pack_is_small_and_whole(packs: Mapping[str, ModelPack], pack_id: str) -> None:
    folder = packs[pack_id].folder
    assert {"model.json", "weights.safetensors", "LICENSE", "MODEL_CARD.md"} == {p.name for p in folder.iterdir()}
    assert sum(p.stat().st_size for p in folder.iterdir()) < LARGEST_PACK_BYTES


@pytest.mark.parametrize("pack_id", TARGETS)
def test_a_pack_says_that_it_means_nothing_on_patients(packs: Mapping[str, ModelPack], pack_id: str) -> None:
    pack = packs[pack_id]
    assert pack.spec.notice == "Trained on phantoms. Means nothing on patients."
    assert pack.spec.notice in (pack.folder / "MODEL_CARD.md").read_text()
    assert "Not a medical device" in pack.spec.card.intended_use


@pytest.mark.parametrize("pack_id", TARGETS)
def test_the_figures_on_the_card_reach_their_targets_and_carry_intervals(
    packs: Mapping[str, ModelPack], pack_id: str
) -> None:
    metrics = packs[pack_id].spec.card.metrics
    text = (packs[pack_id].folder / "MODEL_CARD.md").read_text()
    for name, target in TARGETS[pack_id].items():
        assert metrics[name] >= target
        assert metrics[f"{name} (95 % low)"] <= metrics[name] <= metrics[f"{name} (95 % high)"]
        assert f"| {name} | {metrics[name]:.3f} |" in text


def test_organs_and_nodules_are_found_on_an_unseen_phantom(packs: Mapping[str, ModelPack], phantom: ChestPhantom) -> None:
    mask = _predict(packs[ORGANS], phantom).mask
    assert mask is not None
    labels = mask.on_grid(phantom.geometry.shape_kji)
    floors = {LUNGS: 0.96, NODULE: 0.7, HEART: 0.85, SPINE: 0.85}
    for value, floor in floors.items():
        assert _dice(phantom.labels == value, labels == value) > floor


def test_every_nodule_of_an_unseen_phantom_gets_a_box_and_hardly_anything_else(
    packs: Mapping[str, ModelPack], phantom: ChestPhantom, healthy: ChestPhantom
) -> None:
    boxes = _predict(packs[BOXES], phantom).boxes
    centres = np.array([box.corners_lps_mm().mean(axis=0) for box in boxes])
    for lesion in phantom.lesions:
        away = np.linalg.norm(centres - lesion.centre_lps_mm, axis=1)
        assert away.min() < lesion.diameter_mm / 2
        nearest = boxes[int(away.argmin())]
        low, high = nearest.enclosing_lps_mm()
        assert np.abs(np.subtract(high, low) - lesion.diameter_mm).max() < 5
    assert len(boxes) <= len(phantom.lesions) + 2
    assert len(_predict(packs[BOXES], healthy).boxes) <= 1


def test_the_probability_of_a_nodule_tells_the_ill_from_the_healthy(
    packs: Mapping[str, ModelPack], phantom: ChestPhantom, healthy: ChestPhantom
) -> None:
    ill, well = (_predict(packs[PRESENT], p).scores["Nodule present"] for p in (phantom, healthy))
    assert 0 <= well < 0.5 < ill <= 1
