"""Classification packs: calibrated scores of a volume or of every slice, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from medview.core.job import Inline
from medview.core.prediction import Prediction
from medview.core.scores import ScoreRule
from medview.core.volume import Volume
from medview.ml.outputs import ClassificationOutput, Summary
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest
from medview.ml.runners.classifier import probabilities, summary
from medview.ml.runners.preprocess import prepare
from medview.ml.runners.run import predict
from medview.ml.spec import Crop
from medview.ml.weights import RESIDENT, load_network
from tests.ml.runners.test_preprocess import turned
from tests.ml.small_packs import ct_volume, document, small_pack

FLAT = {"name": "classifier2d", "kwargs": {"in_channels": 1, "classes": 2, "channels": [4, 6]}}


@pytest.fixture(autouse=True)
def no_network_stays_loaded() -> None:
    RESIDENT.clear()


def pack_of(folder: Path, dimensions: int = 2, wanted: dict[str, Any] | None = None, **output: Any) -> ModelPack:
    content = document("classification")
    given = {**content["input"], "dimensions": dimensions, "shape_kji": None, "spacing_kji_mm": None, **(wanted or {})}
    said = {**content["output"], "classes": ["Clot", "Nodule"], "calibration": None, "activation": "sigmoid", **output}
    more = {"network": FLAT} if dimensions == 2 else {}
    return small_pack(folder / "pack", "classification", schema_version=2, input=given, output=said, **more)


def run(pack: ModelPack, volume: Volume) -> Prediction:
    return predict(PredictRequest(volume, pack, "cpu"), Inline())


def test_every_slice_has_the_score_the_network_gives_it_alone(tmp_path: Path) -> None:
    pack, volume = pack_of(tmp_path, wanted={"orientation": None}), ct_volume((19, 34, 46))
    found = run(pack, volume)
    assert found.slice_scores is not None
    assert found.slice_scores.axis == 0
    network, values = load_network(pack), prepare([volume], pack.spec.input, Inline()).values
    with torch.inference_mode():
        alone = torch.cat([network(values[None, :, k : k + 1]) for k in range(19)]).sigmoid().numpy()
    for n, name in enumerate(("Clot", "Nodule")):
        assert found.slice_scores.by_class[name].shape == (19,)
        assert np.allclose(found.slice_scores.by_class[name], alone[:, n], atol=1e-6)
        assert found.scores[name] == pytest.approx(float(alone[:, n].max()), abs=1e-5)
    assert np.ptp(alone, axis=0).min() > 1e-5


def test_slices_are_numbered_as_the_input_has_them_however_it_is_stored(tmp_path: Path) -> None:
    pack, volume = pack_of(tmp_path, wanted={"orientation": "SPL"}), ct_volume((12, 34, 46))
    straight = run(pack, volume).slice_scores
    other = run(pack, turned(volume, (2, 0, 1), (False, True, True))).slice_scores
    assert straight is not None
    assert other is not None
    # Axis 0 of the first is axis 1 of the second, backwards.
    assert (straight.axis, other.axis) == (0, 1)
    assert np.allclose(other.by_class["Nodule"][::-1], straight.by_class["Nodule"], atol=1e-5)


def test_slices_are_resized_one_by_one_and_thicker_model_slices_speak_for_several(tmp_path: Path) -> None:
    resized = run(pack_of(tmp_path / "a", wanted={"shape_kji": [1, 16, 24]}), ct_volume((9, 34, 46)))
    assert resized.slice_scores is not None
    assert len(resized.slice_scores.by_class["Clot"]) == 9
    volume = ct_volume((10, 34, 46))
    dk, dj, di = volume.geometry.spacing_kji_mm
    thick = run(pack_of(tmp_path / "b", wanted={"spacing_kji_mm": [2 * dk, dj, di], "orientation": None}), volume)
    assert thick.slice_scores is not None
    curve = thick.slice_scores.by_class["Nodule"]
    assert np.array_equal(curve[::2], curve[1::2])
    assert len(np.unique(curve)) == 5


def test_the_rule_of_the_pack_comes_with_the_answer(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, 3, subject="study", abstain=[0.2, 0.4], threshold=0.3, activation="softmax")
    found = run(pack, ct_volume())
    assert found.score_rule == ScoreRule("study", 0.3, (0.2, 0.4), exclusive=True)
    assert found.slice_scores is None
    assert sum(found.scores.values()) == pytest.approx(1.0)


def test_calibration_scales_and_shifts_the_logits_before_the_activation() -> None:
    logits = torch.tensor([[0.5, -1.0]])
    output = ClassificationOutput(("A", "B"), "sigmoid", 0.5, scale=2.0, shift=-0.25)
    assert torch.allclose(probabilities(logits, output), torch.sigmoid(torch.tensor([[0.75, -2.25]])))
    soft = ClassificationOutput(("A", "B"), "softmax", 0.5, scale=0.5)
    assert torch.allclose(probabilities(logits, soft), torch.softmax(torch.tensor([[0.25, -0.5]]), 1))


def test_a_series_is_the_most_suspicious_slice_or_the_mean_of_all() -> None:
    of_slices = torch.tensor([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4]])
    most = ClassificationOutput(("A", "B"), "sigmoid", 0.5)
    assert summary(of_slices, most).tolist() == pytest.approx([0.9, 0.7])
    mean = ClassificationOutput(("A", "B"), "sigmoid", 0.5, summary=Summary.MEAN)
    assert summary(of_slices, mean).tolist() == pytest.approx([0.6, 0.4])
    # Of classes that exclude each other one slice speaks for all, so that they still come to 1.
    exclusive = ClassificationOutput(("A", "B"), "softmax", 0.5)
    assert summary(of_slices, exclusive).tolist() == pytest.approx([0.3, 0.7])


def test_slices_that_are_cropped_away_score_nothing_and_the_others_keep_their_place(tmp_path: Path) -> None:
    volume = ct_volume((14, 34, 46))
    voxels = np.array(volume.voxels)
    # The padded number is 0 HU: nothing is there.
    voxels[:5] = voxels[11:] = 1024
    empty = replace(volume, voxels=voxels)
    whole = run(pack_of(tmp_path / "a", wanted={"orientation": None}), empty).slice_scores
    pack = pack_of(tmp_path / "b", wanted={"orientation": None})
    cropping = replace(pack.spec, input=replace(pack.spec.input, crop=Crop.NONZERO))
    part = run(replace(pack, spec=cropping), empty).slice_scores
    assert whole is not None
    assert part is not None
    assert np.allclose(part.by_class["Nodule"][5:11], whole.by_class["Nodule"][5:11], atol=1e-3)
    assert not part.by_class["Nodule"][:5].any()
    assert not part.by_class["Nodule"][11:].any()
