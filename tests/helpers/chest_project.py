"""A project of chests of people who do not exist, labelled by the phantom's truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from medview.core.box import Box
from medview.core.changes import Change, Command, SegmentChange
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.label_patch import LabelPatch
from medview.core.segmentation import COLOUR_CYCLE, Segment, Segmentation
from medview.core.volume import Volume
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.io.load import load_volume
from medview.phantom.chest import HEART, LUNGS, chest
from medview.store.entry import Entry, EntryKind
from medview.store.project import Project
from medview.store.reading_state import ReadingStatus
from medview.workspace.keeping import load_stored, tie_pixels

NAMES = ((LUNGS, "Lungs"), (HEART, "Heart"))


def chest_project(
    folder: Path, count: int, step: int = 4, finish: Callable[[int], ReadingStatus] = lambda _number: ReadingStatus.DONE
) -> Path:
    """Make a project with a case per patient and return where it is.

    Parameters
    ----------
    step : int
        Every so many voxels of the phantom are kept along each axis.
    finish : callable
        How far a case is, by its number from 0; one that is to do has no labels.
    """
    path = folder / "chests.medview"
    with Project.create(path, "Chests", reader="Ada") as project:
        for number in range(count):
            made = chest(900 + number, nodules=0)
            hu, truth = (np.ascontiguousarray(one[::step, ::step, ::step]) for one in (made.hu, made.labels))
            spacing = tuple(float(mm) * step for mm in made.geometry.spacing_kji_mm)
            grid = Geometry.from_spacing(hu.shape, spacing, made.geometry.point_lps_mm((0, 0, 0)))
            images = folder / "images" / f"patient-{number}"
            identity = SeriesIdentity(
                f"Phantom^{number}", f"P-{number}", series_description="Chest low dose", seed=f"chest-{number}"
            )
            write_series(images, Volume(hu, grid, modality="CT", unit="HU"), identity, durable=False)
            loaded = load_volume(images, None, Inline())
            stored = load_stored(project, loaded.series, loaded.entry, loaded.volume)
            assert stored.reading_id is not None
            tie_pixels(project, stored, loaded.volume, ())
            status = finish(number)
            if status is not ReadingStatus.TO_DO:
                _draw(project, stored.reading_id, loaded.volume.geometry, truth)
                project.set_status(stored.reading_id, status)
    return path


def _draw(project: Project, reading_id: int, geometry: Geometry, truth: np.ndarray) -> None:  # type: ignore[type-arg]
    segmentation = Segmentation(geometry)
    voxels = np.zeros(truth.shape, dtype=np.uint8)
    changes: list[Change] = []
    for value, (label, name) in enumerate(NAMES, start=1):
        voxels[truth == label] = value
        changes.append(SegmentChange(None, Segment(f"s{value}", name, COLOUR_CYCLE[value - 1], 0, value), value - 1))
    patch = LabelPatch.between(segmentation.layer(0), Box.whole(truth.shape), voxels)
    assert patch is not None
    entry = Entry(EntryKind.DO, Command("Draw", (*changes, patch), "brush"), 1)
    project.journal.append(reading_id, entry)
    assert project.journal.flush()
