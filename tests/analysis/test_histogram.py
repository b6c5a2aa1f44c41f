"""Counts of values, judged by numpy and SimpleITK on an anisotropic volume with padding and rescale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from medview.analysis.histogram import BINS, histogram
from medview.core.geometry import Geometry
from medview.core.suv import SuvKind, SuvScale
from medview.core.volume import Rescale, Volume

SHAPE = (5, 30, 41)
GRID = Geometry.from_spacing(SHAPE, (5.0, 0.9, 0.6))


def volume(dtype: str = "int16", **more: object) -> Volume:
    stored = np.random.default_rng(5).normal(60, 400, SHAPE).clip(-1024, 3000)
    return Volume(stored.astype(dtype), GRID, modality="CT", unit="HU", **more)  # type: ignore[arg-type]


def judged(values: npt.NDArray[np.float32], edges: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return np.asarray(np.histogram(values.astype(np.float64), edges)[0])


@pytest.mark.parametrize("slope", [1.0, 2.5, -0.5])
@pytest.mark.parametrize("dtype", ["int16", "uint8", "int32", "float32"])
def test_every_seen_value_is_counted_once_in_its_bin(dtype: str, slope: float) -> None:
    ct = volume(dtype, rescale=Rescale(slope, -1024.0))
    found = histogram(ct, range(SHAPE[0]))
    assert found is not None
    assert found.unit == "HU"
    assert found.total == np.prod(SHAPE)
    assert (np.diff(found.edges) > 0).all()
    assert len(found.counts) <= BINS
    np.testing.assert_array_equal(found.counts, judged(ct.seen_values(), found.edges))


def test_the_counts_are_those_of_simpleitk() -> None:
    ct = volume()
    found = histogram(ct, range(SHAPE[0]))
    assert found is not None
    image = sitk.GetImageFromArray(ct.values())
    for n in (0, 40, len(found.counts) // 2, len(found.counts) - 1):
        inside = sitk.BinaryThreshold(image, float(found.edges[n]), float(found.edges[n + 1]))
        judge = sitk.StatisticsImageFilter()
        judge.Execute(inside)
        assert found.counts[n] == judge.GetSum()


def test_padding_damaged_slices_and_what_is_no_number_are_left_out() -> None:
    ct = volume()
    voxels = np.array(ct.voxels)
    voxels[2, :10] = -2000
    padded = replace(ct, voxels=voxels, padding=(-2000.0, -2000.0))
    found = histogram(padded, [0, 2, 4])
    assert found is not None
    assert found.total == 3 * 30 * 41 - 10 * 41
    assert found.edges[0] > -1030
    floats = ct.values().copy()
    floats[1, 3, 4] = np.nan
    found = histogram(Volume(floats, GRID), range(SHAPE[0]))
    assert found is not None
    assert found.total == np.prod(SHAPE) - 1


def test_whole_numbers_make_no_comb() -> None:
    # 300 even values into at most 256 bins: bins of one and of two values side by side would look like a comb.
    even = np.resize(np.arange(300, dtype=np.int16), SHAPE)
    found = histogram(Volume(even, GRID), range(SHAPE[0]))
    assert found is not None
    assert len(found.counts) == 150
    assert found.counts.max() - found.counts.min() <= 2


def test_pet_is_counted_in_uptake() -> None:
    pet = replace(volume("uint16"), modality="PT", unit="Bq/mL", suv=SuvScale(((SuvKind.BODY_WEIGHT, 0.002),)))
    found = histogram(pet, range(SHAPE[0]))
    plain = histogram(replace(pet, suv=None), range(SHAPE[0]))
    assert found is not None
    assert plain is not None
    assert (found.unit, found.factor) == ("SUVbw", 0.002)
    np.testing.assert_allclose(found.edges, plain.edges * 0.002)
    np.testing.assert_array_equal(found.counts, plain.counts)
    assert plain.unit == "Bq/mL"


def test_quantiles_are_those_of_the_values_to_a_bin() -> None:
    ct = volume()
    found = histogram(ct, range(SHAPE[0]))
    assert found is not None
    width = float(np.diff(found.edges)[0])
    for part in (0.0005, 0.25, 0.5, 0.9995):
        assert found.quantile(part) == pytest.approx(float(np.quantile(ct.values(), part)), abs=2 * width)


def test_one_value_colour_and_nothing_at_all() -> None:
    flat = histogram(Volume(np.full(SHAPE, 7, np.float32), GRID), range(SHAPE[0]))
    assert flat is not None
    assert flat.total == np.prod(SHAPE)
    assert histogram(Volume(np.zeros((*SHAPE, 3), np.uint8), GRID), range(SHAPE[0])) is None
    assert histogram(replace(volume(), padding=(-5000.0, 5000.0)), range(SHAPE[0])) is None
    assert histogram(volume(), []) is None


def test_counting_can_be_stopped_between_slices() -> None:
    seen: list[int] = []

    def stop() -> None:
        seen.append(1)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        histogram(volume(), range(SHAPE[0]), stop)
    assert len(seen) == 3
