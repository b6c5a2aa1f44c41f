"""A model is judged with one command, on a project, a dataset folder or files of other programs."""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from medview.cli import evaluate
from medview.core.job import Inline
from medview.io import nifti
from medview.io.load import load_volume
from medview.io.reader_pool import InlinePool
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest
from medview.ml.runners.run import predict
from tests.cli.conftest import Cli
from tests.io.datasets.pictures import holed_mask, save_mask, save_picture
from tests.io.datasets.test_voc import OBJECT
from tests.io.datasets.test_voc import dataset as voc_dataset
from tests.ml.small_packs import document, small_pack
from tests.workspace.evaluation.conftest import one_thread
from tests.workspace.evaluation.test_evaluate import SMALL, images, names_of, quick_pack

CONTRACT = {"model", "task", "cases", "patients", "split_by", "unit", "per_class", "confusion", "ci95"}


__all__ = ["one_thread"]


@pytest.fixture(autouse=True)
def read_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse files in this process: starting others takes most of the time of a test. One test does as people do."""
    if "contract" not in request.node.name:
        monkeypatch.setattr(evaluate, "readers", lambda: contextlib.nullcontext(InlinePool()))


def any_ct(task: str) -> dict[str, Any]:
    """An input that takes files which do not say what they are."""
    grid = {"spacing_kji_mm": None, "orientation": None}
    return {**document(task)["input"], "modality": [], "unit": "", **grid}


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> ModelPack:
    return quick_pack(tmp_path_factory.mktemp("made") / "pack", input=any_ct("segmentation"))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory, pack: ModelPack) -> Path:
    """Volumes with what the pack itself finds in them, so that it is always right."""
    folder = tmp_path_factory.mktemp("pairs")
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    for n, volume in enumerate(images(3)):
        path = folder / "images" / f"pat{n}_scan.nii.gz"
        nifti.write_volume(path, replace(volume, modality="", unit=""))
        read = load_volume(path, None, Inline()).volume
        found = predict(PredictRequest(read, pack), Inline()).mask
        assert found is not None
        nifti.write_label_map(folder / "labels" / f"pat{n}_scan.nii.gz", found.on_grid(SMALL), read.geometry)
    return folder


def values(task: str = "segmentation") -> str:
    return ",".join(f"{n}={name}" for n, name in enumerate(names_of(task), start=1))


def test_images_and_labels_in_two_folders_are_judged_with_the_keys_of_the_contract(
    cli: Cli, pack: ModelPack, pairs: Path
) -> None:
    given = ["--images", pairs / "images", "--labels", pairs / "labels", "--label-values", values()]
    done = cli("evaluate", pack.folder, *given, "--patient-from", r"(pat\d)", "--json")
    assert done.code == 0, done.err
    found = done.document
    assert set(found) >= CONTRACT
    assert (found["cases"], found["patients"], found["split_by"], found["split"]) == (3, 3, "patient", "all")
    assert {row["dice"] for row in found["per_class"]} <= {1.0, None}
    assert [row["name"] for row in found["per_class"]] == names_of("segmentation")
    # Patients go by pseudonyms; cases are found by the names of their files.
    assert [(row["case"], row["patient"]) for row in found["by_case"][:2]] == [
        ("pat0_scan", "P0001"),
        ("pat1_scan", "P0002"),
    ]


def test_the_report_is_one_page_that_asks_for_nothing_from_elsewhere(
    cli: Cli, pack: ModelPack, pairs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report"
    given = [pairs, "--format", "nifti-pairs", "--label-values", values(), "-o", out]
    done = cli("evaluate", pack.folder, *given)
    assert done.code == 0, done.err
    assert "Dice, mean over classes" in done.out
    page = (out / "report.html").read_text()
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "data:image/png;base64," in page
    assert "Research use" in page
    assert json.loads((out / "report.json").read_text())["cases"] == 3
    assert cli("evaluate", pack.folder, *given).code == 1
    assert cli("evaluate", pack.folder, *given, "--overwrite", "--no-pictures").code == 0
    assert "data:image" not in (out / "report.html").read_text()


def test_other_classes_than_the_models_end_with_2_and_what_each_side_has(cli: Cli, pack: ModelPack, pairs: Path) -> None:
    first, second = names_of("segmentation")
    done = cli("evaluate", pack.folder, pairs, "--format", "nifti-pairs", "--label-values", f"1={first},2=Kidney")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert f"finds {first}, {second} and the labels are of {first}, Kidney" in done.err
    given = [pairs, "--format", "nifti-pairs", "--label-values", f"1={first},2=Kidney", "--common", "--json"]
    assert [row["name"] for row in cli("evaluate", pack.folder, *given).document["per_class"]] == [first]


def test_another_model_is_compared_on_the_same_cases(cli: Cli, pack: ModelPack, pairs: Path, tmp_path: Path) -> None:
    other = quick_pack(tmp_path / "other", input=any_ct("segmentation"), seed=6, version="0.9")
    given = [pairs, "--format", "nifti-pairs", "--label-values", values(), "--against", other.folder]
    done = cli("evaluate", pack.folder, *given, "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert f"Beside {pack.spec.id}@0.9:" in done.out
    assert json.loads((tmp_path / "out" / "report.json").read_text())["comparison"]["same_cases"]


def test_it_has_to_be_said_what_to_judge_on(cli: Cli, pack: ModelPack, tmp_path: Path) -> None:
    done = cli("evaluate", pack.folder)
    assert done.code == 2
    assert "Say what to judge on" in done.err
    (tmp_path / "plain").mkdir()
    done = cli("evaluate", pack.folder, tmp_path / "plain")
    assert done.code == 1
    assert "no project and no dataset folder" in done.err


def picture_input(task: str) -> dict[str, Any]:
    return {**any_ct(task), "dimensions": 2, "intensity": [{"op": "minmax"}]}


def test_boxes_of_voc_are_judged_and_difficult_ones_need_not_be_found(cli: Cli, tmp_path: Path) -> None:
    source = voc_dataset(tmp_path / "voc", OBJECT + OBJECT.replace("<difficult>1</difficult>", ""))
    made = small_pack(
        tmp_path / "box-pack",
        "detection",
        network={
            "name": "fpn_detector",
            "kwargs": {"in_channels": 1, "classes": 1, "dimensions": 2, "channels": [4, 8], "width": 8, "first_level": 1},
        },
        input=picture_input("detection"),
        tiling={"tile_kji": [1, 32, 48], "overlap": 0.0, "blend": "gaussian"},
        output={**document("detection")["output"], "classes": [{"name": "Cell"}], "join_slices": False},
    )
    done = cli("evaluate", made.folder, source, "--format", "voc", "--json")
    assert done.code == 0, done.err
    (row,) = done.document["per_class"]
    assert (row["name"], row["truths"], row["difficult"]) == ("Cell", 1, 1)
    assert done.document["split_by"] == "image"
    assert 0 <= done.document["map50"] <= 1


def classifier(folder: Path, classes: list[str]) -> ModelPack:
    kwargs = {"in_channels": 1, "classes": len(classes), "channels": [4, 6]}
    return small_pack(
        folder,
        "classification",
        network={"name": "classifier2d", "kwargs": kwargs},
        input={**picture_input("classification"), "shape_kji": [1, 16, 16]},
        output={"classes": classes, "activation": "softmax", "threshold": 0.5, "subject": "slice"},
    )


def test_of_an_array_file_with_splits_the_validation_images_are_judged(cli: Cli, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    given = {}
    for split, count in (("train", 5), ("val", 12), ("test", 3)):
        given[f"{split}_images"] = rng.integers(0, 256, (count, 12, 14), dtype=np.uint8)
        given[f"{split}_labels"] = (np.arange(count) % 2)[:, None].astype(np.uint8)
    np.savez_compressed(tmp_path / "pneumoniamnist.npz", **given)
    made = classifier(tmp_path / "classes", ["normal", "pneumonia"])
    done = cli("evaluate", made.folder, tmp_path / "pneumoniamnist.npz", "--format", "medmnist-npz", "--json")
    assert done.code == 0, done.err
    found = done.document
    assert (found["cases"], found["split"], found["patients"]) == (12, "val", None)
    assert np.sum(found["confusion"]["counts"], axis=1).tolist() == [6, 6]
    scores = [row["scores"]["pneumonia"] for row in found["by_case"]]
    true = [row["truth"] == "pneumonia" for row in found["by_case"]]
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(true, scores), abs=1e-5)
    everything = cli(
        "evaluate", made.folder, tmp_path / "pneumoniamnist.npz", "--format", "medmnist-npz", "--split", "all", "--json"
    )
    assert everything.document["cases"] == 20


def test_pictures_with_masks_are_measured_in_pixels(cli: Cli, tmp_path: Path) -> None:
    for n in range(2):
        save_picture(tmp_path / "images" / f"SC-{n}-01.png", seed=n)
        save_mask(tmp_path / "masks" / f"SC-{n}-01.png", holed_mask().astype(np.uint8) * 255)
    made = small_pack(
        tmp_path / "flat",
        network={
            "name": "monai_basicunet",
            "kwargs": {"dims": 2, "in_channels": 1, "classes": 2, "features": [4, 4, 4, 4, 4, 4]},
        },
        input=picture_input("segmentation"),
        tiling={"tile_kji": [1, 32, 32], "overlap": 0.25, "blend": "gaussian"},
        output={"labels": [{"value": 1, "name": "LV"}]},
        postprocess=[],
    )
    given = ["--images", tmp_path / "images", "--labels", tmp_path / "masks", "--label-values", "255=LV"]
    done = cli("evaluate", made.folder, *given, "--patient-from", r"SC-\d", "--tolerance", "3", "--json")
    assert done.code == 0, done.err
    assert (done.document["unit"], done.document["patients"]) == ("pixel", 2)
    assert done.document["per_class"][0]["tolerance"] == 3.0


def segmented_project(cli: Cli, pairs: Path, tmp_path: Path) -> Path:
    place = tmp_path / "p.medview"
    assert cli("project", "create", place).code == 0
    (pairs / "splits.csv").write_text("name,split\npat0_scan,train\npat1_scan,val\npat2_scan,test\n")
    given = ["--format", "nifti-pairs", "--label-values", values(), "--split-from", pairs / "splits.csv"]
    done = cli("project", "import", place, pairs, *given, "--patient-from", r"(pat\d)")
    assert done.code == 0, done.err
    return place


def test_a_project_is_judged_on_its_validation_cases_and_openings_of_the_test_cases_are_counted(
    cli: Cli, pack: ModelPack, pairs: Path, tmp_path: Path
) -> None:
    place = segmented_project(cli, pairs, tmp_path)
    done = cli("evaluate", pack.folder, place, "--json")
    assert done.code == 0, done.err
    found = done.document
    assert (found["cases"], found["split"], found["test_openings"]) == (1, "val", [])
    assert {row["dice"] for row in found["per_class"]} <= {1.0, None}
    assert "pat1" not in done.out
    assert cli("project", "info", place, "--json").document["test_openings"] == []
    for opened in (1, 2):
        tested = cli("evaluate", pack.folder, place, "--split", "test", "--json").document
        assert tested["cases"] == 1
        assert len(tested["test_openings"]) == opened
    (first, second) = cli("project", "info", place, "--json").document["test_openings"]
    assert (first["model"], first["cases"]) == (pack.spec.id, 1)
    assert first["when_utc"] <= second["when_utc"]
    said = cli("evaluate", pack.folder, place, "--split", "all", "-o", tmp_path / "out")
    assert "The test cases were opened 3 times so far, this one included." in said.err
    assert "The locked test cases were opened 3 times" in (tmp_path / "out" / "report.html").read_text()


def test_a_model_whose_classes_do_not_match_does_not_open_the_test_cases(cli: Cli, pairs: Path, tmp_path: Path) -> None:
    place = segmented_project(cli, pairs, tmp_path)
    labels = [{"value": 1, "name": "Kidney"}, {"value": 2, "name": "Liver"}]
    output = {**document()["output"], "labels": labels}
    other = quick_pack(tmp_path / "other", input=any_ct("segmentation"), output=output)
    assert cli("evaluate", other.folder, place, "--split", "test").code == 2
    assert cli("project", "info", place, "--json").document["test_openings"] == []


def test_a_device_there_is_none_of_is_wrong_use_and_does_not_open_the_test_cases(
    cli: Cli, pack: ModelPack, pairs: Path, tmp_path: Path
) -> None:
    place = segmented_project(cli, pairs, tmp_path)
    done = cli("evaluate", pack.folder, place, "--split", "test", "--device", "gpu")
    assert (done.code, done.out, done.err) == (2, "", "--device gpu is none; choose auto, cpu or cuda.\n")
    assert cli("project", "info", place, "--json").document["test_openings"] == []


def test_a_dataset_folder_is_judged_and_its_test_cases_are_counted_beside_it(
    cli: Cli, pack: ModelPack, pairs: Path, tmp_path: Path
) -> None:
    place, folder = segmented_project(cli, pairs, tmp_path), tmp_path / "exported"
    assert cli("project", "export", place, "-o", folder, "--format", "dataset").code == 0
    assert cli("evaluate", pack.folder, folder, "--json").document["cases"] == 1
    assert not (tmp_path / "exported.test-openings.jsonl").exists()
    found = cli("evaluate", pack.folder, folder, "--split", "test", "--json").document
    assert len(found["test_openings"]) == 1
    assert cli("evaluate", pack.folder, folder, "--split", "test", "--json").document["test_openings"][0]["cases"] == 1
    assert len((tmp_path / "exported.test-openings.jsonl").read_text().splitlines()) == 2


def test_a_class_nobody_drew_in_these_cases_is_judged_as_being_nowhere(
    cli: Cli, pack: ModelPack, pairs: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "less"
    shutil.copytree(pairs, folder)
    label = folder / "labels" / "pat1_scan.nii.gz"
    image = nifti.read_nifti(folder / "images" / "pat1_scan.nii.gz")
    first = np.zeros(image.geometry.shape_kji, dtype=np.uint8)
    first[2:6, 4:12, 4:12] = 1
    nifti.write_label_map(label, first, image.geometry)
    place = segmented_project(cli, folder, tmp_path)
    found = cli("evaluate", pack.folder, place, "--json").document
    assert [row["name"] for row in found["per_class"]] == names_of("segmentation")
    second = found["per_class"][1]
    assert second["empty"] + second["one_empty"] == 1
    # The whole project has it, and says the same.
    everything = cli("evaluate", pack.folder, place, "--split", "all", "--json").document
    assert everything["per_class"][1]["cases"] + everything["per_class"][1]["empty"] == 3
