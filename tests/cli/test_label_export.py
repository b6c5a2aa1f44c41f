"""``medview project export --format`` for label files and the dataset folder."""

from __future__ import annotations

from pathlib import Path

from medview.io.datasets.neutral_read import read_neutral
from medview.store.project import Project
from tests.cli.conftest import Cli
from tests.workspace.exported import labelled


def test_a_dataset_is_said_dry_written_noted_and_its_splits_kept(cli: Cli, tmp_path: Path) -> None:
    made = labelled(tmp_path / "in")
    call = ("project", "export", made.project, "-o", tmp_path / "out", "--format", "dataset", "--json")
    dry = cli(*call, "--dry-run")
    assert dry.document["warnings"]
    assert not (tmp_path / "out").exists()
    done = cli(*call, "--licence", "CC0")
    assert (done.code, done.document["written"], done.document["licence"]) == (0, 3, "CC0")
    assert done.document["warnings"] == dry.document["warnings"]
    splits = {case.key: case.split for case in read_neutral(tmp_path / "out").cases}
    with Project.open(made.project, read_only=True) as project:
        kept = {f"case_{row.case_id:04d}": row.split.replace("validation", "val") for row in project.cases()}
        (entry,) = [one for one in project.activity.entries() if one.kind == "exported"]
    assert kept == splits
    assert entry.details == {"format": "dataset", "cases": 3}
    again = cli(*call, "--overwrite")
    assert again.code == 0
    assert "had no split" not in " ".join(again.document["warnings"])


def test_label_files_are_written_in_the_format_that_is_named(cli: Cli, tmp_path: Path) -> None:
    made = labelled(tmp_path / "in")
    done = cli("project", "export", made.project, "-o", tmp_path / "out", "--format", "seg", "--json")
    assert done.code == 0, done.err
    assert (done.document["format"], done.document["written"]) == ("seg", 3)
    assert (tmp_path / "out" / "case_0001" / "labels.dcm").is_file()
    unknown = cli("project", "export", made.project, "-o", tmp_path / "more", "--format", "dicom")
    assert unknown.code == 1
    assert "nifti, nrrd, seg, rtstruct" in unknown.err


def test_an_export_of_a_project_that_somebody_writes_is_written_all_the_same(cli: Cli, tmp_path: Path) -> None:
    made = labelled(tmp_path / "in")
    with Project.open(made.project):
        done = cli("project", "export", made.project, "-o", tmp_path / "out", "--format", "nrrd")
    assert done.code == 0
    assert "could not note this export" in done.err
    assert (tmp_path / "out" / "case_0003" / "labels.seg.nrrd").is_file()
