from __future__ import annotations

import numpy as np
import pytest

from medview.core.geometry import Geometry
from medview.core.volume import Rescale, Volume
from medview.core.window import Window, WindowFunction
from medview.workspace.grey_table import GreyTable


def standard_linear(x: float, c: float, w: float) -> float:
    """PS3.3 C.11.2.1.2.1, output 0 to 255."""
    if x <= c - 0.5 - (w - 1) / 2:
        return 0.0
    if x > c - 0.5 + (w - 1) / 2:
        return 255.0
    return ((x - (c - 0.5)) / (w - 1) + 0.5) * 255.0


def standard_exact(x: float, c: float, w: float) -> float:
    """PS3.3 C.11.2.1.3.2."""
    if x <= c - w / 2:
        return 0.0
    if x > c + w / 2:
        return 255.0
    return ((x - c) / w + 0.5) * 255.0


def standard_sigmoid(x: float, c: float, w: float) -> float:
    """PS3.3 C.11.2.1.3.1."""
    return 255.0 / (1.0 + np.exp(-4.0 * (x - c) / w))


STANDARD = {
    WindowFunction.LINEAR: standard_linear,
    WindowFunction.LINEAR_EXACT: standard_exact,
    WindowFunction.SIGMOID: standard_sigmoid,
}


@pytest.mark.parametrize("function", list(WindowFunction))
@pytest.mark.parametrize(("center", "width"), [(40, 400), (-600, 1500), (2048, 4096), (0.5, 3), (-10.25, 7.5)])
def test_levels_follow_the_standards_formulae(function: WindowFunction, center: float, width: float) -> None:
    values = np.linspace(center - width, center + width, 301)
    expected = [STANDARD[function](float(np.float32(x)), center, width) for x in values]
    assert np.abs(Window(center, width, function).levels(values).astype(float) - expected).max() <= 0.51


def test_a_linear_window_of_width_one_is_a_threshold() -> None:
    levels = Window(100, 1).levels(np.array([99.0, 99.5, 99.6, 100.0]))
    assert levels.tolist() == [0, 0, 255, 255]


def test_a_width_the_standard_forbids_becomes_the_smallest_allowed() -> None:
    assert Window(0, 0).width == 1.0
    assert Window(0, -5, WindowFunction.LINEAR_EXACT).width > 0


def test_a_window_from_a_range_maps_its_ends_to_black_and_white() -> None:
    assert Window.from_range(-3.0, 12.0).levels(np.array([-3.0, 12.0])).tolist() == [0, 255]


@pytest.mark.parametrize("function", list(WindowFunction))
@pytest.mark.parametrize("stored", ["int16", "uint16"])
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("width", [1.5, 256.0, 4096.0, 70000.0])
def test_every_way_to_a_grey_level_is_the_standards(
    function: WindowFunction, stored: str, inverted: bool, width: float
) -> None:
    numbers = np.linspace(np.iinfo(stored).min, np.iinfo(stored).max, 240).astype(stored).reshape(1, 12, 20)
    volume = Volume(numbers, Geometry.from_spacing((1, 12, 20), (1, 1, 1)), rescale=Rescale(0.5, -300.0), inverted=inverted)
    shown = GreyTable(volume, Window(100.0, width, function)).levels(numbers[0]).astype(float)
    with np.errstate(over="ignore"):
        wanted = np.asarray([STANDARD[function](float(n) * 0.5 - 300.0, 100.0, width) for n in numbers.reshape(-1)])
    wanted = 255.0 - wanted if inverted else wanted
    assert np.abs(shown.reshape(-1) - wanted).max() <= 1.0
