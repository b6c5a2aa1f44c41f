from __future__ import annotations

import heapq
import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from medview.core.errors import CancelledError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.volume import Rescale, Volume
from medview.edit.grey_noise import grey_of
from medview.edit.grow_from_seeds import SeedGrowth
from medview.edit.seed_forest import SeedForest
from tests.edit.solids import dice
from tests.helpers.timing import allowed_s

SPACING_KJI_MM = (2.5, 0.8, 0.8)


def _volume(values: np.ndarray, spacing: tuple[float, float, float] = SPACING_KJI_MM) -> Volume:
    stored = np.rint(values).astype(np.int16)
    return Volume(stored, Geometry.from_spacing(stored.shape, spacing), "CT", "HU", Rescale())


def _grid(shape: tuple[int, ...]) -> Geometry:
    k, j, i = shape
    return Geometry.from_spacing((k, j, i), SPACING_KJI_MM)


def _grown(values: np.ndarray, seeds: np.ndarray, *, calm: bool = False, **more: object) -> np.ndarray:
    grey = grey_of(_volume(values), Inline(), calm=calm)
    return SeedGrowth(grey, _grid(grey.shape), **more).grow(seeds, Inline())  # type: ignore[arg-type]


def _phantom(noise: float = 12.0, shape: tuple[int, int, int] = (30, 96, 90)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return values, seeds and truth: air, a body, an organ and a vessel that winds through it and out of it."""
    k, j, i = np.ogrid[: shape[0], : shape[1], : shape[2]]
    z, y, x = (k - 15) * 2.5, (j - 48) * 0.8, (i - 45) * 0.8
    truth = np.full(shape, 4, dtype=np.uint8)
    truth[(z / 36) ** 2 + (y / 34) ** 2 + (x / 32) ** 2 < 1] = 3
    truth[(z / 24) ** 2 + ((y + 6) / 16) ** 2 + ((x - 3) / 18) ** 2 < 1] = 1
    truth[(np.hypot(y - 8 - 4 * np.sin(z / 12), x - 2 + 3 * np.cos(z / 9)) < 3) & (abs(z) < 30)] = 2
    values = np.array([0, 110, 180, 40, -300.0])[truth]
    values = ndimage.gaussian_filter(values, (0.3, 0.8, 0.8)) + np.random.default_rng(5).normal(0, noise, shape)
    seeds = np.zeros(shape, dtype=np.uint8)
    for label, shrink in ((1, 5), (2, 2), (3, 3), (4, 4)):
        core = np.stack(
            [ndimage.binary_erosion(slice_ == label, iterations=shrink, border_value=1) for slice_ in truth[4::7]]
        )
        core[:, 1::2] = False
        seeds[4::7][core] = label
    return values, seeds, truth


def test_seeds_grow_to_the_edges_of_a_noisy_picture() -> None:
    values, seeds, truth = _phantom()
    grown = _grown(values, seeds)
    assert np.array_equal(grown[seeds > 0], seeds[seeds > 0])
    assert grown.all()
    found = [dice(grown == label, truth == label) for label in (1, 2, 3, 4)]
    assert found[0] > 0.95
    assert found[1] > 0.85
    assert found[2] > 0.93
    assert found[3] > 0.985


def test_where_there_is_much_noise_calming_it_finds_more() -> None:
    values, seeds, truth = _phantom(noise=40.0)
    plain, calm = (dice(_grown(values, seeds, calm=way) == 1, truth == 1) for way in (False, True))
    assert calm > 0.9
    assert calm > plain


def _cheapest(grey: np.ndarray, spacing: tuple[float, float, float], seeds: np.ndarray, closed: np.ndarray) -> np.ndarray:
    """Return what each voxel belongs to, by the textbook: one voxel after the other from a queue."""
    best = {tuple(at): (0, int(seeds[tuple(at)])) for at in np.argwhere((seeds > 0) & ~closed)}
    queue = [(cost, label, at) for at, (cost, label) in best.items()]
    heapq.heapify(queue)
    steps = [step for step in product((-1, 0, 1), repeat=3) if 1 <= np.abs(step).sum() <= 2]
    unit = min(spacing)
    while queue:
        cost, label, at = heapq.heappop(queue)
        if best[at] != (cost, label):
            continue
        for step in steps:
            to = tuple(int(n) for n in np.add(at, step))
            if any(n < 0 or n >= size for n, size in zip(to, grey.shape, strict=True)) or closed[to]:
                continue
            edge = abs(int(grey[to]) - int(grey[at])) / (0.75 * 8)
            length = float(np.linalg.norm(np.multiply(step, spacing))) / unit
            there = (cost + int(min(np.round(16 * length * (1 + edge**2)), 1 << 14)), label)
            if to not in best or there < best[to]:
                best[to] = there
                heapq.heappush(queue, (*there, to))
    found = np.zeros(grey.shape, dtype=np.uint8)
    for at, (_cost, label) in best.items():
        found[at] = label
    return found


@settings(max_examples=10)
@given(st.integers(0, 10_000))
def test_every_voxel_belongs_to_the_seed_that_reaches_it_cheapest_and_ties_go_to_the_lower(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grey = rng.integers(-40, 40, (6, 9, 11)).astype(np.int16) // int(rng.integers(1, 40))
    seeds = np.where(rng.random(grey.shape) < 0.02, rng.integers(1, 5, grey.shape), 0).astype(np.uint8)
    closed = (rng.random(grey.shape) < 0.2) & (seeds == 0)
    grown = SeedGrowth(grey, _grid(grey.shape), closed).grow(seeds, Inline())
    assert np.array_equal(grown, _cheapest(grey, SPACING_KJI_MM, seeds, closed))


@settings(max_examples=8)
@given(st.integers(0, 10_000), st.booleans())
def test_growing_on_after_more_strokes_is_the_same_as_growing_all_at_once(seed: int, coarse: bool) -> None:
    rng = np.random.default_rng(seed)
    grey = ndimage.gaussian_filter(rng.normal(0, 300, (10, 24, 22)), 1.5).astype(np.int16)
    exact = 400 if coarse else 10**9
    going_on = SeedGrowth(grey, _grid(grey.shape), None, exact)
    seeds = np.zeros(grey.shape, dtype=np.uint8)
    for _stroke in range(4):
        at = rng.integers(0, (8, 20, 18))
        place = tuple(slice(int(n), int(n) + int(rng.integers(1, 5))) for n in at)
        # Painted over what was there, taken away, or beside it.
        seeds[place] = rng.integers(0, 4) if rng.random() < 0.4 else np.maximum(seeds[place], rng.integers(1, 4))
        grown = going_on.grow(seeds, Inline())
        anew = SeedGrowth(grey, _grid(grey.shape), None, exact).grow(seeds, Inline())
        assert np.array_equal(grown, anew)
        assert np.array_equal(grown[seeds > 0], seeds[seeds > 0])


def test_on_coarser_voxels_first_the_borders_come_out_nearly_the_same() -> None:
    values, seeds, truth = _phantom()
    grey = grey_of(_volume(values), Inline())
    fine, coarse = (SeedGrowth(grey, _grid(grey.shape), None, n).grow(seeds, Inline()) for n in (10**9, 40_000))
    for label in (1, 3, 4):
        assert dice(coarse == label, fine == label) > 0.96
        assert dice(coarse == label, truth == label) > 0.9
    assert np.array_equal(coarse[seeds > 0], seeds[seeds > 0])


def test_nothing_grows_into_or_through_what_is_closed() -> None:
    values = np.full((8, 30, 30), 50.0)
    seeds, closed = np.zeros(values.shape, dtype=np.uint8), np.zeros(values.shape, dtype=bool)
    closed[:, 14] = True
    seeds[4, 5, 5] = 3
    grown = _grown(values, seeds, closed=closed)
    assert (grown[:, :14] == 3).all()
    assert not grown[:, 14:].any()


def test_between_two_seeds_on_nothing_the_border_is_half_way_in_millimetres() -> None:
    values = np.zeros((21, 41, 25))
    for axis, mm in enumerate(SPACING_KJI_MM):
        seeds = np.zeros(values.shape, dtype=np.uint8)
        ends: list[list[int]] = [[n // 2 for n in values.shape] for _ in range(2)]
        ends[1][axis] = values.shape[axis] - 1
        for label, end in enumerate(ends, start=1):
            seeds[tuple(end)] = label
        line = tuple(slice(None) if n == axis else size // 2 for n, size in enumerate(values.shape))
        grown = _grown(values, seeds)[line]
        border = int(np.flatnonzero(grown == 2)[0])
        assert abs(border - (ends[0][axis] + ends[1][axis]) / 2) <= 1, (axis, mm)


def test_on_a_tilted_grid_distances_are_those_in_the_patient() -> None:
    affine = np.eye(4)
    # k leans towards j by 40 degrees: one diagonal of the cells is far longer than the other.
    affine[:3, :3] = np.array([[0, 0, 1.0], [np.sin(np.deg2rad(40)), 1.0, 0], [np.cos(np.deg2rad(40)), 0, 0]])
    geometry = Geometry((31, 31, 3), affine)
    seeds = np.zeros(geometry.shape_kji, dtype=np.uint8)
    ends = (15, 15, 1), (21, 21, 1), (21, 9, 1)
    for label, end in enumerate(ends, start=1):
        seeds[end] = label
    grown = SeedGrowth(np.zeros(geometry.shape_kji, dtype=np.int16), geometry).grow(seeds, Inline())
    places = geometry.point_lps_mm(np.moveaxis(np.indices(geometry.shape_kji), 0, -1))
    far = np.stack([np.linalg.norm(places - geometry.point_lps_mm(end), axis=-1) for end in ends])
    nearest = np.sort(far, axis=0)
    # Ways run along 18 directions, so they are up to a tenth longer than straight ones.
    clear = nearest[1] > nearest[0] * 1.25 + 1
    assert clear.mean() > 0.4
    assert np.array_equal(grown[clear], 1 + np.argmin(far, axis=0)[clear])


def test_an_edge_means_the_same_in_any_unit_and_on_any_ground() -> None:
    values, seeds, _truth = _phantom()
    volume = _volume(values)
    other = Volume(volume.voxels, volume.geometry, "MR", "", Rescale(0.01, 700.0))
    first, second = (SeedGrowth(grey_of(one, Inline()), one.geometry).grow(seeds, Inline()) for one in (volume, other))
    assert np.mean(first != second) < 0.01


def test_values_that_are_none_do_no_harm() -> None:
    values, seeds, _truth = _phantom()
    broken = values.astype(np.float32)
    broken[3, 10:14, 10:14] = np.nan
    broken[5, 40, 40] = np.inf
    grey = grey_of(Volume(broken, Geometry.from_spacing(broken.shape, SPACING_KJI_MM)), Inline())
    assert SeedGrowth(grey, _grid(grey.shape)).grow(seeds, Inline()).all()


class _Impatient(Inline):
    """Cancels at the nth time it is asked, and notes the longest that was worked without asking, in processor seconds."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.left, self.longest, self._last = at, 0.0, time.process_time()

    def raise_if_cancelled(self) -> None:
        now = time.process_time()
        self.longest, self._last = max(self.longest, now - self._last), now
        self.left -= 1
        if self.left == 0:
            raise CancelledError


def test_growing_that_was_cancelled_goes_on_to_the_same_end() -> None:
    values, seeds, _truth = _phantom()
    grey = grey_of(_volume(values), Inline())
    growth, whole = SeedGrowth(grey, _grid(grey.shape)), SeedGrowth(grey, _grid(grey.shape)).grow(seeds, Inline())
    for at in (1, 5, 40):
        with pytest.raises(CancelledError):
            growth.grow(seeds, _Impatient(at))
    assert np.array_equal(growth.grow(seeds, Inline()), whole)


def test_cancel_is_asked_for_at_least_five_times_a_second() -> None:
    values, seeds, _truth = _phantom(shape=(60, 192, 180))
    watch = _Impatient(-1)
    grey = grey_of(_volume(values), watch, calm=True)
    SeedGrowth(grey, _grid(grey.shape), None, 300_000).grow(seeds, watch)
    SeedForest(grey, np.diag(SPACING_KJI_MM), None, 0.8).add(seeds)
    assert watch.longest < allowed_s(0.2)


def test_strokes_on_a_hundred_cubed_grow_within_a_second_and_another_one_takes_less() -> None:
    values, seeds, _truth = _phantom(shape=(100, 100, 100))
    grey = grey_of(_volume(values), Inline())
    growth = SeedGrowth(grey, _grid(grey.shape))
    began = time.process_time()
    growth.grow(seeds, Inline())
    first = time.process_time() - began
    more = seeds.copy()
    more[12:14, 60:62, 30:40] = 3
    began = time.process_time()
    growth.grow(more, Inline())
    assert first < allowed_s(1.0)
    assert time.process_time() - began < first / 2
