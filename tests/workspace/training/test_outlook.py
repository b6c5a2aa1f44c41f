"""Before anything is trained it is said what can be learnt, from which cases, and why others are left out."""

from __future__ import annotations

from pathlib import Path

from medview.core.answer import Target
from medview.core.changes import AnswerChange, Command
from medview.core.form import Level
from medview.core.job import Inline
from medview.ml.spec import Task
from medview.store.entry import Entry, EntryKind
from medview.store.project import Project
from medview.store.reading_state import ReadingStatus
from medview.workspace.training.outlook import outlook_of
from tests.helpers.forms import BAD, GOOD, MOTION, answer
from tests.workspace.exported import labelled


def test_what_is_labelled_can_be_learnt_and_what_is_not_done_is_named(tmp_path: Path) -> None:
    made = labelled(tmp_path, finish=lambda number: ReadingStatus.IN_WORK if number == 2 else ReadingStatus.DONE)
    with Project.open(made.project) as project:
        third = project.cases()[2].case_id
    outlook = outlook_of(made.project, Inline())
    kinds = [(lesson.task, lesson.target) for lesson in outlook.lessons]
    assert kinds == [
        (Task.SEGMENTATION, None), (Task.CLASSIFICATION, "Quality"), (Task.INTERACTIVE, None), (Task.DETECTION, None),
    ]  # fmt: skip
    first = outlook.lessons[0]
    assert len(first.cases) == 2
    assert (first.patients, first.held_out) == (2, ())
    assert set(first.classes) == {"Lung", "Lobe", "Nodule"}, (
        "numbered ones of one thing, and none that is said to be absent"
    )
    assert len(outlook.lessons[3].cases) == 1, "the other one is done on some of its slices only"
    assert outlook.left_out == {"Not marked done": (third,)}


def test_answers_about_several_slices_of_a_case_are_all_learnt(tmp_path: Path) -> None:
    made = labelled(tmp_path)
    with Project.open(made.project) as project:
        reading_id = project.review.readings(project.cases()[0].case_id)[0].reading_id
        said = [
            AnswerChange(None, answer(MOTION, (option,), Target(Level.SLICE, k=k))) for k, option in enumerate((BAD, GOOD))
        ]
        project.journal.append(reading_id, Entry(EntryKind.DO, Command("Answer", tuple(said), "answer"), 2))
        assert project.journal.flush()
        project.set_status(reading_id, ReadingStatus.DONE)
    lessons = outlook_of(made.project, Inline()).lessons
    motion = next(lesson for lesson in lessons if lesson.target == "Motion")
    assert set(motion.classes) == {"Good", "Bad"}


def test_cases_left_out_of_the_project_teach_nothing(tmp_path: Path) -> None:
    made = labelled(tmp_path)
    with Project.open(made.project) as project:
        cases = project.cases()
        project.worklist.exclude([cases[0].case_id], "blurred")
        project.worklist.set_split([cases[1].case_id], "validation")
    outlook = outlook_of(made.project, Inline())
    assert outlook.left_out == {"Left out of the project": (cases[0].case_id,)}
    assert outlook.lessons[0].held_out == (cases[1].case_id,)
