"""The questions of a case as they stand: what is asked where one looks, what was answered, what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medview.core.answer import STUDY, Answer, Standing, Target, asked_no_longer, standing
from medview.core.form import Form, Level, Question
from medview.core.language import _
from medview.core.segmentation import Segment
from medview.workspace.form_targets import (
    answered_targets,
    is_gone,
    name_of,
    named_lesions,
    named_now,
    slice_target,
    target_at,
)
from medview.workspace.open_case import OpenCase

if TYPE_CHECKING:
    # The workspace itself holds what asks here.
    from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Asked:
    """One question about one target, and its answer.

    Attributes
    ----------
    note : str
        What a person should know of the answer, or empty.
    """

    case_key: str
    form: Form
    question: Question
    target: Target
    answer: Answer | None = None
    note: str = ""

    @property
    def standing(self) -> Standing:
        """What the answer is worth."""
        return standing(self.question, self.answer)

    @property
    def missing(self) -> bool:
        """Whether it has to be answered still."""
        return self.question.required and not self.standing.settled


@dataclass(frozen=True, slots=True)
class AskedGroup:
    """The questions on one level, about what it means where one looks now.

    Attributes
    ----------
    hint : str
        What to do so that something can be answered; empty where there are questions.
    """

    level: Level
    title: str
    asked: tuple[Asked, ...] = ()
    hint: str = ""


def asked_now(workspace: Workspace, case: OpenCase) -> tuple[AskedGroup, ...]:
    """Return what is asked of a case where one looks now, level by level; levels without questions are left out."""
    book = workspace.forms
    questions = list(book.asked_of(case))
    groups: list[AskedGroup] = []
    for level in Level:
        mine = [(form, question) for form, question in questions if question.level is level]
        if not mine:
            continue
        target = target_at(case, level, book.pieces)
        if level is Level.LESION and target is not None:
            mine = [(form, question) for form, question in mine if question.asks_about(target.name)]
        if target is None or not mine:
            groups.append(AskedGroup(level, _("Lesion"), hint=_hint([q for _f, q in questions if q.level is level])))
            continue
        rows = tuple(asked_of(workspace, case, form, question, target) for form, question in mine)
        groups.append(AskedGroup(level, name_of(case, target, book.pieces), rows))
    return tuple(groups)


def asked_of(workspace: Workspace, case: OpenCase, form: Form, question: Question, target: Target) -> Asked:
    """Return a question about a target with its answer; what is said of a study is said of all its series."""
    answer = case.labels.answers.get((target.key, question.uid))
    where = ""
    if target.level is Level.STUDY:
        answer, where = _of_study(workspace, case, question, answer)
    now = standing(question, answer)
    note = _NOTES[now].format(answer=answer.words) if answer is not None and now in _NOTES else where
    note = "\n".join(filter(None, (note, workspace.forms.readers.words(case, (target.key, question.uid)))))
    return Asked(case.key, form, question, target, answer, note)


def missing_now(workspace: Workspace, case: OpenCase) -> list[Asked]:
    """Return the required questions of a case that are not answered, in the order they are asked.

    A slice counts once something is answered about it, or where it is the only one; a lesion once something is answered
    about it, or where a question names it.
    """
    book = workspace.forms
    found: list[Asked] = []
    for form, question in book.asked_of(case):
        if question.required:
            rows = (asked_of(workspace, case, form, question, target) for target in _targets(workspace, case, question))
            found += [row for row in rows if row.missing]
    order = list(Level)
    return sorted(found, key=lambda row: (order.index(row.target.level), _place(case, row.target)))


def kept_answers(workspace: Workspace, case: OpenCase) -> list[tuple[str, Answer]]:
    """Return the answers that nothing asks for any more, or whose lesion is gone, with what they are about in words."""
    answers = case.labels.answers.values()
    orphans = [one for one in answers if is_gone(case, one.target)]
    kept = [*asked_no_longer(workspace.forms.forms, answers), *orphans]
    return [(name_of(case, one.target, workspace.forms.pieces), one) for one in dict.fromkeys(kept)]


def lesion_segments(workspace: Workspace, case: OpenCase) -> list[Segment]:
    """Return the segments whose pieces have to be known for what is asked of lesions."""
    questions = [question for _form, question in workspace.forms.asked_of(case) if question.level is Level.LESION]
    named = [
        segment
        for segment in case.labels.segmentation.segments
        if any(question.lesions and question.asks_about(segment.name) for question in questions)
    ]
    active = case.active_segment
    if active is not None and active not in named and any(question.asks_about(active.name) for question in questions):
        named.append(active)
    return named


def _targets(workspace: Workspace, case: OpenCase, question: Question) -> list[Target]:
    book, level = workspace.forms, question.level
    if level is Level.SLICE:
        only = [slice_target(case, 0)] if case.volume.geometry.shape_kji[0] == 1 else []
        return only or answered_targets(case, level)
    if level is not Level.LESION:
        found = target_at(case, level, book.pieces)
        return [] if found is None else [found]
    asked = {question.uid for _form, question in book.asked_of(case) if question.level is level}
    begun = [
        named_now(case, answer.target)
        for answer in case.labels.answers.values()
        if answer.target.level is level and answer.question_uid in asked and not is_gone(case, answer.target)
    ]
    about = [target for target in begun if question.asks_about(target.name)]
    named = named_lesions(case, question, book.pieces) if question.lesions else []
    return list({target.key: target for target in (*about, *named)}.values())


def _place(case: OpenCase, target: Target) -> tuple[int, str]:
    return (target.k, "") if target.level is Level.SLICE else (0, target.key)


def _of_study(workspace: Workspace, case: OpenCase, question: Question, mine: Answer | None) -> tuple[Answer | None, str]:
    """Return the newest answer on any series of the study, and on which it was given where that is another one."""
    study_uid, key = case.volume.study_uid, (STUDY.key, question.uid)
    others = [one for one in workspace.cases.values() if one is not case and one.volume.study_uid == study_uid]
    said = [(one.series.description, answer) for one in others if (answer := one.labels.answers.get(key)) is not None]
    opened = {one.volume.series_uid for one in (case, *others)}
    said += [
        (one.description, one.answer)
        for one in workspace.forms.said_of(study_uid)
        if one.series_uid not in opened and one.answer.question_uid == question.uid
    ]
    newest, where = mine, ""
    for description, answer in said if study_uid else ():
        if newest is None or answer.answered_utc > newest.answered_utc:
            newest, where = answer, _("Answered on {series}").format(series=description or _("another series"))
    return newest, where


def _hint(questions: list[Question]) -> str:
    names = list(dict.fromkeys(name for question in questions for name in question.lesions))
    if names and all(question.lesions for question in questions):
        words = _("Asked of {names}: choose a box or mark, or put the crosshair on a piece of such a segment.")
        return words.format(names=", ".join(names))
    return _("Choose a box or mark, or put the crosshair on a piece of the active segment.")


_NOTES = {
    Standing.REWORDED: _("Answered when it read: {answer}"),
    Standing.OPTION_GONE: _("Was: {answer}, which is no longer to choose"),
    Standing.OTHER_KIND: _("Was: {answer}, before it was asked in another way"),
    Standing.OTHER_UNIT: _("Was: {answer}, in another unit"),
    Standing.OUT_OF_RANGE: _("Was: {answer}, outside of the range now"),
}
