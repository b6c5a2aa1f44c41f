"""Axes turned to a model's and back."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.geometry import Geometry
from medview.ml.runners.orientation import Orientation
from tests.ml.small_packs import oblique_geometry


def test_an_axial_grid_is_already_spl() -> None:
    geometry = Geometry.from_spacing((5, 6, 7), (3.0, 2.0, 1.0))
    assert Orientation.towards(geometry, "SPL") == Orientation()
    assert Orientation.towards(geometry, None) == Orientation()


@pytest.mark.parametrize("letters", ["SPL", "LIA", "RAS", "LSA", "PIR"])
def test_turned_axes_grow_towards_the_letters(letters: str) -> None:
    geometry = oblique_geometry((5, 6, 7))
    orientation = Orientation.towards(geometry, letters)
    # The voxel furthest along each model axis lies furthest in that patient direction.
    index = np.stack(np.meshgrid(*[np.arange(n) for n in geometry.shape_kji], indexing="ij"), axis=-1)
    points = geometry.point_lps_mm(index)
    directions = {"L": (0, 1), "R": (0, -1), "P": (1, 1), "A": (1, -1), "S": (2, 1), "I": (2, -1)}
    for axis, letter in enumerate(letters):
        component, sign = directions[letter]
        turned = orientation.turned(points[..., component]) * sign
        assert (np.diff(turned, axis=axis) > 0).all()


def test_writing_into_the_turned_view_writes_into_the_array() -> None:
    orientation = Orientation((2, 0, 1), (True, False, True))
    labels = np.zeros((3, 4, 5), dtype=np.uint8)
    orientation.turned(labels)[0, 1, 0] = 7
    assert labels[1, 3, 4] == 7
    assert orientation.turned_shape((3, 4, 5)) == (5, 3, 4)


def test_boxes_come_back_to_the_voxels_they_were_around() -> None:
    orientation = Orientation((2, 0, 1), (True, False, True))
    labels = np.zeros((9, 10, 11), dtype=np.uint8)
    labels[2:4, 5:6, 7:10] = 1
    found = np.argwhere(orientation.turned(labels))
    low, high = orientation.box_back(found.min(axis=0) * 1.0, found.max(axis=0) + 1.0, labels.shape)
    assert (low.tolist(), high.tolist()) == ([2, 5, 7], [4, 6, 10])
