"""predict, models and demo with the packs that come with MedView."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import torch
from PIL import Image

from medview.core.box import Box
from medview.core.job import Inline
from medview.core.pixel_hash import pixels_sha256
from medview.core.volume import Volume
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.io.load import load_volume
from medview.phantom.chest import ChestPhantom, chest
from tests.cli.conftest import Cli, Done
from tests.helpers.dciodvfy import errors
from tests.ml.small_packs import document, small_pack

SUMMARY_KEYS = {
    "model", "version", "task", "device", "source_series", "seconds", "peak_memory_mb", "segments", "boxes", "scores",
    "outputs", "warnings",
}  # fmt: skip

PATIENT = 31_337
"""A seed that neither training nor judging of the packs used."""


@pytest.fixture(scope="module")
def phantom() -> ChestPhantom:
    return chest(PATIENT, nodules=3)


@pytest.fixture(scope="module")
def series(phantom: ChestPhantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom") / "ct"
    volume = Volume(phantom.hu, phantom.geometry, modality="CT", unit="HU")
    write_series(folder, volume, SeriesIdentity("Phantom^Test", "T-1", seed="predict"), durable=False)
    return folder


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def test_the_bundled_packs_are_listed_as_bundled_and_available(cli: Cli) -> None:
    packs = {row["id"]: row for row in cli("models", "list", "--json").document["models"]}
    assert {"phantom-organs-nodules", "phantom-nodule-boxes", "phantom-nodule-present"} <= set(packs)
    for row in packs.values():
        assert set(row) == {"id", "name", "version", "task", "modality", "available", "reason", "bundled", "path"}
        assert row["bundled"]
        assert row["available"], row["reason"]


def test_organs_and_nodules_are_found_written_and_accepted_by_other_tools(
    cli: Cli, series: Path, phantom: ChestPhantom, tmp_path: Path
) -> None:
    done = cli("predict", "phantom-organs-nodules", series, "-o", tmp_path / "out", "--json")
    assert done.code == 0, done.err
    summary = done.document
    assert set(summary) == SUMMARY_KEYS
    assert set(summary["seconds"]) == {"load", "prepare", "infer", "finish", "write"}
    values = {segment["name"]: segment["value"] for segment in summary["segments"]}
    found = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "out" / "labels.nii.gz")))
    assert dice(found == values["Lungs"], phantom.labels == 1) > 0.97
    assert dice(found == values["Nodule"], phantom.labels == 2) > 0.6
    for segment in summary["segments"]:
        assert segment["voxels"] == int((found == segment["value"]).sum())
        assert segment["volume_ml"] == pytest.approx(segment["voxels"] * 2.5 * 1.6 * 1.6 / 1000)
    assert errors(tmp_path / "out" / "labels.dcm") == []
    seg = highdicom.seg.segread(tmp_path / "out" / "labels.dcm")
    assert [seg.get_segment_description(n).segment_label for n in seg.segment_numbers] == list(values)
    assert any("phantom" in warning.lower() for warning in summary["warnings"])
    assert "Research use. Not a medical device." in summary["warnings"]


def test_boxes_lie_around_the_nodules_in_both_spaces(cli: Cli, series: Path, phantom: ChestPhantom, tmp_path: Path) -> None:
    done = cli("predict", "phantom-nodule-boxes", series, "-o", tmp_path / "out", "--json")
    boxes = done.document["boxes"]
    geometry = load_volume(series, None, Inline()).volume.geometry
    hit = 0
    for lesion in phantom.lesions:
        centre = np.asarray(lesion.centre_lps_mm)
        index = geometry.index_kji(centre) + 0.5
        hit += any(
            (np.array(b["min_lps_mm"]) <= centre).all()
            and (centre <= np.array(b["max_lps_mm"])).all()
            and (np.array(b["min_kji"]) <= index).all()
            and (index <= np.array(b["max_kji"])).all()
            for b in boxes
        )
    assert hit >= len(phantom.lesions) - 1
    assert len(boxes) <= len(phantom.lesions) + 2
    assert all(0 <= b["score"] <= 1 and b["space"] == "lps_mm" for b in boxes)


def test_a_nodule_is_called_present_where_there_is_one(cli: Cli, series: Path, tmp_path: Path) -> None:
    done = cli("predict", "phantom-nodule-present", series, "-o", tmp_path / "out", "--json")
    assert done.document["scores"]["Nodule present"] > 0.5
    assert (tmp_path / "out" / "scores.json").is_file()


def refused(done: Done) -> str:
    assert done.code == 1
    assert len(done.err.strip().splitlines()) == 1
    return done.err


def test_a_folder_that_is_not_empty_is_refused_without_overwrite(cli: Cli, series: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    assert "--overwrite" in refused(cli("predict", "phantom-nodule-present", series, "-o", tmp_path / "out"))
    assert (tmp_path / "out" / "mine.txt").read_text() == "keep"


def test_a_model_for_ct_says_why_it_does_not_run_on_mr(cli: Cli, test_data: Path, tmp_path: Path) -> None:
    message = refused(cli("predict", "phantom-nodule-present", test_data / "mr-sag-hfs", "-o", tmp_path / "out"))
    assert "CT" in message
    assert "MR" in message


def test_a_graphics_card_that_is_asked_for_and_not_there_is_said_with_the_way_out(
    cli: Cli, series: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    message = refused(cli("predict", "phantom-nodule-present", series, "-o", tmp_path / "out", "--device", "cuda"))
    assert "has no graphics card that MedView can use; run" in message
    assert message.strip().endswith("on the processor. (--device cpu)")
    assert not (tmp_path / "out").exists()


def test_a_model_that_is_not_installed_is_named_with_those_that_are(cli: Cli, series: Path, tmp_path: Path) -> None:
    assert "phantom-nodule-boxes" in refused(cli("predict", "nothing", series, "-o", tmp_path / "out"))


def test_a_real_meshnet_is_added_and_gives_the_published_volumes(cli: Cli, test_data: Path, tmp_path: Path) -> None:
    source = test_data / "weights-brainchop"
    card = cli("models", "add", source / "meshnet" / "model5_gw_ae", "--json").document
    again = cli("models", "add", source / "meshnet" / "model5_gw_ae", "--json").document
    assert again["path"] == card["path"]
    assert not card["bundled"]
    done = cli("predict", card["id"], source / "t1_crop.nii.gz", "-o", tmp_path / "out", "--json")
    volumes = {segment["name"]: segment["volume_ml"] for segment in done.document["segments"]}
    assert volumes["White Matter"] == pytest.approx(518, rel=0.02)
    assert volumes["Grey Matter"] == pytest.approx(735, rel=0.02)
    assert not (tmp_path / "out" / "labels.dcm").exists()
    assert cli("models", "remove", card["id"]).code == 0
    assert card["id"] not in {row["id"] for row in cli("models", "list", "--json").document["models"]}


def test_the_demo_without_a_window_writes_pictures_and_files(cli: Cli, tmp_path: Path) -> None:
    done = cli("demo", "-o", tmp_path / "demo", "--offscreen")
    assert done.code == 0, done.err
    assert str(tmp_path / "demo") in done.err
    names = {path.name for path in (tmp_path / "demo").iterdir()}
    assert {
        "axial.png", "coronal.png", "sagittal.png", "labels.dcm", "labels.nii.gz",
        "boxes.json", "scores.json", "summary.json",
    } <= names  # fmt: skip
    for plane in ("axial", "coronal", "sagittal"):
        picture = np.asarray(Image.open(tmp_path / "demo" / f"{plane}.png")).astype(int)
        coloured = np.abs(picture[:, :, 0] - picture[:, :, 2]) > 40
        assert coloured.mean() > 0.01, plane
    assert errors(tmp_path / "demo" / "labels.dcm") == []


def test_where_the_model_looked_is_written_on_the_grid_of_the_series_with_its_check(
    cli: Cli, phantom: ChestPhantom, tmp_path: Path
) -> None:
    # The part of the chest around one nodule, away from its middle.
    at = np.rint(phantom.geometry.index_kji(phantom.lesions[0].centre_lps_mm)).astype(int)
    low = np.clip(at - (14, 30, 24), 0, None)
    high = np.minimum(np.add(low, (36, 72, 72)), phantom.geometry.shape_kji)
    box = Box(tuple(low.tolist()), tuple(high.tolist()))
    labels, series, out = phantom.labels[box.slices], tmp_path / "ct", tmp_path / "out"
    part = Volume(phantom.hu[box.slices], phantom.geometry.cropped(box), modality="CT", unit="HU")
    write_series(series, part, SeriesIdentity("Phantom^Test", "T-1", seed="explain"), durable=False)
    done = cli("predict", "phantom-nodule-present", series, "-o", out, "--explain", "Nodule present", "--json")
    assert done.code == 0, done.err
    explained = done.document["explain"]
    assert (explained["class"], explained["method"]) == ("Nodule present", "gradcam")
    assert explained["deletion"]["holds"]
    assert done.document["says"] == {"Nodule present": "present"}
    assert str(out / "heat.nii.gz") in done.document["outputs"]
    image = sitk.ReadImage(str(out / "heat.nii.gz"))
    heat = sitk.GetArrayFromImage(image)
    assert heat.shape == labels.shape
    assert heat.max() == pytest.approx(1.0, abs=0.2)
    # Hotter in the nodules than in the lungs around them.
    assert heat[labels == 2].mean() > 3 * heat[labels != 2].mean()


def test_where_the_model_looked_in_a_picture_is_written_pixel_by_pixel(cli: Cli, tmp_path: Path) -> None:
    j, i = np.mgrid[0:90, 0:120] / 100
    grey = 150 - 70 * np.exp(-(((i - 0.35) / 0.15) ** 2) - ((j - 0.45) / 0.25) ** 2) + 20 * np.sin(9 * i)
    Image.fromarray(grey.astype(np.uint8)).save(tmp_path / "chest.png")
    out = tmp_path / "out"
    done = cli("predict", "pneumonia-xray", tmp_path / "chest.png", "-o", out, "--explain", "pneumonia", "--json")
    assert done.code == 0, done.err
    assert done.document["explain"]["class"] == "pneumonia"
    assert {str(out / "scores.json"), str(out / "heat.nii.gz")} <= set(done.document["outputs"])
    assert any("heat.nii.gz claims no place in the patient" in text for text in done.document["warnings"])
    assert json.loads((out / "summary.json").read_text()) == done.document
    heat = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "heat.nii.gz")))
    assert heat.shape == (1, 90, 120)
    assert 0.0 <= heat.min() < heat.max() <= 1.0 + 1e-6


def test_a_series_with_damaged_slices_is_refused_as_in_the_window(cli: Cli, series: Path, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(series, tmp_path / "damaged"))
    name = sorted(damaged.iterdir())[7]
    dataset = pydicom.dcmread(name)
    dataset.PixelData = dataset.PixelData[:100]
    dataset.save_as(name)
    done = cli("predict", "phantom-nodule-present", damaged, "-o", tmp_path / "out")
    assert done.code == 1
    assert done.err.strip().endswith("1 slices are damaged, so a model would see gaps.")
    assert not (tmp_path / "out").exists()


def test_labels_of_a_picture_in_colour_are_read_back_onto_it(cli: Cli, tmp_path: Path) -> None:
    said = {"modality": [], "unit": "", "intensity": [{"op": "minmax"}]}
    channels = [{"name": name, **said} for name in ("red", "green", "blue")]
    given = {key: value for key, value in document()["input"].items() if key not in ("channels", *said)}
    sizes = {"channels": [4, 8], "kernels": [[3, 3]] * 2, "strides": [[1, 1], [2, 2]], "encoder_units": [1, 1]}
    network = {"name": "nnunet_residual", "kwargs": {"in_channels": 3, "classes": 3, **sizes, "decoder_units": [1]}}
    (tmp_path / "user-data" / "models").mkdir(parents=True)
    small_pack(
        tmp_path / "user-data" / "models" / "colour", schema_version=2, network=network, postprocess=[],
        tiling={"blend": "gaussian", "tile_kji": [1, 32, 32], "overlap": 0.5},
        input={**given, "spacing_kji_mm": None, "orientation": None, "dimensions": 2, "channels": channels},
    )  # fmt: skip
    picture = np.random.default_rng(3).integers(0, 255, (24, 30, 3)).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "photo.png")
    done = cli("predict", "example-organs", tmp_path / "photo.png", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    loaded = load_volume(tmp_path / "photo.png", None, Inline())
    told = json.loads((tmp_path / "out" / "labels.json").read_text())
    assert told["pixels_sha256"] == pixels_sha256(loaded.volume)


def test_a_device_there_is_none_of_is_wrong_use_for_a_series_and_for_a_project(cli: Cli, tmp_path: Path) -> None:
    cli("project", "create", tmp_path / "p.medview")
    for src in (tmp_path / "ct", tmp_path / "p.medview"):
        done = cli("predict", "phantom-nodule-boxes", src, "-o", tmp_path / "out", "--device", "gpu")
        assert (done.code, done.out) == (2, "")
        assert done.err == "--device gpu is none; choose auto, cpu or cuda.\n"
    assert not (tmp_path / "out").exists()
