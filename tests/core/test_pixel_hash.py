"""Pixels are recognised, and told from any others."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.geometry import Geometry
from medview.core.pixel_hash import is_pixels_sha256, left_out, pixels_sha256, same_pixels
from medview.core.volume import Volume

SHAPE = (4, 5, 6)


def volume(voxels: np.ndarray) -> Volume:  # type: ignore[type-arg]
    return Volume(voxels, Geometry(SHAPE, np.diag([5.0, 0.9, 0.6, 1.0])))


def numbers() -> np.ndarray:  # type: ignore[type-arg]
    return np.random.default_rng(0).integers(-1000, 1000, SHAPE).astype(np.int16)


def test_one_voxel_two_swapped_slices_a_flip_or_another_type_are_other_pixels() -> None:
    known = pixels_sha256(volume(numbers()))
    assert is_pixels_sha256(known)
    assert pixels_sha256(volume(numbers())) == known
    changed = numbers()
    changed[3, 4, 5] += 1
    others = [changed, numbers()[[0, 2, 1, 3]], numbers()[:, ::-1], numbers()[..., ::-1], numbers().astype(np.int32)]
    assert known not in [pixels_sha256(volume(other)) for other in others]
    assert len({pixels_sha256(volume(other)) for other in others}) == len(others)


def test_pixels_in_any_memory_layout_are_the_same() -> None:
    assert pixels_sha256(volume(np.asfortranarray(numbers()))) == pixels_sha256(volume(numbers()))


def test_slices_that_could_not_be_read_are_left_out_and_named() -> None:
    damaged = numbers()
    damaged[1] = 0
    known = pixels_sha256(volume(damaged), [1])
    assert left_out(known) == {1}
    assert is_pixels_sha256(known)
    assert same_pixels(volume(numbers()), known)
    other = numbers()
    other[2, 0, 0] += 1
    assert not same_pixels(volume(other), known)
    assert not same_pixels(volume(numbers()), pixels_sha256(volume(numbers()), [1, 2]).replace("1,2", "1,3"))
    assert pixels_sha256(volume(numbers()), [1]) != pixels_sha256(volume(numbers()), [2])


@pytest.mark.parametrize("text", ["", "aa", "g" * 64, "a" * 64 + " without", "a" * 64 + " without x", "a" * 65])
def test_a_text_of_another_form_is_no_hash(text: str) -> None:
    assert not is_pixels_sha256(text)


def test_a_slice_that_does_not_exist_is_other_pixels() -> None:
    assert not same_pixels(volume(numbers()), "a" * 64 + " without 9")
