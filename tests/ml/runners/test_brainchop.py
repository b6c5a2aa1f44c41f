"""A real model on a real head: volumes stated by others, whole and in pieces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.prediction import Prediction
from medview.core.volume import Volume
from medview.io.nifti import read_nifti
from medview.ml.convert import brainchop
from medview.ml.packs import ModelPack, load_pack
from medview.ml.predict import PredictRequest
from medview.ml.runners.run import predict
from medview.ml.runners.watched import resident_bytes

pytestmark = pytest.mark.data

WHITE_ML, GREY_ML = 518.0, 735.0
"""What the weights' source gives on this head, see README of the test data."""


@pytest.fixture(scope="module")
def tissue(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelPack:
    folder = tmp_path_factory.mktemp("packs") / "tissue"
    brainchop.convert(test_data / "weights-brainchop" / "meshnet" / "model5_gw_ae", folder)
    return load_pack(folder)


@pytest.fixture(scope="module")
def head(test_data: Path) -> Volume:
    return read_nifti(test_data / "weights-brainchop" / "t1_crop.nii.gz")


@pytest.fixture(scope="module")
def whole(tissue: ModelPack, head: Volume) -> Prediction:
    return predict(PredictRequest(head, tissue), Inline())


def millilitres(prediction: Prediction) -> dict[str, float]:
    assert prediction.mask is not None
    counts = prediction.mask.counts()
    voxel = prediction.geometry.voxel_volume_mm3 / 1000.0
    return {segment.name: counts[segment.value] * voxel for segment in prediction.mask.segments}


def test_white_and_grey_matter_have_their_known_volumes(whole: Prediction) -> None:
    assert millilitres(whole) == {
        "White Matter": pytest.approx(WHITE_ML, rel=0.02),
        "Grey Matter": pytest.approx(GREY_ML, rel=0.02),
    }


def test_pieces_give_the_same_mask_as_the_whole_head(
    whole: Prediction, tissue: ModelPack, head: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 1_000_000_000
    monkeypatch.setattr("medview.ml.runners.memory_plan.free_memory_bytes", lambda: free)
    context, before = Texts(), resident_bytes()
    pieces = predict(PredictRequest(head, tissue), context)
    assert any(text.startswith("Tile 2 of ") for text in context.texts)
    assert whole.mask is not None
    assert pieces.mask is not None
    shape = head.geometry.shape_kji
    assert np.array_equal(whole.mask.on_grid(shape), pieces.mask.on_grid(shape))
    assert pieces.peak_memory_mb * 1e6 - before < free


class Texts(Inline):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def progress(self, fraction: float, text: str) -> None:
        self.texts.append(text)


def test_the_grey_and_white_matter_lie_inside_the_head(whole: Prediction, head: Volume) -> None:
    assert whole.mask is not None
    labels = whole.mask.on_grid(head.geometry.shape_kji)
    values = head.values()
    # In a T1 picture white matter is brighter than grey, and grey than what is outside of the brain.
    assert values[labels == 1].mean() > values[labels == 2].mean() + 10 > values[labels == 0].mean() + 10


def test_a_part_of_the_head_at_half_resolution_agrees_on_its_own_grid(
    tissue: ModelPack, head: Volume, whole: Prediction
) -> None:
    assert whole.mask is not None
    part = Box((64, 64, 64), (192, 192, 192))
    blocks = head.values(part.slices).reshape(64, 2, 64, 2, 64, 2)
    affine = np.array(head.geometry.affine_lps)
    affine[:3, 3] = head.geometry.point_lps_mm(np.add(part.min_kji, 0.5))
    affine[:3, :3] *= 2.0
    half = Volume(np.rint(blocks.mean(axis=(1, 3, 5))).astype(np.uint8), Geometry((64, 64, 64), affine))
    mask = predict(PredictRequest(half, tissue), Inline()).mask
    assert mask is not None
    inner = (slice(16, 48),) * 3
    found = mask.on_grid((64, 64, 64))[inner]
    fine = whole.mask.on_grid(head.geometry.shape_kji)[part.slices].reshape(64, 2, 64, 2, 64, 2)
    for value in (1, 2):
        share = (fine == value).mean(axis=(1, 3, 5))[inner]
        expected = share > 0.5
        dice = 2 * ((found == value) & expected).sum() / ((found == value).sum() + expected.sum())
        assert dice > 0.85
