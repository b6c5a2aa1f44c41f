"""What networks see, against SimpleITK and numpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from medview.core.errors import CancelledError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.volume import Rescale, Volume
from medview.ml.runners import preprocess
from medview.ml.runners.preprocess import prepare
from medview.ml.spec import ChannelSpec, Grid, InputSpec, Shape3, Step, Vector3
from tests.ml.small_packs import ct_volume


def wanted(
    spacing: Vector3 | None = None,
    orientation: str | None = None,
    steps: tuple[Step, ...] = (),
    shape: Shape3 | None = None,
) -> InputSpec:
    return InputSpec((ChannelSpec("CT", intensity=steps),), spacing, orientation, shape)


def seen(volume: Volume, spec: InputSpec) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.asarray(prepare([volume], spec, Inline()).values[0].numpy())


def test_finer_grids_are_interpolated_as_simpleitk_does() -> None:
    volume = ct_volume((12, 20, 26))
    prepared = prepare([volume], wanted((1.24, 0.65, 0.36)), Inline())
    assert prepared.shape_kji == (30, 40, 65)
    image = sitk.GetImageFromArray(volume.values())
    image.SetSpacing((1 / 26, 1 / 20, 1 / 12))
    image.SetOrigin((0.5 / 26, 0.5 / 20, 0.5 / 12))
    finer = sitk.Resample(
        image,
        (65, 40, 30),
        sitk.Transform(),
        sitk.sitkLinear,
        (0.5 / 65, 0.5 / 40, 0.5 / 30),
        (1 / 65, 1 / 40, 1 / 30),
        (1, 0, 0, 0, 1, 0, 0, 0, 1),
    )
    inner = (slice(3, -3),) * 3
    assert np.abs(prepared.values[0].numpy()[inner] - sitk.GetArrayFromImage(finer)[inner]).max() < 0.05


def test_the_true_spacing_keeps_the_extent() -> None:
    volume = ct_volume((12, 20, 26))
    prepared = prepare([volume], wanted((4.0, 4.0, 4.0)), Inline())
    extent = np.multiply(prepared.shape_kji, prepared.spacing_kji_mm)
    assert np.allclose(extent, np.multiply(volume.geometry.shape_kji, volume.geometry.spacing_kji_mm))


def test_coarser_grids_average_so_that_small_things_stay() -> None:
    stored = np.zeros((16, 16, 16), dtype=np.int16)
    stored[5, 6, 7] = 6400
    volume = Volume(stored, Geometry.from_spacing((16, 16, 16), (1.0, 1.0, 1.0)))
    coarse = seen(volume, wanted((4.0, 4.0, 4.0)))
    assert coarse.shape == (4, 4, 4)
    assert coarse.sum() == pytest.approx(6400 / 64, rel=0.1)


def test_flipped_and_permuted_input_gives_the_same_numbers() -> None:
    volume = ct_volume((14, 22, 30))
    spec = wanted((2.0, 2.0, 2.0), "SPL", (Step("zscore"),))
    expected = seen(volume, spec)
    for axes, flips in (
        ((0, 1, 2), (True, True, False)),
        ((2, 0, 1), (False, True, True)),
        ((1, 2, 0), (True, False, True)),
    ):
        assert np.abs(seen(turned(volume, axes, flips), spec) - expected).max() < 1e-4


def turned(volume: Volume, axes: tuple[int, int, int], flips: tuple[bool, bool, bool]) -> Volume:
    """Store the same patient with other array axes."""
    step = tuple(slice(None, None, -1) if flip else slice(None) for flip in flips)
    voxels = np.ascontiguousarray(volume.voxels.transpose(axes)[step])
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1.0
    for new, (old, flip) in enumerate(zip(axes, flips, strict=True)):
        matrix[old, new] = -1.0 if flip else 1.0
        matrix[old, 3] = volume.geometry.shape_kji[old] - 1.0 if flip else 0.0
    shape = (voxels.shape[0], voxels.shape[1], voxels.shape[2])
    geometry = Geometry(shape, volume.geometry.affine_lps @ matrix, volume.geometry.frame_of_reference_uid)
    return Volume(voxels, geometry, volume.modality, volume.unit, volume.rescale, volume.series_uid)


def test_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    volume = ct_volume((14, 22, 30))
    spec = wanted((1.7, 2.2, 2.1), "AIR")
    expected = seen(volume, spec)
    monkeypatch.setattr(preprocess, "CHUNK_VOXELS", 700)
    assert np.array_equal(seen(volume, spec), expected)


def test_values_are_in_the_unit_and_steps_follow_in_order() -> None:
    volume = ct_volume((6, 7, 8))
    values = volume.values()
    numbers = {"low": -500.0, "high": 100.0}
    found = seen(volume, wanted(steps=(Step("clip", numbers), Step("scale", numbers))))
    assert np.allclose(found, (values.clip(-500, 100) + 500) / 600, atol=1e-6)
    found = seen(volume, wanted(steps=(Step("shift_scale", {"subtract": 10.0, "divide": 4.0}),)))
    assert np.allclose(found, (values - 10) / 4, atol=1e-4)
    found = seen(volume, wanted(steps=(Step("zscore"),)))
    assert np.allclose(found, (values - values.mean()) / values.std(), atol=1e-4)
    found = seen(volume, wanted(steps=(Step("minmax"),)))
    assert (found.min(), found.max()) == (0.0, 1.0)
    found = seen(volume, wanted(steps=(Step("quantile", {"low": 0.02, "high": 0.98}),)))
    low, high = np.quantile(values, [0.02, 0.98])
    assert np.allclose(found, (values - low) / (high - low), atol=1e-4)


def test_a_flat_volume_divides_by_nothing() -> None:
    flat = Volume(np.full((4, 4, 4), 7, dtype=np.uint8), Geometry.from_spacing((4, 4, 4), (1.0, 1.0, 1.0)))
    for step in (Step("minmax"), Step("zscore"), Step("quantile", {"low": 0.1, "high": 0.9})):
        assert not seen(flat, wanted(steps=(step,))).any()


@pytest.mark.parametrize("none", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_as_low_as_the_picture_goes_and_out_of_all_statistics(none: float) -> None:
    voxels = np.random.default_rng(3).uniform(2.0, 9.0, (4, 4, 4)).astype(np.float32)
    voxels[0, 0, 0] = 1.0
    rest = np.ones(voxels.shape, dtype=bool)
    rest[1, 1, 1] = False
    stored = voxels.copy()
    stored[1, 1, 1] = none
    volume = Volume(stored, Geometry.from_spacing((4, 4, 4), (1.0, 1.0, 1.0)), rescale=Rescale(2.0, 1.0))
    found = seen(volume, wanted())
    assert found[1, 1, 1] == 3.0
    assert np.array_equal(found[rest], voxels[rest] * 2 + 1)
    for step in (Step("minmax"), Step("zscore")):
        values = seen(volume, wanted(steps=(step,)))
        measured = values[rest]
        expected = voxels[rest] - (voxels[rest].min() if step.op == "minmax" else voxels[rest].mean())
        expected /= expected.max() if step.op == "minmax" else voxels[rest].std()
        assert np.allclose(measured, expected, atol=0.02 if step.op == "zscore" else 1e-5), step.op
        assert values[1, 1, 1] == measured.min()


def test_a_fixed_shape_is_given_whatever_the_spacing() -> None:
    assert seen(ct_volume((14, 22, 30)), wanted(shape=(8, 16, 24))).shape == (8, 16, 24)


def test_the_volume_is_not_changed() -> None:
    volume = ct_volume((6, 7, 8))
    before = volume.voxels.copy()
    seen(volume, wanted((2.0, 2.0, 2.0), "LIA", (Step("minmax"),)))
    assert np.array_equal(volume.voxels, before)
    floats = Volume(volume.values(), volume.geometry)
    before = floats.voxels.copy()
    seen(floats, wanted(steps=(Step("minmax"),)))
    assert np.array_equal(floats.voxels, before)


def test_cancel_is_seen_between_pieces() -> None:
    context = Inline()
    context.cancel()
    with pytest.raises(CancelledError):
        prepare([ct_volume((6, 7, 8))], wanted(), context)


def padded_volume() -> Volume:
    """A disc of anatomy between 0 and 99 in a square of padding."""
    stored = np.full((6, 24, 24), -2000, dtype=np.int16)
    j, i = np.indices((24, 24))
    inside = (j - 11.5) ** 2 + (i - 11.5) ** 2 < 81
    stored[:, inside] = np.arange(inside.sum()) % 100
    return Volume(stored, Geometry.from_spacing((6, 24, 24), (2, 1, 1)), modality="CT", padding=(-2000.0, -2000.0))


@pytest.mark.parametrize(
    "step", [Step("zscore", {}), Step("minmax", {}), Step("quantile", {"low": 0.05, "high": 0.95})], ids=lambda s: s.op
)
def test_padding_counts_for_no_statistic(step: Step) -> None:
    volume = padded_volume()
    anatomy = volume.voxels[~volume.is_padding(volume.voxels)].astype(np.float64)
    got = seen(volume, wanted(steps=(step,)))[~volume.is_padding(volume.voxels)]
    if step.op == "zscore":
        expected = (anatomy - anatomy.mean()) / anatomy.std()
    else:
        ends = (0.0, 1.0) if step.op == "minmax" else (0.05, 0.95)
        low, high = np.quantile(anatomy, ends)
        expected = (anatomy - low) / (high - low)
    np.testing.assert_allclose(got, expected, atol=1e-4)


@pytest.mark.parametrize("padding", [-2000, 0], ids=["far below", "zero"])
def test_padding_is_as_little_tissue_as_zeros_are(padding: int) -> None:
    """The lowest number of the picture, which takes the place of padding, is tissue itself."""
    rng = np.random.default_rng(8)
    stored = np.full((6, 24, 24), padding, dtype=np.int16)
    stored[:, 6:18, 6:18] = rng.normal(300, 40, (6, 12, 12)).round().clip(50, None)
    geometry = Geometry.from_spacing(stored.shape, (2, 1, 1))
    volume = Volume(stored, geometry, modality="MR", padding=(padding, padding))
    tissue = stored[:, 6:18, 6:18].astype(np.float64)
    expected = np.zeros(stored.shape)
    expected[:, 6:18, 6:18] = (tissue - tissue.mean()) / tissue.std()
    np.testing.assert_allclose(seen(volume, wanted(steps=(Step("zscore_nonzero"),))), expected, atol=1e-4)
    # What stripping left at 0 beside padding stays 0 too.
    stripped = stored.copy()
    stripped[:, 6:8, 6:18] = 0
    got = seen(replace(volume, voxels=stripped), wanted(steps=(Step("zscore_nonzero"),)))
    assert not got[stripped <= 0].any()
    left = got[:, 8:18, 6:18]
    assert (float(left.mean()), float(left.std())) == pytest.approx((0.0, 1.0), abs=1e-4)


def test_padding_is_not_blended_into_the_border_of_the_anatomy() -> None:
    finer = seen(padded_volume(), wanted((1.0, 0.4, 0.4)))
    coarser = seen(padded_volume(), wanted((4.0, 3.0, 3.0)))
    assert min(finer.min(), coarser.min()) >= 0.0
    assert max(finer.max(), coarser.max()) <= 99.0


def test_a_model_sees_stored_polarity_whatever_is_shown_white() -> None:
    volume = ct_volume((6, 8, 10))
    turned = Volume(volume.voxels, volume.geometry, modality="CT", rescale=volume.rescale, inverted=True)
    np.testing.assert_array_equal(seen(volume, wanted()), seen(turned, wanted()))


def test_grids_that_start_at_the_same_centre_are_sampled_at_points_as_monai_does() -> None:
    spacing = pytest.importorskip("monai.transforms").Spacing
    meta_tensor = pytest.importorskip("monai.data").MetaTensor
    volume = ct_volume((12, 20, 26), Geometry.from_spacing((12, 20, 26), (3.1, 1.3, 0.9)))
    spec = replace(wanted((1.7, 1.3, 2.0)), grid=Grid.CENTRES, axes=(2, 1, 0))
    prepared = prepare([volume], spec, Inline())
    columns_first = torch.from_numpy(volume.values().transpose(2, 1, 0).copy())
    image = meta_tensor(columns_first[None], affine=np.diag([0.9, 1.3, 3.1, 1]))
    judged = spacing(pixdim=(1.7, 1.3, 2.0), mode="bilinear")(image)
    assert prepared.shape_kji == tuple(judged.shape[1:])
    assert prepared.spacing_kji_mm == (1.7, 1.3, 2.0)
    assert prepared.ratios_kji == (0.9 / 1.7, 1.0, 3.1 / 2.0)
    assert np.abs(prepared.values[0].numpy() - judged[0].numpy()).max() < 1e-2
