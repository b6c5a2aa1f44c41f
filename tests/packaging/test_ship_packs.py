"""A row is run by the public command line, goes on where it was broken off, and its pack can ship."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import SimpleITK

from medview.core.errors import MedViewError
from medview.core.geometry import Geometry
from medview.ml.packs import load_pack
from medview.ml.registry import fits
from tests.accuracy.trainings.bench import RESULT, Bench
from tests.accuracy.trainings.data import Data
from tests.accuracy.trainings.row import Row, Threshold
from tests.accuracy.trainings.rows import ROWS

SCRIPT = Path(__file__).resolve().parents[2] / "packaging" / "ship_packs.py"

TINY = Row(
    name="tiny",
    title="Bright balls",
    table="Tiny",
    task="segmentation",
    data=Data(
        name="balls",
        title="Balls",
        folder="balls",
        options=("--format", "nifti-pairs", "--label-values", "1=Ball", "--patient-from", r"case\d+"),
        licence="CC0",
        origin="this test",
        patient=r"case\d+",
    ),
    minutes=None,
    thresholds=(Threshold("dice.Ball", 0.0),),
    changes={"steps": 2, "check_every": 2, "batch": 1},
)


@pytest.fixture
def ship_packs() -> ModuleType:
    before = list(sys.path)
    spec = importlib.util.spec_from_file_location("ship_packs", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["ship_packs"] = module
    spec.loader.exec_module(module)
    sys.path[:] = before
    return module


def _balls(folder: Path) -> None:
    rng = np.random.default_rng(5)
    k, j, i = np.indices((10, 14, 12))
    for number in range(8):
        middle = rng.uniform(4, 7, size=3)
        ball = ((k - middle[0]) ** 2 + (j - middle[1]) ** 2 + (i - middle[2]) ** 2 < 9).astype(np.uint8)
        values = (100 * ball + rng.normal(0, 8, ball.shape)).astype(np.float32)
        for kind, array in (("images", values), ("labels", ball)):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            image = SimpleITK.GetImageFromArray(array)
            image.SetSpacing((1.5, 1.0, 2.0))
            SimpleITK.WriteImage(image, folder / kind / f"case{number:02d}.nii.gz")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_row_is_trained_judged_and_shipped_and_goes_on_where_it_was_broken_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ship_packs: ModuleType
) -> None:
    monkeypatch.setitem(ROWS, "tiny", TINY)  # type: ignore[arg-type]
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    _balls(tmp_path / "data" / "balls")
    said: list[str] = []
    bench = Bench(tmp_path / "work", tmp_path / "data", 1.0, said.append)
    found = bench.carry_out(TINY)
    assert found["parts"][0]["steps"] == 2
    assert found["parts"][0]["split_by"] == "patient"
    assert found["machine"]["torch"]
    assert 0 <= found["figures"]["dice.Ball"]["value"] <= 1
    assert [line.partition(";")[0] for line in said] == ["tiny: training", "tiny: judging"]

    # Broken off after the training: it is judged, and not trained again.
    (bench.folder(TINY) / RESULT).unlink()
    trained = (bench.run_of(TINY) / "pack" / "model.json").read_bytes()
    (bench.folder(TINY) / "report" / "report.json").unlink()
    again = bench.carry_out(TINY)
    assert again["figures"] == found["figures"]
    assert (bench.run_of(TINY) / "pack" / "model.json").read_bytes() == trained
    assert [line.partition(";")[0] for line in said[2:]] == ["tiny: judging"]

    one = replace(ship_packs.SHIPPED[0], row="tiny")
    pack = ship_packs.ship(one, bench, tmp_path / "packs")
    assert pack.folder == tmp_path / "packs" / "hippocampus"
    assert pack.sha256 == load_pack(bench.run_of(TINY) / "pack").sha256
    assert (pack.spec.id, pack.spec.licence) == ("hippocampus", "CC BY-SA 4.0")
    assert "by-sa/4.0" in (pack.folder / "LICENSE").read_text()
    assert ship_packs.ship(one, bench, tmp_path / "packs").digest == pack.digest, "once more takes its place"
    page = (pack.folder / "MODEL_CARD.md").read_text()
    assert page.startswith("# Hippocampus 1.0.0\n")
    assert "Medical Segmentation Decathlon" in page
    assert f"- {one.limits[0]}" in page
    assert "Licence: CC BY-SA 4.0. Weights (SHA-256)" in page
    assert "Licence of the data: CC BY-SA 4.0." in page
    assert "Licence of the data: CC BY-SA 4.0." in pack.spec.card.training_data
    folds = ship_packs.page_of(replace(one, part=0), page, found)
    assert "- Of 1 models that validate on other patients each, the first; together: Dice" in folds
    assert pack.spec.card.intended_use.endswith("Research use. Not a medical device.")
    assert pack.spec.card.metrics == load_pack(bench.run_of(TINY) / "pack").spec.card.metrics
    grid = Geometry.from_spacing((10, 14, 12), (2.0, 1.0, 1.5))
    assert fits(pack.spec, "MR", grid, "", colour=False).ok
    assert not fits(pack.spec, "CT", grid, "", colour=False).ok


def test_figures_that_changed_are_named(ship_packs: ModuleType) -> None:
    before = {"dice.A": {"value": 0.9}, "dice.B": {"value": None}}
    assert not ship_packs.changed(before, {"dice.A": {"value": 0.9005}})
    assert ship_packs.changed(before, {"dice.A": {"value": 0.8}}) == "dice.A 0.9 and 0.8"
    assert ship_packs.changed(before, {}) == "dice.A 0.9 and None"


def test_what_has_not_been_run_does_not_ship(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ship_packs: ModuleType
) -> None:
    monkeypatch.setitem(ROWS, "tiny", TINY)  # type: ignore[arg-type]
    _balls(tmp_path / "data" / "balls")
    with pytest.raises((ValueError, MedViewError), match="has not been run to its end"):
        ship_packs.ship(replace(ship_packs.SHIPPED[0], row="tiny"), Bench(tmp_path, tmp_path / "data"), tmp_path / "packs")
