"""The pictures of a report show the right slice, upright, with what is true and what was found."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from medview.core.geometry import Geometry
from medview.core.volume import Volume
from medview.ml.examples import TrueBox, Truth
from medview.workspace.evaluation.pictures import FOUND_COLOUR, SIDE_PX, TRUE_COLOUR, case_picture, in_colour
from tests.workspace.evaluation.made import boxes, classes, masks, picture_grid

NAMES = ("A", "B")


def drawn(volume: Volume, truth: Truth, found: object, k: int) -> np.ndarray:
    data = case_picture(volume, truth, found, classes(*NAMES), (k, 0, 0), 0.5)  # type: ignore[arg-type]
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def where(shown: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero((shown == colour).all(axis=-1))
    return int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1


def test_a_slice_has_the_shape_of_the_patient_and_outlines_where_the_masks_are() -> None:
    geometry = Geometry.from_spacing((4, 20, 40), (3.0, 2.0, 1.0))
    image = Volume(np.random.default_rng(0).integers(0, 900, geometry.shape_kji).astype(np.int16), geometry)
    true, said = np.zeros((2, *geometry.shape_kji), dtype=np.uint8)
    true[2, 2:6, 4:12] = 1
    said[2, 10:18, 24:36] = 2
    shown = drawn(image, Truth(true[None]), masks(said, geometry, NAMES), 2)
    # 20 rows of 2 mm and 40 columns of 1 mm: a square.
    assert shown.shape == (SIDE_PX, SIDE_PX, 3)
    rows, columns = SIDE_PX / 20, SIDE_PX / 40
    np.testing.assert_allclose(where(shown, TRUE_COLOUR), (2 * rows, 4 * columns, 6 * rows, 12 * columns), atol=1.5)
    np.testing.assert_allclose(where(shown, FOUND_COLOUR), (10 * rows, 24 * columns, 18 * rows, 36 * columns), atol=1.5)
    other = drawn(image, Truth(true[None]), masks(said, geometry, NAMES), 1)
    assert not (other == TRUE_COLOUR).all(axis=-1).any()


def test_boxes_lie_where_they_are_and_those_below_the_threshold_are_not_drawn() -> None:
    grid = picture_grid(50, 100)
    image = Volume(np.zeros(grid.shape_kji, dtype=np.uint8), grid)
    truth = Truth(boxes=(TrueBox(1, (0, 10, 20), (1, 30, 60)),))
    found = boxes(grid, [("A", 0.9, (0, 5, 70), (1, 15, 90)), ("A", 0.4, (0, 40, 0), (1, 50, 100))])
    shown = drawn(image, truth, found, 0)
    scale = SIDE_PX / 100
    np.testing.assert_allclose(where(shown, TRUE_COLOUR), np.array((10, 20, 30, 60)) * scale, atol=1.5)
    np.testing.assert_allclose(where(shown, FOUND_COLOUR), np.array((5, 70, 15, 90)) * scale, atol=1.5)


def test_low_values_of_inverted_pictures_are_bright_and_colours_stay_colours() -> None:
    grid = picture_grid(8, 8)
    ramp = np.arange(64, dtype=np.uint8).reshape(1, 8, 8)
    plain = drawn(Volume(ramp, grid), Truth(), boxes(grid, []), 0)
    turned = drawn(Volume(ramp, grid, inverted=True), Truth(), boxes(grid, []), 0)
    assert plain[0, 0, 0] < plain[-1, -1, 0]
    assert turned[0, 0, 0] > turned[-1, -1, 0]
    red = [Volume(np.full((1, 8, 8), value, dtype=np.uint8), grid) for value in (200, 10, 20)]
    np.testing.assert_array_equal(drawn(in_colour(red), Truth(), boxes(grid, []), 0)[4, 4], (200, 10, 20))
    assert in_colour(red[:2]) is red[0]
