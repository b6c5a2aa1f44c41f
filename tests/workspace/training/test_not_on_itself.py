"""What a model proposes is not learnt from as truth before a person says so: from the window to a frozen training."""

from __future__ import annotations

from pathlib import Path

import pytest

from medview.core.errors import ModelError
from medview.core.job import Inline
from medview.core.reading_status import ReadingStatus
from medview.io.datasets.neutral_read import read_neutral
from medview.io.reader_pool import InlinePool
from medview.ml.examples import Trust
from medview.ml.recipes.table import choose
from medview.ml.spec import Task
from medview.store.project import Project
from medview.workspace.export_selection import Include
from medview.workspace.jobs import InlineRunner
from medview.workspace.operations import labels
from medview.workspace.operations.open import open_series
from medview.workspace.operations.predict import run_model
from medview.workspace.training.examples import examples_of
from medview.workspace.training.freeze import Wanted, freeze
from tests.workspace.queued import add_small_model, queue_workspace, scanned, write_small_ct

SPLITS = ("train", "train", "validation", "validation")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Four cases in which a model was run and all of it accepted in the window: of each split one is marked done."""
    key = add_small_model(tmp_path)
    path = tmp_path / "p.medview"
    with Project.create(path) as made:
        workspace = queue_workspace(tmp_path, InlineRunner(), made)
        for number, split in enumerate(SPLITS):
            open_series(workspace, *scanned(write_small_ct(tmp_path, f"s{number}")))
            case = workspace.active
            assert case is not None
            run_model(workspace, workspace.services.registry.get(key))
            (proposal_id,) = case.labels.proposals
            labels.accept(case, proposal_id)
            assert case.labels.segmentation.segments
            row = workspace.worklist.row_of(case) or made.cases()[number]
            made.worklist.set_split([row.case_id], split)
            workspace.close_case(case.key)
        made.journal.flush()
        for row in made.cases()[::2]:
            made.set_status(row.readings[0].reading_id, ReadingStatus.DONE)
    return path


def frozen(project: Path, folder: Path, include: Include) -> list[str]:
    said: list[str] = []
    wanted = Wanted(project, Task.SEGMENTATION, choose(Task.SEGMENTATION), include=include, confirmed=True)
    freeze(wanted, folder, Inline(), InlinePool(), said.extend)
    return said


def test_only_cases_that_are_done_are_learnt_from_and_judged_on(project: Path, tmp_path: Path) -> None:
    frozen(project, tmp_path / "run", Include.DONE)
    found = examples_of(read_neutral(tmp_path / "run" / "dataset"), Task.SEGMENTATION)
    assert [(one.split, one.trust) for one in found.examples] == [("train", Trust.ACCEPTED), ("val", Trust.ACCEPTED)]


def test_asked_to_take_all_it_refuses_to_judge_a_model_by_what_a_model_made(project: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nobody looked at them; review them, or a model is judged by a model"):
        frozen(project, tmp_path / "run", Include.ALL)
    assert not (tmp_path / "run").exists()


def test_in_training_it_is_told(project: Path, tmp_path: Path) -> None:
    with Project.open(project) as made:
        made.set_status(made.cases()[3].readings[0].reading_id, ReadingStatus.DONE)
    said = frozen(project, tmp_path / "run", Include.ALL)
    assert any(sentence.startswith("A model made the labels of 1 training case and nobody looked") for sentence in said)
