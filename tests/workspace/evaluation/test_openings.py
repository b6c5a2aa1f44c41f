"""Opening the test cases of a dataset folder is written down in one place, whatever the folder is called by."""

from __future__ import annotations

from pathlib import Path

import pytest

from medview.core.errors import ModelError
from medview.ml.runs.folder import RunFolder
from medview.workspace.evaluation.openings import BESIDE, note_beside
from tests.workspace.evaluation.test_evaluate import quick_pack


def test_a_folder_has_one_list_from_wherever_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack = quick_pack(tmp_path / "pack")
    folder = tmp_path / "exported"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(folder)
    counts = [len(note_beside(named, pack, 1)) for named in (Path(), folder, tmp_path / "link")]
    assert counts == [1, 2, 3]
    assert list(folder.iterdir()) == []
    assert (tmp_path / f"exported{BESIDE}").is_file()


def test_the_dataset_of_a_training_opens_no_test_cases_of_its_own(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run-1")
    run.dataset.mkdir(parents=True)
    run.write_json(run.settings_file, {})
    with pytest.raises(ModelError, match="dataset of run-1 was frozen for a training"):
        note_beside(run.dataset, quick_pack(tmp_path / "pack"), 1)
    assert not (run.path / f"dataset{BESIDE}").exists()
