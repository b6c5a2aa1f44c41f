"""Networks, tiles and spacings follow from what the training images are like."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from medview.core.errors import ModelError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.volume import Rescale, Volume
from medview.ml.examples import UNKNOWN, ExampleSet, Truth
from medview.ml.runners.orientation import letters_of
from medview.ml.spec import NetworkSpec, Task
from medview.ml.training.segmentation.described import intensity_of
from medview.ml.training.segmentation.fingerprint import ChannelValues, Fingerprint, look_at
from medview.ml.training.segmentation.first_weights import parameter_count
from medview.ml.training.segmentation.sizes import MOST_WEIGHTS, NETWORKS, TILE_VOXELS, choose_sizes, stages_of
from tests.helpers.segmentation_training import CLASSES, example_of, phantom_case, stored_otherwise, tiny_recipe
from tests.ml.small_packs import oblique_geometry

PLAIN = tiny_recipe(network_options={}, batch=0)


def _looked(
    shapes: list[tuple[int, int, int]],
    spacings: list[tuple[float, float, float]],
    calibration: Calibration = Calibration.VOLUME,
) -> Fingerprint:
    channel = ChannelValues("CT", "HU", -100.0, 200.0, 60.0, 40.0)
    return Fingerprint("SPL", calibration, tuple(shapes), tuple(spacings), (channel,), (100, 100))


def _kwargs(network: NetworkSpec) -> dict[str, Any]:
    return dict(network.kwargs)


def test_small_isotropic_volumes_fit_into_one_tile_as_nnunet_plans_it() -> None:
    sizes = choose_sizes(_looked([(36, 50, 35)] * 5, [(1.0, 1.0, 1.0)] * 5), PLAIN, 3, 1)
    assert sizes.dimensions == 3
    # nnU-Net's own plan for the hippocampus volumes of the decathlon.
    assert sizes.tile_kji == (40, 56, 40)
    assert _kwargs(sizes.network)["strides"] == [[1, 1, 1], [2, 2, 2], [2, 2, 2], [2, 2, 2]]
    assert _kwargs(sizes.network)["kernels"] == [[3, 3, 3]] * 4
    assert sizes.batch == 2


def test_thick_slices_are_halved_and_looked_across_last() -> None:
    sizes = choose_sizes(_looked([(40, 512, 512)] * 3, [(5.0, 0.8, 0.8), (5.0, 0.7, 0.7), (3.0, 0.9, 0.9)]), PLAIN, 2, 1)
    assert sizes.spacing_kji_mm is not None
    # Between the thinnest slices there are and the middle ones.
    assert 3.0 < sizes.spacing_kji_mm[0] < 4.0
    assert sizes.spacing_kji_mm[1:] == (0.8, 0.8)
    strides, kernels = _kwargs(sizes.network)["strides"], _kwargs(sizes.network)["kernels"]
    assert strides[1] == [1, 2, 2]
    assert kernels[0] == [1, 3, 3]
    assert kernels[-1] == [3, 3, 3]
    assert strides[-1] == [2, 2, 2] or [2, 2, 2] in strides
    assert math.prod(sizes.tile_kji) <= 2 * TILE_VOXELS[3]
    assert all(side % step == 0 for side, step in zip(sizes.tile_kji, np.prod(strides, axis=0), strict=True))


def test_pictures_without_millimetres_are_looked_at_as_they_are() -> None:
    looked = _looked([(1, 256, 256)] * 4, [(1.0, 1.0, 1.0)] * 4, Calibration.PIXELS)
    sizes = choose_sizes(looked, PLAIN, 2, 1)
    assert sizes.dimensions == 2
    assert sizes.spacing_kji_mm is None
    assert sizes.tile_kji == (1, 256, 256)
    assert all(len(kernel) == 2 for kernel in _kwargs(sizes.network)["kernels"])


@pytest.mark.parametrize("calibration", [Calibration.PIXELS, Calibration.IN_PLANE])
def test_volumes_are_not_made_of_what_has_no_millimetres_between_its_slices(calibration: Calibration) -> None:
    looked = _looked([(12, 64, 64)] * 3, [(1.0, 1.0, 1.0)] * 3, calibration)
    with pytest.raises(ModelError, match="looks at volumes, and not all training images have millimetres"):
        choose_sizes(looked, replace(PLAIN, dimensions=3), 2, 1)


def test_stacks_of_slices_keep_the_distance_between_them() -> None:
    sizes = choose_sizes(_looked([(12, 200, 180)] * 4, [(1.0, 1.4, 1.4)] * 4, Calibration.IN_PLANE), PLAIN, 2, 1)
    assert sizes.dimensions == 2
    assert sizes.spacing_kji_mm == (0.0, 1.4, 1.4)
    two = choose_sizes(_looked([(100, 200, 180)], [(1.0, 1.4, 1.4)]), tiny_recipe(dimensions=2), 2, 1)
    assert two.spacing_kji_mm == (0.0, 1.4, 1.4)
    assert two.tile_kji[0] == 1


@pytest.mark.parametrize("family", NETWORKS)
@pytest.mark.parametrize("shape", [(1, 2000, 2000), (300, 512, 512), (9, 9, 9), (6, 8, 100)])
def test_every_family_fits_its_tile_and_has_few_weights(family: str, shape: tuple[int, int, int]) -> None:
    calibration = Calibration.PIXELS if shape[0] == 1 else Calibration.VOLUME
    looked = _looked([shape], [(1.0, 1.0, 1.0)], calibration)
    sizes = choose_sizes(looked, tiny_recipe(network=family, network_options={}), 5, 2)
    kwargs = _kwargs(sizes.network)
    assert parameter_count(sizes.network) <= MOST_WEIGHTS * 1e6
    steps = np.prod(kwargs["strides"], axis=0)
    assert all(side % step == 0 for side, step in zip(sizes.tile_kji[3 - len(steps) :], steps, strict=True))
    assert min(sizes.tile_kji[3 - len(steps) :]) >= 8
    assert (kwargs["in_channels"], kwargs["classes"]) == (2, 5)


def test_options_give_more_room_where_there_is_more() -> None:
    looked = _looked([(150, 180, 160)], [(1.0, 1.0, 1.0)])
    large = tiny_recipe(network_options={"features": 32, "millions": 30}, batch=0, options={"room": 19})
    sizes = choose_sizes(looked, large, 3, 1)
    assert 1_500_000 < math.prod(sizes.tile_kji) < 2_700_000
    assert sizes.batch == 2
    assert _kwargs(sizes.network)["channels"][0] == 32
    assert MOST_WEIGHTS * 1e6 < parameter_count(sizes.network) <= 30_000_000
    pictures = _looked([(1, 512, 512)] * 3, [(1.0, 1.0, 1.0)] * 3, Calibration.PIXELS)
    assert choose_sizes(pictures, large, 3, 1).batch == 16


def test_stages_end_before_there_is_nothing_left_to_halve() -> None:
    strides, _ = stages_of([20, 64, 64], [1.0, 1.0, 1.0])
    assert np.prod(strides, axis=0).tolist() == [4, 16, 16]


def test_hounsfield_units_are_cut_to_what_the_classes_hold_and_others_measured_in_deviations() -> None:
    clip, shift = intensity_of(ChannelValues("CT", "HU", -80.0, 240.0, 60.0, 40.0))
    assert (clip.op, clip.numbers) == ("clip", {"low": -80.0, "high": 240.0})
    assert (shift.op, shift.numbers) == ("shift_scale", {"subtract": 60.0, "divide": 40.0})
    assert [step.op for step in intensity_of(ChannelValues("MR", "", 0.0, 900.0, 300.0, 90.0))] == ["zscore"]


def test_a_fingerprint_counts_values_inside_the_classes_of_training_examples() -> None:
    geometry = Geometry.from_spacing((4, 6, 8), (3.0, 1.0, 2.0))
    stored = np.zeros((4, 6, 8), np.int16)
    layers = np.zeros((2, 4, 6, 8), np.uint8)
    layers[0, 1, :3], layers[1, 2, :2], layers[0, 3] = 1, 2, UNKNOWN
    stored[1, :3], stored[2, :2], stored[3] = 1030, 1050, 3000
    volume = Volume(stored, geometry, modality="CT", unit="HU", rescale=Rescale(1.0, -1000.0))
    of_test = phantom_case(1)
    examples = ExampleSet(
        Task.SEGMENTATION,
        CLASSES,
        ("CT",),
        (example_of("a", volume, Truth(layers)), example_of("b", *of_test, split="test")),
    )
    looked = look_at(examples, Inline())
    assert looked.voxels == (24, 16)
    assert looked.shapes_kji == ((4, 6, 8),)
    assert looked.spacings_kji_mm == ((3.0, 1.0, 2.0),)
    channel = looked.channels[0]
    assert (channel.modality, channel.unit) == ("CT", "HU")
    assert (channel.low, channel.high) == (30.0, 50.0)
    assert channel.mean == pytest.approx((24 * 30 + 16 * 50) / 40)


def test_examples_are_turned_to_the_way_most_of_them_lie() -> None:
    volume, truth = phantom_case(0, (4, 6, 8), (3.0, 1.0, 2.0))
    other, turned = stored_otherwise(volume, truth)
    examples = ExampleSet(
        Task.SEGMENTATION,
        CLASSES,
        ("MR",),
        (example_of("a", other, turned), example_of("b", volume, truth), example_of("c", volume, truth)),
    )
    looked = look_at(examples, Inline())
    assert looked.orientation == "SPL"
    assert letters_of(other.geometry) == "RPS"
    assert set(looked.shapes_kji) == {(4, 6, 8)}
    assert all(spacing == pytest.approx((3.0, 1.0, 2.0)) for spacing in looked.spacings_kji_mm)


def test_each_axis_of_an_oblique_grid_has_a_letter_of_its_own() -> None:
    assert letters_of(oblique_geometry((4, 5, 6))) == "SPL"
    between = np.eye(4)
    between[:3, :3] = [[0.1, 0.7, 0.7], [0.0, -0.7, 0.7], [1.0, 0.1, -0.1]]
    assert len({"LRAPSI".index(letter) // 2 for letter in letters_of(Geometry((4, 5, 6), between))}) == 3


def test_pictures_that_do_not_say_how_they_lie_are_turned_no_way() -> None:
    flat = phantom_case(1, (1, 20, 20), (1.0, 1.0, 1.0), Calibration.PIXELS)
    examples = ExampleSet(Task.SEGMENTATION, CLASSES, ("MR",), (example_of("a", *flat), example_of("b", *phantom_case(2))))
    assert look_at(examples, Inline()).orientation is None
