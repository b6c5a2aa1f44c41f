"""What is dropped: a model is installed, anything else opened."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from medview.io.reader_pool import InlinePool
from medview.ml.registry import Registry
from medview.workspace.jobs import InlineRunner, Job, Outcome, Request
from medview.workspace.operations.dropped import open_dropped
from medview.workspace.services import Services
from medview.workspace.workspace import Workspace
from tests.cli.conftest import write_ct
from tests.ml.small_packs import small_pack


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("MEDVIEW_CACHE", str(tmp_path / "cache"))
    return Workspace(InlineRunner(), Services(InlinePool(), Registry(tmp_path / "packs", tmp_path / "user")))


def zipped(folder: Path, target: Path, inside: str = "") -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for path in folder.rglob("*"):
            archive.write(path, inside + path.relative_to(folder).as_posix())
    return target


def installed(workspace: Workspace) -> list[str]:
    return [pack.spec.key for pack in workspace.services.registry.list()]


@pytest.mark.parametrize("inside", ["", "organs/"])
def test_a_zipped_model_is_installed(empty: Workspace, tmp_path: Path, inside: str) -> None:
    folder = small_pack(tmp_path / "source", id="organs").folder
    open_dropped(empty, zipped(folder, tmp_path / "organs.zip", inside))
    assert installed(empty) == ["organs@1.0.0"]
    assert not empty.series


def test_the_folder_of_a_model_is_installed(empty: Workspace, tmp_path: Path) -> None:
    open_dropped(empty, small_pack(tmp_path / "source", id="organs").folder)
    assert installed(empty) == ["organs@1.0.0"]


@pytest.mark.parametrize("above", [0, 1, 2])
def test_a_training_of_nnunet_is_taken_by_its_folder_or_one_above(empty: Workspace, tmp_path: Path, above: int) -> None:
    titles: list[str] = []

    class Heard(InlineRunner):
        def submit(self, request: Request, outcome: Outcome) -> Job:
            titles.append(type(request).__name__)
            return Job(request.title, request.lane)

    trained = tmp_path / "results" / "Dataset007_Organs" / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    trained.mkdir(parents=True)
    for name in ("plans.json", "dataset.json"):
        (trained / name).write_text("{}")
    empty.runner = Heard()
    open_dropped(empty, [trained, *trained.parents][above])
    plain = tmp_path / "pictures" / "Dataset of somebody"
    plain.mkdir(parents=True)
    open_dropped(empty, plain.parent)
    assert titles == ["AddModel", "ScanPlace"]


def test_pictures_are_opened_in_folders_and_zips_and_broken_zips_say_so(empty: Workspace, tmp_path: Path) -> None:
    said: list[str] = []

    def hear(message: object) -> None:
        said.append(getattr(message, "text", ""))

    empty.message.connect(hear)
    folder = write_ct(tmp_path / "ct", seed="drop")
    open_dropped(empty, folder)
    assert len(empty.cases) == 1
    open_dropped(empty, zipped(folder, tmp_path / "ct.zip"))
    assert installed(empty) == []
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    open_dropped(empty, tmp_path / "broken.zip")
    assert "broken.zip" in said[-1]


def test_two_versions_of_a_model_are_both_listed_and_one_of_them_is_removed(empty: Workspace, tmp_path: Path) -> None:
    for version in ("1.0.0", "1.1.0"):
        open_dropped(empty, small_pack(tmp_path / version, id="organs", version=version).folder)
    assert installed(empty) == ["organs@1.1.0", "organs@1.0.0"]
    empty.services.registry.remove("organs@1.1.0")
    assert installed(empty) == ["organs@1.0.0"]
