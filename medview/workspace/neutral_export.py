"""The labels of a project with their images as the folder that models are trained on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import medview
from medview.core.case_labels import CaseLabels
from medview.core.errors import MedViewError, StoreError, WriteError
from medview.core.job import JobContext, JobPart
from medview.core.label_set import LabelSet
from medview.core.segmentation import SegmentRole, SegmentStatus
from medview.io.datasets.checksums import write_checksums
from medview.io.datasets.data_card import write_card
from medview.io.datasets.dataset_case import DatasetCase, category_of, check_keys, many
from medview.io.datasets.neutral import (
    CASES,
    FACTS,
    FORMAT,
    IMAGES,
    LABELS,
    SCHEMA,
    SPLITS_FILE,
    VERSION,
    NeutralCase,
)
from medview.io.datasets.neutral_read import read_neutral
from medview.io.datasets.neutral_write import json_line, layer_order, write_case
from medview.io.datasets.new_folder import new_folder
from medview.io.datasets.splits import make_splits, splits_sha256, torn_patients
from medview.io.dicom.seg import RESEARCH_USE
from medview.io.label_sets import write_label_set
from medview.io.reader_pool import Pool
from medview.store.project import Project
from medview.workspace.answers_table import AnsweredCase, answer_records
from medview.workspace.export_selection import (
    ChosenReading,
    ExportRun,
    Include,
    Selection,
    select_cases,
)
from medview.workspace.exports import write_json
from medview.workspace.form_book import project_label_set
from medview.workspace.label_export import NOT_DEIDENTIFIED, case_document, sheet_document

DATASET = "dataset"
"""The name of the format."""
PROJECT_SPLITS = {"val": "validation"}
"""The word of datasets for a split -> that of projects."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What is written, and where each case belongs.

    Attributes
    ----------
    made : dict of int to str
        Splits, in the project's words, of cases that had none; for the project to keep.
    """

    chosen: Selection
    splits: dict[str, str]
    made: dict[int, str]
    label_set: LabelSet
    said: tuple[str, ...]

    def of_splits(self, only: Collection[str]) -> Planned:
        """Return what is planned of some splits."""
        chosen = tuple(one for one in self.chosen.chosen if self.splits[one.case.key] in only)
        splits = {one.case.key: self.splits[one.case.key] for one in chosen}
        return replace(self, chosen=replace(self.chosen, chosen=chosen), splits=splits)


def plan_dataset(run: ExportRun, project: Project, context: JobContext, pool: Pool) -> Planned:
    """Choose cases, done ones unless ``run`` says otherwise, and split them by patient; nothing is written.

    Raises
    ------
    MedViewError
    """
    chosen = select_cases(replace(run, include=run.include or Include.DONE), project, context, pool)
    rows = [row for row in project.cases() if not row.excluded]
    patients = {f"case_{row.case_id:04d}": row.patient for row in rows}
    # Cases that are not written this time hold their place: their patients go where they are.
    given = {f"case_{row.case_id:04d}": _short(row.split) for row in rows if row.split}
    taking_part = {one.case.key: one.case.patient for one in chosen.chosen}
    groups = {key: patients[key] for key in patients if key in given or key in taking_part}
    fresh = make_splits(groups, given)
    splits = {one.case.key: given.get(one.case.key) or fresh[one.case.key] for one in chosen.chosen}
    made = {
        one.row.case_id: PROJECT_SPLITS.get(fresh[one.case.key], fresh[one.case.key])
        for one in chosen.chosen
        if one.case.key in fresh
    }
    label_set = project_label_set(project)
    said = [*chosen.notes]
    if made:
        said.append(many(len(made), "1 case had no split and was given one.", "{n} cases had no split and were given one."))
    if torn := torn_patients(taking_part, splits):
        said.append(f"Cases of one patient stand in several splits, so what is tested was trained on: {', '.join(torn)}.")
    if any(not patient for patient in taking_part.values()):
        said.append("Nothing says which patient some cases are of: they are split by image.")
    said += _partly(chosen)
    if any(one.measured for one in chosen.chosen):
        said.append("Measurements and key images are left out; boxes, points and lines are kept.")
    return Planned(chosen, splits, made, label_set, (*said, NOT_DEIDENTIFIED))


def export_neutral(
    run: ExportRun,
    project: Project,
    output: Path,
    context: JobContext,
    pool: Pool,
    told: Callable[[Sequence[str]], None],
    only: Collection[str] = (),
) -> tuple[dict[str, Any], Planned]:
    """Write the dataset folder, whole or not at all; it is read back before it takes its name.

    Parameters
    ----------
    told : callable
        Gets what has to be said, before anything is written.
    only : collection of str
        Splits that are written; all unless given. Classes are those of the whole project all the same.

    Returns
    -------
    tuple
        What ``dataset.json`` says, and what was planned: the project may keep the splits.

    Raises
    ------
    MedViewError
        When images are gone, damaged, or are others than were labelled.
    """
    planned = plan_dataset(run, project, JobPart(context, 0.0, 0.2), pool)
    told(planned.said)
    every = planned.chosen.cases
    classes = _classes(every, planned.label_set)
    if only:
        planned = planned.of_splits(only)
        if not planned.splits:
            raise StoreError(
                f"No finished case of {project.path.name} is in {' or '.join(only)}; put some there, or name another split."
            )
    chosen = planned.chosen.chosen
    cases = [replace(one.case, split=planned.splits[one.case.key]) for one in chosen]
    check_keys(cases)
    with new_folder(output, overwrite=run.options.overwrite) as draft:
        for name in (IMAGES, LABELS):
            (draft / name).mkdir()
        lines = []
        for number, one in enumerate(chosen):
            context.raise_if_cancelled()
            context.progress(0.2 + 0.7 * number / len(chosen), f"Writing case {number + 1} of {len(chosen)}")
            lines.append(_line(draft, one, planned, classes))
        (draft / CASES).write_text("".join(json_line(line) for line in lines), "utf-8")
        (draft / SPLITS_FILE).write_text(
            json.dumps({"cases": planned.splits, "sha256": splits_sha256(planned.splits)}, indent=1) + "\n", "utf-8"
        )
        facts = _facts(run, planned, every, classes)
        write_json(draft / FACTS, facts)
        if planned.label_set.entries or planned.label_set.forms:
            write_label_set(planned.label_set, draft / SCHEMA)
        write_card(draft, DATASET, cases, run.options, planned.said, _card(chosen, planned))
        write_checksums(draft)
        context.progress(0.9, "Reading it back")
        _read_back(draft, lines)
    return facts, planned


def keep_splits(project: Project, made: Mapping[int, str]) -> None:
    """Let a project remember the splits that were made, so that the next export makes the same. Raises MedViewError."""
    open_still = {row.case_id for row in project.cases() if not row.split}
    for split in dict.fromkeys(made.values()):
        own = [case_id for case_id, one in made.items() if one == split and case_id in open_still]
        if own:
            project.worklist.set_split(own, split)


def _short(split: str) -> str:
    return "val" if split == "validation" else split


def _line(draft: Path, one: ChosenReading, planned: Planned, classes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    labels = one.labels()
    segmentation = labels.segmentation
    said = case_document(one, labels)
    for key in ("case", "patient", "split", "shape_kji"):
        del said[key]
    order = layer_order(segmentation)
    numbers = {entry["name"]: entry["value"] for entry in classes}
    for document, segment in zip(said["segments"], segmentation.segments, strict=True):
        document["layer"] = order.index(segment.layer_id)
        document["class"] = numbers.get(category_of(segment)) if segment.role is not SegmentRole.IGNORE else None
    known, absent = _known(labels)
    said |= {
        "absent": sorted(absent),
        "unknown": [entry["name"] for entry in classes if entry["name"] not in known],
        "unsure": any(s.role is SegmentRole.IGNORE and segmentation.count(s) for s in segmentation.segments),
        "drawn": (sheet_document(one, labels) or {}).get("things", []),
        "answers": _answers(one, labels, planned.label_set),
        "pixels_sha256": one.images.pixels_sha256,
        "seconds": one.state.seconds,
    }
    case = NeutralCase(
        one.case.key,
        one.case.patient,
        planned.splits[one.case.key],
        lambda: one.case.images()[0],
        segmentation if segmentation.segments else None,
        said,
    )
    return write_case(draft, case)


def _known(labels: CaseLabels) -> tuple[set[str], set[str]]:
    """Return the classes that were looked for, and those of them that are said not to be there."""
    known: set[str] = set()
    absent: set[str] = set()
    drawn: set[str] = set()
    for segment in labels.segmentation.segments:
        if segment.role is SegmentRole.IGNORE:
            continue
        name = category_of(segment)
        if labels.segmentation.count(segment):
            drawn.add(name)
        elif segment.absent or segment.status is SegmentStatus.DONE:
            absent.add(name)
    known |= drawn | absent
    return known, absent - drawn


def _answers(one: ChosenReading, labels: CaseLabels, label_set: LabelSet) -> list[dict[str, Any]]:
    records = answer_records(AnsweredCase(one.case.key, "", "", labels), label_set.forms)
    for record in records:
        del record["case"], record["study_uid"], record["series_uid"]
        record["target"].pop("sop_instance_uid", None)
    return records


def _classes(cases: Iterable[DatasetCase], label_set: LabelSet) -> list[dict[str, Any]]:
    """Return what masks are of, numbered from 1: the label set in its order, and what else was drawn."""
    found: dict[str, dict[str, Any]] = {}
    for name, colour, code in [
        *((entry.name, entry.colour, entry.code) for entry in label_set.entries if not entry.unsure),
        *((category_of(s), s.colour, s.code) for case in cases for s in case.structures()),
    ]:
        if name not in found:
            coded = None if code is None else {"value": code.value, "scheme": code.scheme, "meaning": code.meaning}
            found[name] = {
                "value": len(found) + 1,
                "name": name,
                "colour": None if colour is None else list(colour),
                "code": coded,
            }
    return list(found.values())


def _partly(chosen: Selection) -> list[str]:
    """Return what is said of labels that do not tell about the whole of a case."""
    said = []
    marked = sum(1 for one in chosen.chosen if one.case.marks is not None)
    if marked:
        said.append(
            many(
                marked,
                "1 case is drawn on some slices only: elsewhere what is not drawn is unknown, not background.",
                "{n} cases are drawn on some slices only: elsewhere what is not drawn is unknown, not background.",
            )
        )
    return said


def _facts(
    run: ExportRun, planned: Planned, cases: Sequence[DatasetCase], classes: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": run.options.name,
        "written_by": f"MedView {medview.__version__}",
        "notice": RESEARCH_USE,
        "licence": run.options.licence or None,
        "include": (run.include or Include.DONE).value,
        "reader": run.reader or None,
        "written": len(planned.splits),
        "left_out": planned.chosen.left_out.document(),
        "splits": dict(Counter(planned.splits.values())),
        "splits_sha256": splits_sha256(planned.splits),
        "classes": list(classes),
        "box_classes": sorted({box.label for case in cases for box in case.boxes}),
        "image_classes": sorted({answer.label for case in cases for answer in case.answers}),
        "warnings": list(planned.said),
    }


def _card(chosen: Sequence[ChosenReading], planned: Planned) -> list[str]:
    lines: list[str] = []
    for title, counts in (
        ("modality", Counter(one.row.modality or "not known" for one in chosen)),
        ("reader", Counter(one.counts.who or "not known" for one in chosen)),
        ("reading", Counter(one.state.role.value for one in chosen)),
        ("status", Counter(one.state.status.value for one in chosen)),
    ):
        lines += [f"| {title} | cases |", "|---|---|", *(f"| {_cell(name)} | {n} |" for name, n in counts.items()), ""]
    left = planned.chosen.left_out
    lines.append(f"Left out: {left.excluded} excluded, {left.not_done} not done, {left.unlabelled} without labels.")
    lines += ["", f"SHA-256 of the splits: `{splits_sha256(planned.splits)}`.", ""]
    return lines


def _cell(name: str) -> str:
    return " ".join(name.split()).replace("|", "\\|")


def _read_back(draft: Path, lines: Sequence[dict[str, Any]]) -> None:
    try:
        back = read_neutral(draft)
        for case, line in zip(back.cases, lines, strict=True):
            case.image()
            case.layers()
            if case.said != json.loads(json_line(line)):
                raise WriteError(f"The dataset was not written: {case.key} came back otherwise.")
    except WriteError:
        raise
    except MedViewError as error:
        raise WriteError("The dataset was not written: it did not read back.", detail=error.sentence) from error
