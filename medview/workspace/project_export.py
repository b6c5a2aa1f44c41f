"""The labels of a whole project as files."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from pathlib import Path
from typing import Any

from medview.core.annotations import BoxAnnotation, ImageLabel, Trace
from medview.core.atomic import write_error
from medview.core.case_labels import CaseLabels
from medview.core.errors import MedViewError
from medview.core.geometry import Geometry
from medview.core.job import JobContext
from medview.core.pixel_hash import left_out, same_pixels
from medview.core.prompt_log import PromptLog
from medview.core.segmentation import Segment
from medview.core.study import Series, VolumeEntry
from medview.io.dicom.scan import scan
from medview.io.dicom.seg import RESEARCH_USE, write_seg
from medview.io.drawn_json import DrawnSheet, write_drawn
from medview.io.reader_pool import InlinePool
from medview.io.series_reader import SeriesReader
from medview.store.codec_prompts import encode_prompt
from medview.store.codec_scores import encode_image_label
from medview.store.project import Project
from medview.store.reading_state import ReadingState
from medview.store.readings import ReadingRow
from medview.workspace.answers_table import ProjectAnswers
from medview.workspace.counting import Counting, settled
from medview.workspace.exports import box_document, prepare_folder, remove_outputs, write_json, write_named_map

_FOLDER = re.compile(r"case-[0-9]{4,}(-reading-[0-9]+)?")
"""Of one reading."""


def export_project(
    path: Path, output: Path, images: Path | None, context: JobContext, *, overwrite: bool
) -> dict[str, Any]:
    """Write each labelled case into a numbered folder of ``output``: NIfTI, names, boxes, and a SEG where images are given.

    A case that several people read has a folder for each of them, until there is a consensus; in place of a reader's labels
    stands the reviewer's edit that was approved with them. What was answered is in
    ``answers.csv`` and ``answers.json``, the questions in ``label_set.json``.

    Parameters
    ----------
    images : Path, optional
        Folder, file or zip with the DICOM series of the cases; a SEG points at their instances.

    Returns
    -------
    dict
        ``written`` (how many), ``cases`` with their files, ``warnings``, and ``answers`` (files) where there are some.

    Raises
    ------
    StoreError, WriteError
    """
    prepare_folder(output, overwrite=overwrite)
    series = {s.series_uid: s for s in scan(images, context).series} if images is not None else {}
    cases: list[dict[str, Any]] = []
    warnings: list[str] = []
    with Project.open(path, read_only=True) as project:
        # Not before the project can be read: an earlier export is better than none.
        _remove_earlier(output)
        answers = ProjectAnswers(project, warnings)
        rows = _settled(project)
        names = Counter(row.case_id for row, _counts in rows)
        for number, (row, counts) in enumerate(rows, start=1):
            context.raise_if_cancelled()
            context.progress((number - 1) / len(rows), f"Labels {number} of {len(rows)}")
            loaded = project.load_reading(row.reading_id)
            warnings += loaded.losses
            if not (loaded.labels.segmentation.segments or loaded.labels.annotations or loaded.labels.answers):
                continue
            # The folder is named by a count: names and UIDs from files never become paths.
            several = f"-reading-{row.reading_id}" if names[row.case_id] > 1 else ""
            folder = output / f"case-{row.case_id:04d}{several}"
            prepare_folder(folder, overwrite=True)
            files = _write_case(
                folder, row, loaded.labels, series.get(row.key.series_uid), warnings, context, with_seg=images is not None
            )
            answers.add(folder.name, row.key, loaded.labels)
            cases.append(
                {
                    "case": row.case_id,
                    "series_uid": row.key.series_uid,
                    **counts.document,
                    "files": files,
                    "labels": _document(row, loaded.labels),
                }
            )
    document: dict[str, Any] = {"written": len(cases), "cases": cases, "warnings": warnings, "notice": RESEARCH_USE}
    if files := answers.write(output):
        document["answers"] = files
    write_json(output / "export.json", document)
    return document


def _remove_earlier(output: Path) -> None:
    """Remove what an earlier export left, so that labels that are gone by now are taken for nobody's. Raises WriteError."""
    try:
        for folder in output.iterdir():
            if _FOLDER.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink():
                remove_outputs(folder)
                with contextlib.suppress(OSError):
                    # Whatever somebody else put there stays.
                    folder.rmdir()
    except OSError as error:
        raise write_error(output, error) from error


def _settled(project: Project) -> list[tuple[ReadingRow, Counting]]:
    """Return what counts of each case: its consensus, or else every reader's labels with the edit approved with them."""
    rows = {row.reading_id: row for row in project.readings()}
    of_case: dict[int, list[ReadingState]] = {}
    for row in rows.values():
        of_case.setdefault(row.case_id, []).append(row.state)
    reviewed = project.review.reviewed()
    counts = [one for states in of_case.values() for one in settled(states, reviewed)]
    return [(rows[one.state.reading_id], one) for one in sorted(counts, key=lambda one: one.state.reading_id)]


def _write_case(
    folder: Path,
    row: ReadingRow,
    labels: CaseLabels,
    series: Series | None,
    warnings: list[str],
    context: JobContext,
    *,
    with_seg: bool,
) -> list[str]:
    files: list[str] = []
    segmentation = labels.segmentation
    things = tuple(one for one in labels.annotations.values() if isinstance(one, BoxAnnotation | Trace))
    if things:
        sheet = DrawnSheet(segmentation.geometry, things, row.key.series_uid, row.key.study_uid, row.pixels_sha256)
        write_drawn(folder / "boxes.json", sheet)
        files.append(f"{folder.name}/boxes.json")
    if segmentation.segments:
        try:
            names = write_named_map(folder / "labels.nii.gz", segmentation, row.pixels_sha256)
            files += [f"{folder.name}/{name}" for name in names]
        except MedViewError as error:
            warnings.append(f"{folder.name}: {error.sentence}")
    if segmentation.segments and with_seg:
        entry = _images(series, segmentation.geometry, row)
        if series is None or entry is None:
            warnings.append(f"{folder.name}: its images are not under the given folder, so no SEG was written.")
            return files
        try:
            if not _same_pixels(series, entry, row.pixels_sha256, context):
                warnings.append(f"{folder.name}: its images have changed since they were labelled, so no SEG was written.")
                return files
            notes = write_seg(
                folder / "labels.dcm",
                segmentation,
                [Path(path) for path in entry.dicom_paths],
                instances=row.sources.sop_instance_uids,
                pixels_sha256=row.pixels_sha256,
                creator=row.reader,
            )
            warnings += [f"{folder.name}: {note}" for note in notes]
            files.append(f"{folder.name}/labels.dcm")
        except MedViewError as error:
            warnings.append(f"{folder.name}: {error.sentence}")
    return files


def _images(series: Series | None, geometry: Geometry, row: ReadingRow) -> VolumeEntry | None:
    """Return the volume of a series that a case was drawn on, or None when the series has none with its grid and images."""
    for entry in series.volumes if series is not None else ():
        own = {frame.sop_instance_uid for frame in entry.frames}
        if (
            entry.geometry is not None
            and entry.geometry.same_grid(geometry)
            and own.issuperset(row.sources.sop_instance_uids)
        ):
            return entry
    return None


def _same_pixels(series: Series, entry: VolumeEntry, pixels: str, context: JobContext) -> bool:
    """Whether the images hold the pixels the labels were drawn on; copies with the same UIDs may hold others."""
    reader = SeriesReader(InlinePool())
    opened = reader.begin(series, entry)
    damaged = {report.k for report in reader.fill(opened, entry.shape_kji[0] // 2, context)}
    return not pixels or (left_out(pixels) >= damaged and same_pixels(opened.volume, pixels))


def _document(row: ReadingRow, labels: CaseLabels) -> dict[str, Any]:
    geometry = labels.segmentation.geometry
    boxes = [box_document(a, geometry) for a in labels.annotations.values() if isinstance(a, BoxAnnotation)]
    statements = [
        {"label": a.label, "probability": a.probability, "source": a.source.title, **encode_image_label(a)}
        for a in labels.annotations.values()
        if isinstance(a, ImageLabel)
    ]
    segments = [_segment(segment, labels.prompts.get(segment.segment_id)) for segment in labels.segmentation.segments]
    return {"status": row.status.value, "segments": segments, "boxes": boxes, "image_labels": statements}


def _segment(segment: Segment, prompts: PromptLog | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": segment.name,
        "value": segment.value,
        "layer": segment.layer_id,
        "colour": list(segment.colour),
        "source": segment.source.title,
    }
    if prompts is not None:
        # What was pointed at, in patient millimetres: enough to do it again, and to learn from.
        found["prompts"] = {
            "engine": prompts.engine or "growing",
            "model_sha256": prompts.model_sha256,
            "settled": [encode_prompt(prompt) for prompt in prompts.settled],
            "given": [encode_prompt(prompt) for prompt in prompts.prompts],
        }
    return found
