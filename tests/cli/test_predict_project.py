"""``medview predict`` over a project: per-case folders and status, resumed after a kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import SimpleITK as sitk

from medview.core.job import Inline
from medview.io.reader_pool import InlinePool
from medview.ml.packs import load_pack
from medview.ml.registry import Registry
from medview.ml.runners import run as runs
from medview.store.project import Project
from medview.workspace import project_predict
from medview.workspace.jobs import InlineRunner
from medview.workspace.operations.open import open_series
from tests.cli.conftest import Cli
from tests.helpers.timing import allowed_s
from tests.ml.small_packs import document, small_pack
from tests.workspace.queued import TILES, queue_workspace, scanned, write_small_ct

CASES = 3


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A closed project with three cases nobody has drawn in."""
    path = tmp_path / "p.medview"
    with Project.create(path) as made:
        workspace = queue_workspace(tmp_path, InlineRunner(), made)
        for number in range(CASES):
            open_series(workspace, *scanned(write_small_ct(tmp_path, f"s{number}")))
    return path


@pytest.fixture
def model(cli: Cli, tmp_path: Path) -> str:
    del cli  # It has set where models are.
    small_pack(tmp_path / "made", tiling=TILES)
    (tmp_path / "user-data" / "models").mkdir(parents=True)
    (tmp_path / "made").rename(tmp_path / "user-data" / "models" / "small")
    return "example-organs"


def statuses(output: Path) -> list[str]:
    lines = (output / "status.jsonl").read_text().splitlines()
    return [json.loads(line)["status"] for line in lines]


def test_every_case_gets_a_folder_with_the_usual_files_and_a_status(
    cli: Cli, project: Path, model: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    before = (project / "project.db").read_bytes()
    done = cli("predict", model, project, "-o", out, "--json")
    assert done.code == 0, done.err
    assert (done.document["done"], done.document["failed"], done.document["resumed"]) == (CASES, 0, 0)
    assert statuses(out) == ["done"] * CASES
    for case in done.document["cases"]:
        folder = out / case["folder"]
        summary = json.loads((folder / "summary.json").read_text())
        assert summary["source_series"] == case["series_uid"]
        assert (folder / "labels.dcm").is_file()
        found = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "labels.nii.gz")))
        assert [s["voxels"] for s in summary["segments"]] == [int((found == s["value"]).sum()) for s in summary["segments"]]
    # The same as of the series alone, and the project as it was.
    alone = cli("predict", model, tmp_path / "s1", "-o", tmp_path / "alone", "--json").document
    second = json.loads((out / "case-0002" / "summary.json").read_text())
    assert second["segments"] == alone["segments"]
    assert (project / "project.db").read_bytes() == before


def test_a_folder_with_results_is_refused_unless_it_is_to_be_resumed(
    cli: Cli, project: Path, model: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert cli("predict", model, project, "-o", out).code == 0
    assert "is not empty" in cli("predict", model, project, "-o", out).err
    altered = out / "case-0002" / "labels.nii.gz"
    altered.write_bytes(b"x" + altered.read_bytes()[1:])
    (out / "case-0003" / "summary.json").unlink()
    again = cli("predict", model, project, "-o", out, "--resume", "--json")
    assert [case["resumed"] for case in again.document["cases"]] == [True, False, False]
    assert again.document["done"] == CASES
    sitk.ReadImage(str(altered))
    assert cli("predict", model, project, "-o", out, "--resume", "--json").document["resumed"] == CASES


def test_another_model_does_not_go_on_in_the_folder_of_the_first(
    cli: Cli, project: Path, model: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert cli("predict", model, project, "-o", out).code == 0
    other = cli("predict", "phantom-organs-nodules", project, "-o", out, "--resume")
    assert other.code == 1
    assert "results of another model" in other.err


def test_a_case_whose_images_are_gone_fails_alone_and_is_named(cli: Cli, project: Path, model: str, tmp_path: Path) -> None:
    away = tmp_path / "away"
    (tmp_path / "s1").rename(away)
    out = tmp_path / "out"
    done = cli("predict", model, project, "-o", out, "--json")
    assert done.code == 1
    assert [case["status"] for case in done.document["cases"]] == ["done", "failed", "done"]
    assert "1 of 3 cases failed: case 2:" in done.err
    assert "no longer where they were" in done.err
    away.rename(tmp_path / "s1")
    again = cli("predict", model, project, "-o", out, "--resume", "--json")
    assert again.code == 0
    assert [case["resumed"] for case in again.document["cases"]] == [True, False, True]


def test_a_case_with_a_slice_that_cannot_be_read_has_failed_and_so_has_the_command(
    cli: Cli, project: Path, model: str, tmp_path: Path
) -> None:
    victim = sorted((tmp_path / "s1").iterdir())[4]
    victim.write_bytes(victim.read_bytes()[:-100])
    done = cli("predict", model, project, "-o", tmp_path / "out", "--json")
    assert done.code == 1
    assert [case["status"] for case in done.document["cases"]] == ["done", "failed", "done"]
    assert "1 of 3 cases failed: case 2:" in done.err
    assert "are damaged, so a model would see gaps" in done.document["cases"][1]["reason"]


def test_a_case_the_model_is_not_for_is_skipped_with_the_reason(cli: Cli, project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "user-data" / "models"
    folder.mkdir(parents=True)
    small_pack(folder / "mr", tiling=TILES, id="for-mr", input={**document()["input"], "modality": ["MR"]})
    done = cli("predict", "for-mr", project, "-o", tmp_path / "out", "--json")
    assert done.code == 0
    assert done.document["skipped"] == CASES
    assert "is for MR; this series is CT" in done.document["cases"][0]["reason"]
    assert not (tmp_path / "out" / "case-0001").exists()


def test_images_that_changed_since_the_case_was_made_are_not_taken_for_it(
    cli: Cli, project: Path, model: str, tmp_path: Path
) -> None:
    file = sorted((tmp_path / "s0").iterdir())[4]
    data = bytearray(file.read_bytes())
    data[-40] ^= 0x3F
    file.write_bytes(data)
    done = cli("predict", model, project, "-o", tmp_path / "out", "--json")
    assert [case["status"] for case in done.document["cases"]] == ["failed", "done", "done"]
    assert "have changed" in done.document["cases"][0]["reason"]


def test_killed_in_the_middle_and_run_again_it_completes(cli: Cli, project: Path, model: str, tmp_path: Path) -> None:
    out, status = tmp_path / "out", tmp_path / "out" / "status.jsonl"
    command = [sys.executable, "-m", "medview", "predict", model, str(project), "-o", str(out), "--resume", "--quiet"]
    environment = {
        **os.environ,
        "MEDVIEW_DATA": str(tmp_path / "user-data"),
        "MEDVIEW_CONFIG": str(tmp_path / "user-config"),
    }
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + allowed_s(60.0)
    while not (status.is_file() and status.read_text().count("\n") >= 1) and time.monotonic() < end:
        assert child.poll() is None
    child.kill()
    child.wait()
    first = statuses(out)
    assert len(first) >= 1
    # As a disk leaves it when the power goes: half a line.
    with status.open("a") as file:
        file.write('{"case": 2, "series_uid": "1.2')
    done = cli("predict", model, project, "-o", out, "--resume", "--json")
    assert done.code == 0, done.err
    assert done.document["done"] == CASES
    assert done.document["resumed"] == len(first)
    assert statuses(out) == ["done"] * CASES
    whole = cli("predict", model, project, "-o", tmp_path / "whole", "--json").document
    for case in whole["cases"]:
        name = f"{case['folder']}/labels.json"
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
        mine, its = (
            sitk.GetArrayFromImage(sitk.ReadImage(str(f / case["folder"] / "labels.nii.gz")))
            for f in (out, tmp_path / "whole")
        )
        assert (mine == its).all()


def test_what_an_earlier_run_found_does_not_stay_beside_a_case_that_failed_later(
    cli: Cli, project: Path, model: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert cli("predict", model, project, "-o", out).code == 0
    mine = out / "case-0003" / "mine.txt"
    mine.write_text("kept")
    for name in ("s1", "s2"):
        (tmp_path / name).rename(tmp_path / f"away-{name}")
    (out / "case-0002" / "summary.json").unlink()
    again = cli("predict", model, project, "-o", out, "--resume", "--json")
    assert [case["status"] for case in again.document["cases"]] == ["done", "failed", "done"]
    assert not (out / "case-0002").exists()
    assert cli("predict", model, project, "-o", out, "--overwrite").code == 1
    assert sorted(one.name for one in out.iterdir()) == ["case-0001", "case-0003", "predict.json", "status.jsonl"]
    assert list((out / "case-0003").iterdir()) == [mine]


def test_folders_of_cases_of_another_project_are_cleared_by_a_run_that_begins_anew(
    cli: Cli, project: Path, model: str, tmp_path: Path
) -> None:
    other = tmp_path / "out" / "case-0009"
    other.mkdir(parents=True)
    (other / "labels.nii.gz").write_bytes(b"of another project")
    assert cli("predict", model, project, "-o", tmp_path / "out", "--overwrite").code == 0
    assert not other.exists()


def test_images_of_the_project_are_not_taken_for_results(cli: Cli, model: str, tmp_path: Path) -> None:
    place = tmp_path / "out" / "case-0001"
    volume, entry = scanned(write_small_ct(place, "s0"))
    with Project.create(tmp_path / "q.medview") as made:
        open_series(queue_workspace(tmp_path, InlineRunner(), made), volume, entry)
    before = {path: path.read_bytes() for path in place.rglob("*.dcm")}
    done = cli("predict", model, tmp_path / "q.medview", "-o", tmp_path / "out", "--overwrite")
    assert done.code == 1
    assert "holds images of the project" in done.err
    assert before
    assert {path: path.read_bytes() for path in place.rglob("*.dcm")} == before


def test_killed_while_the_first_case_is_written_it_can_be_resumed(
    cli: Cli, project: Path, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def killed(_prediction: object, _volume: object, _paths: object, folder: Path) -> None:
        (folder / "labels-2.nii.gz").write_bytes(b"half")
        raise SystemExit(9)

    run = project_predict.ProjectRun(load_pack(tmp_path / "user-data" / "models" / "small"), project, out)
    with monkeypatch.context() as now:
        now.setattr(project_predict, "write_prediction", killed)
        with pytest.raises(SystemExit):
            project_predict.predict_project(run, Inline(), InlinePool())
    assert (out / "case-0001").is_dir()
    done = cli("predict", model, project, "-o", out, "--resume", "--json")
    assert (done.code, done.document["done"]) == (0, CASES), done.err
    assert not (out / "case-0001" / "labels-2.nii.gz").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--explain", "Liver"],
        ["--channel", "CT=1.2.3"],
        ["--reference", "CT"],
        ["--series", "1.2.3"],
    ],
)
def test_what_is_for_one_series_is_refused_for_a_project(
    cli: Cli, project: Path, model: str, tmp_path: Path, options: list[str]
) -> None:
    done = cli("predict", model, project, "-o", tmp_path / "out", *options)
    assert done.code == 2
    assert f"leave {options[0]} out" in done.err
    assert not (tmp_path / "out").exists()


def test_a_method_that_is_none_is_refused_before_anything_is_read(cli: Cli, model: str, tmp_path: Path) -> None:
    done = cli("predict", model, tmp_path / "nowhere", "-o", tmp_path / "out", "--method", "guess")
    assert done.code == 2
    assert "--method guess is none" in done.err


def test_only_a_project_can_be_resumed(cli: Cli, project: Path, model: str, tmp_path: Path) -> None:
    del project
    done = cli("predict", model, tmp_path / "s0", "-o", tmp_path / "out", "--resume")
    assert done.code == 1
    assert "Only a run over a project" in done.err


def test_a_case_on_which_anything_goes_wrong_fails_alone(
    project: Path, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def broken(*given: Any) -> Any:
        seen.append(given)
        if len(seen) == 2:
            raise IndexError("list index out of range")
        return run_once(*given)

    pack = Registry(tmp_path / "none", tmp_path / "user-data" / "models").get(model)
    run_once = runs.predict
    monkeypatch.setattr(runs, "predict", broken)
    found = project_predict.predict_project(
        project_predict.ProjectRun(pack, project, tmp_path / "out", full_precision=True), Inline(), InlinePool()
    )
    assert [case["status"] for case in found["cases"]] == ["done", "failed", "done"]
    assert found["cases"][1]["reason"].endswith("failed on this series; the log says why.")
    assert all(request.full_precision for request, _context in seen)
