"""Converted nnU-Net trainings, run, against what nnU-Net documents that it does, done by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from medview.core.job import Inline
from medview.core.prediction import Prediction
from medview.core.volume import Rescale, Volume
from medview.ml import weights
from medview.ml.convert import nnunet
from medview.ml.packs import ModelPack, load_pack
from medview.ml.predict import PredictRequest
from medview.ml.runners.run import predict
from medview.ml.spec import Shape3, Vector3
from medview.ml.weights import RESIDENT
from tests.ml.convert.nnunet_folders import configuration, dataset_json, network, plans_json, trained_folder
from tests.ml.runners import nnunet_by_hand as by_hand
from tests.ml.runners.test_nonzero_and_splines import stripped
from tests.ml.small_packs import ct_volume, oblique_geometry

CLEAR = 2e-3
"""Where the two best answers are closer than this part of what answers vary by, rounding may decide."""


def pack_of(
    folder: Path, states: list[Any], name: str, dataset: dict[str, Any], plans: dict[str, Any], **more: Any
) -> ModelPack:
    nnunet.convert(trained_folder(folder, states, name, dataset, plans, **more), folder / "pack")
    return load_pack(folder / "pack")


def balanced(network: torch.nn.Module, values: torch.Tensor) -> torch.nn.Module:
    """Shift and scale the last layer so that every class wins somewhere on an input (1, C, ...)."""
    head = network.get_submodule("decoder.seg_layers.1")
    assert isinstance(head.weight, torch.Tensor)
    assert isinstance(head.bias, torch.Tensor)
    with torch.no_grad():
        logits = network(values)[0].flatten(1)
        spread, mean = torch.std_mean(logits, dim=1)
        head.weight.div_(spread.view(-1, *[1] * (head.weight.ndim - 1)))
        head.bias.sub_(mean).div_(spread)
    return network


def labels_of(prediction: Prediction, shape_kji: Shape3) -> np.ndarray[Any, np.dtype[np.uint8]]:
    assert prediction.mask is not None
    return prediction.mask.on_grid(shape_kji)


def agree(found: Any, expected: Any, margin: Any, spread: float) -> None:
    """Check labels where the margin between the best two is clear; nearly everywhere it has to be."""
    clear = margin > CLEAR * spread
    assert clear.mean() > 0.98
    assert np.array_equal(found[clear], expected[clear])
    assert (found == expected).mean() > 0.999
    assert len(np.unique(expected)) > 2


@pytest.mark.parametrize(
    ("own", "axes", "flat", "residual", "folds", "masked"),
    [
        ((3.1, 1.3, 0.9), [0, 1, 2], False, False, 2, [False, True]),
        ((1.1, 1.3, 1.9), [2, 0, 1], False, True, 1, [True, False]),
        ((5.0, 1.0, 0.9), [0, 2, 1], False, False, 1, [False, False]),
        ((3.1, 1.3, 0.9), [1, 0, 2], True, False, 2, [False, True]),
        ((4.1, 1.6, 1.5), [0, 1, 2], True, True, 1, [False, True]),
    ],
)
def test_a_case_gets_the_labels_that_nnunet_would_give_it(
    tmp_path: Path, own: Vector3, axes: list[int], flat: bool, residual: bool, folds: int, masked: list[bool]
) -> None:
    shape = (19, 34, 41)
    volumes = stripped(shape, own)
    given = configuration(flat=flat, residual=residual, channels=2)
    given |= {"normalization_schemes": ["ZScoreNormalization", "ZScoreNormalization"], "use_mask_for_norm": masked}
    name = "2d" if flat else "3d_fullres"
    back = [axes.index(n) for n in range(3)]
    plans = plans_json({name: given}, transpose_forward=axes, transpose_backward=back)
    sides = (32, 32) if flat else (16, 16, 32)
    torch.manual_seed(7)
    noise = torch.randn(1, 2, *sides)
    trained = [balanced(network(flat=flat, residual=residual, channels=2, seed=n), noise) for n in range(folds)]
    mirror = (0, 1) if flat else (0, 2)
    pack = pack_of(
        tmp_path,
        [one.state_dict() for one in trained],
        name,
        dataset_json(channel_names={"0": "T1", "1": "T2"}),
        plans,
        inference_allowed_mirroring_axes=mirror,
    )
    logits, looked_at = by_hand.logits_of(trained, [volume.values() for volume in volumes], own, plans, name, mirror, 3)
    found = labels_of(predict(PredictRequest(volumes[0], pack, others=tuple(volumes[1:])), Inline()), shape)
    expected = np.where(looked_at, logits.argmax(0), 0)
    best = np.sort(logits, axis=0)
    margin = np.where(looked_at, best[-1] - best[-2], np.inf)
    agree(found, expected, margin, float(logits[:, looked_at].std()))


def test_computed_tomography_is_clipped_as_the_plans_say(tmp_path: Path) -> None:
    shape = (22, 40, 44)
    volume = ct_volume(shape, oblique_geometry(shape, (2.0, 1.1, 1.3)))
    plans = plans_json({"3d_fullres": configuration()})
    trained = balanced(network(), torch.randn(1, 1, 16, 16, 32, generator=torch.Generator().manual_seed(3)))
    pack = pack_of(
        tmp_path, [trained.state_dict()], "3d_fullres", dataset_json(), plans, inference_allowed_mirroring_axes=None
    )
    own = volume.geometry.spacing_kji_mm
    logits, _ = by_hand.logits_of([trained], [volume.values()], own, plans, "3d_fullres", (), 3)
    found = labels_of(predict(PredictRequest(volume, pack), Inline()), shape)
    best = np.sort(logits, axis=0)
    agree(found, logits.argmax(0), best[-1] - best[-2], float(logits.std()))


def regions(tmp_path: Path, count: int = 3) -> tuple[ModelPack, Volume, Any]:
    labels = {"background": 0, "whole": [1, 2, 3], "core": [2, 3], "enhancing": 3}
    order = [1, 2, 3]
    for n in range(3, count):
        labels[f"other {n}"] = n + 1
        order.append(n + 1)
    volume = stripped((18, 30, 26), (2.1, 1.4, 1.2), 1)[0]
    given = configuration() | {"normalization_schemes": ["ZScoreNormalization"]}
    plans = plans_json({"3d_fullres": given})
    trained = balanced(network(classes=count), torch.randn(1, 1, 16, 16, 32, generator=torch.Generator().manual_seed(3)))
    dataset = dataset_json(channel_names={"0": "T1"}, labels=labels, regions_class_order=order)
    pack = pack_of(tmp_path, [trained.state_dict()], "3d_fullres", dataset, plans, inference_allowed_mirroring_axes=None)
    own = volume.geometry.spacing_kji_mm
    logits, looked_at = by_hand.logits_of([trained], [volume.values()], own, plans, "3d_fullres", (), count)
    return pack, volume, np.where(looked_at, logits, -1.0)


def test_regions_are_painted_one_over_the_other(tmp_path: Path) -> None:
    pack, volume, logits = regions(tmp_path)
    output = replace(pack.spec.output, overlapping=False)  # type: ignore[type-var]
    painted = replace(pack, spec=replace(pack.spec, output=output))
    prediction = predict(PredictRequest(volume, painted), Inline())
    assert prediction.further == ()
    expected = np.zeros(logits.shape[1:], dtype=np.uint8)
    for n, channel in enumerate(logits, start=1):
        expected[channel > 0] = n
    agree(labels_of(prediction, volume.geometry.shape_kji), expected, np.abs(logits).min(0), float(logits.std()))


@pytest.mark.parametrize("count", [3, 10])
def test_regions_that_overlap_arrive_whole(tmp_path: Path, count: int) -> None:
    pack, volume, logits = regions(tmp_path, count)
    output = replace(pack.spec.output, overlapping=True)  # type: ignore[type-var]
    prediction = predict(PredictRequest(volume, replace(pack, spec=replace(pack.spec, output=output))), Inline())
    assert prediction.mask is not None
    masks = (prediction.mask, *prediction.further)
    assert len(masks) > 1
    assert sorted(segment.value for mask in masks for segment in mask.segments) == list(range(1, count + 1))
    for mask in masks:
        labels = mask.on_grid(volume.geometry.shape_kji)
        for segment in mask.segments:
            channel = logits[segment.value - 1]
            clear = np.abs(channel) > CLEAR * logits.std()
            assert np.array_equal((labels == segment.value)[clear], (channel > 0)[clear])
            assert (labels == segment.value).any()


def test_weights_that_would_fill_the_memory_stay_in_their_files_and_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = [network(seed=n) for n in range(3)]
    plans = plans_json({"3d_fullres": configuration()})
    states = [one.state_dict() for one in trained]
    pack = pack_of(tmp_path, states, "3d_fullres", dataset_json(), plans, inference_allowed_mirroring_axes=(1,))
    volume = ct_volume((20, 30, 34))
    RESIDENT.clear()
    read_in = labels_of(predict(PredictRequest(volume, pack), Inline()), (20, 30, 34))
    monkeypatch.setattr(weights, "MAPPED_FROM", 0.0)
    RESIDENT.clear()
    mapped = labels_of(predict(PredictRequest(volume, pack), Inline()), (20, 30, 34))
    RESIDENT.clear()
    assert (read_in == mapped).mean() > 0.9995
    # It is the mean of them that counts.
    alone = replace(pack, spec=replace(pack.spec, ensemble=pack.spec.ensemble[:1]), digest="0")
    single = labels_of(predict(PredictRequest(volume, alone), Inline()), (20, 30, 34))
    RESIDENT.clear()
    assert (single == read_in).mean() < 0.99


def test_a_changed_member_is_not_run(tmp_path: Path) -> None:
    from medview.core.errors import PackError

    states = [network(seed=n).state_dict() for n in range(2)]
    pack = pack_of(tmp_path, states, "3d_fullres", dataset_json(), plans_json({"3d_fullres": configuration()}))
    (pack.folder / "fold_1.safetensors").write_bytes((pack.folder / "weights.safetensors").read_bytes())
    with pytest.raises(PackError, match="wrong checksum"):
        predict(PredictRequest(ct_volume(), pack), Inline())


def test_a_case_smaller_than_a_tile_stands_in_zeros(tmp_path: Path) -> None:
    shape = (7, 12, 15)
    stored = np.random.default_rng(2).integers(100, 1900, shape).astype(np.uint16)
    volume = Volume(stored, oblique_geometry(shape, (2.5, 1.5, 1.25)), "CT", "HU", Rescale(1.0, -1024.0))
    plans = plans_json({"3d_fullres": configuration()})
    trained = balanced(network(), torch.randn(1, 1, 16, 16, 32, generator=torch.Generator().manual_seed(3)))
    pack = pack_of(tmp_path, [trained.state_dict()], "3d_fullres", dataset_json(), plans)
    own = volume.geometry.spacing_kji_mm
    logits, _ = by_hand.logits_of([trained], [volume.values()], own, plans, "3d_fullres", (0, 1, 2), 3)
    found = labels_of(predict(PredictRequest(volume, pack), Inline()), shape)
    best = np.sort(logits, axis=0)
    clear = best[-1] - best[-2] > CLEAR * logits.std()
    assert np.array_equal(found[clear], logits.argmax(0)[clear])
