"""Drawing labels piece by piece comes to the same as drawing them whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from medview.gui.drawing.label_raster import LabelRaster, Paint, Style
from medview.gui.drawing.viewport import Viewport
from medview.workspace.view_state import Camera

PAINTS = (Paint(1, (250, 10, 20), 0.35), Paint(2, (10, 250, 30), 0.0), Paint(200, (0, 90, 255), 1.0))


def drawn(raster: LabelRaster, viewport: Viewport) -> np.ndarray:
    width, height = (round(n * viewport.device_ratio) for n in (viewport.width_px, viewport.height_px))
    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(viewport.device_ratio)
    image.fill(QColor(0, 0, 0, 0))
    painter = QPainter(image)
    raster.paint(painter)
    painter.end()
    return np.frombuffer(image.constBits(), dtype=np.uint32).reshape(height, width).copy()


@settings(max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.floats(0.3, 25.0),
    st.sampled_from([1.0, 1.25, 1.5, 2.0]),
    st.booleans(),
    st.tuples(st.floats(-8, 8), st.floats(-8, 8)),
)
def test_refreshing_what_changed_gives_the_whole_picture(
    seed: int, zoom: float, ratio: float, sketched: bool, offset: tuple[float, float]
) -> None:
    rng = np.random.default_rng(seed)
    viewport = Viewport.looking((97, 71), (17, 23), (1.7, 0.9), Camera(offset, zoom), ratio)
    labels = rng.choice(np.array([0, 0, 0, 1, 2, 7, 200], dtype=np.uint8), (17, 23))
    style = Style(dashed=sketched, hatched=sketched)
    stepwise = LabelRaster(style)
    stepwise.show(labels, PAINTS, viewport)
    for _ in range(4):
        row0, column0 = int(rng.integers(0, 15)), int(rng.integers(0, 20))
        row1, column1 = int(rng.integers(row0 + 1, 18)), int(rng.integers(column0 + 1, 24))
        labels[row0:row1, column0:column1] = rng.choice([0, 1, 2, 200])
        stepwise.refresh(row0, row1, column0, column1)
    whole = LabelRaster(style)
    whole.show(labels, PAINTS, viewport)
    assert np.array_equal(drawn(stepwise, viewport), drawn(whole, viewport))


@pytest.mark.parametrize("zoom", [1.0, 3.3, 9.0])
@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_outlines_are_two_pixels_wide_at_any_zoom(zoom: float, ratio: float) -> None:
    labels = np.zeros((40, 40), np.uint8)
    labels[15:25, 15:25] = 2
    viewport = Viewport.looking((400, 400), (40, 40), (1.0, 1.0), Camera(zoom=zoom / 3), ratio)
    raster = LabelRaster()
    raster.show(labels, PAINTS, viewport)
    shown = drawn(raster, viewport)
    across = shown[shown.shape[0] // 2] != 0
    assert across.sum() == 2 * 2 * ratio


def test_values_without_paint_are_not_drawn_and_do_not_cut_outlines() -> None:
    labels = np.zeros((20, 20), np.uint8)
    labels[5:15, 5:15] = 7
    viewport = Viewport.looking((200, 200), (20, 20), (1.0, 1.0), Camera())
    raster = LabelRaster()
    raster.show(labels, PAINTS, viewport)
    assert not drawn(raster, viewport).any()
    labels[5:15, 5:15] = 200
    raster.refresh(5, 15, 5, 15)
    assert drawn(raster, viewport).any()


def test_another_slice_leaves_nothing_of_the_last_one(qtbot: QtBot) -> None:
    first, second = np.zeros((20, 20), np.uint8), np.zeros((20, 20), np.uint8)
    first[2:6, 2:6], second[12:16, 12:16] = 1, 1
    viewport = Viewport.looking((200, 200), (20, 20), (1.0, 1.0), Camera())
    raster, fresh = LabelRaster(), LabelRaster()
    raster.show(first, PAINTS, viewport)
    raster.show(second, PAINTS, viewport)
    fresh.show(second, PAINTS, viewport)
    assert np.array_equal(drawn(raster, viewport), drawn(fresh, viewport))
    raster.show(None, PAINTS, viewport)
    assert not drawn(raster, viewport).any()
