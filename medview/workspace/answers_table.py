"""Answers as a table and as JSON: one row for each, with what it is about, by whom and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medview.core.annotations import BoxAnnotation, Trace
from medview.core.answer import Answer, Target, standing
from medview.core.case_labels import CaseLabels
from medview.core.errors import MedViewError
from medview.core.form import Forms, Level
from medview.core.geometry import Calibration
from medview.core.label_set import LabelSet
from medview.core.segmentation import Code
from medview.io.csv_table import write_csv
from medview.io.dicom.seg import RESEARCH_USE
from medview.io.label_sets import write_label_set
from medview.store.case_images import CaseKey
from medview.store.project import Project
from medview.workspace.exports import write_json
from medview.workspace.form_book import project_label_set

CSV_ENDING = ".csv"

COLUMNS = (
    "case", "study_uid", "series_uid", "level", "slice", "sop_instance_uid", "frame_number", "lesion", "lesion_id",
    "x_lps_mm", "y_lps_mm", "z_lps_mm", "form", "form_version", "question", "question_uid", "answer", "codes", "unit",
    "standing", "reader", "answered_utc",
)  # fmt: skip
"""Slices count from 1, frames from 0; millimetres are a place in the lesion, empty where the series has none. ``standing``
is what the answer is worth to the form as it is now."""


@dataclass(frozen=True, slots=True)
class AnsweredCase:
    """A case whose answers are written.

    Attributes
    ----------
    name : str
        What the files call it: ``case-0001``.
    """

    name: str
    study_uid: str
    series_uid: str
    labels: CaseLabels


class ProjectAnswers:
    """Gathers the answers of all cases of a project for its export, case by case.

    Parameters
    ----------
    warnings : list of str
        Takes what is wrong with the label set.
    with_images : bool
        UIDs of study, series and images stand in the answers; without them the name of the case alone says which it is.
    """

    def __init__(self, project: Project, warnings: list[str], *, with_images: bool = True) -> None:
        self._with_images = with_images
        self._records: list[dict[str, Any]] = []
        self._label_set: LabelSet | None = None
        try:
            self._label_set = project_label_set(project)
        except MedViewError as error:
            warnings.append(error.sentence)

    def add(self, name: str, key: CaseKey, labels: CaseLabels) -> None:
        """Take the answers of a case."""
        forms = () if self._label_set is None else self._label_set.forms
        if not self._with_images:
            key = CaseKey("", "")
        records = answer_records(AnsweredCase(name, key.study_uid, key.series_uid, labels), forms)
        if not self._with_images:
            for record in records:
                record["target"].pop("sop_instance_uid", None)
        self._records += records

    def write(self, folder: Path) -> list[str]:
        """Write what was answered, and the questions; return the names of the files, none where nothing was."""
        if not self._records:
            return []
        names = ["answers.csv", "answers.json"]
        for name in names:
            write_answers(folder / name, self._records)
        if self._label_set is not None and self._label_set.forms:
            write_label_set(self._label_set, folder / "label_set.json")
            names.append("label_set.json")
        return names


def answer_records(case: AnsweredCase, forms: Forms) -> list[dict[str, Any]]:
    """Return a JSON object for each answer of a case, in the order in which they were given."""
    questions = {question.uid: question for form in forms for question in form.questions}
    return [
        {
            "case": case.name,
            "study_uid": case.study_uid,
            "series_uid": case.series_uid,
            "target": _target(case.labels, answer.target),
            "form": answer.form_name,
            "form_uid": answer.form_uid,
            "form_version": answer.form_version,
            "question": answer.question,
            "question_uid": answer.question_uid,
            "answer": _value(answer),
            "unit": answer.unit,
            "standing": standing(questions.get(answer.question_uid), answer).value,
            "reader": answer.reader,
            "answered_utc": answer.answered_utc,
        }
        for answer in case.labels.answers.values()
    ]


def answer_rows(records: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return the same as a table of texts, the names of its columns first."""
    return [list(COLUMNS), *(_row(record) for record in records)]


def write_answers(path: Path, records: Sequence[dict[str, Any]]) -> None:
    """Write answers as a table (``.csv``) or as JSON. Raises WriteError or DiskFullError."""
    if path.name.lower().endswith(CSV_ENDING):
        write_csv(path, answer_rows(records))
    else:
        write_json(path, {"answers": list(records), "notice": RESEARCH_USE})


def _row(record: Mapping[str, Any]) -> list[str]:
    target, value = record["target"], record["answer"]
    options = value if isinstance(value, list) else []
    point = target.get("point_lps_mm") or ("", "", "")
    return [
        record["case"],
        record["study_uid"],
        record["series_uid"],
        target["level"],
        str(target.get("slice", "")),
        target.get("sop_instance_uid", ""),
        str(target.get("frame_number", "")),
        target.get("name", ""),
        target.get("id", ""),
        *(str(n) for n in point),
        record["form"],
        str(record["form_version"]),
        record["question"],
        record["question_uid"],
        "; ".join(option["text"] for option in options) if options else _text(value),
        "; ".join(f"{o['code']['scheme']} {o['code']['value']}" for o in options if "code" in o),
        record["unit"],
        record["standing"],
        record["reader"],
        record["answered_utc"],
    ]


def _text(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _value(answer: Answer) -> Any:
    if not isinstance(answer.value, tuple):
        return answer.value
    return [{"uid": o.uid, "text": o.text} | ({} if o.code is None else {"code": _code(o.code)}) for o in answer.value]


def _code(code: Code) -> dict[str, str]:
    return {"value": code.value, "scheme": code.scheme, "meaning": code.meaning}


def _target(labels: CaseLabels, target: Target) -> dict[str, Any]:
    found: dict[str, Any] = {"level": target.level.value}
    if target.level is Level.SLICE:
        found |= {"slice": target.k + 1}
        if target.sop_instance_uid:
            found |= {"sop_instance_uid": target.sop_instance_uid, "frame_number": target.frame_number}
    if target.level is Level.LESION:
        found |= {
            "name": target.name,
            "id": target.annotation_id or target.segment_id,
            "point_lps_mm": _place(labels, target),
        }
    return found


def _place(labels: CaseLabels, target: Target) -> list[float] | None:
    geometry = labels.segmentation.geometry
    if geometry.calibration is not Calibration.VOLUME:
        return None
    if not target.annotation_id:
        return [round(float(n), 4) for n in geometry.point_lps_mm(target.at_kji)]
    one = labels.annotations.get(target.annotation_id)
    if isinstance(one, BoxAnnotation):
        return [round(float(n), 4) for n in one.middle_lps_mm()]
    return [round(float(n), 4) for n in one.points_lps_mm[0]] if isinstance(one, Trace) else None
