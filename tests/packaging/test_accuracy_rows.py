"""The published trainings: their rows, folds, figures, and the page that is written from them."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medview.ml.recipes.reader import read_recipe
from medview.ml.recipes.table import DEFAULTS
from medview.ml.spec import Task
from tests.accuracy.trainings.__main__ import chosen
from tests.accuracy.trainings.bench import RESULT, Bench, code_sha256, recipe_of
from tests.accuracy.trainings.command_line import ROOT
from tests.accuracy.trainings.data import SUNNYBROOK, Data
from tests.accuracy.trainings.figures import pooled
from tests.accuracy.trainings.machine import machine
from tests.accuracy.trainings.page import page_of
from tests.accuracy.trainings.row import Row, Threshold
from tests.accuracy.trainings.rows import ROWS


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A bench with a file for every dataset."""
    for row in ROWS.values():
        folder = tmp_path / "data" / row.data.folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "file").write_bytes(row.data.folder.encode())
    return Bench(tmp_path / "work", tmp_path / "data")


def test_what_is_asked_is_trained_with_the_default_recipe_of_its_task(bench: Bench) -> None:
    asked = [row for row in ROWS.values() if row.thresholds]
    assert {row.data.name for row in asked} >= {"hippocampus", "sunnybrook", "bccd", "pneumonia"}
    for row in asked:
        assert not row.recipe
        # A longer training is still the same recipe.
        assert set(row.changes) <= {"steps"}
        default = read_recipe(json.dumps(bench.recipe(replace(row, changes={}))))
        assert default.name == DEFAULTS[Task(row.task)]


def test_every_recipe_of_a_row_can_be_read_and_every_parent_stands_before(bench: Bench) -> None:
    names = list(ROWS)
    for place, row in enumerate(ROWS.values()):
        assert bench.recipe(row)["task"] == row.task
        assert not row.parent or names.index(row.parent) < place


def test_a_program_that_trains_a_row_by_itself_is_there_and_understands_what_it_is_told() -> None:
    scripts = [row.script for row in ROWS.values() if row.script]
    assert scripts == ["packaging/train_interactive_pack.py"]
    text = (ROOT / scripts[0]).read_text("utf-8")
    assert all(f'"{option}"' in text for option in ("run", "--minutes", "--seed", "--recipe", "--data"))


def test_another_recipe_budget_or_dataset_is_another_folder(bench: Bench) -> None:
    row = ROWS["pneumonia"]
    keys = {
        bench.key(row),
        bench.key(replace(row, minutes=11)),
        bench.key(replace(row, seed=1)),
        bench.key(replace(row, changes={"augment": {}})),
        replace(bench, share=0.5).key(row),
    }
    (bench.data / row.data.folder / "file").write_bytes(b"changed")
    keys.add(bench.key(row))
    assert len(keys) == 6


def test_a_row_that_is_done_is_not_run_again(bench: Bench) -> None:
    row = ROWS["bccd-15min"]
    bench.folder(row).mkdir(parents=True)
    (bench.folder(row) / RESULT).write_text('{"row": "bccd-15min"}')
    # There is no dataset to train on, so running would fail.
    assert bench.carry_out(row) == {"row": "bccd-15min"}


def test_a_share_of_the_budget_shortens_time_and_steps(bench: Bench) -> None:
    short = replace(bench, share=0.1)
    assert short.minutes(ROWS["hippocampus-20min"]) == pytest.approx(2.0)
    assert short.recipe(ROWS["hippocampus-shipped"])["steps"] * 10 == bench.recipe(ROWS["hippocampus-shipped"])["steps"]


def test_every_patient_validates_in_one_fold_and_groups_are_in_all(tmp_path: Path) -> None:
    images = tmp_path / SUNNYBROOK.folder / "Images" / "Part1"
    images.mkdir(parents=True)
    for group in ("HF-I", "HF-NI", "HYP", "N"):
        for patient in range(5):
            for number in range(3):
                (images / f"SC-{group}-{patient:02d}-IM-{number:04d}.dcm.png").touch()
    held: Counter[str] = Counter()
    for fold in range(5):
        SUNNYBROOK.write_fold(tmp_path, fold, 5, tmp_path / "splits.csv")
        with (tmp_path / "splits.csv").open(newline="") as opened:
            rows = list(csv.DictReader(opened))
        assert len(rows) == 60
        validating = {row["name"].split("-IM-")[0] for row in rows if row["split"] == "val"}
        training = {row["name"].split("-IM-")[0] for row in rows if row["split"] == "train"}
        assert not validating & training
        assert {name.rpartition("-")[0] for name in validating} == {"SC-HF-I", "SC-HF-NI", "SC-HYP", "SC-N"}
        held.update(validating)
    assert set(held.values()) == {1}
    assert len(held) == 20


def test_figures_of_folds_are_those_of_all_their_cases_together() -> None:
    def report(dices: list[float | None], patients: list[str]) -> dict[str, Any]:
        return {
            "by_case": [
                {"case": f"c{n}", "patient": patient, "classes": [{"name": "LV", "dice": dice}]}
                for n, (dice, patient) in enumerate(zip(dices, patients, strict=True))
            ]
        }

    found = pooled([report([0.9, 0.8, None], ["a", "a", "b"]), report([0.5], ["a"])])
    assert found["dice.LV"]["value"] == pytest.approx((0.9 + 0.8 + 0.5) / 3)
    # The patients of two folds are two people, or there were no interval.
    assert found["dice.LV"]["low"] == pytest.approx(0.5)
    assert found["dice.LV"]["high"] == pytest.approx(0.85)
    sound = pooled([report([0.9, 0.1], ["a", "b"]), report([0.5], ["c"])], without={"b"})
    assert {name: one["value"] for name, one in sound.items()} == {"dice.LV.without-doubtful": pytest.approx(0.7)}
    with pytest.raises(ValueError, match="d cannot be left out"):
        pooled([report([0.9], ["a"])], without={"d"})


def test_a_threshold_is_a_number_or_another_figure() -> None:
    figures = {"dice_1": {"value": 0.9}, "growing_1": {"value": 0.9}, "none": {"value": None}}
    assert Threshold("dice_1", 0.9).reached(figures)
    assert not Threshold("dice_1", 0.91).reached(figures)
    assert not Threshold("dice_1", above="growing_1").reached(figures)
    assert not Threshold("none", 0.1).reached(figures)
    assert not Threshold("unknown", 0.1).reached(figures)


def _result(row: Row, value: float, used: float = 0.9) -> dict[str, Any]:
    figures = {
        one.figure: {"title": one.figure, "value": value, "low": value - 0.01, "high": value + 0.01}
        for one in row.thresholds
    }
    part = {"minutes_asked": row.minutes, "minutes_used": used, "steps": 77, "stopped": "time", "cases": 9, "patients": 3}
    part |= {"name": row.name, "split_by": "patient", "figures": figures}
    return {
        "recipe": "r",
        "recipe_document": recipe_of(row),
        "seed": 0,
        "made_utc": "2020-01-01T00:00:00",
        "code_sha256": "",
        "machine": machine(),
        "figures": figures,
        "thresholds": [{"figure": one.figure, "reached": one.reached(figures)} for one in row.thresholds],
        "parts": [part],
    }


def test_the_page_says_what_is_missed_and_what_has_not_been_run() -> None:
    page = page_of({"bccd-15min": _result(ROWS["bccd-15min"], 0.7), "pneumonia": _result(ROWS["pneumonia"], 0.995)})
    assert "**Missed:** bccd-15min (map50)." in page
    waiting = next(line for line in page.splitlines() if line.startswith("**Not run yet:**"))
    assert "hippocampus-20min" in waiting
    assert "pneumonia" not in waiting
    assert "| bccd-15min | map50 | at least 0.88 | 0.700 | 0.690 to 0.710 | **missed** |" in page
    assert "| pneumonia | auc | at least 0.99 | 0.995 | 0.985 to 1.005 | reached |" in page
    assert "| sunnybrook-lv | dice.LV | at least 0.91 | – |  | not run |" in page
    assert "CC BY-SA 4.0" in page


def test_figures_without_doubtful_labels_are_told_beside_what_is_judged() -> None:
    row = ROWS["sunnybrook-lv"]
    result = _result(row, 0.9)
    sound = {"title": "Dice, LV", "value": 0.92, "low": 0.91, "high": 0.93}
    result["figures"] = {**result["figures"], "dice.LV.without-doubtful": sound}
    page = page_of({"sunnybrook-lv": result})
    assert "| **missed** |" in page
    assert "Without SC-N-06, 13 images, whose contours lie" in page
    assert "0.920 (0.910 to 0.930)" in page


def test_how_long_a_click_takes_is_told_where_somebody_clicks() -> None:
    row = ROWS["prompted-objects"]
    result = _result(row, 0.7)
    result["figures"] |= {
        f"growing_{n}": {"title": f"Growing {n}", "value": 0.4, "low": 0.3, "high": 0.5} for n in (1, 3, 5)
    }
    result["parts"][0]["click_seconds"] = {"median": 0.1, "p95": 3.6, "first_median": 0.3, "first_p95": 3.9}
    page = page_of({"prompted-objects": result})
    assert "| prompted-objects | dice_3 | above 0.400 (Growing 3) | 0.700 | 0.690 to 0.710 | reached |" in page
    assert "from a click to the mask: median 0.10 s, 95 % within 3.6 s; the first click" in page


def test_what_is_reached_in_more_time_than_was_asked_is_missed() -> None:
    row = ROWS["pneumonia"]
    assert "| reached |" in page_of({"pneumonia": _result(row, 0.995, used=10.1)})
    late = page_of({"pneumonia": _result(row, 0.995, used=10.2)})
    assert "**missed**: in 10.2 minutes instead of 10" in late
    assert "**Missed:** pneumonia (auc), pneumonia (accuracy)." in late


def test_a_result_of_another_recipe_or_time_than_the_row_has_now_is_called_old() -> None:
    row = ROWS["pneumonia"]
    result = _result(row, 0.995) | {"code_sha256": code_sha256()}
    old = "or to the row: pneumonia."
    assert old not in page_of({"pneumonia": result})
    assert old in page_of({"pneumonia": result | {"recipe_document": result["recipe_document"] | {"steps": 7}}})
    assert old in page_of({"pneumonia": result | {"seed": 5}})


def test_rows_are_chosen_by_name_or_by_how_names_begin() -> None:
    assert [row.name for row in chosen(["pneumonia"])] == ["pneumonia"]
    assert all(row.name.startswith("optimiser-") for row in chosen(["optimiser-"]))
    assert len(chosen(["optimiser-"])) == 7
    assert chosen([]) == list(ROWS.values())
    with pytest.raises(ValueError, match="nothing is no row"):
        chosen(["nothing"])


def test_the_two_parts_of_the_chest_x_rays_share_no_image(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    source = tmp_path / "source"
    source.mkdir()
    images, labels = rng.integers(0, 255, (1000, 4, 4), dtype=np.uint8), rng.integers(0, 2, (1000, 1), dtype=np.uint8)
    judging = rng.integers(0, 255, (30, 4, 4), dtype=np.uint8)
    images[[3, 500, 900]] = judging[[0, 1, 2]]
    np.savez(source / "p.npz", train_images=images, train_labels=labels, val_images=judging, val_labels=labels[:30])
    seen = []
    for name in ("transfer-parent", "transfer-none"):
        folder = tmp_path / name
        folder.mkdir()
        cut = ROWS[name].data.cut
        assert cut is not None
        cut(source, folder)
        with np.load(next(folder.glob("*.npz"))) as arrays:
            seen.append({split: {one.tobytes() for one in arrays[f"{split}_images"]} for split in ("train", "val")})
    parent, few = seen
    assert len(few["train"]) == 200
    assert few["val"] == {one.tobytes() for one in judging}
    assert not (parent["train"] | parent["val"]) & (few["train"] | few["val"])
    assert len(parent["train"]) + len(parent["val"]) == 797


def test_data_that_is_not_there_is_named(tmp_path: Path) -> None:
    data: Data = ROWS["pneumonia"].data
    with pytest.raises(FileNotFoundError, match="train-cls-pneumoniamnist is not in the folder"):
        data.sha256(tmp_path)
