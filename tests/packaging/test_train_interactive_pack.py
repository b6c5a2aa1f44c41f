"""The pack that finds objects from prompts is trained, judged and shipped by its script."""

from __future__ import annotations

import argparse
import importlib.util
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from medview.core.geometry import Geometry
from medview.core.volume import Volume
from medview.ml.examples import Example, ExampleSet, TrainingClass, Truth
from medview.ml.packs import load_pack
from medview.ml.recipes.reader import recipe_document
from medview.ml.recipes.table import choose
from medview.ml.runs.folder import RunFolder
from medview.ml.spec import Task

SCRIPT = Path(__file__).resolve().parents[2] / "packaging" / "train_interactive_pack.py"
SHAPE = (8, 20, 24)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    monkeypatch.syspath_prepend(SCRIPT.parent)
    spec = importlib.util.spec_from_file_location("train_interactive_pack", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path / "root")
    return module


def _options(folder: Path) -> argparse.Namespace:
    recipe = replace(
        choose(Task.INTERACTIVE),
        network_options={"features": 6, "widest": 12},
        options={"grown": True, "tile": [8, 16, 16]},
        batch=2,
        steps=2,
        check_every=2,
    )
    file = folder / "recipe.json"
    file.write_text(json.dumps(recipe_document(recipe)))
    return argparse.Namespace(recipe=str(file), seed=1, minutes=None)


def _blobs(patient: Callable[[int], str]) -> ExampleSet:
    def made(n: int) -> tuple[Volume, Truth]:
        rng = np.random.default_rng(n)
        places = np.stack(np.indices(SHAPE), axis=-1) + 0.5
        mask = (((places - np.array(SHAPE) / 2 - rng.uniform(-1.5, 1.5, 3)) / (2.5, 5.0, 6.0)) ** 2).sum(axis=-1) < 1
        voxels = (100 + 80 * mask + rng.normal(0, 8, SHAPE)).astype(np.int16)
        grid = Geometry.from_spacing(SHAPE, (2.0, 1.0, 1.0))
        return Volume(voxels, grid, modality="MR", series_uid=f"{n}"), Truth(mask[None].astype(np.uint8))

    def example(n: int) -> Example:
        return Example(f"c{n}", patient(n), ("train", "train", "val")[n], lambda: (made(n)[0],), lambda: made(n)[1])

    return ExampleSet(
        Task.INTERACTIVE, (TrainingClass("blob"),), ("image",), tuple(map(example, range(3))), licence="CC-BY-SA-4.0"
    )


def test_it_is_trained_judged_and_shipped_and_one_too_large_leaves_the_shipped_one_alone(
    script: ModuleType, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "run")
    script.train(run, _blobs(lambda n: f"p{n}"), _options(tmp_path))
    assert run.report_page.exists()
    assert not run.gate.exists()
    trained = load_pack(run.pack)
    assert "training_cases.json" not in trained.spec.files

    pack = script.ship(run)
    assert pack.folder == tmp_path / "root" / "resources" / "packs" / "prompted-objects"
    assert pack.sha256 == trained.sha256
    assert "Creative Commons" in (pack.folder / "LICENSE").read_text()
    # What the card counts is what this training had, not all there is.
    said = pack.spec.card.training_data
    assert said.startswith(script.DATA)
    assert not any(letter.isdigit() for letter in script.DATA.replace("Task04", "").replace("4.0", ""))
    assert "2 cases of 2 patients for training" in said

    script.LARGEST_BYTES = 10
    with pytest.raises(SystemExit, match="larger"):
        script.ship(run)
    assert load_pack(pack.folder).digest == pack.digest


def test_a_patient_in_two_splits_is_not_trained_on(script: ModuleType, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    with pytest.raises(SystemExit, match="one split"):
        script.train(run, _blobs(lambda _n: "p"), _options(tmp_path))
    assert run.guards.exists()
    assert not run.settings_file.exists()
