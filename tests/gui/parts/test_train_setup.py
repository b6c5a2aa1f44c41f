"""What somebody chose, read and confirmed before a training is what the training is asked for, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from medview.gui.parts.train_setup import TrainSetup
from medview.io.reader_pool import InlinePool
from medview.ml.guards.finding import GuardFinding, Severity
from medview.ml.packs import ModelPack
from medview.ml.registry import Registry
from medview.ml.spec import Task
from medview.store.cases import CaseRow
from medview.store.project import Project
from medview.workspace.jobs import InlineRunner
from medview.workspace.services import Services
from medview.workspace.training.line_view import LineView
from medview.workspace.training.outlook import Lesson, Outlook
from medview.workspace.trainings import Refusal, Wish
from medview.workspace.workspace import Workspace
from tests.ml.small_packs import small_pack

LESSON = Lesson(Task.SEGMENTATION, None, (1, 2, 3), (), 3, ("Lung",))
LEAK = GuardFinding("seen-before", Severity.BLOCK, "The model has learnt from case_0003.", ("case_0003",))
ONLY_TRAINED = GuardFinding("not-judged", Severity.CONFIRM, "No validation case shows Lung.")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Project.create(tmp_path / "p.medview", "Test") as project:
        services = Services(InlinePool(), Registry(tmp_path / "packs", tmp_path / "user"), project)
        yield Workspace(InlineRunner(), services)


@pytest.fixture
def setup(workspace: Workspace, qtbot: QtBot) -> TrainSetup:
    made = TrainSetup(workspace)
    qtbot.addWidget(made)
    workspace.trainings.show_outlook(Outlook((LESSON,)))
    return made


@pytest.fixture
def wishes(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> list[Wish]:
    found: list[Wish] = []
    monkeypatch.setattr(workspace.trainings.conductor, "start", found.append)
    return found


def start(setup: TrainSetup, qtbot: QtBot) -> None:
    """Tick what is asked and start."""
    for box in setup.asked.boxes:
        box.setChecked(True)
    assert setup.start.isEnabled()
    qtbot.mouseClick(setup.start, Qt.MouseButton.LeftButton)


def test_leaving_leaks_out_confirms_nothing_that_nobody_has_read_and_is_kept_when_more_is_asked(
    setup: TrainSetup, workspace: Workspace, wishes: list[Wish], qtbot: QtBot
) -> None:
    workspace.trainings.refuse(Refusal(Wish(Task.SEGMENTATION), LEAK.sentence, (LEAK,)))
    start(setup, qtbot)
    assert (wishes[0].confirmed, wishes[0].without_leaks) == (frozenset(), True)
    workspace.trainings.refuse(Refusal(wishes[0], ONLY_TRAINED.sentence, (ONLY_TRAINED,)))
    start(setup, qtbot)
    assert (wishes[1].confirmed, wishes[1].without_leaks) == ({ONLY_TRAINED.sentence}, True)


def test_a_failure_that_may_be_over_is_no_reason_to_refuse_another_try(
    setup: TrainSetup, workspace: Workspace, wishes: list[Wish], qtbot: QtBot
) -> None:
    workspace.trainings.refuse(Refusal(Wish(Task.SEGMENTATION, without_leaks=True), "The disk is full."))
    start(setup, qtbot)
    assert wishes[0].without_leaks


def test_cases_that_are_left_out_are_told_where_nothing_can_be_learnt_and_without_names_of_files_where_those_are_hidden(
    setup: TrainSetup, workspace: Workspace
) -> None:
    file = CaseRow(1, "s", "1.2", "", "", "Jane Doe knee", (9, 8, 7), "P0001", 1, "", "", "")
    workspace.worklist.rows = (file,)
    workspace.trainings.show_outlook(Outlook((), {"Not labelled yet": (1,)}))
    assert setup.left_out.text() == "Not labelled yet (1): P0001 · Jane Doe knee"
    workspace.trainings.show_outlook(Outlook((), {"Not marked done": (1,)}))
    assert setup.left_out.text() == "Not marked done (1): P0001 · Jane Doe knee"
    workspace.bench.identity_hidden = True
    assert setup.left_out.text() == "Not marked done (1): P0001 · Image file"


def test_the_parent_somebody_chose_stays_chosen_and_another_one_asks_again(
    setup: TrainSetup, workspace: Workspace, tmp_path: Path
) -> None:
    trainings = workspace.trainings

    def counts(version: str) -> ModelPack:
        labels = [{"value": 1, "name": "Lung"}, {"value": 2, "name": "Nodule"}]
        pack = small_pack(tmp_path / version, version=version, output={"labels": labels})
        trainings.show_lines((LineView("segmentation", (), None, None, pack),))
        workspace.models_changed.emit()
        return pack

    def choose(index: int) -> Refusal:
        setup.parent_model.setCurrentIndex(index)
        setup.parent_model.activated.emit(index)
        refusal = Refusal(Wish(Task.SEGMENTATION), ONLY_TRAINED.sentence, (ONLY_TRAINED,))
        trainings.refuse(refusal)
        return refusal

    first = counts("1")
    assert setup.begins_with is first
    refusal = choose(1)
    second = counts("2")
    trainings.show_outlook(Outlook((replace(LESSON, cases=(1, 2, 3, 4)),)))
    assert setup.begins_with is None, "nothing was chosen"
    assert trainings.refused is refusal
    choose(0)
    assert setup.begins_with is second
    third = counts("3")
    assert setup.begins_with is third, "the chosen one is there no more"
    assert trainings.refused is None
