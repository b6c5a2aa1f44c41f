"""Prepared examples on the disk, and samples drawn from them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import CancelledError, ReadError, WriteError
from medview.core.geometry import Calibration
from medview.core.job import Inline
from medview.core.volume import Volume
from medview.ml.examples import UNKNOWN, Truth
from medview.ml.runners.preprocess import prepare
from medview.ml.spec import ChannelSpec, InputSpec, Step
from medview.ml.training.segmentation.samples import collate_samples, draw_sample
from medview.ml.training.segmentation.stored import class_maps, folder_of, open_examples, store_example
from tests.helpers.segmentation_training import example_of, phantom_case

AS_IT_IS = InputSpec((ChannelSpec("MR", intensity=(Step("zscore"),)),), None, None)


def _stored(cache: Path, truth: Truth | None = None, *, overlapping: bool = False, key: str = "a", **how: object):
    volume, drawn = phantom_case(3, **how)
    example = example_of(key, volume, truth or drawn)
    store_example(example, AS_IT_IS, 2, cache, Inline(), overlapping=overlapping)
    return open_examples(cache, [key])[0], volume, drawn


def test_what_is_stored_is_what_the_runner_would_show_the_network(tmp_path: Path) -> None:
    stored, volume, truth = _stored(tmp_path)
    expected = prepare((volume,), AS_IT_IS, Inline()).values.numpy()
    np.testing.assert_allclose(stored.values(), expected, atol=2e-3)
    np.testing.assert_array_equal(stored.labels(), truth.layers)
    assert stored.voxel_mm3 == pytest.approx(2.0)
    assert stored.spacing_kji == (2.0, 1.0, 1.0)
    places = stored.places()
    assert set(places[:, 0]) == {1, 2}
    assert all(truth.layers[0, k, j, i] == number for number, k, j, i in places)


@pytest.mark.skipif(os.name != "posix", reason="rights are those of the folder there")
def test_others_of_a_shared_project_may_go_on_with_what_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.umask(0o022)
    try:
        stored, _, _ = _stored(tmp_path)
    finally:
        os.umask(before)
    assert stored.folder.stat().st_mode & 0o777 == 0o755

    def denied(_path: Path) -> bool:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(Path, "exists", denied)
    with pytest.raises(WriteError, match="may not be written"):
        _stored(tmp_path)


def test_labels_go_with_the_values_to_another_spacing_and_orientation() -> None:
    volume, truth = phantom_case(3)
    wanted = InputSpec(AS_IT_IS.channels, (1.0, 1.0, 1.0), "RAS")
    prepared = prepare((volume,), wanted, Inline())
    labels = class_maps(truth, prepared, 2, overlapping=False)
    assert labels.shape[1:] == prepared.values.shape[1:] == (22, 18, 20)
    for number, bright in ((1, True), (2, False)):
        inside = prepared.values[0].numpy()[labels[0] == number]
        assert (inside.mean() > 1) == bright
        assert len(inside) == pytest.approx(2 * (truth.layers == number).sum(), rel=0.05)


def test_what_one_layer_does_not_know_nobody_knows() -> None:
    volume, _ = phantom_case(3, (1, 2, 3))
    layers = np.array([[[[0, 1, UNKNOWN], [0, 0, 1]]], [[[0, 0, 2], [2, UNKNOWN, 0]]]], dtype=np.uint8)
    prepared = prepare((volume,), AS_IT_IS, Inline())
    one = class_maps(Truth(layers), prepared, 2, overlapping=False)
    assert one.tolist() == [[[[0, 1, UNKNOWN], [2, UNKNOWN, 1]]]]
    each = class_maps(Truth(layers, frozenset({2})), prepared, 2, overlapping=True)
    assert each[0].tolist() == [[[0, 1, UNKNOWN], [0, UNKNOWN, 1]]]
    # Class 2 is open: only where it is drawn does anybody know.
    assert each[1].tolist() == [[[UNKNOWN, UNKNOWN, 1], [1, UNKNOWN, UNKNOWN]]]
    assert (class_maps(Truth(), prepared, 2, overlapping=False) == UNKNOWN).all()


def test_the_few_cases_that_know_a_class_are_drawn_often(tmp_path: Path) -> None:
    volume, drawn = phantom_case(3)
    assert drawn.layers is not None
    old = Truth(np.where(drawn.layers == 1, drawn.layers, 0).astype(np.uint8), frozenset({2}))
    keys = ["new", *(f"old-{n}" for n in range(9))]
    for key in keys:
        example = example_of(key, volume, drawn if key == "new" else old)
        store_example(example, AS_IT_IS, 2, tmp_path, Inline(), overlapping=False)
    examples = open_examples(tmp_path, keys)
    assert [one.shown for one in examples[:2]] == [(1, 2), (1,)]
    samples = [draw_sample(examples, (4, 4, 4), {}, 0.5, np.random.default_rng(n)) for n in range(400)]
    # Half of the samples by class, half of those of the class one case alone shows; the rest evenly.
    share = np.mean([not sample.open_classes for sample in samples])
    assert share == pytest.approx(0.5 * (0.5 + 0.5 * 0.1) + 0.5 * 0.1, abs=0.06)


def test_an_example_that_is_there_is_not_prepared_again(tmp_path: Path) -> None:
    stored, volume, truth = _stored(tmp_path)
    when = (stored.folder / "values.npy").stat().st_mtime_ns

    def fails() -> tuple[Volume, ...]:
        raise AssertionError

    store_example(example_of("a", volume, truth), AS_IT_IS, 2, tmp_path, Inline(), overlapping=False)
    assert (stored.folder / "values.npy").stat().st_mtime_ns == when


def test_a_cancelled_example_leaves_nothing_behind(tmp_path: Path) -> None:
    context = Inline()
    context.cancel()
    with pytest.raises(CancelledError):
        store_example(example_of("a", *phantom_case(1)), AS_IT_IS, 2, tmp_path, context, overlapping=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["example.json", "values.npy", "labels.npy", "places.npy"])
def test_torn_and_missing_examples_are_told_by_name(tmp_path: Path, name: str) -> None:
    stored, _, _ = _stored(tmp_path)
    file = stored.folder / name
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(ReadError, match="example a cannot be read; delete"):
        open_examples(tmp_path, ["a"])
    file.unlink()
    with pytest.raises(ReadError, match="example a"):
        open_examples(tmp_path, ["a"])


def test_keys_that_are_no_plain_names_stay_inside_the_cache(tmp_path: Path) -> None:
    for key in ("../out", "a/b", "..", "", "x" * 300, ".hidden"):
        assert folder_of(tmp_path, key).parent == tmp_path
    assert folder_of(tmp_path, "a/b") != folder_of(tmp_path, "a-b")
    stored, _, _ = _stored(tmp_path, key="../a b")
    assert stored.folder.parent == tmp_path


def test_samples_are_drawn_around_voxels_of_every_class(tmp_path: Path) -> None:
    stored, _, _ = _stored(tmp_path, shape_kji=(10, 60, 60))
    rng = np.random.default_rng(0)
    drawn = [draw_sample([stored], (8, 16, 16), {}, 1.0, rng) for _ in range(30)]
    assert all(sample.values.shape == (1, 8, 16, 16) for sample in drawn)
    assert not any((sample.labels == UNKNOWN).any() for sample in drawn)
    shares = [np.mean([(sample.labels == number).any() for sample in drawn]) for number in (1, 2)]
    assert min(shares) > 0.25
    elsewhere = [draw_sample([stored], (8, 16, 16), {}, 0.0, rng) for _ in range(30)]
    assert np.mean([(s.labels > 0).mean() for s in elsewhere]) < 0.7 * np.mean([(s.labels > 0).mean() for s in drawn])


def test_samples_of_small_examples_show_all_of_them_and_unknown_around(tmp_path: Path) -> None:
    stored, _, _ = _stored(tmp_path)
    sample = draw_sample([stored], (16, 32, 32), {}, 0.5, np.random.default_rng(1))
    assert (sample.labels != UNKNOWN).sum() == 10 * 18 * 22
    np.testing.assert_array_equal(sample.values[0, 3:13, 7:25, 5:27], stored.values()[0].astype(np.float32))


def test_the_same_generator_draws_the_same_sample(tmp_path: Path) -> None:
    stored, _, _ = _stored(tmp_path, shape_kji=(10, 40, 40))
    strengths = {"rotate": 20.0, "scale": 0.2, "noise": 0.3}
    one, again = (draw_sample([stored], (8, 16, 16), strengths, 0.5, np.random.default_rng([1, 2, 3])) for _ in range(2))
    np.testing.assert_array_equal(one.values, again.values)
    np.testing.assert_array_equal(one.labels, again.labels)


def test_batches_of_slices_have_no_axis_of_slices(tmp_path: Path) -> None:
    stored, _, _ = _stored(tmp_path, shape_kji=(1, 24, 20), calibration=Calibration.PIXELS)
    rng = np.random.default_rng(0)
    batch = collate_samples([draw_sample([stored], (1, 16, 16), {}, 0.5, rng) for _ in range(3)])
    assert batch.values.shape == batch.labels.shape == (3, 1, 16, 16)
    solid = collate_samples([draw_sample([stored], (8, 16, 16), {}, 0.5, rng) for _ in range(2)])
    assert solid.values.shape == (2, 1, 8, 16, 16)
