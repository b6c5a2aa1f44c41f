"""The strip of slices at the edge of a pane, by its pixels."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage, QPainter

from medview.gui.layers.slice_strip import WIDTH_PX, SliceStripLayer
from medview.gui.parts.theme_tokens import DARK, PICTURE_QUIET
from medview.workspace.slice_marks import ACTIVE, OTHER, SliceStrip

COLOUR = (230, 40, 10)


def drawn(strip: SliceStrip | None, height_px: int = 204, width_px: int = 60) -> QImage:
    layer = SliceStripLayer()
    layer.update(strip, width_px, height_px)
    image = QImage(width_px, height_px, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    layer.paint(painter)
    painter.end()
    return image


def lanes(image: QImage, part: float) -> tuple[QColor, QColor]:
    """Colours of the label lane and of the done lane at a part of the height."""
    y = 2 + int(part * (image.height() - 4))
    return image.pixelColor(image.width() - WIDTH_PX, y), image.pixelColor(image.width() - 1, y)


@pytest.mark.parametrize("count", [10, 1000])
def test_labelled_and_done_slices_stand_where_they_are(count: int) -> None:
    labelled, done = np.zeros(count, np.uint8), np.zeros(count, bool)
    labelled[count // 10 : count // 5], labelled[count // 2 : 6 * count // 10] = ACTIVE, OTHER
    done[8 * count // 10 :] = True
    image = drawn(SliceStrip(labelled, done, COLOUR, count // 3))
    assert lanes(image, 0.15)[0] == QColor(*COLOUR)
    assert lanes(image, 0.55)[0] == QColor(PICTURE_QUIET)
    assert lanes(image, 0.7)[0] == lanes(image, 0.7)[1] == QColor(0x1B, 0x1F, 0x24)
    assert lanes(image, 0.9)[1] == QColor(DARK.good)
    left = image.pixelColor(image.width() - WIDTH_PX - 2, 100)
    assert left == QColor(0, 0, 0), "nothing else of the pane is covered"


def test_one_labelled_slice_among_a_thousand_is_seen_and_one_that_is_not_done_too() -> None:
    labelled, done = np.zeros(1000, np.uint8), np.ones(1000, bool)
    labelled[503], done[250] = ACTIVE, False
    image = drawn(SliceStrip(labelled, done, COLOUR, 900))
    seen = [lanes(image, y / 200) for y in range(200)]
    assert sum(lane[0] == QColor(*COLOUR) for lane in seen) == 1
    assert sum(lane[1] != QColor(DARK.good) for lane in seen) == 1 + 2, "and the two rows of the line that says where"


def test_a_line_says_where_the_pane_is() -> None:
    strip = SliceStrip(np.ones(10, np.uint8), np.zeros(10, bool), COLOUR, 7)
    layer = SliceStripLayer()
    layer.update(strip, 60, 204)
    for at in (7, 2):
        layer.look_at(at)
        image = QImage(60, 204, QImage.Format.Format_RGB32)
        image.fill(0)
        painter = QPainter(image)
        layer.paint(painter)
        painter.end()
        bright = [y for y in range(204) if image.pixelColor(60 - WIDTH_PX - 1, y).lightness() > 200]
        assert bright
        assert abs(np.mean(bright) - (2 + (at + 0.5) * 20)) <= 1


UNTOUCHED = SliceStrip(np.zeros(9, np.uint8), np.zeros(9, bool), COLOUR, 3)
SINGLE = SliceStrip(np.ones(1, np.uint8), np.ones(1, bool), COLOUR, 0)


@pytest.mark.parametrize("strip", [None, UNTOUCHED, SINGLE])
def test_where_nothing_is_known_nothing_is_drawn(strip: SliceStrip | None) -> None:
    image = drawn(strip)
    assert all(image.pixelColor(x, y) == QColor(0, 0, 0) for x in range(60) for y in range(204))
