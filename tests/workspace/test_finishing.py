"""Saying that a case is done while required questions are unanswered: said once, with a way there, then carried out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from medview.core.form import AnswerKind, Form, Question
from medview.core.job import Inline
from medview.core.reading_status import ReadingStatus
from medview.io.reader_pool import InlinePool
from medview.store.project import Project
from medview.workspace.answering import give
from medview.workspace.asked import asked_now
from medview.workspace.case_adding import AddCases, WantedPlace
from medview.workspace.case_words import case_detail
from medview.workspace.events import Message
from medview.workspace.jobs import InlineRunner
from medview.workspace.workspace import Workspace
from tests.helpers.forms import GOOD, QUALITY, SURE
from tests.workspace.queued import queue_workspace, write_small_ct

FORM = Form("f", "Chest", (QUALITY, SURE, Question("q.note", "Note", AnswerKind.TEXT)))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p.medview", reader="Ada") as made:
        places = tuple(WantedPlace(write_small_ct(tmp_path / "images", f"s{n}")) for n in range(3))
        AddCases(made, places, InlinePool()).run(Inline())
        yield made


@pytest.fixture
def workspace(tmp_path: Path, project: Project) -> Workspace:
    made = queue_workspace(tmp_path, InlineRunner(), project)
    made.worklist.load()
    made.forms.use((FORM,))
    made.worklist.open(1)
    return made


@pytest.fixture
def told(workspace: Workspace) -> list[Message]:
    found: list[Message] = []
    workspace.message.connect(found.append)
    return found


def status(workspace: Workspace) -> ReadingStatus:
    row = workspace.worklist.row(1)
    assert row is not None
    return workspace.worklist.who.status(row)


def answer(workspace: Workspace, **values: object) -> None:
    case = workspace.active
    assert case is not None
    rows = {row.question.text: row for group in asked_now(workspace, case) for row in group.asked}
    for text, value in values.items():
        assert give(workspace, rows[text], value)  # type: ignore[arg-type]


def test_the_first_wish_says_what_is_missing_and_the_second_is_carried_out(
    workspace: Workspace, told: list[Message]
) -> None:
    assert not workspace.worklist.finishing.finish()
    assert status(workspace) is ReadingStatus.TO_DO
    assert told[-1].text.startswith("2 required questions are unanswered.")
    asked: list[tuple[str, str]] = []
    workspace.forms.wanted.connect(lambda target, uid: asked.append((target, uid)))
    way_out = told[-1].way_out
    assert way_out is not None
    way_out.take()
    assert asked == [("series", QUALITY.uid)]
    assert workspace.worklist.finishing.finish()
    assert status(workspace) is ReadingStatus.DONE


def test_what_is_answered_in_between_is_not_asked_for_again(workspace: Workspace, told: list[Message]) -> None:
    assert not workspace.worklist.finishing.finish()
    answer(workspace, Quality=(GOOD,))
    assert workspace.worklist.finishing.finish(), "of the other question it was told before"
    assert len([one for one in told if one.way_out is not None]) == 1


def test_with_everything_answered_nothing_is_said(workspace: Workspace, told: list[Message]) -> None:
    answer(workspace, Quality=(GOOD,), Confidence=80.0)
    assert workspace.worklist.finishing.finish()
    assert not [one for one in told if one.way_out is not None]


def test_another_case_is_warned_of_anew(workspace: Workspace, told: list[Message]) -> None:
    over: list[Message] = []
    workspace.message_over.connect(over.append)
    assert not workspace.worklist.finishing.finish()
    warning = told[-1]
    workspace.worklist.open(2)
    assert over == [warning], "it is about a case that is no longer open"
    assert not workspace.worklist.finishing.finish()
    workspace.worklist.open(1)
    assert not workspace.worklist.finishing.finish()


def test_the_list_says_which_finished_cases_lack_answers(workspace: Workspace) -> None:
    cases = workspace.worklist
    answer(workspace, Quality=(GOOD,))
    assert not cases.finishing.finish()
    assert cases.finishing.finish()
    row = cases.row(1)
    assert row is not None
    assert cases.lacks(cases.who.reading(row)) == 1
    assert cases.done_and_lacking == 1
    assert case_detail(row, cases.who, 1).startswith("Done · 1 answer missing")
    workspace.forms.use((FORM.changed(questions=(QUALITY,)),))
    assert cases.done_and_lacking == 0, "it is asked no longer"


def test_a_project_that_is_only_read_says_that_instead(workspace: Workspace, project: Project, told: list[Message]) -> None:
    with Project.open(project.path, read_only=True) as copy:
        workspace.services.project = copy
        assert not workspace.worklist.finishing.finish()
        assert told[-1].text == copy.read_only_reason
    workspace.services.project = project
