from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from tests.cli.conftest import Cli, write_ct


def test_scan_writes_the_documented_json(cli: Cli, ct_folder: Path) -> None:
    done = cli("scan", ct_folder, "--json")
    assert done.code == 0
    assert set(done.document) == {"files", "series"}
    assert set(done.document["files"]) == {"seen", "dicom", "ignored", "damaged"}
    (series,) = done.document["series"]
    assert series["modality"] == "CT"
    assert series["instances"] == 7
    (volume,) = series["volumes"]
    assert volume["verdict"] == "volume"
    assert volume["shape"] == [7, 10, 13]
    assert volume["spacing_mm"] == pytest.approx([5.0, 0.9, 0.6])
    assert volume["unit"] == "HU"
    assert np.allclose(np.array(volume["affine_lps"]) @ (6, 0, 12, 1), (-3.0 + 12 * 0.6, 4.0, 80.0, 1.0))


def test_a_truncated_file_is_listed_as_damaged_and_the_rest_is_shown(cli: Cli, ct_folder: Path) -> None:
    victim = ct_folder / "slice-0004.dcm"
    victim.write_bytes(victim.read_bytes()[:300])
    done = cli("scan", ct_folder, "--json")
    assert done.code == 0
    (damaged,) = done.document["files"]["damaged"]
    assert damaged["path"].endswith("slice-0004.dcm")
    (volume,) = done.document["series"][0]["volumes"]
    assert "MISSING_SLICE" in {reason["code"] for reason in volume["reasons"]}


@pytest.mark.parametrize("make", ["missing", "empty", "text"])
def test_a_place_without_images_ends_with_one_sentence_and_code_1(cli: Cli, tmp_path: Path, make: str) -> None:
    place = tmp_path / "place"
    if make != "missing":
        place.mkdir()
    if make == "text":
        (place / "notes.txt").write_text("no image here")
    done = cli("scan", place)
    assert done.code == 1
    assert done.out == ""
    assert len(done.err.strip().splitlines()) == 1


def test_a_mixed_size_series_is_split_and_nothing_is_dropped(cli: Cli, ct_folder: Path, tmp_path: Path) -> None:
    import pydicom

    victim = ct_folder / "slice-0007.dcm"
    dataset = pydicom.dcmread(victim)
    dataset.Rows, dataset.Columns = 13, 10
    dataset.save_as(victim)
    volumes = cli("scan", ct_folder, "--json").document["series"][0]["volumes"]
    assert sorted(volume["shape"] for volume in volumes) == [[1, 13, 10], [6, 10, 13]]


def test_corners_of_a_real_ct_equal_simpleitks(cli: Cli, test_data: Path) -> None:
    (series,) = cli("scan", test_data / "ct-chest", "--json").document["series"]
    (volume,) = series["volumes"]
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(test_data / "ct-chest")))
    image = reader.Execute()
    size = image.GetSize()
    affine = np.array(volume["affine_lps"])
    ours = {
        tuple(np.round((affine @ (k, j, i, 1))[:3], 2))
        for k in (0, size[2] - 1)
        for j in (0, size[1] - 1)
        for i in (0, size[0] - 1)
    }
    theirs = {
        tuple(np.round(image.TransformIndexToPhysicalPoint((i, j, k)), 2))
        for k in (0, size[2] - 1)
        for j in (0, size[1] - 1)
        for i in (0, size[0] - 1)
    }
    assert ours == theirs


def test_names_that_are_no_text_are_written_as_json_that_leads_to_the_file(ct_folder: Path, tmp_path: Path) -> None:
    victim = ct_folder / "slice-0004.dcm"
    odd = ct_folder / os.fsdecode(b"K\xf6ln \xc3\xa9.dcm")
    odd.write_bytes(victim.read_bytes()[:300])
    environment = {**os.environ, "MEDVIEW_CACHE": str(tmp_path / "cache"), "PYTHONIOENCODING": "utf-8"}
    for encoding in ("utf-8", "ascii"):
        environment["PYTHONIOENCODING"] = encoding
        for arguments in (["--json"], []):
            command = [sys.executable, "-m", "medview", "scan", str(ct_folder), *arguments]
            done = subprocess.run(command, capture_output=True, env=environment, check=False)
            assert (done.returncode, done.stderr) == (0, b"")
            if arguments:
                (damaged,) = json.loads(done.stdout)["files"]["damaged"]
                assert Path(damaged["path"]).samefile(odd)
            else:
                assert rb"K\udcf6ln" in done.stdout


def test_a_second_scan_says_the_same(cli: Cli, ct_folder: Path) -> None:
    for file in ct_folder.iterdir():
        os.utime(file, (1e9, 1e9))
    first = cli("scan", ct_folder, "--json").document
    assert cli("scan", ct_folder, "--json").document == first


def test_two_series_in_one_folder_need_a_choice_to_render(cli: Cli, tmp_path: Path) -> None:
    write_ct(tmp_path / "both" / "a", seed="a")
    write_ct(tmp_path / "both" / "b", seed="b")
    done = cli("render", tmp_path / "both", "--index", 0, "-o", tmp_path / "x.png")
    assert done.code == 2
    assert "--series" in done.err
    assert not (tmp_path / "x.png").exists()
