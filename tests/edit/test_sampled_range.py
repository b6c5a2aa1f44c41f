from __future__ import annotations

import numpy as np
import pytest

from medview.core.axes import Axes
from medview.core.oblique import PlaneLayout, layout_of
from medview.core.plane import Plane, SlicePlane
from medview.core.volume import Rescale, Volume
from medview.edit.sampled_range import common, range_around
from tests.edit.grids import KINDS, SHAPE_KJI, grid

TURNED = Axes().turned((0.3, -1.0, 0.4), 0.7)


def noisy(kind: str, **more: object) -> Volume:
    voxels = np.random.default_rng(3).integers(-300, 900, SHAPE_KJI, dtype=np.int16)
    return Volume(voxels, grid(kind), modality="CT", unit="HU", rescale=Rescale(2.0, -10.0), **more)  # type: ignore[arg-type]


def planes(kind: str) -> list[PlaneLayout | None]:
    geometry = grid(kind)
    return [None, *(SlicePlane.of(p, geometry) for p in Plane), *(layout_of(p, TURNED, geometry) for p in Plane)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_range_is_mean_and_deviation_of_what_lies_within_the_radius_in_the_patient(kind: str) -> None:
    volume, centre, radius_mm, spread = noisy(kind), np.array([7.0, 15.0, 21.0]), 4.1, 1.7
    geometry = volume.geometry
    away = geometry.point_lps_mm(np.moveaxis(np.indices(SHAPE_KJI), 0, -1)) - geometry.point_lps_mm(centre)
    for plane in planes(kind):
        near = np.linalg.norm(away, axis=-1) <= radius_mm
        if isinstance(plane, SlicePlane):
            near &= np.indices(SHAPE_KJI)[plane.normal_axis] == centre[plane.normal_axis]
        elif plane is not None:
            normal = np.asarray(plane.normal_lps)
            across = away @ normal
            near = np.linalg.norm(away - across[..., np.newaxis] * normal, axis=-1) <= radius_mm
            near &= np.abs(across) <= np.abs(normal @ geometry.affine_lps[:3, :3]).sum() / 2
        values = volume.voxels[near].astype(float) * 2.0 - 10.0
        assert values.size > 8
        wanted = (values.mean() - spread * values.std(), values.mean() + spread * values.std())
        assert range_around(volume, centre, radius_mm, spread, plane) == pytest.approx(wanted)


def test_padding_does_not_count_and_a_place_of_padding_only_has_no_range() -> None:
    voxels = np.full(SHAPE_KJI, -2000, dtype=np.int16)
    voxels[:, :16] = 40
    volume = Volume(voxels, grid("axial"), modality="CT", unit="HU", padding=(-2000.0, -2000.0))
    assert range_around(volume, (7, 16, 20), 5.0, 2.0) == (39.5, 40.5)
    assert range_around(volume, (7, 28, 20), 3.0, 2.0) is None
    assert range_around(volume, (90, 28, 20), 3.0, 2.0) is None


def test_two_ranges_have_in_common_what_lies_in_both() -> None:
    assert common(None, None) is None
    assert common((1.0, 5.0), None) == common(None, (1.0, 5.0)) == (1.0, 5.0)
    assert common((1.0, 5.0), (3.0, 9.0)) == (3.0, 5.0)
    low, high = common((1.0, 2.0), (3.0, 9.0)) or (0.0, 0.0)
    assert low > high
