"""Of some validation cases a slice is kept at each look, the same one every time, with what was found on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from medview.core.job import Inline
from medview.ml.examples import UNKNOWN
from medview.ml.runs.folder import RunFolder, RunSettings
from medview.ml.runs.samples import read_samples, sample_steps
from medview.ml.spec import Task
from medview.ml.training.engine.processes import Processes
from medview.ml.training.engine.samples import LARGEST_SIDE, SampleTaker
from medview.ml.training.engine.train import Training, event_log
from medview.ml.training.looked import Looked
from tests.helpers.segmentation_training import phantom_set, tiny_recipe


def looked(key: str, found: int, size: int = 6) -> Looked:
    values = np.arange(3 * size * size, dtype=np.float32).reshape(1, 3, size, size)
    truth = np.zeros((1, 3, size, size), dtype=np.uint8)
    truth[0, 1, 2:4, 1:5], truth[0, 2] = 2, UNKNOWN
    return Looked(key, values, truth, np.full_like(truth, found), (3.0, 2.0, 1.0))


def test_four_cases_spread_over_all_are_shown_on_the_slice_with_most_drawn(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    keys = [f"case_{n}" for n in range(9)]
    taker = SampleTaker(run, keys, Inline())
    for step in (4, 8):
        for key in keys:
            taker.partial(looked(key, step // 4))
        taker.write(step)
    samples = read_samples(run)
    assert samples is not None
    assert [one.key for one in samples.slices] == ["case_0", "case_3", "case_5", "case_8"]
    assert {one.k for one in samples.slices} == {1}
    assert samples.slices[0].aspect == 2.0
    assert int((samples.slices[0].truth == 2).sum()) == 8
    assert [int(plane.max()) for plane in samples.found] == [2] * 4
    assert sample_steps(run) == (4, 8)


def test_large_pictures_become_small_and_a_task_without_pictures_leaves_none(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    taker = SampleTaker(run, ["a"], Inline())
    taker.write(1)
    assert not run.samples.exists()
    taker.partial(looked("a", 1, size=3 * LARGEST_SIDE))
    taker.write(2)
    samples = read_samples(run)
    assert samples is not None
    assert samples.slices[0].grey.shape == (LARGEST_SIDE, LARGEST_SIDE)


def test_a_training_that_is_watched_keeps_samples_and_comes_to_the_same_weights(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    packs = []
    for samples in (True, False):
        run = RunFolder(tmp_path / str(samples))
        run.path.mkdir()
        recipe = replace(tiny_recipe(), steps=2, check_every=1)
        settings = RunSettings(
            Task.SEGMENTATION, recipe, 1, "t", "T", "1", "2026-01-01T00:00:00+00:00", device="cpu", samples=samples
        )
        run.write_json(run.settings_file, settings.document())
        with event_log(run, run.settings(), Processes()) as events:
            Training(run, run.settings(), phantom_set(4), Inline(), lambda: False).carry_out(Processes(), events)
        packs.append((run.pack / "weights.safetensors").read_bytes())
        assert sample_steps(run) == ((1, 2) if samples else ())
    assert packs[0] == packs[1]
