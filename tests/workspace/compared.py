"""A project that several readers labelled, each a little differently, with answers to a form and a consensus."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from medview.core.answer import SERIES, answer_to
from medview.core.box import Box
from medview.core.changes import AnswerChange, Change, Command, SegmentChange
from medview.core.form import AnswerKind, Form, Level, Option, Question
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.label_patch import LabelPatch
from medview.core.label_set import LabelSet
from medview.core.reading_status import ReadingStatus
from medview.core.segmentation import Segment, Segmentation
from medview.io.label_sets import text_of_label_set
from medview.io.reader_pool import InlinePool
from medview.store.entry import Entry, EntryKind
from medview.store.project import Project
from medview.workspace.case_adding import AddCases, WantedPlace
from tests.workspace.queued import write_small_ct

OPTIONS = (Option("none", "None"), Option("mild", "Mild"), Option("severe", "Severe"))
SEVERITY = Question("q.severity", "Severity", AnswerKind.ONE, Level.SERIES, OPTIONS, required=True)
SCORE = Question("q.score", "Score", AnswerKind.NUMBER, Level.SERIES, (), "%", 0.0, 100.0)
FORM = Form("f.read", "Reading", (SEVERITY, SCORE))
LIVER, NODULE = Segment("liver", "Liver", (86, 180, 233), 0, 1), Segment("nodule", "Nodule", (230, 159, 0), 0, 2)


def compared_project(folder: Path, count: int = 4, readers: tuple[str, ...] = ("Ada", "Grace")) -> Path:
    """Make the project, with a case per patient, and return its place."""
    path = folder / "Readers.medview"
    with Project.create(path, "Liver readers", reader=readers[0]) as project:
        places = tuple(WantedPlace(write_small_ct(folder / "images", f"s{n}")) for n in range(count))
        AddCases(project, places, InlinePool()).run(Inline())
        project.label_set.keep(text_of_label_set(LabelSet("Liver", (), forms=(FORM,))))
    for number, reader in enumerate(readers):
        with Project.open(path, reader=reader) as project:
            for case in project.cases():
                _read(project, case.case_id, reader, number)
    with Project.open(path, reader=readers[0]) as project:
        for case in project.cases()[::2]:
            row = project.review.begin_consensus(case.case_id)
            _draw(project, row.reading_id, row.geometry, case.case_id, 0.5, ())
    return path


def further(project: Project, case_id: int) -> None:
    """Let the reader of a project draw one more segment on a case."""
    images = project.worklist.images(case_id)
    row = project.reading(images.key, images.geometry, images.sources)
    spleen = Segment(f"spleen {project.path.stem}", "Spleen", (0, 158, 115), 0, 3)
    project.journal.append(row.reading_id, Entry(EntryKind.DO, Command("Spleen", (SegmentChange(None, spleen, 2),)), 1))
    assert project.journal.flush()


def _read(project: Project, case_id: int, reader: str, number: int) -> None:
    images = project.worklist.images(case_id)
    row = project.reading(images.key, images.geometry, images.sources)
    rng = np.random.default_rng(100 * number + case_id)
    severity = OPTIONS[(case_id + int(rng.random() < 0.3 * number)) % 3]
    given = [answer_to(FORM, SEVERITY, SERIES, (severity,), reader, "2026-11-20T10:00:00.000+00:00")]
    score = float(round(20 + 5 * case_id + rng.normal(3 * number, 2), 1))
    given.append(answer_to(FORM, SCORE, SERIES, score, reader, "2026-11-20T10:00:00.000+00:00"))
    changes = tuple(AnswerChange(None, one) for one in given)
    _draw(project, row.reading_id, images.geometry, case_id, number * rng.uniform(0.3, 2.2), changes)
    project.set_status(row.reading_id, ReadingStatus.DONE)


def _draw(
    project: Project, reading_id: int, geometry: Geometry, case_id: int, shift: float, further: tuple[Change, ...]
) -> None:
    grid = np.indices(geometry.shape_kji).astype(float)
    centre = np.array([4.0, 8.0 + shift, 9.0])[:, None, None, None]
    liver = (((grid - centre) / np.array([3.2, 5.0, 5.5 + 0.2 * case_id])[:, None, None, None]) ** 2).sum(axis=0) < 1
    voxels = liver.astype(np.uint8)
    voxels[1:3, 14 : 16 + (case_id % 2), 18:21] = 2
    if shift < 1.2:
        voxels[6:8, 2:4, 18:20] = 2
    segmentation = Segmentation(geometry)
    patch = LabelPatch.between(segmentation.layer(0), Box.whole(geometry.shape_kji), voxels)
    assert patch is not None
    segments = [SegmentChange(None, segment, n) for n, segment in enumerate((LIVER, NODULE))]
    command = Command("Draw", (*segments, patch, *further), "form")
    project.journal.append(reading_id, Entry(EntryKind.DO, command, 1))
    assert project.journal.flush()
