"""What can be learnt from an open project: which tasks, from which cases, and which cases are left out and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medview.core.annotations import BoxAnnotation, ImageLabel
from medview.core.case_labels import CaseLabels
from medview.core.errors import StoreError
from medview.core.form import Level
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.marks import Marks
from medview.core.reading_status import ReadingStatus
from medview.core.segmentation import SegmentRole
from medview.io.datasets.dataset_case import category_of
from medview.ml.spec import Task
from medview.store.cases import CaseRow
from medview.store.project import Project
from medview.workspace.counting import counting
from medview.workspace.training.targets import IMAGE_LABELS

_REVIEWED = (ReadingStatus.DONE, ReadingStatus.APPROVED)
_HELD_OUT = ("validation", "test")


@dataclass(frozen=True, slots=True)
class Lesson:
    """One thing a model can be trained for.

    Attributes
    ----------
    target : str or None
        Classification: the question or label that is learnt.
    cases : tuple of int
        Reviewed cases that say something about it, by number.
    held_out : tuple of int
        Those among them that are put aside for validation or test already.
    patients : int
        Whose those are, as far as is known.
    classes : tuple of str
        What is labelled in them, the most frequent first.
    """

    task: Task
    target: str | None
    cases: tuple[int, ...]
    held_out: tuple[int, ...]
    patients: int
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a project has to teach.

    Attributes
    ----------
    lessons : tuple of Lesson
        The one with most cases first.
    left_out : mapping of str to tuple of int
        Sentence that says why -> numbers of cases no lesson uses.
    """

    lessons: tuple[Lesson, ...]
    left_out: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def outlook_of(path: Path, context: JobContext) -> Outlook:
    """Read a copy of a project and say what can be learnt from it. Raises MedViewError where it cannot be read."""
    with Project.open(path, read_only=True) as project:
        return _outlook(project, context)


def _outlook(project: Project, context: JobContext) -> Outlook:
    rows, reviewed = project.cases(), project.review.reviewed()
    images = {one.case_id for one in project.images()}
    found: dict[tuple[Task, str | None], dict[int, list[str]]] = {}
    left: dict[str, list[int]] = {}

    def leave_out(why: str, row: CaseRow) -> None:
        left.setdefault(why, []).append(row.case_id)

    for number, row in enumerate(rows):
        context.raise_if_cancelled()
        context.progress(number / len(rows), _("Looking at case {n} of {count}").format(n=number + 1, count=len(rows)))
        if row.excluded:
            leave_out(_("Left out of the project"), row)
            continue
        try:
            counts = counting(row, "", reviewed)
        except StoreError:
            leave_out(_("Read by several and without a consensus"), row)
            continue
        if counts is None or not counts.state.worked_on or row.case_id not in images:
            leave_out(_("Not labelled yet"), row)
        elif counts.state.status not in _REVIEWED:
            leave_out(_("Not marked done"), row)
        else:
            labels = project.load_reading(counts.state.reading_id, beside=True).labels
            taught = list(_taught(labels))
            for key, names in taught:
                # Of slices a question is answered several times.
                found.setdefault(key, {}).setdefault(row.case_id, []).extend(names)
            if not taught and any(_boxes(labels)):
                leave_out(_("Boxes are drawn on some of its slices only"), row)
            elif not taught:
                leave_out(_("Done, but nothing is labelled in it"), row)
    of_row = {row.case_id: row for row in rows}
    lessons = [_lesson(task, target, cases, of_row) for (task, target), cases in found.items()]
    lessons.sort(key=lambda one: -len(one.cases))
    return Outlook(tuple(lessons), {why: tuple(numbers) for why, numbers in left.items()})


def _taught(labels: CaseLabels) -> Iterable[tuple[tuple[Task, str | None], Sequence[str]]]:
    """Yield what the labels of a case say something about: task and target, and which classes."""
    segments = [one for one in labels.segmentation.segments if one.role is SegmentRole.STRUCTURE]
    drawn = [category_of(one) for one in segments if not one.absent]
    if segments:
        yield (Task.SEGMENTATION, None), drawn
    # Where no box is drawn on slices that are not done nobody knows whether there is something.
    if (boxes := _boxes(labels)) and labels.marks == Marks():
        yield (Task.DETECTION, None), boxes
    annotations = labels.annotations.values()
    said = [one.label for one in annotations if isinstance(one, ImageLabel) and one.says]
    if said:
        yield (Task.CLASSIFICATION, IMAGE_LABELS), said
    for answer in labels.answers.values():
        if isinstance(answer.value, tuple) and answer.target.level is not Level.LESION:
            yield (Task.CLASSIFICATION, answer.question), [option.text for option in answer.value]
    if segments:
        yield (Task.INTERACTIVE, None), drawn


def _boxes(labels: CaseLabels) -> list[str]:
    return [one.label for one in labels.annotations.values() if isinstance(one, BoxAnnotation)]


def _lesson(task: Task, target: str | None, cases: Mapping[int, Sequence[str]], of_row: Mapping[int, CaseRow]) -> Lesson:
    counts: dict[str, int] = {}
    for names in cases.values():
        for name in set(names):
            counts[name] = counts.get(name, 0) + 1
    return Lesson(
        task,
        target,
        tuple(cases),
        tuple(number for number in cases if of_row[number].split in _HELD_OUT),
        len({of_row[number].patient or number for number in cases}),
        tuple(sorted(counts, key=lambda name: (-counts[name], name))),
    )
