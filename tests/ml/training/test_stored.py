"""Prepared examples are there whole or not at all."""

import json
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import ReadError
from medview.ml.training import stored
from medview.ml.training.augment_spatial import drawn_way
from medview.ml.training.stored import StoredExamples, is_stored, store_example


def _values(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 2, (2, 3, 5, 7)).astype(np.float32)


def test_what_is_stored_comes_back_with_what_is_known_of_it(tmp_path: Path) -> None:
    store_example(tmp_path / "cache", "a/../b", _values(), {"answers": {"x": 1.0}})
    assert is_stored(tmp_path / "cache", "a/../b")
    # A key builds no path.
    assert sorted(p.suffix for p in (tmp_path / "cache").iterdir()) == [".json", ".npy"]
    found = StoredExamples.open(tmp_path / "cache", ["a/../b"])
    assert np.array_equal(found.values(0), _values().astype(np.float16))
    assert found.facts[0]["answers"] == {"x": 1.0}


@pytest.mark.parametrize("limit", [0, 1 << 20])
def test_large_sets_are_mapped_and_small_ones_in_memory(
    limit: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "KEPT_BYTES", limit)
    for n in range(3):
        store_example(tmp_path, str(n), _values(n), {})
    found = StoredExamples.open(tmp_path, ["2", "0", "1"])
    assert isinstance(found.values(1), np.memmap) is (limit == 0)
    some = found.chosen([2, 0])
    assert some.keys == ("1", "2")
    assert np.array_equal(some.values(0), _values(1).astype(np.float16))


def test_square_pixels_of_one_slice_are_turned_to_the_bit_as_on_a_grid_without_sides(tmp_path: Path) -> None:
    sides = {"square": (5.0, 0.7, 0.7), "rounded": (1.0, 300 / 149, 450 / 224), "oblong": (4.0, 1.5, 1.0)}
    for key, spacing in sides.items():
        store_example(tmp_path, key, _values(), {"spacing": spacing})
    store_example(tmp_path, "older", _values(), {})
    found = StoredExamples.open(tmp_path, [*sides, "older"])
    said = [found.spacing_kji(n) for n in range(4)]
    assert [one[1:] for one in said] == [(1.0, 1.0), (1.0, 1.0), (1.5, 1.0), (1.0, 1.0)]
    store_example(tmp_path, "even", _values(), {"spacing": (1.004, 0.998, 1.0)})
    assert StoredExamples.open(tmp_path, ["even"]).spacing_kji(0) == (1.0, 1.0, 1.0)
    strengths = {"rotate": 30.0, "scale": 0.2, "stretch": 0.1, "shear": 0.2, "shift": 0.1, "quarter": 0.5}
    ways = [
        drawn_way(strengths, np.random.default_rng(3), (1, 20, 20), np.array([0.5, 9.0, 9.0]), one, bend=False).matrix
        for one in said
    ]
    assert np.array_equal(ways[0], ways[3])
    assert np.array_equal(ways[1], ways[3])
    assert not np.array_equal(ways[2], ways[3])


def test_numbers_too_large_for_half_precision_stay_numbers(tmp_path: Path) -> None:
    store_example(tmp_path, "a", np.full((1, 1, 2, 2), 1e9, dtype=np.float32), {})
    assert np.isfinite(StoredExamples.open(tmp_path, ["a"]).values(0)).all()


def test_a_torn_or_missing_example_is_said(tmp_path: Path) -> None:
    store_example(tmp_path, "a", _values(), {})
    with pytest.raises(ReadError, match="b cannot be read"):
        StoredExamples.open(tmp_path, ["a", "b"])
    (array,) = tmp_path.glob("*.npy")
    array.write_bytes(array.read_bytes()[:-10])
    with pytest.raises(ReadError, match="a is torn"):
        StoredExamples.open(tmp_path, ["a"])


def test_an_example_without_its_facts_is_not_there(tmp_path: Path) -> None:
    store_example(tmp_path, "a", _values(), {})
    (document,) = tmp_path.glob("*.json")
    assert json.loads(document.read_text())["bytes"] > 0
    document.unlink()
    assert not is_stored(tmp_path, "a")
    store_example(tmp_path, "a", _values(2), {})
    assert np.array_equal(StoredExamples.open(tmp_path, ["a"]).values(0), _values(2).astype(np.float16))
