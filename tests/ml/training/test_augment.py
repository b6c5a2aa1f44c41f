"""Augmentation moves pictures, labels and boxes together, and the same seed moves them the same way."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from medview.core.geometry import Geometry
from medview.core.volume import Volume
from medview.ml.examples import UNKNOWN, Example, TrueBox, Truth
from medview.ml.recipes.recipe import Recipe
from medview.ml.spec import Task
from medview.ml.training.augment import STRENGTHS, augment_sample
from medview.ml.training.augment_preview import preview
from medview.ml.training.augment_values import CHANGES, change_values

ALL = {
    "rotate": 25.0,
    "scale": 0.3,
    "stretch": 0.1,
    "shear": 0.1,
    "shift": 0.1,
    "elastic": 1.0,
    "flip_i": 0.5,
    "flip_j": 0.5,
    "quarter": 0.5,
    "value_chance": 1.0,
    "gain": 0.3,
    "offset": 0.3,
    "gamma": 0.3,
    "noise": 0.2,
    "blur": 1.0,
    "low_res": 0.5,
}
MOVES = {name: ALL[name] for name in ("rotate", "scale", "stretch", "shear", "shift", "flip_i", "flip_j", "quarter")}


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def _field(shape: tuple[int, int, int] = (9, 14, 17)) -> np.ndarray:
    return _rng(3).standard_normal((2, *shape)).astype(np.float32)


def _blob(shape: tuple[int, int, int], middle: tuple[float, ...], radii: tuple[float, ...]) -> np.ndarray:
    places = np.stack(np.meshgrid(*(np.arange(n) + 0.5 for n in shape), indexing="ij"), axis=-1)
    return ((((places - middle) / radii) ** 2).sum(axis=-1) < 1).astype(np.uint8)


def test_without_strengths_a_sample_is_an_exact_copy() -> None:
    values = _field()
    labels = (values[:1] > 0).astype(np.uint8)
    boxes = np.array([[1, 2, 3, 4, 6, 8]], dtype=np.float32)
    sample = augment_sample(values, labels, boxes, {}, _rng(), (9, 14, 17))
    np.testing.assert_array_equal(sample.values, values)
    np.testing.assert_array_equal(sample.labels, labels)
    np.testing.assert_array_equal(sample.boxes, boxes)
    sample.values[:] = 0
    assert values.any()


def test_a_cut_beyond_the_border_is_unknown_there_and_zero_or_the_outermost_values() -> None:
    values, labels = _field(), np.ones((1, 9, 14, 17), np.uint8)
    given = {"centre_kji": (1.0, 7.0, 16.0)}
    sample = augment_sample(values, labels, None, {}, _rng(), (6, 4, 4), **given)
    assert sample.labels is not None
    assert (sample.labels[0, :2] == UNKNOWN).all()
    assert (sample.labels[0, :, :, 3] == UNKNOWN).all()
    assert (sample.labels[0, 2:, :, :3] == 1).all()
    np.testing.assert_array_equal(sample.values[:, 2:, :, :3], values[:, :4, 5:9, 14:])
    assert not sample.values[:, :2].any()
    sample = augment_sample(values, labels, None, {}, _rng(), (6, 4, 4), edge=True, **given)
    np.testing.assert_array_equal(sample.values[:, 0, :, 0], values[:, 0, 5:9, 14])


def test_a_sample_that_lies_wholly_outside_is_unknown() -> None:
    values, labels = _field(), np.ones((1, 9, 14, 17), np.uint8)
    for strengths in ({}, {"rotate": 20.0}):
        for edge in (False, True):
            sample = augment_sample(
                values, labels, None, strengths, _rng(), (4, 4, 4), centre_kji=(-40.0, 60.0, 8.0), edge=edge
            )
            assert sample.values.shape == (2, 4, 4, 4)
            assert (sample.labels == UNKNOWN).all()


@pytest.mark.parametrize("seed", range(4))
def test_values_are_those_of_scipy_along_the_same_way(seed: int) -> None:
    values = _field((20, 24, 28))
    sample = augment_sample(values, None, None, MOVES, _rng(seed), (10, 12, 14), spacing_kji=(2.0, 1.0, 1.0))
    way = sample.way
    out = np.array((10, 12, 14))
    offset = way.centre + way.matrix @ (0.5 - out / 2) - 0.5
    expected = ndimage.affine_transform(values[1], way.matrix, offset, tuple(out), order=1, mode="constant")
    inside = ndimage.affine_transform(np.ones_like(values[1]), way.matrix, offset, tuple(out), order=1, mode="constant")
    whole = inside > 1 - 1e-6
    assert whole.mean() > 0.3
    np.testing.assert_allclose(sample.values[1][whole], expected[whole], atol=2e-4)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("shape", "flat"), [((24, 40, 36), False), ((1, 48, 40), True)])
def test_picture_labels_and_boxes_stay_together(seed: int, shape: tuple[int, int, int], flat: bool) -> None:
    middle, radii = (0.5 if flat else 11.0, 22.0, 17.0), (5.0 if flat else 4.0, 6.0, 3.0)
    blob = _blob(shape, middle, radii)
    low, high = np.subtract(middle, radii), np.add(middle, radii)
    boxes = np.array([[*low, *high]], dtype=np.float32)
    values = blob[None].astype(np.float32)
    sample = augment_sample(values, blob[None], boxes, MOVES, _rng(seed), shape)
    assert sample.labels is not None
    there = sample.labels[0] == 1
    bright = sample.values[0] > 0.5
    assert (there & bright).sum() / (there | bright).sum() > 0.85
    for axis in (1, 2) if flat else (0, 1, 2):
        found = np.flatnonzero(there.any(axis=tuple(n for n in range(3) if n != axis)))
        assert sample.boxes[0, axis] == pytest.approx(found[0], abs=1.3)
        assert sample.boxes[0, axis + 3] == pytest.approx(found[-1] + 1, abs=1.3)


def test_flips_and_quarter_turns_move_boxes_exactly() -> None:
    values = _field((5, 12, 12))
    box = np.array([[1, 2, 3, 3, 5, 9]], dtype=np.float32)
    flipped = augment_sample(values, None, box, {"flip_i": 1.0}, _rng(), (5, 12, 12))
    np.testing.assert_array_equal(flipped.values, values[..., ::-1])
    np.testing.assert_allclose(flipped.boxes, [[1, 2, 3, 3, 5, 9]])
    turned = augment_sample(values, None, box, {"quarter": 1.0}, _rng(1), (5, 12, 12))
    assert any(np.array_equal(turned.values, np.rot90(values, n, (2, 3))) for n in (1, 2, 3))
    inside = turned.values[
        :, *(slice(int(a), int(b)) for a, b in zip(turned.boxes[0, :3], turned.boxes[0, 3:], strict=True))
    ]
    assert np.sort(inside, axis=None) == pytest.approx(np.sort(values[:, 1:3, 2:5, 3:9], axis=None))


def test_pixels_that_are_no_squares_get_no_quarter_turn() -> None:
    values = _field((5, 12, 12))
    for seed in range(6):
        turned = augment_sample(values, None, None, {"quarter": 1.0}, _rng(seed), (5, 12, 12), spacing_kji=(1.0, 1.0, 2.0))
        np.testing.assert_array_equal(turned.values, values[:, :, ::-1, ::-1])


def test_turns_are_turns_of_the_patient_and_stay_in_the_plane_of_thick_slices() -> None:
    for seed in range(4):
        way = augment_sample(_field(), None, None, {"rotate": 40.0}, _rng(seed), (4, 4, 4), spacing_kji=(2, 1, 0.8)).way
        true = np.diag((2, 1, 0.8)) @ way.matrix @ np.diag((1 / 2, 1, 1 / 0.8))
        np.testing.assert_allclose(true @ true.T, np.eye(3), atol=1e-12)
        assert abs(true[0, 1]) > 1e-3
        thick = augment_sample(_field(), None, None, {"rotate": 40.0}, _rng(seed), (4, 4, 4), spacing_kji=(5, 1, 1)).way
        np.testing.assert_allclose(thick.matrix[0], (1, 0, 0), atol=1e-12)


def test_samples_that_are_spared_from_turns_are_shifted_by_whole_voxels() -> None:
    values = _field((12, 20, 20))
    strengths = {"spatial_chance": 0.0, "rotate": 30.0, "shift": 0.3}
    starts = set()
    for seed in range(8):
        sample = augment_sample(values, None, None, strengths, _rng(seed), (4, 8, 8))
        k, j, i = (sample.way.centre - (2, 4, 4)).astype(int)
        np.testing.assert_array_equal(sample.values, values[:, k : k + 4, j : j + 8, i : i + 8])
        starts.add((k, j, i))
    assert len(starts) > 4


def test_the_same_seed_gives_the_same_sample_and_another_one_another() -> None:
    values, labels = _field((12, 20, 20)), (_field((12, 20, 20))[:1] > 0).astype(np.uint8)
    one, again, other = (augment_sample(values, labels, None, ALL, _rng(n), (8, 16, 16)) for n in (7, 7, 8))
    np.testing.assert_array_equal(one.values, again.values)
    np.testing.assert_array_equal(one.labels, again.labels)
    assert not np.allclose(one.values, other.values)


def test_mapped_half_precision_files_do_as_sources(tmp_path) -> None:
    values = _field().astype(np.float16)
    np.save(tmp_path / "values.npy", values)
    mapped = np.load(tmp_path / "values.npy", mmap_mode="r")
    from_file = augment_sample(mapped, None, None, ALL, _rng(), (6, 10, 10))
    from_memory = augment_sample(values, None, None, ALL, _rng(), (6, 10, 10))
    assert from_file.values.dtype == np.float32
    np.testing.assert_array_equal(from_file.values, from_memory.values)


def test_bending_moves_what_it_is_asked_to_and_no_boxes() -> None:
    values = _field((12, 20, 20))
    bent = augment_sample(values, None, None, {"elastic": 2.0}, _rng(), (12, 20, 20))
    assert np.isfinite(bent.values).all()
    assert not np.allclose(bent.values, values)
    with_boxes = augment_sample(values, None, np.zeros((0, 6), np.float32), {"elastic": 2.0}, _rng(), (12, 20, 20))
    np.testing.assert_array_equal(with_boxes.values, values)


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_of_values_changes_values_and_stays_finite(name: str) -> None:
    before = _field()
    for flat in (True, False):
        after = before.copy()
        change_values(after, {name: 0.5}, _rng(2), 1.0, flat=flat)
        assert np.isfinite(after).all()
        assert all(not np.allclose(a, b) for a, b in zip(after, before, strict=True))
        untouched = before.copy()
        change_values(untouched, {name: 0.5}, _rng(2), 0.0, flat=flat)
        np.testing.assert_array_equal(untouched, before)
        flat_picture = np.ones_like(before)
        change_values(flat_picture, {name: 0.5}, _rng(2), 1.0, flat=flat)
        assert np.isfinite(flat_picture).all()


def test_a_blur_is_that_of_scipy() -> None:
    values = _field((1, 30, 30))
    blurred = values.copy()
    rng = _rng(5)
    rng.random()
    drawn = rng.uniform(-1.0, 1.0)
    change_values(blurred[:1], {"blur": 2.0}, _rng(5), 1.0, flat=True)
    expected = ndimage.gaussian_filter(values[0, 0], 2.0 * abs(drawn), mode="nearest", truncate=3.0)
    np.testing.assert_allclose(blurred[0, 0], expected, atol=2e-2)


def test_gamma_keeps_mean_and_deviation() -> None:
    values = _field()
    after = values.copy()
    change_values(after, {"gamma": 1.0}, _rng(1), 1.0, flat=False)
    assert after.mean() == pytest.approx(values.mean(), abs=1e-2)
    assert after.std() == pytest.approx(values.std(), rel=1e-2)


def test_every_strength_that_is_used_is_described() -> None:
    assert set(ALL) <= set(STRENGTHS)
    assert set(CHANGES) <= set(STRENGTHS)
    assert all(low <= high and text for text, low, high in STRENGTHS.values())


def test_a_preview_shows_an_example_before_and_after_with_its_seed() -> None:
    shape = (6, 20, 24)
    affine = np.diag([0.7, 0.8, 3.0, 1.0])[:, [2, 1, 0, 3]]
    volume = Volume(_rng().integers(0, 900, shape).astype(np.int16), Geometry(shape, affine))
    truth = Truth(_blob(shape, (3, 10, 12), (2, 5, 6))[None], boxes=(TrueBox(1, (1, 5, 6), (5, 15, 18)),))
    example = Example("a", "p", "train", lambda: (volume,), lambda: truth)
    recipe = Recipe("r", Task.SEGMENTATION, "", "residual_unet", augment=MOVES)
    one, again, other = (preview(example, recipe, seed) for seed in (1, 1, 2))
    assert one.before.shape == one.after.values.shape == (1, *shape)
    assert one.before.std() == pytest.approx(1, abs=1e-3)
    np.testing.assert_array_equal(one.after.values, again.after.values)
    assert not np.allclose(one.after.values, other.after.values)
    assert one.after.boxes.shape == (1, 6)
