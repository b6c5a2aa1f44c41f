"""Explanations of packs: where the object is, in the patient's frame, with a check that can fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import save

from medview.core.errors import CancelledError, ModelError
from medview.core.explanation import DeletionCheck
from medview.core.heat import Heat
from medview.core.job import Inline
from medview.core.volume import Volume
from medview.ml.explain import explain as explaining
from medview.ml.explain.deletion import deletion_check
from medview.ml.explain.explain import explain
from medview.ml.explain.occlusion import MOST_PLACES, cover_side, occlusion
from medview.ml.explain_request import ExplainRequest, explainable
from medview.ml.networks.classifier import classifier2d, classifier3d
from medview.ml.networks.fpn_detector import fpn_detector
from medview.ml.packs import ModelPack, write_pack
from medview.ml.predict import PredictRequest
from medview.ml.runners.run import predict
from medview.ml.spec import Crop
from tests.ml.runners.test_preprocess import turned
from tests.ml.small_packs import document, oblique_geometry, small_pack

HOT_KJI = (14, 30, 22)
SHAPE = (24, 44, 48)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def bright_ball() -> Volume:
    """Noise, and a bright ball away from the middle."""
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in SHAPE], indexing="ij"), axis=-1)
    values = np.random.default_rng(3).normal(0.0, 0.02, SHAPE)
    values[((grid - HOT_KJI) ** 2 * (4.0, 1.0, 1.0)).sum(axis=-1) < 36] += 1.0
    return Volume(values.astype(np.float32), oblique_geometry(SHAPE, (2.0, 1.0, 1.0)), "CT", "HU", series_uid="1.2.3")


def set_to_pass_on(network: torch.nn.Module) -> None:
    """Make every convolution pass on the mean of its first input: the score then is that of the brightest place."""
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d | torch.nn.Conv3d | torch.nn.ConvTranspose3d):
                torch.nn.init.normal_(module.weight, 0.0, 0.01)
                module.weight[:, 0] = 1.0 / module.weight[0, 0].numel()
                if isinstance(module, torch.nn.ConvTranspose3d):
                    module.weight[0, :] = 1.0
                if module.bias is not None:
                    module.bias.zero_()


def pack_of(
    folder: Path, task: str, name: str, network: torch.nn.Module, kwargs: dict[str, Any], **output: Any
) -> ModelPack:
    content = document(task, network={"name": name, "kwargs": kwargs}, schema_version=2)
    flat = name.endswith("2d")
    content["input"] |= {"spacing_kji_mm": None, "shape_kji": None, "orientation": "SPL", "intensity": [], "unit": ""}
    content["input"]["dimensions"] = 2 if flat else 3
    if task == "classification":
        content["output"] |= {"classes": ["Nodule"], "activation": "sigmoid", "calibration": {"scale": 9.0, "shift": -3.0}}
    else:
        content["tiling"] = {"tile_kji": [16, 32, 32], "overlap": 0.5, "blend": "gaussian"}
    content["output"] |= output
    state = {key: tensor.contiguous() for key, tensor in network.state_dict().items()}
    return write_pack(
        folder / "pack", content, {"weights.safetensors": save(state), "LICENSE": b"x", "MODEL_CARD.md": b"x"}
    )


def ball_classifier(folder: Path, *, trained: bool = True) -> ModelPack:
    torch.manual_seed(1)
    network = classifier3d(1, 1, [4, 4, 4, 4])
    if trained:
        set_to_pass_on(network)
    else:
        for parameter in network.parameters():
            # Weights with which answers vary from place to place.
            torch.nn.init.normal_(parameter, 0.0, 0.3)
    kwargs = {"in_channels": 1, "classes": 1, "channels": [4, 4, 4, 4]}
    return pack_of(folder, "classification", "classifier3d", network, kwargs)


def hottest_lps_mm(heat: Heat) -> npt.NDArray[np.float64]:
    """The middle of the hottest tenth of the map."""
    at = np.argwhere(heat.levels >= 200)
    return heat.geometry.point_lps_mm(at.mean(axis=0))


@pytest.mark.parametrize("method", ["gradcam", "occlusion"])
@pytest.mark.parametrize("stored", [None, ((2, 0, 1), (False, True, True))])
def test_the_map_is_hot_where_the_object_is_in_the_patient_however_the_input_is_stored(
    tmp_path: Path, method: str, stored: tuple[tuple[int, int, int], tuple[bool, bool, bool]] | None
) -> None:
    volume = bright_ball()
    given = volume if stored is None else turned(volume, *stored)
    request = ExplainRequest(PredictRequest(given, ball_classifier(tmp_path), "cpu"), "Nodule", method)
    found = explain(request, Inline())
    where = volume.geometry.point_lps_mm(HOT_KJI)
    assert np.linalg.norm(hottest_lps_mm(found.heat) - where) < 7.0  # A cell of its features is 8 x 4 x 4 mm.
    assert found.heat.levels.max() == 255
    assert found.check.holds
    assert found.check.hottest[-1] < 0.5 * found.check.before
    assert found.check.random[-1] > 0.8 * found.check.before
    assert f"{found.check.before:.2f}" in found.heat.note
    assert found.heat.source.model_id == request.predict.pack.spec.id


def test_of_slices_the_most_suspicious_is_explained_or_the_one_asked_for(tmp_path: Path) -> None:
    network = classifier2d(1, 1, [4, 6])
    set_to_pass_on(network)
    kwargs = {"in_channels": 1, "classes": 1, "channels": [4, 6]}
    pack = pack_of(tmp_path, "classification", "classifier2d", network, kwargs, subject="slice")
    volume = bright_ball()
    request = PredictRequest(volume, pack, "cpu")
    found = explain(ExplainRequest(request, "Nodule", "occlusion"), Inline()).heat
    middle = volume.geometry.index_kji(hottest_lps_mm(found))
    assert found.geometry.shape_kji[0] == 1
    assert abs(middle[0] - HOT_KJI[0]) <= 2
    assert np.abs(middle[1:] - HOT_KJI[1:]).max() < 5
    asked = explain(ExplainRequest(request, "Nodule", "occlusion", slice_index=13), Inline()).heat
    assert round(float(volume.geometry.index_kji(hottest_lps_mm(asked))[0])) == 13


def test_a_map_of_a_cropped_picture_lies_where_the_whole_one_does(tmp_path: Path) -> None:
    volume = bright_ball()
    values = np.array(volume.voxels)
    values[:6], values[:, :, :10] = 0.0, 0.0
    given = replace(volume, voxels=values)
    pack = ball_classifier(tmp_path)
    cropping = replace(pack, spec=replace(pack.spec, input=replace(pack.spec.input, crop=Crop.NONZERO)))
    found = explain(ExplainRequest(PredictRequest(given, cropping, "cpu"), "Nodule"), Inline()).heat
    assert found.geometry.shape_kji == (18, 44, 38)
    assert np.linalg.norm(hottest_lps_mm(found) - volume.geometry.point_lps_mm(HOT_KJI)) < 8.5


@pytest.mark.parametrize("method", ["gradcam", "occlusion"])
def test_a_box_of_a_detector_is_explained_in_the_tile_around_it(tmp_path: Path, method: str) -> None:
    kwargs = {"in_channels": 1, "classes": 1, "dimensions": 3, "channels": [4, 4, 4], "width": 4, "first_level": 1}
    network = fpn_detector(**kwargs)
    set_to_pass_on(network)
    with torch.no_grad():
        network.logits.weight.mul_(12.0)
        network.logits.bias.fill_(-4.0)  # type: ignore[union-attr]
        network.centre.bias.fill_(4.0)  # type: ignore[union-attr]
        network.offset.weight.zero_()
        network.size.weight.zero_()
        network.size.bias.fill_(1.0)  # type: ignore[union-attr]
    pack = pack_of(tmp_path, "detection", "fpn_detector", network, kwargs, score_threshold=0.2, nms_iou=0.1)
    volume = bright_ball()
    request = PredictRequest(volume, pack, "cpu")
    box = max(predict(request, Inline()).boxes, key=lambda one: one.score or 0.0)
    found = explain(ExplainRequest(request, box.label, method, box=box), Inline())
    assert found.heat.geometry.shape_kji == (16, 32, 32)
    assert np.linalg.norm(hottest_lps_mm(found.heat) - volume.geometry.point_lps_mm(HOT_KJI)) < 6.0
    assert found.check.holds
    assert found.check.before == pytest.approx(box.score or 0.0, abs=0.1)


def test_a_map_of_a_network_that_learned_nothing_is_another_one_and_its_check_says_so(tmp_path: Path) -> None:
    """Adebayo 2018: a map that stays when the weights are thrown away explains the picture, not the model."""
    volume = bright_ball()

    def heat(folder: Path, *, trained: bool) -> tuple[npt.NDArray[np.float64], DeletionCheck]:
        pack = ball_classifier(folder, trained=trained)
        found = explain(ExplainRequest(PredictRequest(volume, pack, "cpu"), "Nodule", "occlusion"), Inline())
        return found.heat.levels.astype(float).ravel(), found.check

    learned, check = heat(tmp_path / "a", trained=True)
    random, of_random = heat(tmp_path / "b", trained=False)
    assert abs(np.corrcoef(learned, random)[0, 1]) < 0.6
    assert check.advantage > 3 * max(of_random.advantage, 0.0)


def test_the_check_fails_for_a_map_that_is_hot_elsewhere() -> None:
    values = torch.zeros(1, 1, 8, 16, 16)
    values[0, 0, 2:4, 3:6, 3:6] = 1.0
    heat = torch.zeros(8, 16, 16)
    heat[6:, 12:, 12:] = 1.0

    def score(given: torch.Tensor) -> torch.Tensor:
        return given.flatten(1).sum(1) / 18

    wrong = deletion_check(values, heat, score, torch.zeros(1), lambda _fraction: None)
    assert not wrong.holds
    assert "do not rely" in wrong.sentence()
    right = deletion_check(values, values[0, 0], score, torch.zeros(1), lambda _fraction: None)
    assert right.holds
    assert right.hottest[-1] == 0.0
    assert right.random[-1] > 0.5


def test_a_cover_takes_from_the_score_exactly_what_lies_under_it() -> None:
    values = torch.zeros(1, 1, 6, 6, 6)
    values[0, 0, 1, 1, 1] = 3.0

    def score(given: torch.Tensor) -> torch.Tensor:
        return given.flatten(1).sum(1)

    found = occlusion(values, score, (3, 3, 3), torch.zeros(1), lambda _fraction: None)
    # Only covers from the corner hold the voxel: those that start at 0 or 1 along each axis.
    assert found[1, 1, 1] == 3.0
    assert found[5, 5, 5] == 0.0
    # Every cover of the first two places along each axis holds it; further in some do not.
    assert torch.nonzero(found == found.max()).tolist() == [list(at) for at in product((0, 1), repeat=3)]


def test_covers_grow_until_a_few_hundred_are_enough_and_stay_within_slices() -> None:
    k, j, i = cover_side((160, 200, 200), (4, 4, 4))
    assert (160 / k * 2) * (200 / j * 2) * (200 / i * 2) <= 2 * MOST_PLACES
    assert cover_side((1, 60, 60), (4, 9, 9))[0] == 1
    assert cover_side((12, 12, 12), (4, 4, 4)) == (4, 4, 4)


@pytest.mark.parametrize("task", ["classification", "detection"])
def test_a_volume_there_is_no_room_for_is_refused_with_figures_before_it_is_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    volume = bright_ball()
    if task == "classification":
        request = ExplainRequest(PredictRequest(volume, ball_classifier(tmp_path), "cpu"), "Nodule")
    else:
        tiling = {"tile_kji": [8, 8, 8], "overlap": 0.5, "blend": "gaussian"}
        wanted = {**document(task)["input"], "spacing_kji_mm": None}
        pack = small_pack(tmp_path / "pack", task, tiling=tiling, input=wanted)
        request = ExplainRequest(PredictRequest(volume, pack, "cpu"), "Nodule")
    monkeypatch.setattr(explaining, "prepare", lambda *_: pytest.fail("prepared all the same"))
    monkeypatch.setattr("medview.ml.runners.memory_plan.free_memory_bytes", lambda: volume.voxels.nbytes)
    with pytest.raises(ModelError, match="GB of memory for this series"):
        explain(request, Inline())


def test_cancel_ends_an_explanation(tmp_path: Path) -> None:
    context = Inline()
    request = ExplainRequest(PredictRequest(bright_ball(), ball_classifier(tmp_path), "cpu"), "Nodule", "occlusion")
    context.cancel()
    with pytest.raises(CancelledError):
        explain(request, context)


def test_only_classes_of_scores_and_boxes_can_be_explained(tmp_path: Path) -> None:
    pack = ball_classifier(tmp_path)
    assert explainable(pack.spec) == ("Nodule",)
    with pytest.raises(ValueError, match="no class"):
        ExplainRequest(PredictRequest(bright_ball(), pack), "Liver")
    with pytest.raises(ValueError, match="method"):
        ExplainRequest(PredictRequest(bright_ball(), pack), "Nodule", "guess")
