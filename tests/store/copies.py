"""Copies of one project, labelled apart: hands for tests of merging."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np

from medview.store.case_images import CaseKey, CaseSources
from medview.store.patients import PatientIdentity
from medview.store.project import Project
from medview.store.rows import read_rows, row_hash
from tests.store.painter import Painter, oblique_geometry

SMALL_KJI = (3, 6, 7)

Journals = Counter[tuple[str, str, str, tuple[str, ...]]]


def copied(source: Path, name: str) -> Path:
    """Copy a closed project beside itself, as people do."""
    target = source.with_name(name)
    shutil.copytree(source, target)
    return target


def painter_of(project: Project, series: int) -> Painter:
    """Open one of several small cases, each of another patient."""
    key, sources = CaseKey("1.2", f"1.2.{series}", "1.2.3"), CaseSources((f"1.2.{series}.1",), (), "MR", f"Series {series}")
    geometry = oblique_geometry(SMALL_KJI)
    patient = PatientIdentity(f"number {series}", "Clinic", f"Doe^{series}")
    project.reading(key, geometry, sources, patient=patient)
    painter = Painter(project, geometry, key=key, sources=sources)
    if not painter.labels.segmentation.segments:
        painter.add_segment(f"Thing {series}")
    return painter


def drawn(path: Path, reader: str, series: int, steps: int, seed: int = 0) -> Painter:
    """Let a reader open a project, draw on a case, undo now and then, and close it."""
    rng = np.random.default_rng(seed)
    with Project.open(path, reader=reader) as project:
        painter = painter_of(project, series)
        for _ in range(steps):
            if painter.done and rng.random() < 0.2:
                painter.undo()
            else:
                low = rng.integers(0, SMALL_KJI)
                painter.paint((low[0], low[1], low[2]), (3, 6, 7), int(rng.integers(0, 2)), f"Stroke {seed}")
    return painter


def journals(path: Path) -> Journals:
    """Return what all journals of a closed project say, by images, reader and role, whatever their numbers and chains."""
    with Project.open(path, read_only=True) as project, project._database.reading() as connection:
        uids = {row[0]: row[1] for row in connection.exec_driver_sql("SELECT reader_id, reader_uid FROM readers")}
        found: Journals = Counter()
        for row in project.readings():
            owner = connection.exec_driver_sql(
                "SELECT reader_id FROM reading_state WHERE reading_id = ?", (row.reading_id,)
            ).scalar_one()
            said = tuple(
                row_hash(stored.row, uids[stored.reader_id], row.identity_sha256, "")
                for stored in read_rows(connection, row.reading_id)
            )
            found[row.identity_sha256, uids.get(owner, ""), row.state.role.value, said] += 1
        return found


def row_hashes(path: Path) -> set[str]:
    """Return the hashes of all rows of a closed project."""
    with Project.open(path, read_only=True) as project, project._database.reading() as connection:
        return {stored.row_sha256 for stored in read_rows(connection)}


def merged(path: Path, *others: Path) -> list[dict[str, object]]:
    """Merge copies into a project, check that it is sound, and return the reports."""
    with Project.open(path, reader="Eve") as project:
        reports = [project.merge(other).document() for other in others]
        assert project.verify().problems == ()
    return reports
