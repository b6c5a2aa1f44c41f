"""Projects become datasets that other programs read, and come back as they were."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from medview.io.datasets.foreign import DatasetRequest
from medview.io.datasets.reading import load_labels
from medview.io.datasets.table import list_dataset
from medview.io.datasets.writers import WRITERS
from tests.cli.conftest import Cli
from tests.cli.test_project_import import pictures
from tests.io.datasets.pictures import holed_mask, save_mask
from tests.io.datasets.test_nnunet import dataset as nnunet_dataset
from tests.io.datasets.test_writers import nnunet_checks


@pytest.fixture
def project(cli: Cli, tmp_path: Path) -> Path:
    place, source = tmp_path / "p.medview", pictures(tmp_path / "set")
    cli("project", "create", place)
    given = ["--format", "image-mask", "--label-values", "255=LV", "--patient-from", "(p.)-", "--split-from"]
    assert cli("project", "import", place, source, *given, source / "splits.csv").code == 0
    return place


@pytest.mark.parametrize("form", sorted(WRITERS))
def test_a_project_becomes_a_dataset_under_its_pseudonyms(cli: Cli, project: Path, tmp_path: Path, form: str) -> None:
    dry = cli("project", "export", project, "-o", tmp_path / "out", "--format", form, "--dry-run", "--json").document
    assert dry["warnings"]
    assert not (tmp_path / "out").exists()
    done = cli("project", "export", project, "-o", tmp_path / "out", "--format", form, "--json")
    assert done.code == 0, done.err
    assert (done.document["written"], done.document["warnings"]) == (4, dry["warnings"])
    back = list_dataset(form, DatasetRequest(tmp_path / "out"))
    assert sorted(case.split for case in back.cases) == ["train", "train", "val", "val"]
    files = [path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert not [name for name in files if "p1" in name or "p2" in name]
    check = ["sha256sum", "--quiet", "--check", "checksums.sha256"]
    assert subprocess.run(check, cwd=tmp_path / "out", check=False).returncode == 0
    card = (tmp_path / "out" / "DATASET.md").read_text()
    assert "| train | 2 | 1 |" in card
    assert "No patient stands in two splits." in card
    assert "| LV | 4 |" in card


def test_masks_come_back_pixel_for_pixel_from_nnunet(cli: Cli, project: Path, tmp_path: Path) -> None:
    assert cli("project", "export", project, "-o", tmp_path / "out", "--format", "nnunet").code == 0
    nnunet_checks(tmp_path / "out")
    for number, case in enumerate(list_dataset("nnunet", DatasetRequest(tmp_path / "out")).cases):
        masks = load_labels(case).masks
        assert masks is not None
        np.testing.assert_array_equal(masks.layers[0][0] > 0, np.roll(holed_mask(), number % 2, axis=1))


def test_colours_that_are_equal_everywhere_are_one_channel(cli: Cli, tmp_path: Path) -> None:
    save_mask(tmp_path / "set" / "images" / "a.png", np.repeat(np.arange(35, dtype=np.uint8).reshape(5, 7, 1), 3, axis=2))
    save_mask(tmp_path / "set" / "masks" / "a.png", np.eye(5, 7, dtype=np.uint8))
    cli("project", "create", tmp_path / "p.medview")
    cli("project", "import", tmp_path / "p.medview", tmp_path / "set", "--format", "image-mask")
    done = cli("project", "export", tmp_path / "p.medview", "-o", tmp_path / "out", "--format", "nnunet")
    assert done.code == 0, done.err
    assert len(nnunet_checks(tmp_path / "out")["channel_names"]) == 1


def test_volumes_go_round_by_nnunet(cli: Cli, tmp_path: Path) -> None:
    first, second = tmp_path / "a.medview", tmp_path / "b.medview"
    for place, source in ((first, nnunet_dataset(tmp_path / "set")), (second, tmp_path / "out")):
        cli("project", "create", place)
        assert cli("project", "import", place, source, "--format", "nnunet").code == 0
        if place == first:
            assert cli("project", "export", first, "-o", tmp_path / "out", "--format", "nnunet").code == 0
    document = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert document["labels"] == {"background": 0, "lung": 1, "tumour": 2, "ignore": 3}
    for name in ("case_0001", "case_0002"):
        assert (tmp_path / "out" / "labelsTr" / f"{name}.nii.gz").is_file()


def test_images_that_are_gone_or_others_are_said_and_nothing_is_left(cli: Cli, project: Path, tmp_path: Path) -> None:
    victim = tmp_path / "set" / "images" / "p1-1.png"
    whole = victim.read_bytes()
    victim.unlink()
    done = cli("project", "export", project, "-o", tmp_path / "out", "--format", "coco")
    assert done.code == 1
    assert "no longer where they were" in done.err
    assert not (tmp_path / "out").exists()
    victim.write_bytes(whole)
    assert cli("project", "export", project, "-o", tmp_path / "out", "--format", "coco").code == 0
    again = cli("project", "export", project, "-o", tmp_path / "out", "--format", "coco")
    assert again.code == 1
    assert "not empty" in again.err
    assert cli("project", "export", project, "-o", tmp_path / "more", "--format", "nothing").code == 1


@pytest.mark.parametrize(
    "given", [["--reader", "anna"], ["--include", "done"], ["--licence", "CC0"], ["--every-slice"], ["--dry-run"]]
)
def test_an_option_of_formats_without_one_is_wrong_use_and_leaves_an_earlier_export_alone(
    cli: Cli, project: Path, tmp_path: Path, given: list[str]
) -> None:
    out = tmp_path / "out"
    assert cli("project", "export", project, "-o", out).code == 0
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.rglob("*") if path.is_file()}
    assert before
    done = cli("project", "export", project, "-o", out, "--overwrite", *given)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"{given[0]} is for --format; name a format, or leave it out.\n"
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.rglob("*") if path.is_file()} == before


def test_all_options_of_formats_that_were_given_without_one_are_named(cli: Cli, project: Path, tmp_path: Path) -> None:
    done = cli("project", "export", project, "-o", tmp_path / "out", "--dry-run", "--reader", "anna")
    assert done.code == 2
    assert done.err == "--reader, --dry-run are for --format; name a format, or leave them out.\n"
    assert not (tmp_path / "out").exists()
