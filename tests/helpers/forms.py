"""A form with a question of every kind and level, and answers to it."""

from __future__ import annotations

from medview.core.answer import SERIES, Answer, Target, Value, answer_to
from medview.core.form import AnswerKind, Form, Level, Option, Question
from medview.core.segmentation import Code

GOOD, LIMITED, BAD = Option("good", "Good"), Option("limited", "Limited"), Option("bad", "Bad")
LEFT = Option("left", "Left", Code("7771000", "SCT", "Left"))
RIGHT = Option("right", "Right", Code("24028007", "SCT", "Right"))

QUALITY = Question("q.quality", "Quality", AnswerKind.ONE, Level.SERIES, (GOOD, LIMITED, BAD), required=True)
SIDES = Question("q.sides", "Sides", AnswerKind.SEVERAL, Level.SERIES, (LEFT, RIGHT))
SURE = Question("q.sure", "Confidence", AnswerKind.NUMBER, Level.SERIES, (), "%", 0.0, 100.0, required=True)
COMMENT = Question("q.comment", "Comment", AnswerKind.TEXT)
PRIOR = Question("q.prior", "Compared with before", AnswerKind.TEXT, Level.STUDY, required=True)
MOTION = Question("q.motion", "Motion", AnswerKind.ONE, Level.SLICE, (GOOD, BAD), required=True)
MARGIN = Question("q.margin", "Margin", AnswerKind.ONE, Level.LESION, (GOOD, BAD), required=True, lesions=("Nodule",))

FORM = Form("f.chest", "Chest", (PRIOR, QUALITY, SIDES, SURE, COMMENT, MOTION, MARGIN))


def answer(question: Question, value: Value, target: Target = SERIES, form: Form = FORM) -> Answer:
    """Return an answer by Ada, given at ten in the morning."""
    return answer_to(form, question, target, value, "Ada", "2026-11-20T10:00:00.000+00:00")
