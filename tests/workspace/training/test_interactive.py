"""Masks become a model that finds objects from prompts: frozen, trained, judged beside growing, with a card."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import CancelledError
from medview.core.job import Inline
from medview.io.reader_pool import InlinePool
from medview.ml.packs import load_pack
from medview.ml.recipes.table import choose
from medview.ml.runs.folder import RunFolder
from medview.ml.spec import Task
from medview.workspace.training.child import train_run
from medview.workspace.training.freeze import Wanted, freeze
from tests.helpers.dataset_folders import MadeCase, segment, write_dataset

SHAPE = (8, 20, 24)


def blobs(folder: Path, count: int = 6) -> Path:
    """Bright blobs on oblique grids, of two patients in three for training."""
    cases = []
    for n in range(count):
        rng = np.random.default_rng(n)
        places = np.stack(np.indices(SHAPE), axis=-1) + 0.5
        middle = np.array(SHAPE) / 2 + rng.uniform(-1.5, 1.5, 3)
        mask = (((places - middle) / (2.5, 5.0, 6.0)) ** 2).sum(axis=-1) < 1
        voxels = (100 + 80 * mask + rng.normal(0, 8, SHAPE)).astype(np.int16)
        drawn = [segment("blob", 0, 1, voxels=int(mask.sum()))]
        cases.append(MadeCase(voxels, mask[None].astype(np.uint8), drawn, f"P{n}", ("train", "train", "val")[n % 3]))
    write_dataset(folder, cases, ["blob"])
    return folder


def training(folder: Path, name: str) -> RunFolder:
    recipe = replace(
        choose(Task.INTERACTIVE),
        network_options={"features": 6, "widest": 12},
        options={"grown": True, "tile": [8, 16, 16]},
        batch=2,
        steps=6,
        check_every=3,
    )
    source = folder / "data"
    if not source.exists():
        blobs(source)
    wanted = Wanted(source, Task.INTERACTIVE, recipe, seed=2, device="cpu", confirmed=True)
    return freeze(wanted, folder / name, Inline(), InlinePool(), lambda _said: None)


def test_a_training_is_judged_by_clicks_and_goes_on_as_if_nothing_had_stopped_it(tmp_path: Path) -> None:
    run = training(tmp_path, "run")
    result = train_run(run.path, Inline(), lambda: False)
    assert (result["task"], result["steps"]) == ("interactive", 6)
    report = json.loads(run.report.read_text())
    (row,) = report["per_class"]
    assert row["name"] == "blob"
    assert row["objects"] == 2
    assert {"dice_1", "dice_3", "dice_5", "growing_1", "growing_3", "growing_5"} < set(row)
    assert set(report["click_seconds"]) == {"median", "p95", "first_median", "first_p95"}
    pack = load_pack(run.pack)
    assert pack.spec.card.metrics["Dice after 3 clicks"] == pytest.approx(row["dice_3"], abs=1e-3)
    assert "Growing alone" in (run.pack / "MODEL_CARD.md").read_text()
    assert "From a click to the mask" in run.report_page.read_text()

    again, looks = training(tmp_path, "again"), []
    with pytest.raises(CancelledError):
        train_run(again.path, Inline(), lambda: looks.append(1) or len(looks) > 10)
    train_run(again.path, Inline(), lambda: False)
    weights = [(one.pack / "weights.safetensors").read_bytes() for one in (run, again)]
    assert weights[0] == weights[1]
