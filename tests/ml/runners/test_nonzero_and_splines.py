"""Cropping, normalising and resampling as nnU-Net does, against scipy doing it step by step."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from medview.core.box import Box
from medview.core.errors import CancelledError
from medview.core.job import Inline
from medview.core.volume import Rescale, Volume
from medview.ml.runners import nonzero, preprocess
from medview.ml.runners.nonzero import outlined
from medview.ml.runners.preprocess import prepare
from medview.ml.runners.resampling import coarse_axis, spline_matrix
from medview.ml.spec import ChannelSpec, Crop, InputSpec, Interpolation, Shape3, Step, Vector3
from tests.ml.runners import nnunet_by_hand as by_hand
from tests.ml.small_packs import ct_volume, oblique_geometry


def stripped(shape_kji: Shape3, spacing_kji_mm: Vector3, channels: int = 2) -> list[Volume]:
    """Ellipsoids of noise in nothing, off the middle, with a hole; a little different in each channel."""
    rng = np.random.default_rng(3)
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, n) for n in shape_kji], indexing="ij"))
    volumes = []
    for channel in range(channels):
        values = rng.normal(size=shape_kji) * 100 + 400 * grid[0] + 300 * grid[2] * grid[1]
        inside = grid[0] ** 2 * 1.3 + (grid[1] + 0.1) ** 2 * 1.7 + grid[2] ** 2 * (1.6 + channel * 0.3) < 1
        inside &= ((grid - 0.1) ** 2).sum(axis=0) > 0.05
        values[~inside] = 0
        geometry = oblique_geometry(shape_kji, spacing_kji_mm)
        volumes.append(Volume(values.astype(np.float32), geometry, "MR", ""))
    return volumes


def like_nnunet(spacing: Vector3, op: str, channels: int = 2) -> InputSpec:
    named = tuple(ChannelSpec(name, intensity=(Step(op),)) for name in "abc"[:channels])
    return InputSpec(named, spacing, None, crop=Crop.NONZERO, interpolation=Interpolation.CUBIC, intensity_first=True)


@pytest.mark.parametrize(
    ("own", "target", "coarse"),
    [
        ((3.1, 1.3, 0.9), (2.5, 1.5, 1.25), 0),
        ((5.0, 1.0, 0.9), (3.0, 0.8, 1.2), 0),
        ((1.0, 4.0, 1.0), (1.2, 2.0, 0.8), 1),
        ((1.0, 1.0, 1.1), (1.0, 1.2, 5.0), 2),
        ((2.0, 1.3, 1.1), (1.5, 1.2, 1.6), None),
        ((4.0, 4.0, 1.0), (3.0, 3.5, 1.1), None),
    ],
)
@pytest.mark.parametrize(
    ("op", "scheme", "masked"),
    [("zscore_inside", "ZScoreNormalization", True), ("minmax", "RescaleTo01Normalization", False)],
)
def test_a_case_is_cropped_normalised_and_resampled_as_nnunet_does(
    own: Vector3, target: Vector3, coarse: int | None, op: str, scheme: str, masked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preprocess, "CHUNK_VOXELS", 2000)
    monkeypatch.setattr(nonzero, "CHUNK_VOXELS", 2000)
    volumes = stripped((17, 26, 31), own)
    prepared = prepare(volumes, like_nnunet(target, op), Inline())
    data, mask, where = by_hand.crop_to_nonzero(np.stack([volume.values() for volume in volumes]))
    assert prepared.crop.slices == where
    assert coarse_axis(own, target) == coarse
    shape = [round(have / want * n) for have, want, n in zip(own, target, data.shape[1:], strict=True)]
    for channel, found in zip(data, prepared.values, strict=True):
        normal = by_hand.normalised(channel, mask, scheme, {}, use_mask=masked)
        expected = by_hand.resampled(normal, shape, own, target, 3)
        assert found.shape == expected.shape
        assert np.abs(found.numpy() - expected).max() < 1e-5 * max(1.0, np.abs(expected).max())


def test_steps_that_look_at_single_voxels_come_before_resampling_as_well() -> None:
    volume = ct_volume((12, 20, 26))
    steps = (Step("clip", {"low": -600.0, "high": 100.0}), Step("shift_scale", {"subtract": -100.0, "divide": 250.0}))
    spacing = (2.1, 0.9, 1.4)
    spec = InputSpec(
        (ChannelSpec("CT", intensity=steps),), spacing, None, interpolation=Interpolation.CUBIC, intensity_first=True
    )
    prepared = prepare([volume], spec, Inline())
    clipped = (volume.values().clip(-600, 100) + 100) / 250
    own = volume.geometry.spacing_kji_mm
    expected = by_hand.resampled(clipped, prepared.shape_kji, own, spacing, 3)
    assert np.abs(prepared.values[0].numpy() - expected).max() < 1e-5
    after = prepare([volume], InputSpec(spec.channels, spacing, None, interpolation=Interpolation.CUBIC), Inline())
    assert np.abs(after.values[0].numpy() - expected).max() > 0.01


def test_without_a_spacing_of_its_own_the_distance_of_slices_stays() -> None:
    volume = ct_volume((12, 20, 26))
    spec = InputSpec((ChannelSpec("CT"),), (0.0, 2.6, 1.8), None, dimensions=2, interpolation=Interpolation.CUBIC)
    assert prepare([volume], spec, Inline()).shape_kji == (12, 10, 13)


def test_what_is_zero_is_told_after_rescaling() -> None:
    stored = np.full((6, 7, 8), 1024, dtype=np.uint16)
    stored[2:5, 3:6, 1:5] = 1100
    stored[3, 4, 3] = 1024
    volume = Volume(stored, oblique_geometry((6, 7, 8)), "CT", "HU", Rescale(1.0, -1024.0))
    spec = InputSpec((ChannelSpec("CT", intensity=(Step("zscore_inside"),)),), None, None, crop=Crop.NONZERO)
    prepared = prepare([volume], spec, Inline())
    assert prepared.crop == Box((2, 3, 1), (5, 6, 5))
    values = prepared.values[0].numpy()
    inside = np.full((3, 3, 4), 76.0)
    inside[1, 1, 2] = 0.0
    assert np.allclose(values, (inside - inside.mean()) / inside.std(), atol=1e-5)


@pytest.mark.parametrize("first", [True, False])
def test_padding_is_no_tissue_although_its_stand_in_is_not_zero(*, first: bool) -> None:
    rng = np.random.default_rng(6)
    shape, tissue = (9, 12, 14), (slice(2, 7), slice(3, 10), slice(1, 12))
    one, other = (np.full(shape, -2000, dtype=np.int16) for _ in range(2))
    for values in (one, other):
        values[tissue] = np.rint(rng.normal(0, 30, (5, 7, 11)))
    # Inside the outline, but measured in one of the channels only.
    other[4, 5:8, 5:9] = -2000
    geometry = oblique_geometry(shape)
    volumes = [Volume(values, geometry, "MR", "", padding=(-2000.0, -2000.0)) for values in (one, other)]
    channels = tuple(ChannelSpec(name, intensity=(Step("zscore_inside"),)) for name in "ab")
    spec = InputSpec(channels, None, None, crop=Crop.NONZERO, intensity_first=first)
    prepared = prepare(volumes, spec, Inline())
    assert prepared.crop == Box((2, 3, 1), (7, 10, 12))
    for found, stored in zip(prepared.values.numpy(), (one[tissue], other[tissue]), strict=True):
        measured = stored[stored != -2000].astype(np.float64)
        expected = (np.where(stored == -2000, measured.min(), stored) - measured.mean()) / measured.std()
        assert np.abs(found - expected).max() < 1e-4


def test_a_case_of_nothing_is_looked_at_whole() -> None:
    volume = Volume(np.zeros((6, 7, 8), dtype=np.int16), oblique_geometry((6, 7, 8)), "MR", "")
    prepared = prepare([volume], like_nnunet((1.0, 1.0, 1.0), "zscore_inside", 1), Inline())
    assert prepared.crop == Box.whole((6, 7, 8))
    assert not prepared.values.any()


@pytest.mark.parametrize("seed", range(4))
def test_outlines_are_those_of_scipy(seed: int) -> None:
    mask = np.random.default_rng(seed).random((9, 11, 10)) > (0.35, 0.5, 0.2, 0.6)[seed]
    assert np.array_equal(outlined(mask), ndimage.binary_fill_holes(mask))
    assert outlined(np.ones((3, 3, 3), dtype=bool)).all()
    assert not outlined(np.zeros((3, 3, 3), dtype=bool)).any()


@pytest.mark.parametrize(("old", "new"), [(20, 31), (31, 20), (7, 8), (512, 300), (4, 13), (1, 3), (2, 5), (3, 1)])
def test_splines_are_those_of_scipy(old: int, new: int) -> None:
    values = np.random.default_rng(old).normal(size=old)
    expected = ndimage.zoom(values, new / old, order=3, mode="nearest", grid_mode=True)
    assert np.abs(spline_matrix(old, new) @ values - expected).max() < 1e-12


def test_cancel_is_seen_while_looking_for_what_is_not_zero() -> None:
    context = Inline()
    context.cancel()
    with pytest.raises(CancelledError):
        prepare(stripped((6, 7, 8), (1.0, 1.0, 1.0)), like_nnunet((1.0, 1.0, 1.0), "zscore_inside"), context)
