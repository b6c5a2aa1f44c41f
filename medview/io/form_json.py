"""Forms as JSON, inside a label set.

A form has a ``name``, ``questions`` and, if wanted, ``uid``, ``version`` and ``modalities`` (``["CR", "DX"]``). A question
has ``text`` and ``answer``: ``one``, ``several``, ``number`` or ``text``; if wanted ``uid``, ``of`` (``study``, ``series``,
``slice`` or ``lesion``), ``required``, of a choice ``options``, of a number ``unit``, ``least`` and ``most``, of a question
on lesions the names of those ``lesions``. An option has ``text`` and, if wanted, ``uid`` and ``code``; it may be its text
alone. What has no ``uid`` is known by its words: then other words make it another question or option.
"""

from __future__ import annotations

import hashlib
from typing import Any

from medview.core.form import MOST_LETTERS, AnswerKind, Form, Forms, Level, Option, Question
from medview.io.json_fields import WrongError, code_document, code_of, list_of, text_of

MOST_FORMS = 50


def form_document(form: Form) -> dict[str, Any]:
    """Return a form as JSON knows it; what is usual is left out."""
    document: dict[str, Any] = {"uid": form.uid, "name": form.name, "version": form.version}
    if form.modalities:
        document["modalities"] = list(form.modalities)
    return document | {"questions": [_question_document(question) for question in form.questions]}


def forms_of(documents: object) -> Forms:
    """Return the forms of their JSON. Raises WrongError or ValueError with what is wrong, without a full stop."""
    if not isinstance(documents, list) or len(documents) > MOST_FORMS:
        raise WrongError(f"its forms are not a list of at most {MOST_FORMS}")
    forms = tuple(_form(one, f"form {number}") for number, one in enumerate(documents, start=1))
    uids = [form.uid for form in forms] + [question.uid for form in forms for question in form.questions]
    if len(set(uids)) != len(uids):
        raise WrongError("two of its forms or questions have the same uid")
    return forms


def _form(document: object, which: str) -> Form:
    if not isinstance(document, dict):
        raise WrongError(f"{which} is not an object with a name and questions")
    name = text_of(document, "name", which, MOST_LETTERS)
    uid = text_of(document, "uid", which) or _uid("form", name)
    version = document.get("version", 1)
    if type(version) is not int or version < 1:
        raise WrongError(f"the version of {which} is not a whole number from 1")
    questions = list_of(document, "questions", which, lambda one, what: _question(one, what, uid))
    return Form(uid, name, questions, version, list_of(document, "modalities", which, _word))


def _question(document: object, which: str, form_uid: str) -> Question:
    if not isinstance(document, dict):
        raise WrongError(f"{which} is not an object with a text and an answer")
    text = text_of(document, "text", which, MOST_LETTERS)
    uid = text_of(document, "uid", which) or _uid(form_uid, text)
    kinds, levels = [kind.value for kind in AnswerKind], [level.value for level in Level]
    kind, level = document.get("answer"), document.get("of", Level.SERIES.value)
    if kind not in kinds:
        raise WrongError(f"the answer of {which} is none of {', '.join(kinds)}")
    if level not in levels:
        raise WrongError(f"what {which} is asked of is none of {', '.join(levels)}")
    required = document.get("required", False)
    if not isinstance(required, bool):
        raise WrongError(f"whether {which} is required is neither true nor false")
    return Question(
        uid,
        text,
        AnswerKind(kind),
        Level(level),
        list_of(document, "options", which, lambda one, what: _option(one, what, uid)),
        text_of(document, "unit", which),
        _limit(document, "least", which),
        _limit(document, "most", which),
        required,
        list_of(document, "lesions", which, _word),
    )


def _option(document: object, which: str, question_uid: str) -> Option:
    if isinstance(document, str):
        document = {"text": document}
    if not isinstance(document, dict):
        raise WrongError(f"{which} is neither a text nor an object with one")
    text = text_of(document, "text", which, MOST_LETTERS)
    code = document.get("code")
    uid = text_of(document, "uid", which) or _uid(question_uid, text)
    return Option(uid, text, None if code is None else code_of(code, which))


def _word(value: object, which: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise WrongError(f"{which} is no word")
    return value.strip()


def _limit(document: dict[str, Any], key: str, which: str) -> float | None:
    value = document.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WrongError(f"the {key} of {which} is not a number")
    return float(value)


def _uid(*of: str) -> str:
    # The same words give the same uid wherever the file is read.
    return hashlib.sha256("\0".join(of).encode()).hexdigest()[:32]


def _question_document(question: Question) -> dict[str, Any]:
    found: dict[str, Any] = {
        "uid": question.uid,
        "text": question.text,
        "answer": question.kind.value,
        "of": question.level.value,
    }
    if question.required:
        found["required"] = True
    if question.options:
        found["options"] = [_option_document(option) for option in question.options]
    if question.unit:
        found["unit"] = question.unit
    limits = {"least": question.least, "most": question.most}
    found |= {key: limit for key, limit in limits.items() if limit is not None}
    if question.lesions:
        found["lesions"] = list(question.lesions)
    return found


def _option_document(option: Option) -> dict[str, Any]:
    found: dict[str, Any] = {"uid": option.uid, "text": option.text}
    return found if option.code is None else found | {"code": code_document(option.code)}
