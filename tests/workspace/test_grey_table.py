"""The quick way to grey levels gives what the window says."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.geometry import Geometry
from medview.core.volume import Rescale, Volume
from medview.core.window import Window, WindowFunction
from medview.workspace.grey_table import GreyTable

WINDOWS = [
    Window(40.0, 400.0),
    Window(40.0, 400.0, WindowFunction.LINEAR_EXACT),
    Window(-20.0, 90.0, WindowFunction.SIGMOID),
    Window(3.0, 1.0),
]


def volume(voxels: np.ndarray, **kw: object) -> Volume:
    return Volume(voxels, Geometry.from_spacing(voxels.shape[:3], (2.0, 1.0, 1.0)), **kw)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "float32"])
def test_levels_are_those_of_the_window_for_every_stored_type(dtype: str, window: Window) -> None:
    rng = np.random.default_rng(3)
    low, high = (-1000, 1000) if dtype not in ("int8", "uint8") else (0, 120)
    voxels = rng.integers(max(low, 0) if dtype.startswith("u") else low, high, (3, 9, 11)).astype(dtype)
    seen = volume(voxels, rescale=Rescale(0.5, -30.0))
    table = GreyTable(seen, window)
    for cut, values in ((voxels[1], seen.values()[1]), (voxels[::-1, :, 4], seen.values()[::-1, :, 4])):
        assert np.array_equal(table.levels(cut), window.levels(values))


def test_monochrome1_is_shown_inverted() -> None:
    voxels = np.array([[[0, 100, 200]]], dtype=np.uint16)
    assert GreyTable(volume(voxels, inverted=True), Window.from_range(0, 200)).levels(voxels[0]).tolist() == [[255, 127, 0]]


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_padding_is_black_even_when_the_picture_is_inverted(dtype: str) -> None:
    voxels = np.array([[[-2000, 0, 50]]], dtype=dtype)
    padded = volume(voxels, inverted=True, padding=(-2000.0, -2000.0))
    shown = GreyTable(padded, Window.from_range(0, 100)).levels(voxels[0])
    assert shown[0].tolist()[:2] == [0, 255]


def test_values_that_are_no_numbers_are_black() -> None:
    voxels = np.array([[[np.nan, np.inf, 50.0]]], dtype=np.float32)
    shown = GreyTable(volume(voxels), Window.from_range(0, 50)).levels(voxels[0])
    assert shown.tolist() == [[0, 0, 255]]


def test_colour_stays_as_it_is() -> None:
    voxels = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)
    assert np.array_equal(GreyTable(volume(voxels), Window(40, 400)).levels(voxels[1, ::-1]), voxels[1, ::-1])


@pytest.mark.parametrize("file_inverted", [False, True])
def test_a_person_turns_the_polarity_of_the_file_round(file_inverted: bool) -> None:
    voxels = np.array([[[0, 50, 100]]], dtype=np.int16)
    one = volume(voxels, inverted=file_inverted)
    window = Window.from_range(0, 100)
    plain = GreyTable(one, window).levels(voxels[0])
    turned = GreyTable(one, window, inverted=True).levels(voxels[0])
    np.testing.assert_array_equal(turned, 255 - plain)
