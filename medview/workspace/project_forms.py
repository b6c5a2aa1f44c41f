"""How much of the forms of a project is unanswered, reading by reading, from its journal alone."""

from __future__ import annotations

from collections.abc import Mapping

from medview.core.answer import SERIES, STUDY, Answer, AnswerKey, missing
from medview.core.form import Forms, Level, asked
from medview.store.project import Project
from medview.workspace.case_filter import FINISHED


def missing_by_reading(project: Project, forms: Forms) -> dict[int, int]:
    """Return how many required answers each reading lacks that was begun or is said to be done; those without are left out.

    Slices and lesions count once something was answered about them. What a reader said of a study on one of its series
    counts for all of them. Excluded cases are left out.
    """
    given = project.answers()
    rows = [row for row in project.cases() if not row.excluded]
    of_study: dict[tuple[str, str], dict[AnswerKey, Answer]] = {}
    for row in rows:
        for state in row.readings:
            said = {key: one for key, one in given.get(state.reading_id, {}).items() if key[0] == STUDY.key}
            of_study.setdefault((row.study_uid, state.reader), {}).update(said)
    found: dict[int, int] = {}
    for row in rows:
        for state in row.readings:
            if not state.worked_on and state.status not in FINISHED:
                continue
            answers = {**given.get(state.reading_id, {}), **of_study[row.study_uid, state.reader]}
            if count := count_missing(forms, row.modality, answers):
                found[state.reading_id] = count
    return found


def count_missing(forms: Forms, modality: str, answers: Mapping[AnswerKey, Answer]) -> int:
    """Return how many required answers are missing about the study, the series, and slices and lesions begun with."""
    questions = [question for _form, question in asked(forms, modality)]
    begun = {one.target.key: one.target for one in answers.values() if one.target.level in (Level.SLICE, Level.LESION)}
    return sum(
        question.level is not Level.LESION or question.asks_about(target.name)
        for target in (STUDY, SERIES, *begun.values())
        for question in missing(questions, target, answers)
    )
