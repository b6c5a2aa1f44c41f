"""Two trainings are compared where they can be, and as soon as both are judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from medview.gui.parts.run_compare import RunCompare
from medview.ml.spec import Task
from medview.workspace.training.run_report import report_of
from medview.workspace.training.run_view import RunPhase, RunView
from medview.workspace.workspace import Workspace
from tests.ml.runs.test_runs import settings

NAMES = ("classification-1", "classification-2")


def runs(*targets: str) -> tuple[RunView, ...]:
    """Trainings that are over, each of a question."""
    return tuple(
        RunView(name, Path(name), RunPhase.DONE, replace(settings(), task=Task.CLASSIFICATION, target=target), result={})
        for name, target in zip(NAMES, targets, strict=True)
    )


def judged(workspace: Workspace, name: str, *cases: str) -> None:
    headline = {"name": "auc", "title": "AUC", "value": 0.5 + 0.1 * int(name[-1]), "low": None, "high": None}
    by_case = [{"case": case, "score": 1.0} for case in cases]
    report = {"cases": len(cases), "patients": len(cases), "headlines": [headline], "by_case": by_case}
    workspace.trainings.show_report(name, report_of(report))


@pytest.fixture
def asked(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(workspace.trainings.conductor, "read_report", found.append)
    return found


@pytest.fixture
def compare(workspace: Workspace, asked: list[str], qtbot: QtBot) -> RunCompare:
    made = RunCompare(workspace)
    qtbot.addWidget(made)
    made.show_runs(*NAMES)
    return made


SAME = "Each judged on 2 validation cases."
OTHERS = "Judged on 2 and on 2 validation cases, not the same ones: compare with care."
UNLIKE = "They learn different things: their figures cannot be compared."


@pytest.mark.parametrize(
    ("targets", "second", "said", "difference"),
    [
        (("fracture", "fracture"), ("a", "b"), SAME, "+0.100"),
        (("fracture", "fracture"), ("a", "c"), OTHERS, "+0.100"),
        (("fracture", "effusion"), ("a", "b"), UNLIKE, "–"),
    ],
)
def test_only_trainings_of_one_thing_differ_and_other_cases_of_the_same_number_are_told(
    compare: RunCompare, workspace: Workspace, targets: tuple[str, str], second: tuple[str, ...], said: str, difference: str
) -> None:
    workspace.trainings.show(runs(*targets))
    judged(workspace, NAMES[0], "a", "b")
    judged(workspace, NAMES[1], *second)
    assert compare.said.text() == said
    item = compare.table.item(0, 3)
    assert item is not None
    assert item.text() == difference


def test_the_report_of_one_that_was_still_being_judged_is_read_while_somebody_looks(
    compare: RunCompare, workspace: Workspace, asked: list[str]
) -> None:
    asked.clear()
    workspace.trainings.show(runs("fracture", "fracture"))
    assert asked == [], "nobody looks"
    compare.show()
    workspace.trainings.show(runs("fracture", "fracture"))
    assert asked == list(NAMES)
