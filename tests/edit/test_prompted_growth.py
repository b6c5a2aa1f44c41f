"""One object from prompts without a model: on spheres with noise, beside others, on any grid."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.box import Box
from medview.core.errors import CancelledError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.prompt import Prompt, PromptKind
from medview.core.prompt_log import NOTHING, HeldVoxels
from medview.core.vector import triple
from medview.core.volume import Volume
from medview.edit import prompted_values
from medview.edit.prompted_growth import grow_from_prompts
from tests.edit.grids import grid

SHAPE = (30, 52, 61)
GREY = {"air": -850.0, "tissue": 40.0, "other": 120.0}


def _grid(kind: str) -> Geometry:
    return Geometry(SHAPE, grid(kind).affine_lps * np.array([[0.6, 1, 1, 1]] * 3 + [[1, 1, 1, 1]]))


def _ball(geometry, middle_kji, radius_mm):
    away = geometry.point_lps_mm(np.stack(np.indices(SHAPE), -1)) - geometry.point_lps_mm(middle_kji)
    return np.linalg.norm(away, axis=-1) <= radius_mm


def _volume(geometry, *painted, noise=25.0):
    values = np.full(SHAPE, GREY["air"])
    for mask, value in painted:
        values[mask] = value
    values += np.random.default_rng(8).normal(0, noise, SHAPE)
    return Volume(values.astype(np.int16), geometry, "CT", "HU")


def _prompt(geometry, kind, index_kji, *, positive=True, key="p", normal=None, thickness_mm=1.0):
    points = tuple(triple(p) for p in geometry.point_lps_mm(np.atleast_2d(np.asarray(index_kji, dtype=float))))
    across = geometry.directions_kji[0] if normal is None else normal
    return Prompt(key, kind, positive, points, triple(across), thickness_mm)


def _grown(volume, *prompts, base=NOTHING, taken=lambda _box: None):
    return grow_from_prompts(volume, prompts, base, taken, Inline()).mask(Box.whole(SHAPE))


def _dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize("kind", ["axial", "oblique", "sagittal", "tilted"])
def test_one_click_finds_a_ball_on_any_grid(kind):
    geometry = _grid(kind)
    ball = _ball(geometry, (14, 24, 30), 9.0)
    found = _grown(_volume(geometry, (ball, 40.0)), _prompt(geometry, PromptKind.POINT, (14, 25, 31)))
    assert _dice(found, ball) > 0.95


def _flat(geometry, normal, radius_mm, kind, key="p", middle_kji=(14, 24, 30)):
    normal = np.asarray(normal, dtype=float) / np.linalg.norm(normal)
    down = np.cross(normal, [0.2, 0.9, -0.3])
    down /= np.linalg.norm(down)
    right = np.cross(normal, down)
    middle = geometry.point_lps_mm(middle_kji)
    if kind is PromptKind.BOX:
        corners = [(-1, -1), (-1, 1), (1, 1), (1, -1)]
    else:
        corners = [(np.sin(a), np.cos(a)) for a in np.linspace(0, 2 * np.pi, 24, endpoint=False)]
    points = tuple(triple(middle + radius_mm * (a * down + b * right)) for a, b in corners)
    return Prompt(key, kind, True, points, triple(normal), 1.5)


@pytest.mark.parametrize("kind", [PromptKind.BOX, PromptKind.LASSO])
@pytest.mark.parametrize("normal", [(0, 0, 1), (1, 0, 0), (0, 1, 0), (0.5, -0.4, 0.75)])
def test_a_box_or_lasso_on_any_plane_finds_what_it_was_drawn_around(kind, normal):
    geometry = _grid("oblique")
    ball = _ball(geometry, (14, 24, 30), 9.0)
    found = _grown(_volume(geometry, (ball, 40.0)), _flat(geometry, normal, 10.0, kind))
    assert _dice(found, ball) > 0.9


def _large_ball(spacing_kji_mm, shape, radius_mm, middle_kji):
    """Return a ball and a noisy volume that holds it, larger than what is looked at voxel by voxel."""
    k, j, i = np.ogrid[: shape[0], : shape[1], : shape[2]]
    away = sum(((n - at) * mm) ** 2 for n, at, mm in zip((k, j, i), middle_kji, spacing_kji_mm, strict=True))
    ball = away <= radius_mm**2
    values = np.where(ball, 90.0, -60.0) + np.random.default_rng(3).normal(0, 15, shape)
    return ball, Volume(values.astype(np.int16), Geometry.from_spacing(shape, spacing_kji_mm), "CT", "HU")


@pytest.mark.parametrize("normal", [(0, 0, 1), (0.5, -0.4, 0.75)])
@pytest.mark.parametrize("kind", [PromptKind.BOX, PromptKind.LASSO])
def test_a_box_or_lasso_around_something_large_finds_it_as_well(kind, normal):
    ball, volume = _large_ball((1.0, 0.7, 0.75), (96, 130, 126), 32.0, (47, 66, 60))
    geometry = volume.geometry
    others = np.zeros_like(ball)
    others[:, :44] = True
    prompt = _flat(geometry, normal, 36.0, kind, middle_kji=(47, 66, 60))
    found = grow_from_prompts(volume, [prompt], NOTHING, lambda _box: None, Inline()).mask(Box.whole(ball.shape))
    assert _dice(found, ball) > 0.99
    beside = grow_from_prompts(volume, [prompt], NOTHING, lambda box: others[box.slices], Inline())
    assert _dice(beside.mask(Box.whole(ball.shape)), ball & ~others) > 0.99
    assert not (beside.mask(Box.whole(ball.shape)) & others).any()


def test_what_a_box_cuts_off_stays_cut_off_exactly_on_coarse_voxels_too(monkeypatch):
    ball, volume = _large_ball((1.0, 0.7, 0.75), (70, 90, 88), 24.0, (34, 46, 40))
    corners = [(34, 6, 4), (34, 6, 50), (34, 84, 50), (34, 84, 4)]
    prompt = _prompt(volume.geometry, PromptKind.BOX, corners)
    found = []
    for most in (700_000, 30_000):
        monkeypatch.setattr(prompted_values, "FINE_VOXELS", most)
        grown = grow_from_prompts(volume, [prompt], NOTHING, lambda _box: None, Inline())
        found.append(grown.mask(Box.whole(ball.shape)))
    expected = ball.copy()
    expected[:, :, 51:] = False
    for one in found:
        assert _dice(one, expected) > 0.99
        assert not one[:, :, 51:].any()


def test_a_click_where_nothing_closes_anything_off_ends_near_it_on_fine_voxels_too():
    shape = (130, 150, 140)
    values = np.random.default_rng(5).normal(40, 15, shape)
    volume = Volume(values.astype(np.int16), Geometry.from_spacing(shape, (0.4, 0.4, 0.4)), "CT", "HU")
    click = _prompt(volume.geometry, PromptKind.POINT, (64, 75, 70))
    found = grow_from_prompts(volume, [click], NOTHING, lambda _box: None, Inline())
    places = np.argwhere(found.mask(Box.whole(shape)))
    assert np.linalg.norm((places - (64, 75, 70)) * 0.4, axis=1).max() <= 18.0 + 1e-6


def test_a_scribble_finds_a_bent_tube_whole():
    geometry = _grid("axial")
    tube = np.zeros(SHAPE, dtype=bool)
    for t in np.linspace(0, 1, 40):
        tube |= _ball(geometry, (6 + 18 * t, 26 + 14 * np.sin(3 * t), 12 + 36 * t), 3.2)
    line = [(6 + 18 * t, 26 + 14 * np.sin(3 * t), 12 + 36 * t) for t in (0.2, 0.4, 0.6)]
    found = _grown(_volume(geometry, (tube, 40.0)), _prompt(geometry, PromptKind.SCRIBBLE, line))
    assert _dice(found, tube) > 0.9


def test_what_hangs_on_thinly_stays_out():
    geometry = _grid("axial")
    ball, vessel = _ball(geometry, (14, 24, 30), 9.0), _ball(geometry, (14, 24, 30), 1.8)
    for column in range(30, 61):
        vessel |= _ball(geometry, (14, 24, column), 1.8)
    found = _grown(_volume(geometry, (vessel, 40.0), (ball, 40.0)), _prompt(geometry, PromptKind.POINT, (14, 24, 28)))
    assert _dice(found, ball) > 0.93


def _two_balls():
    geometry = _grid("axial")
    one, two = _ball(geometry, (14, 22, 22), 8.0), _ball(geometry, (14, 34, 40), 8.0)
    return geometry, one, two, _volume(geometry, (one, 40.0), (two, 40.0))


def test_a_negative_point_takes_the_other_of_two_that_touch_away():
    geometry, one, two, volume = _two_balls()
    touching = _ball(geometry, (14, 28, 31), 6.0)
    volume = _volume(geometry, (one, 40.0), (two, 40.0), (touching, 40.0))
    click = _prompt(geometry, PromptKind.POINT, (14, 22, 22), key="a")
    both = _grown(volume, click)
    assert np.count_nonzero(both & two) > 0.5 * np.count_nonzero(two)
    found = _grown(volume, click, _prompt(geometry, PromptKind.POINT, (14, 34, 40), positive=False, key="b"))
    assert np.count_nonzero(found & two) < 0.25 * np.count_nonzero(two)
    assert np.count_nonzero(found & one) > 0.9 * np.count_nonzero(one)


def test_what_was_there_before_is_kept_and_added_to():
    geometry, one, two, volume = _two_balls()
    base = HeldVoxels.of(Box.whole(SHAPE), one)
    found = _grown(volume, _prompt(geometry, PromptKind.POINT, (14, 34, 40)), base=base)
    assert found[one].all()
    assert _dice(found, one | two) > 0.95


def test_a_negative_point_alone_takes_from_what_was_there():
    geometry, one, two, volume = _two_balls()
    base = HeldVoxels.of(Box.whole(SHAPE), one | two)
    found = _grown(volume, _prompt(geometry, PromptKind.POINT, (14, 34, 40), positive=False), base=base)
    assert found[one].all()
    assert not found[two].any()


def test_a_negative_lasso_takes_what_it_goes_around_on_its_slice():
    geometry, one, _two, volume = _two_balls()
    base = HeldVoxels.of(Box.whole(SHAPE), one)
    corners = [(14, 15, 15), (14, 15, 22), (14, 30, 22), (14, 30, 15)]
    found = _grown(volume, _prompt(geometry, PromptKind.LASSO, corners, positive=False), base=base)
    assert not found[14, 16:30, 16:22].any()


def test_what_others_hold_is_not_grown_into_or_through():
    geometry, one, two, _plain = _two_balls()
    bridge = _ball(geometry, (14, 28, 31), 6.0)
    volume = _volume(geometry, (one, 40.0), (two, 40.0), (bridge, 40.0))
    found = _grown(volume, _prompt(geometry, PromptKind.POINT, (14, 22, 22)), taken=lambda box: bridge[box.slices])
    assert not (found & bridge).any()
    assert not (found & two & ~bridge).any()
    assert np.count_nonzero(found & one) > 0.6 * np.count_nonzero(one)


def test_a_point_on_what_others_hold_or_beside_the_grid_finds_nothing():
    geometry, one, _two, volume = _two_balls()
    click = _prompt(geometry, PromptKind.POINT, (14, 22, 22))
    assert not _grown(volume, click, taken=lambda box: one[box.slices]).any()
    assert not _grown(volume, _prompt(geometry, PromptKind.POINT, (99, 22, 22))).any()


def test_a_click_beside_the_edge_reaches_no_further_than_is_fit():
    geometry, one, _two, volume = _two_balls()
    base = HeldVoxels.of(Box.whole(SHAPE), one)
    outside = _prompt(geometry, PromptKind.POINT, (14, 22, 32), key="b")
    found = _grown(volume, outside, base=base)
    assert found[14, 22, 32]
    assert np.count_nonzero(found & ~one) < 250


@pytest.mark.parametrize("left_out", range(4))
def test_the_same_prompts_give_the_same_mask_again(left_out):
    geometry, _one, _two, volume = _two_balls()
    prompts = [
        _prompt(geometry, PromptKind.POINT, (14, 22, 22), key="a"),
        _prompt(geometry, PromptKind.POINT, (14, 34, 40), key="b"),
        _prompt(geometry, PromptKind.POINT, (14, 28, 30), positive=False, key="c"),
        _prompt(geometry, PromptKind.SCRIBBLE, [(12, 20, 20), (16, 24, 26)], key="d"),
    ]
    del prompts[left_out]
    first = _grown(volume, *prompts)
    for n in range(len(prompts)):
        _grown(volume, *prompts[:n])
    assert np.array_equal(first, _grown(volume, *prompts))


def test_an_object_larger_than_the_neighbourhood_is_found_whole():
    geometry = Geometry.from_spacing((60, 120, 120), (1.5, 1.0, 1.1))
    k, j, i = np.indices((60, 120, 120))
    body = ((k - 30) / 25.0) ** 2 + ((j - 60) / 45.0) ** 2 + ((i - 58) / 50.0) ** 2 <= 1
    values = np.where(body, 60.0, -100.0) + np.random.default_rng(1).normal(0, 15, body.shape)
    volume = Volume(values.astype(np.int16), geometry, "MR")
    prompt = _prompt(geometry, PromptKind.POINT, (30, 60, 58))
    found = grow_from_prompts(volume, [prompt], NOTHING, lambda _box: None, Inline())
    assert _dice(found.mask(Box.whole(body.shape)), body) > 0.97


def test_growing_can_be_cancelled():
    geometry, _one, _two, volume = _two_balls()
    context = Inline()
    context.cancel()
    with pytest.raises(CancelledError):
        grow_from_prompts(volume, [_prompt(geometry, PromptKind.POINT, (14, 22, 22))], NOTHING, lambda _b: None, context)
