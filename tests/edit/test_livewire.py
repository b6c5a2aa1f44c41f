"""Ways along edges, against edges that are computed."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
import pytest

from medview.edit.livewire import Livewire, PartedPicture
from medview.edit.outline import inside_grid
from tests.helpers.timing import allowed_s, typical_of

FloatArray = npt.NDArray[np.float64]
SHAPE = (150, 210)
MIDDLE = (76.3, 101.8)
SPACINGS = ((0.7, 0.7), (2.0, 0.7), (0.6, 1.9))


def radii(spacing_mm: tuple[float, float]) -> tuple[float, float]:
    """Half axes of the phantom in millimetres, down and to the right: neither round nor symmetric on the screen."""
    return 48 * spacing_mm[0], 70 * spacing_mm[1]


def ellipse(spacing_mm: tuple[float, float], angles: npt.ArrayLike) -> FloatArray:
    """Places on the edge, in rows and columns."""
    high, wide = radii(spacing_mm)
    a = np.asarray(angles)
    return np.stack([MIDDLE[0] + high * np.sin(a) / spacing_mm[0], MIDDLE[1] + wide * np.cos(a) / spacing_mm[1]], axis=-1)


def phantom(spacing_mm: tuple[float, float], noise: float = 10.0) -> npt.NDArray[np.float32]:
    """Return an organ of 60 in a surrounding of -60, with something much brighter inside, twelve pixels from the edge."""
    row, column = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]].astype(float)
    high, wide = radii(spacing_mm)
    down, right = (row - MIDDLE[0]) * spacing_mm[0] / high, (column - MIDDLE[1]) * spacing_mm[1] / wide
    values = np.where(np.hypot(down, right) < 1, 60.0, -60.0)
    values[60:90, 130:158] = 900.0
    return (values + np.random.default_rng(5).normal(0, noise, SHAPE)).astype(np.float32)


def away_px(line: FloatArray, spacing_mm: tuple[float, float]) -> FloatArray:
    """Distance of each point to the true edge, in rows or columns, whichever is more."""
    edge = ellipse(spacing_mm, np.linspace(0, 2 * np.pi, 20_000))
    return np.array([np.abs(edge - point).max(axis=1).min() for point in line])


@pytest.mark.parametrize("spacing_mm", SPACINGS)
def test_a_way_between_two_places_on_an_edge_stays_within_a_voxel_of_it(spacing_mm: tuple[float, float]) -> None:
    wire = Livewire(phantom(spacing_mm), spacing_mm)
    anchors = ellipse(spacing_mm, np.arange(6) * np.pi / 3 + 0.2)
    for start, end in zip(anchors, np.roll(anchors, -1, axis=0), strict=True):
        way = wire.way(tuple(start), tuple(end))
        assert len(way) > 20
        assert away_px(way, spacing_mm).max() <= 1.0
        # A straight line between the same two places would not do.
        chord = start + np.linspace(0.1, 0.9, 9)[:, None] * (end - start)
        assert away_px(chord, spacing_mm).max() > 4.0


def test_an_outline_of_six_clicks_holds_nearly_the_voxels_of_the_phantom() -> None:
    spacing_mm = SPACINGS[1]
    wire = Livewire(phantom(spacing_mm), spacing_mm)
    anchors = ellipse(spacing_mm, np.arange(6) * np.pi / 3 + 0.2)
    parts = [
        np.concatenate([start[None], wire.way(tuple(start), tuple(end))])
        for start, end in zip(anchors, np.roll(anchors, -1, axis=0), strict=True)
    ]
    found = inside_grid(np.concatenate(parts), SHAPE)
    truth = inside_grid(ellipse(spacing_mm, np.linspace(0, 2 * np.pi, 2000, endpoint=False)), SHAPE)
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.99


@pytest.mark.parametrize("spacing_mm", SPACINGS)
def test_an_anchor_put_beside_an_edge_snaps_onto_it_within_its_radius_only(spacing_mm: tuple[float, float]) -> None:
    wire = Livewire(phantom(spacing_mm), spacing_mm)
    (on_edge,) = ellipse(spacing_mm, [2.5])
    finest = min(spacing_mm)
    outward = np.array([np.sin(2.5), np.cos(2.5)]) * 2.4 * finest / np.asarray(spacing_mm)
    found = np.array(wire.snapped(tuple(on_edge + outward), 4 * finest))
    assert away_px(found[None], spacing_mm)[0] <= 0.75
    assert np.linalg.norm((found - on_edge - outward) * spacing_mm) <= 4.8 * finest
    # Away from every edge what is found is noise next to the place.
    far = np.array(wire.snapped((20.0, 20.0), 2 * finest))
    assert np.linalg.norm((far - 20.0) * spacing_mm) <= 2.8 * finest


def test_a_place_further_away_than_a_window_is_reached_with_a_straight_rest() -> None:
    values = np.zeros((900, 1000), dtype=np.float32)
    values[300:] = 100.0
    wire = Livewire(values, (0.5, 0.5))
    way = wire.way((299.5, 20.0), (299.5, 990.0))
    assert np.abs(way[:, 0] - 299.5).max() <= 1.0
    assert len(way) > 100


def test_a_picture_with_holes_and_one_without_any_slope_have_ways_too() -> None:
    values = phantom(SPACINGS[0])
    values[:30, :30] = np.nan
    assert np.isfinite(Livewire(values, (1.0, 1.0)).way((5.0, 5.0), (40.0, 60.0))).all()
    flat = Livewire(np.full((40, 50), 7.0, dtype=np.float32), (1.0, 1.0))
    way = flat.way((10.0, 10.0), (10.0, 30.0))
    assert (way[:, 0] == 10).all()
    assert flat.snapped((3.3, 4.4), 5.0) == (3.3, 4.4)


def test_of_a_large_picture_only_what_is_around_is_looked_at() -> None:
    asked: list[int] = []
    whole = phantom(SPACINGS[0])

    def part(rows: slice, columns: slice) -> npt.NDArray[np.float32]:
        # The phantom lies far out in a picture of 25 million pixels.
        found = np.full((rows.stop - rows.start, columns.stop - columns.start), -60.0, dtype=np.float32)
        asked.append(found.size)
        top, left = rows.start - 3000, columns.start - 4000
        for row in range(found.shape[0]):
            inner = np.arange(found.shape[1]) + left
            if 0 <= row + top < SHAPE[0]:
                there = (inner >= 0) & (inner < SHAPE[1])
                found[row, there] = whole[row + top, inner[there]]
        return found

    wire = Livewire(PartedPicture((5000, 5000), part), SPACINGS[0])
    start, end = np.add(ellipse(SPACINGS[0], [0.2, 1.2]), (3000, 4000))
    way = np.subtract(wire.way(tuple(start), tuple(end)), (3000, 4000))
    assert away_px(way, SPACINGS[0]).max() <= 1.0
    assert sum(asked) < 400 * 400


def test_both_ends_may_lie_on_one_pixel_or_outside_of_the_picture() -> None:
    wire = Livewire(phantom(SPACINGS[0]), SPACINGS[0])
    assert wire.way((5.0, 5.0), (5.2, 4.9)).shape == (0, 2)
    assert wire.way((-9.0, 4.0), (300.0, 20.0)).shape[1] == 2


def test_the_line_follows_the_pointer_within_a_frame_and_a_new_anchor_takes_no_longer_than_a_blink() -> None:
    rng = np.random.default_rng(2)
    wire = Livewire(rng.normal(0, 1, (512, 512)).astype(np.float32), (0.7, 0.7))
    wire.way((1.0, 1.0), (9.0, 9.0))
    seeds = iter([(250.0, 250.0), (260.0, 255.0), (270.0, 240.0)])
    first: list[float] = []
    at = (0.0, 0.0)

    def once() -> float:
        nonlocal at
        at = next(seeds)
        began = time.perf_counter()
        wire.way(at, (at[0] + 60, at[1] + 40))
        first.append(time.perf_counter() - began)
        moves = []
        for n in range(20):
            began = time.perf_counter()
            wire.way(at, (at[0] + 60 - n, at[1] + 40 + n))
            moves.append(time.perf_counter() - began)
        return max(moves)

    assert typical_of(once) < allowed_s(0.016)
    assert sorted(first)[1] < allowed_s(0.05)
