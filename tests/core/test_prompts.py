"""Prompts lie in the patient, whatever grid they are laid on; a log forgets none of them."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.box import Box
from medview.core.case_labels import CaseLabels
from medview.core.changes import PromptChange
from medview.core.errors import LabelError
from medview.core.prompt import Prompt, PromptKind
from medview.core.prompt_log import NOTHING, HeldVoxels, PromptLog
from medview.core.prompt_shape import voxels_of
from medview.core.vector import triple
from tests.edit.grids import KINDS, grid

AT_KJI = (6.0, 14.0, 19.0)


def _prompt(geometry, kind, index_kji, normal_lps, *, positive=True, thickness_mm=1.0, key="p"):
    points = tuple(triple(p) for p in geometry.point_lps_mm(np.atleast_2d(index_kji)))
    return Prompt(key, kind, positive, points, triple(np.asarray(normal_lps) / np.linalg.norm(normal_lps)), thickness_mm)


def _picture(geometry, normal_lps):
    """Return two unit vectors of a picture."""
    normal = np.asarray(normal_lps, dtype=float) / np.linalg.norm(normal_lps)
    down = np.cross(normal, [0.31, -0.2, 0.9])
    down /= np.linalg.norm(down)
    return normal, down, np.cross(normal, down)


@pytest.mark.parametrize("kind", KINDS)
def test_a_point_is_the_voxel_it_lies_in(kind):
    geometry = grid(kind)
    box, mask = voxels_of(_prompt(geometry, PromptKind.POINT, AT_KJI, (0, 0, 1)), geometry)
    assert box == Box((6, 14, 19), (7, 15, 20))
    assert mask.all()


def test_a_point_beside_the_grid_is_no_voxel_and_no_error():
    geometry = grid("oblique")
    box, mask = voxels_of(_prompt(geometry, PromptKind.POINT, (-3.0, 90.0, 4.0), (0, 0, 1)), geometry, 2.0)
    assert box.empty
    assert not mask.any()


@pytest.mark.parametrize("radius", [1.0, 2.0, 3.5])
def test_a_ball_holds_what_lies_within_its_radius(radius):
    geometry = grid("axial")
    box, mask = voxels_of(_prompt(geometry, PromptKind.POINT, AT_KJI, (0, 0, 1)), geometry, radius)
    whole = np.zeros(geometry.shape_kji, dtype=bool)
    whole[box.slices] = mask
    away = np.linalg.norm(np.stack(np.indices(geometry.shape_kji), -1) - AT_KJI, axis=-1)
    assert np.array_equal(whole, away <= radius + 1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("normal", [(0, 0, 1), (0, 1, 0), (1, 0, 0), (0.3, -0.5, 0.8)])
def test_a_lasso_holds_the_voxels_of_its_picture_that_it_goes_around(kind, normal):
    geometry = grid(kind)
    normal, down, right = _picture(geometry, normal)
    middle = geometry.point_lps_mm(AT_KJI)
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    outline = middle + 6.0 * np.sin(angles)[:, None] * down + 4.0 * np.cos(angles)[:, None] * right
    prompt = Prompt("p", PromptKind.LASSO, True, tuple(map(triple, outline)), triple(normal), 0.5)
    box, mask = voxels_of(prompt, geometry)
    away = geometry.point_lps_mm(np.stack(np.indices(geometry.shape_kji), -1)) - middle
    half = np.abs(normal @ geometry.affine_lps[:3, :3]).sum() / 2
    part = ((away @ down) / 6.0) ** 2 + ((away @ right) / 4.0) ** 2
    on_picture = np.abs(away @ normal) < half - 1e-4
    found = np.zeros(geometry.shape_kji, dtype=bool)
    found[box.slices] = mask
    assert found[on_picture & (part < 0.98)].all()
    assert not found[(part > 1.02) | (np.abs(away @ normal) > half + 1e-4)].any()
    assert found.any()


def test_a_scribble_hangs_together_on_the_way_between_its_points():
    from scipy import ndimage

    geometry = grid("oblique")
    box, mask = voxels_of(_prompt(geometry, PromptKind.SCRIBBLE, [(3, 5, 6), (8, 20, 30), (8, 9, 31)], (0, 0, 1)), geometry)
    assert ndimage.label(mask, np.ones((3, 3, 3)))[1] == 1
    assert box == Box((3, 5, 6), (9, 21, 32))


@pytest.mark.parametrize(("kind", "count"), [(PromptKind.POINT, 2), (PromptKind.BOX, 3), (PromptKind.SCRIBBLE, 1)])
def test_a_prompt_takes_as_many_points_as_its_kind(kind, count):
    with pytest.raises(ValueError, match="points"):
        Prompt("p", kind, True, ((0.0, 0.0, 0.0),) * count, (0.0, 0.0, 1.0), 1.0)


def _held(*places):
    mask = np.zeros((4, 5, 6), dtype=bool)
    for place in places:
        mask[place] = True
    return HeldVoxels.of(Box((2, 3, 4), (6, 8, 10)), mask)


def _log(*keys):
    point = ((1.0, 2.0, 3.0),)
    return PromptLog("s", prompts=tuple(Prompt(k, PromptKind.POINT, True, point, (0.0, 0.0, 1.0), 1.0) for k in keys))


def test_held_voxels_are_the_same_whatever_box_they_are_cut_from():
    held = _held((1, 1, 1), (2, 3, 4))
    assert held.box == Box((3, 4, 5), (5, 7, 9))
    again = HeldVoxels.of(Box((0, 0, 0), (9, 9, 12)), held.mask(Box((0, 0, 0), (9, 9, 12))))
    assert again.digest == held.digest
    assert held.digest != _held((1, 1, 1)).digest
    # Without compressing them, from whatever they are read.
    assert HeldVoxels.digest_of(Box((0, 0, 0), (9, 9, 12)), held.mask(Box((0, 0, 0), (9, 9, 12)))) == held.digest
    assert HeldVoxels.digest_of(Box((1, 1, 1), (3, 3, 3)), np.zeros((2, 2, 2), dtype=bool)) == NOTHING.digest


def _going_on(log, held, *engine):
    return log.going_on(held.digest, lambda: held, *engine)


def test_a_log_goes_on_while_nobody_else_changed_the_segment():
    found = _held((1, 1, 1))
    log = _log("a", "b").with_found(found.digest)
    assert _going_on(log, found) is log
    other = _going_on(log, _held((1, 1, 1), (1, 1, 2)))
    assert other.prompts == ()
    assert [p.prompt_id for p in other.settled] == ["a", "b"]
    assert other.base == _held((1, 1, 1), (1, 1, 2))


def test_another_engine_settles_what_the_one_before_found():
    found = _held((1, 1, 1))
    log = _going_on(_log("a").with_found(found.digest), found, "model@1", "abc")
    assert (log.engine, log.model_sha256, len(log.settled), log.prompts) == ("model@1", "abc", 1, ())


def test_prompts_are_taken_back_like_any_other_change():
    labels = CaseLabels.empty(grid("axial"))
    first, second = PromptChange(None, _log("a")), PromptChange(_log("a"), _log("a", "b"))
    labels.apply((first, second))
    assert labels.prompts["s"] == _log("a", "b")
    with pytest.raises(LabelError, match="no longer"):
        labels.apply((first,))
    labels.apply((second.inverse(), first.inverse()))
    assert labels.prompts == {}
