"""The labels of a project as a dataset that other programs train on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from medview.core.annotations import BoxAnnotation, ImageLabel
from medview.core.errors import ReadError, StoreError
from medview.core.job import Inline, JobContext, JobPart
from medview.core.marks import Marks
from medview.core.pixel_hash import same_pixels
from medview.core.segmentation import Segmentation
from medview.core.volume import Volume
from medview.io.datasets.dataset_case import DatasetCase, WriteOptions, Written, many
from medview.io.datasets.writers import losses, write_dataset
from medview.io.pictures import as_grey
from medview.io.reader_pool import Pool
from medview.io.series_reader import SeriesReader
from medview.store.case_images import CaseImages, other_pixels
from medview.store.cases import CaseRow
from medview.store.project import Project
from medview.store.reading_state import ReadingState, ReadingStatus, Role
from medview.workspace.project_predict import place_of_case
from medview.workspace.requests_queue import find_volume

SPLITS = {"validation": "val"}
"""The project's word for a split -> that of datasets."""


@dataclass(frozen=True, slots=True)
class ExportRun:
    """What is to be written.

    Attributes
    ----------
    form : str
        One of ``io.datasets.writers.WRITERS``.
    reader : str
        Whose labels, where several people read a case and there is no consensus; empty where there is no question.
    """

    form: str
    reader: str = ""
    options: WriteOptions = WriteOptions()


@dataclass(frozen=True, slots=True)
class Selection:
    """The cases that are written, and what has to be said of them before."""

    cases: tuple[DatasetCase, ...]
    notes: tuple[str, ...] = ()


def select_cases(run: ExportRun, project: Project, context: JobContext, pool: Pool) -> Selection:
    """Return the labelled cases of a project under their pseudonyms; no image is read yet.

    Raises
    ------
    StoreError
        When a case has labels of several readers and no consensus, and none is named; or nothing is labelled.
    """
    images = {one.case_id: one for one in project.images()}
    rows = [row for row in project.cases() if not row.excluded and row.case_id in images]
    found: list[DatasetCase] = []
    unfinished = losses_of = answered = 0
    for number, row in enumerate(rows):
        context.raise_if_cancelled()
        context.progress(number / len(rows), f"Looking at case {number + 1} of {len(rows)}")
        state = _counts(row, run.reader)
        if state is None or not state.gestures:
            continue
        loaded = project.load_reading(state.reading_id, beside=True)
        losses_of += len(loaded.losses)
        labels = loaded.labels
        answered += len(labels.answers)
        boxes = tuple(one for one in labels.annotations.values() if isinstance(one, BoxAnnotation))
        answers = tuple(one for one in labels.annotations.values() if isinstance(one, ImageLabel))
        if not labels.segmentation.segments and not labels.annotations:
            continue
        unfinished += state.status not in (ReadingStatus.DONE, ReadingStatus.APPROVED)
        found.append(
            DatasetCase(
                f"case_{row.case_id:04d}",
                images[row.case_id].geometry,
                _images(images[row.case_id], pool),
                _labels(project, state.reading_id) if labels.segmentation.segments else None,
                tuple(labels.segmentation.segments),
                boxes,
                answers,
                labels.marks if labels.marks != Marks() else None,
                row.patient,
                SPLITS.get(row.split, row.split),
                others=len(labels.annotations) - len(boxes) - len(answers),
            )
        )
    if not found:
        raise StoreError(f"{project.path.name} holds no labels to write.")
    notes: list[str] = []
    if unfinished:
        notes.append(many(unfinished, "1 case is not marked done.", "{n} cases are not marked done."))
    if losses_of:
        notes.append(many(losses_of, "1 gesture could not be read.", "{n} gestures could not be read; verify the project."))
    if answered:
        kept = "not in this format; medview project export without --format writes them."
        notes.append(many(answered, f"1 answer to a form is {kept}", f"{{n}} answers to forms are {kept}"))
    return Selection(tuple(found), tuple(notes))


def export_dataset(
    run: ExportRun, project: Project, output: Path, context: JobContext, pool: Pool, told: Callable[[Sequence[str]], None]
) -> Written:
    """Write the labels of a project as a dataset, whole or not at all.

    Parameters
    ----------
    told : callable
        Gets what the format cannot carry, before anything is written.

    Raises
    ------
    MedViewError
        When images are gone, or are others than were labelled; nothing is left behind then.
    """
    chosen = select_cases(run, project, JobPart(context, 0.0, 0.2), pool)
    told((*chosen.notes, *losses(run.form, chosen.cases, run.options, JobPart(context, 0.2, 0.3))))
    return write_dataset(run.form, output, chosen.cases, run.options, JobPart(context, 0.3, 1.0))


def document_of(written: Written, said: Sequence[str]) -> dict[str, Any]:
    """Return what was written ready for JSON."""
    return {"written": written.cases, "pictures": written.pictures, "things": written.things, "warnings": list(said)}


def _counts(row: CaseRow, reader: str) -> ReadingState | None:
    """Return the reading that counts: the consensus, or the one of the reader, or the only one."""
    if reader:
        return row.of(reader)
    if row.consensus is not None:
        return row.consensus
    drawn = [state for state in row.readings if state.role is Role.READER and state.gestures]
    if len({state.reader for state in drawn}) > 1:
        names = ", ".join(sorted({state.reader for state in drawn}))
        raise StoreError(f"Case {row.case_id} was read by {names} and has no consensus; name one of them with --reader.")
    return drawn[0] if drawn else None


def _images(images: CaseImages, pool: Pool) -> Callable[[], tuple[Volume, ...]]:
    def load() -> tuple[Volume, ...]:
        series, entry = find_volume(place_of_case(images), Inline(), pool)
        reader = SeriesReader(pool)
        opened = reader.begin(series, entry)
        damaged = reader.fill(opened, entry.shape_kji[0] // 2, Inline())
        if damaged:
            raise ReadError(damaged[0].reason)
        if images.pixels_sha256 and not same_pixels(opened.volume, images.pixels_sha256):
            raise other_pixels()
        voxels = as_grey(opened.volume.voxels)
        # A picture whose three channels are equal everywhere is grey to whoever trains on it.
        return (opened.volume if voxels.ndim == opened.volume.voxels.ndim else replace(opened.volume, voxels=voxels),)

    return load


def _labels(project: Project, reading_id: int) -> Callable[[], Segmentation]:
    return lambda: project.load_reading(reading_id, beside=True).labels.segmentation
