"""Answers to questions of forms, to JSON and back. Field names are part of the file format: add, do not rename."""

from __future__ import annotations

from medview.core.answer import Answer, Target, Value
from medview.core.changes import AnswerChange
from medview.core.errors import StoreError
from medview.core.form import Level, Option
from medview.core.segmentation import Code
from medview.store.parts import Json


def encode_answer(answer: Answer) -> Json:
    """An answer, with the words of its question and what it is about."""
    return {
        "target": encode_target(answer.target),
        "question_uid": answer.question_uid,
        "question": answer.question,
        **_encode_value(answer.value),
        "unit": answer.unit,
        "form_uid": answer.form_uid,
        "form": answer.form_name,
        "form_version": answer.form_version,
        "reader": answer.reader,
        "answered_utc": answer.answered_utc,
    }


def decode_answer(data: Json) -> Answer:
    """Inverse of ``encode_answer``."""
    return Answer(
        decode_target(data["target"]),
        str(data["question_uid"]),
        str(data["question"]),
        _decode_value(data),
        str(data["unit"]),
        str(data["form_uid"]),
        str(data["form"]),
        int(data["form_version"]),
        str(data["reader"]),
        str(data["answered_utc"]),
    )


def encode_target(target: Target) -> Json:
    """What an answer is about: only what its level needs."""
    found: Json = {"level": target.level.value}
    if target.level is Level.SLICE:
        found |= {"k": target.k, "sop_instance_uid": target.sop_instance_uid, "frame_number": target.frame_number}
    if target.level is Level.LESION:
        found["name"] = target.name
        if target.annotation_id:
            found["annotation"] = target.annotation_id
        else:
            found |= {"segment": target.segment_id, "at_kji": list(target.at_kji)}
    return found


def decode_target(data: Json) -> Target:
    """Inverse of ``encode_target``."""
    level = Level(data["level"])
    if level is Level.SLICE:
        return Target(level, int(data["k"]), str(data["sop_instance_uid"]), int(data["frame_number"]))
    if level is not Level.LESION:
        return Target(level)
    name = str(data["name"])
    if "annotation" in data:
        return Target(level, annotation_id=str(data["annotation"]), name=name)
    k, j, i = (int(n) for n in data["at_kji"])
    return Target(level, segment_id=str(data["segment"]), at_kji=(k, j, i), name=name)


def encode_answer_change(change: AnswerChange) -> Json:
    """A question answered, answered otherwise, or answered no longer."""
    return {
        "kind": "answer",
        "before": None if change.before is None else encode_answer(change.before),
        "after": None if change.after is None else encode_answer(change.after),
    }


def decode_answer_change(data: Json) -> AnswerChange:
    """Inverse of ``encode_answer_change``."""
    before, after = data["before"], data["after"]
    return AnswerChange(None if before is None else decode_answer(before), None if after is None else decode_answer(after))


def _encode_value(value: Value) -> Json:
    if isinstance(value, tuple):
        return {"options": [_encode_option(option) for option in value]}
    return {"text": value} if isinstance(value, str) else {"number": float(value)}


def _decode_value(data: Json) -> Value:
    if "options" in data:
        return tuple(_decode_option(option) for option in data["options"])
    if "number" in data:
        return float(data["number"])
    if "text" in data:
        return str(data["text"])
    raise StoreError("An answer of a kind this MedView does not know.", detail=repr(sorted(data)))


def _encode_option(option: Option) -> Json:
    found: Json = {"uid": option.uid, "text": option.text}
    if option.code is not None:
        found["code"] = [option.code.value, option.code.scheme, option.code.meaning]
    return found


def _decode_option(data: Json) -> Option:
    code = data.get("code")
    return Option(str(data["uid"]), str(data["text"]), None if code is None else Code(*(str(part) for part in code)))
