"""predict with models of several channels: files in order, one study, and what is unclear."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from tests.cli.conftest import Cli
from tests.ml.inputs.packs import BRAIN_CHANNELS, several

TWO = [{"name": "T1", "modality": ["MR"], "words": ["t1"]}, {"name": "T2", "modality": ["MR"], "words": ["t2"]}]


def image(
    path: Path, size: tuple[int, int, int] = (36, 40, 12), spacing: tuple[float, float, float] = (1.2, 1.5, 5.0)
) -> Path:
    rng = np.random.default_rng(list(path.name.encode()))
    voxels = np.cumsum(rng.integers(-40, 60, size[::-1]), axis=2).astype(np.int16)
    made = sitk.GetImageFromArray(voxels)
    made.SetSpacing(spacing)
    sitk.WriteImage(made, str(path))
    return path


@pytest.fixture
def two(cli: Cli, tmp_path: Path) -> str:
    pack = several(tmp_path / "two", TWO, id="two")
    assert cli("models", "add", pack.folder, "--json").code == 0
    return "two"


def test_files_are_the_channels_in_the_models_order(cli: Cli, two: str, tmp_path: Path) -> None:
    files = [image(tmp_path / "a.nii.gz"), image(tmp_path / "bb.nii.gz")]
    done = cli("predict", two, *files, "-o", tmp_path / "out", "--device", "cpu", "--json")
    assert done.code == 0, done.err
    assert [one["channel"] for one in done.document["inputs"]] == ["T1", "T2"]
    assert done.document["source_series"] == done.document["inputs"][0]["series_uid"]
    labels = sitk.ReadImage(str(tmp_path / "out" / "labels.nii.gz"))
    assert labels.GetSize() == (36, 40, 12)
    other = cli("predict", two, *files[::-1], "-o", tmp_path / "other", "--device", "cpu", "--json")
    assert other.document["source_series"] != done.document["source_series"]


def test_another_grid_is_resampled_and_that_is_in_the_warnings(cli: Cli, two: str, tmp_path: Path) -> None:
    files = [image(tmp_path / "a.nii.gz"), image(tmp_path / "bb.nii.gz", (50, 44, 10), (0.9, 1.4, 5.5))]
    done = cli("predict", two, *files, "-o", tmp_path / "out", "--device", "cpu", "--json")
    assert done.code == 0, done.err
    assert any("no frame of reference" in warning for warning in done.document["warnings"])
    assert any("T2: It shows" in warning for warning in done.document["warnings"])
    done = cli("predict", two, *files, "--reference", "T2", "-o", tmp_path / "t2", "--device", "cpu", "--json")
    assert sitk.ReadImage(str(tmp_path / "t2" / "labels.nii.gz")).GetSize() == (50, 44, 10)
    assert done.document["source_series"] == done.document["inputs"][1]["series_uid"]


def test_a_folder_of_files_is_told_apart_by_their_names(cli: Cli, two: str, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    folder.mkdir()
    for name in ("x_t2.nii.gz", "x_t1.nii.gz", "x_flair.nii.gz"):
        image(folder / name)
    done = cli("predict", two, folder, "-o", tmp_path / "out", "--device", "cpu", "--json")
    assert done.code == 0, done.err


def test_what_is_not_clear_is_asked_for_with_a_list(cli: Cli, two: str, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    folder.mkdir()
    for name in ("x_t1.nii.gz", "t2_one.nii.gz", "t2_two.nii.gz"):
        image(folder / name)
    done = cli("predict", two, folder, "-o", tmp_path / "out", "--json")
    assert (done.code, done.out) == (2, "")
    assert len(done.err.strip().splitlines()) == 1
    assert "which series is T2 (T1 is x_t1.nii.gz)" in done.err
    assert "t2_one.nii.gz" in done.err
    assert not (tmp_path / "out").exists()
    uid = done.err.split("t2_two.nii.gz")[0].rsplit("(", 1)[0].split()[-1]
    named = cli("predict", two, folder, "--channel", f"T2={uid}", "-o", tmp_path / "out", "--device", "cpu", "--json")
    assert named.code == 0, named.err
    assert named.document["inputs"][1]["series_uid"] == uid
    named_file = f"t2={folder / 't2_one.nii.gz'}"
    by_path = cli("predict", two, folder, "--channel", named_file, "-o", tmp_path / "p", "--device", "cpu", "--json")
    assert by_path.code == 0, by_path.err
    assert by_path.document["inputs"][1]["series_uid"] != uid


@pytest.mark.parametrize(
    ("extra", "code", "said"),
    [
        (["--channel", "T9=1.2.3"], 2, "names no channel of the model"),
        (["--channel", "T2=nowhere"], 1, "There is no series nowhere"),
        (["--reference", "T9"], 2, "is no channel of"),
        (["--series", "1.2.3"], 2, "say --channel"),
    ],
)
def test_wrong_names_are_refused_with_the_right_ones(
    cli: Cli, two: str, tmp_path: Path, extra: list[str], code: int, said: str
) -> None:
    folder = tmp_path / "case"
    folder.mkdir()
    for name in ("x_t1.nii.gz", "x_t2.nii.gz"):
        image(folder / name)
    done = cli("predict", two, folder, *extra, "-o", tmp_path / "out", "--json")
    assert (done.code, done.out) == (code, "")
    assert said in done.err


def test_another_number_of_files_than_channels_is_wrong_use(cli: Cli, two: str, tmp_path: Path) -> None:
    files = [image(tmp_path / name) for name in ("a.nii.gz", "b.nii.gz", "c.nii.gz")]
    done = cli("predict", two, *files, "-o", tmp_path / "out", "--json")
    assert done.code == 2
    assert "takes 2 series, in this order: T1, T2; 3 were given" in done.err


@pytest.mark.data
def test_the_folder_of_a_real_study_is_enough(cli: Cli, test_data: Path, tmp_path: Path) -> None:
    pack = several(tmp_path / "brain", BRAIN_CHANNELS, id="brain", body_part=["CHEST"])
    assert cli("models", "add", pack.folder).code == 0
    study = test_data / "mr-brain-t1-t1c-t2-flair"
    done = cli("predict", "brain", study, "-o", tmp_path / "out", "--device", "cpu", "--json")
    assert done.code == 0, done.err
    assert [one["channel"] for one in done.document["inputs"]] == ["T1", "T1c", "T2", "FLAIR"]
    assert "T1: Body part BRAIN; made for CHEST." in done.document["warnings"]
    assert (tmp_path / "out" / "labels.dcm").is_file()
    by_hand = [
        next(path for path in (study / "data" / "TestVolumes" / "Study3").iterdir() if part in path.name)
        for part in ("T1prereg", "T1post", "T2reg", "FLAIRreg")
    ]
    again = cli("predict", "brain", *by_hand, "-o", tmp_path / "hand", "--device", "cpu", "--json")
    assert again.code == 0, again.err
    assert again.document["segments"] == done.document["segments"]
