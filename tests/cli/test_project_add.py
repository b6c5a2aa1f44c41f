"""``medview project add``: folders, files, zips and tables become cases, each once; counts are said."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from medview.cli.main import run_command
from medview.core.geometry import Geometry
from medview.core.volume import Volume
from medview.io.nifti import write_volume
from medview.io.reader_pool import InlinePool
from medview.store.project import Project
from medview.workspace.jobs import InlineRunner
from medview.workspace.operations.open import open_series
from tests.workspace.queued import queue_workspace, scanned, write_small_ct

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def no_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("medview.io.reader_pool.ReaderPool", InlinePool)
    monkeypatch.setenv("MEDVIEW_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    Project.create(tmp_path / "p.medview", reader="Ada").close()
    return tmp_path / "p.medview"


def _add(capsys: Capture, project: Path, *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run_command(["project", "add", str(project), *arguments, "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def _nifti(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.random.default_rng(seed).integers(0, 500, (4, 5, 6)).astype(np.int16)
    write_volume(path, Volume(voxels, Geometry.from_spacing((4, 5, 6), (3.0, 1.0, 1.0), (0.0, 0.0, 0.0))))
    return path


def test_a_folder_of_series_becomes_a_case_each_and_adding_it_again_is_a_no_op(
    tmp_path: Path, project: Path, capsys: Capture
) -> None:
    images = tmp_path / "images"
    for seed in ("s1", "s2", "s3"):
        write_small_ct(images, seed)
    (images / "notes.txt").write_text("no image")
    document = _add(capsys, project, str(images))
    expected = {"added": 3, "known": 0, "moved": 0, "patients": 3, "without_patient": 0, "cases": 3}
    assert document == {**expected, "refused": [], "damaged": []}
    with Project.open(project, read_only=True) as opened:
        listed = opened.cases()
        assert opened.reader != "", "a case is of nobody until somebody reads it"
    assert [(case.modality, case.description, case.patient, case.readings) for case in listed] == [
        ("CT", "series s1", "P0001", ()),
        ("CT", "series s2", "P0002", ()),
        ("CT", "series s3", "P0003", ()),
    ]
    document = _add(capsys, project, str(images), str(images / "s2"))
    assert document == {**expected, "added": 0, "known": 3, "refused": [], "damaged": []}
    assert run_command(["project", "list", str(project), "--json"]) == 0
    assert [case["status"] for case in json.loads(capsys.readouterr().out)["cases"]] == ["to do"] * 3


def test_zips_files_and_pictures_become_cases_too_and_no_name_is_printed(
    tmp_path: Path, project: Path, capsys: Capture
) -> None:
    folder = write_small_ct(tmp_path, "s1")
    with zipfile.ZipFile(tmp_path / "s1.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    _nifti(tmp_path / "head.nii.gz", 1)
    assert run_command(["project", "add", str(project), str(tmp_path / "s1.zip"), str(tmp_path / "head.nii.gz")]) == 0
    said = capsys.readouterr()
    assert "p.medview has 2 cases: 2 new, 0 there already." in said.err
    assert "Nothing tells the patient of 1 case; --patient-from finds it in the path." in said.err
    assert "Phantom" not in said.out + said.err


def test_the_patient_can_stand_in_the_path(tmp_path: Path, project: Path, capsys: Capture) -> None:
    for n, name in enumerate(("sub-01/t1", "sub-01/t2", "sub-02/t1", "other/t1")):
        _nifti(tmp_path / "set" / f"{name}.nii.gz", n)
    document = _add(capsys, project, str(tmp_path / "set"), "--patient-from", r"(sub-\d+)/")
    assert (document["added"], document["patients"], document["without_patient"]) == (4, 2, 1)
    assert run_command(["project", "add", str(project), str(tmp_path / "set"), "--patient-from", "(", "--json"]) == 1
    assert "is no regular expression" in capsys.readouterr().err


def test_a_table_names_places_patients_splits_and_series(tmp_path: Path, project: Path, capsys: Capture) -> None:
    for n in range(3):
        _nifti(tmp_path / "set" / f"{n}.nii.gz", n)
    folder = write_small_ct(tmp_path / "set", "s1")
    uid = scanned(folder)[0].series_uid
    table = tmp_path / "set" / "cases.csv"
    table.write_text(
        "\ufeffPath,Patient,Split,Series\n0.nii.gz,A,train,\n1.nii.gz,A,val,\n\n2.nii.gz,B,Test,\n"
        + f"s1,,,{uid}\ns1,,,9.9\n"
    )
    document = _add(capsys, project, "--csv", str(table))
    assert (document["added"], document["patients"]) == (4, 3)
    with Project.open(project, read_only=True) as opened:
        assert [(case.split, case.patient) for case in opened.cases()] == [
            ("train", "P0001"),
            ("validation", "P0001"),
            ("test", "P0002"),
            ("", "P0003"),
        ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path\ngone.nii.gz\n", "Line 2 of cases.csv names gone.nii.gz, which is not there."),
        ("path,split\n.,holdout\n", "Line 2 of cases.csv names the split holdout"),
        ("path,patient\n,A\n", "Line 2 of cases.csv names no path."),
        ("file,patient\n.,A\n", "cases.csv has no column path"),
        ("", "cases.csv has no column path"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_and_its_line_named(
    tmp_path: Path, project: Path, capsys: Capture, text: str, said: str
) -> None:
    (tmp_path / "cases.csv").write_text(text)
    assert run_command(["project", "add", str(project), "--csv", str(tmp_path / "cases.csv")]) == 1
    assert said in capsys.readouterr().err


def test_what_cannot_be_labelled_is_named_and_the_rest_is_added(tmp_path: Path, project: Path, capsys: Capture) -> None:
    folder = write_small_ct(tmp_path / "set", "s1")
    broken = write_small_ct(tmp_path / "set", "s2")
    for file in broken.iterdir():
        header = dcmread(file)
        header.BitsAllocated = 12
        header.save_as(file)
    (tmp_path / "set" / "cut.dcm").write_bytes(next(folder.iterdir()).read_bytes()[:400])
    document = _add(capsys, project, str(tmp_path / "set"))
    assert document["added"] == 1
    (refused,) = document["refused"]
    assert refused["description"] == "series s2"
    assert refused["reasons"]
    assert run_command(["project", "add", str(project), str(tmp_path / "set")]) == 0
    said = capsys.readouterr()
    assert "series s2 was left out: " in said.out
    assert "1 series cannot be labelled." in said.err


def test_a_place_without_images_and_wrong_use_are_said(tmp_path: Path, project: Path, capsys: Capture) -> None:
    (tmp_path / "empty").mkdir()
    assert run_command(["project", "add", str(project), str(tmp_path / "empty")]) == 1
    assert "No image in empty can be read" in capsys.readouterr().err
    assert run_command(["project", "add", str(project)]) == 2
    assert run_command(["project", "add", str(project), str(tmp_path / "gone")]) == 1


def test_a_series_that_was_added_is_that_case_when_it_is_opened(tmp_path: Path, project: Path, capsys: Capture) -> None:
    folder = write_small_ct(tmp_path, "s1")
    _add(capsys, project, str(folder), str(_nifti(tmp_path / "head.nii.gz", 1)))
    with Project.open(project, reader="Ada") as opened:
        workspace = queue_workspace(tmp_path, InlineRunner(), opened)
        open_series(workspace, *scanned(folder))
        assert workspace.active is not None
        assert workspace.active.reading_id is not None
        first, second = opened.cases()
        assert [one.reading_id for one in first.readings] == [workspace.active.reading_id]
        assert second.readings == ()
