"""Pieces that do not touch: which stay, which go, which become segments; counted by SciPy and SimpleITK."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from medview.core.changes import SegmentChange
from medview.core.errors import LabelError
from medview.core.geometry import Calibration, Geometry
from medview.core.segmentation import Code, SegmentRole
from medview.edit.effects.islands import EFFECT
from medview.edit.rules import EditRules
from tests.edit.effects.given import ONE, held, labels_of, volume_of, work
from tests.edit.grids import KINDS, SHAPE_KJI, grid, segment


def crumbs() -> np.ndarray:
    random = np.random.default_rng(8)
    return np.asarray(
        ndimage.binary_dilation(random.random(SHAPE_KJI) < 0.004, iterations=1) | (random.random(SHAPE_KJI) < 0.01)
    )


def pieces(mask: np.ndarray, *, corners: bool) -> tuple[np.ndarray, np.ndarray]:
    found, count = ndimage.label(mask, ndimage.generate_binary_structure(3, 3 if corners else 1))
    return found, np.bincount(found.ravel(), minlength=count + 1)


@pytest.mark.parametrize("touching", ["corners", "faces"])
def test_the_largest_piece_stays(touching: str) -> None:
    mask = crumbs()
    labels = labels_of("oblique", mask)
    found, sizes = pieces(mask, corners=touching == "corners")
    worked = work(EFFECT, labels, way="largest", touching=touching)
    assert np.array_equal(held(labels, worked), found == 1 + int(np.argmax(sizes[1:])))
    assert worked.note == f"{len(sizes) - 1} pieces"


def test_the_three_largest_stay() -> None:
    mask = crumbs()
    labels = labels_of("axial", mask)
    image = sitk.RelabelComponent(sitk.ConnectedComponent(sitk.GetImageFromArray(mask.astype(np.uint8)), True))
    judge = sitk.GetArrayFromImage(image)
    kept = held(labels, work(EFFECT, labels, way="largest", count=3))
    sizes = np.bincount(judge.ravel())
    assert np.count_nonzero(kept) == sizes[1:4].sum()
    assert pieces(kept, corners=True)[1].size == 4


@pytest.mark.parametrize("kind", KINDS)
def test_small_pieces_go_by_their_volume_in_the_patient(kind: str) -> None:
    mask = crumbs()
    labels = labels_of(kind, mask)
    found, sizes = pieces(mask, corners=True)
    # As large as a piece of seven voxels: that one stays.
    least_mm3 = 7 * grid(kind).voxel_volume_mm3
    kept = held(labels, work(EFFECT, labels, way="small", least_mm3=least_mm3))
    assert np.array_equal(kept, mask & (sizes[found] >= 7))


def test_each_piece_becomes_a_segment_the_largest_stays() -> None:
    mask = np.zeros(SHAPE_KJI, dtype=bool)
    mask[2:5, 3:9, 3:9] = mask[7:9, 20:23, 30:33] = mask[11, 28, 5] = True
    coded = segment(1, name="Node").__class__("n", "Node", (1, 2, 3), 0, 1, code=Code("1", "SCT", "Node"), group="Nodes")
    labels = labels_of("oblique", mask, segments=(coded,))
    worked = work(EFFECT, labels, coded, way="split")
    added = [c.after for c in worked.changes if isinstance(c, SegmentChange) and c.after is not None]
    assert [s.name for s in added] == ["Node 2", "Node 3"]
    assert {(s.code, s.group) for s in added} == {(coded.code, "Nodes")}
    assert len({s.colour for s in (*added, coded)}) == 3
    held_by = [held(labels, worked, s) for s in (coded, *added)]
    assert [np.count_nonzero(h) for h in held_by] == [108, 18, 1]
    assert np.array_equal(np.logical_or.reduce(held_by), mask)
    assert [a.after for a in worked.candidate.amounts] == [108, 18, 1]


def test_pieces_of_what_nobody_is_sure_of_stay_unsure_and_take_nothing_from_what_lies_under_them() -> None:
    mask = np.zeros(SHAPE_KJI, dtype=bool)
    mask[2:5, 3:9, 3:9] = mask[7:9, 20:23, 30:33] = True
    unsure = replace(segment(1, name="Unsure"), role=SegmentRole.IGNORE)
    worked = work(EFFECT, labels_of("oblique", mask, segments=(unsure,)), unsure, way="split")
    (added,) = [c.after for c in worked.changes if isinstance(c, SegmentChange) and c.after is not None]
    assert added.role is SegmentRole.IGNORE


def test_many_pieces_stay_together_beyond_a_hundred() -> None:
    mask = np.zeros(SHAPE_KJI, dtype=bool)
    mask[1:13:2, 1:32:4, 1:40:8] = True
    mask[0, 0, 0] = True
    labels = labels_of("axial", mask)
    worked = work(EFFECT, labels, way="split")
    added = [c.after for c in worked.changes if isinstance(c, SegmentChange) and c.after is not None]
    assert len(added) == 99
    everything = np.logical_or.reduce([held(labels, worked, s) for s in (ONE, *added[:3], *added[-3:])])
    assert np.count_nonzero(everything) == np.count_nonzero(mask) - 99 + 6
    assert labels.count(ONE) == np.count_nonzero(mask)


def test_the_piece_under_the_crosshair_stays_goes_or_becomes_a_segment() -> None:
    mask = np.zeros(SHAPE_KJI, dtype=bool)
    mask[2:5, 3:9, 3:9] = mask[7:9, 20:23, 30:33] = True
    picked = np.zeros_like(mask)
    picked[7:9, 20:23, 30:33] = True
    labels = labels_of("sagittal", mask)
    at = (8, 21, 31)
    assert np.array_equal(held(labels, work(EFFECT, labels, place_kji=at, way="keep")), picked)
    assert np.array_equal(held(labels, work(EFFECT, labels, place_kji=at, way="remove")), mask & ~picked)
    worked = work(EFFECT, labels, place_kji=at, way="own")
    assert isinstance(worked.changes[0], SegmentChange)
    assert worked.changes[0].after is not None
    assert np.array_equal(held(labels, worked, worked.changes[0].after), picked)
    assert np.array_equal(held(labels, worked), mask & ~picked)
    with pytest.raises(LabelError, match="No piece of One"):
        work(EFFECT, labels, place_kji=(6, 15, 15), way="keep")
    assert EFFECT.asks_place({"way": "own"})
    assert not EFFECT.asks_place({"way": "largest"})


def test_on_slices_without_millimetres_pieces_are_told_apart_but_not_by_volume() -> None:
    mask = crumbs()
    labels = labels_of("axial", mask)
    labels.geometry = Geometry(SHAPE_KJI, grid("axial").affine_lps, calibration=Calibration.IN_PLANE)
    found, sizes = pieces(mask, corners=True)
    assert np.array_equal(held(labels, work(EFFECT, labels)), found == 1 + int(np.argmax(sizes[1:])))
    with pytest.raises(LabelError, match="no millimetres"):
        work(EFFECT, labels, way="small")


def test_a_piece_that_may_not_leave_its_segment_makes_no_empty_one() -> None:
    mask = np.zeros(SHAPE_KJI, dtype=bool)
    mask[2:5, 3:9, 3:9] = mask[7:9, 20:23, 30:33] = mask[11, 28, 5] = True
    voxels = np.zeros(SHAPE_KJI, np.int16)
    voxels[11, 28, 5] = 900
    labels = labels_of("axial", mask)
    rules = EditRules(value_range=(-100.0, 100.0))
    worked = work(EFFECT, labels, volume=volume_of(labels.geometry, voxels), rules=rules, way="split")
    added = [c.after for c in worked.changes if isinstance(c, SegmentChange) and c.after is not None]
    assert [s.name for s in added] == ["One 2"]
    assert held(labels, worked)[11, 28, 5]
