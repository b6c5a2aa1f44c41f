"""A project of three patients with all that labels can be, on series whose headers say who they are in many places."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pydicom

from medview.core.annotations import BoxAnnotation, Trace
from medview.core.box import Box
from medview.core.changes import AnnotationChange, AnswerChange, Change, Command, MarksChange, SegmentChange
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.label_patch import LabelPatch
from medview.core.marks import Marks
from medview.core.segmentation import Code, Segment, Segmentation, SegmentRole, SegmentStatus
from medview.core.source import Source, SourceKind
from medview.core.trace import TraceKind
from medview.core.vector import triple
from medview.core.volume import Rescale, Volume
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.io.load import LoadedVolume, load_volume
from medview.store.entry import Entry, EntryKind
from medview.store.project import Project
from medview.store.reading_state import ReadingStatus
from medview.workspace.keeping import load_stored, tie_pixels
from tests.helpers.forms import GOOD, QUALITY, answer
from tests.helpers.grids import turned_grid
from tests.io.datasets.pictures import COLUMNS, ROWS, holed_mask

SHAPE = (4, ROWS, COLUMNS)
GRID = turned_grid(degrees=35.0, shape_kji=SHAPE)
SECRETS = (
    "Zebrafink", "Xaveria", "PID-88431", "ACC-77120", "19470312", "20190817", "OTHER-5512", "Qvistgaard", "STUDY-3391",
    "Klinik Nordwind", "Wohnort 17",
)  # fmt: skip
"""What must not come out."""
LUNG = Segment("a", "Lung", (9, 99, 200), 0, 1, Code("39607008", "SCT", "Lung"), status=SegmentStatus.DONE)
MODEL = Source(SourceKind.MODEL, "lobes", "2.1", "ab" * 32, "job", corrected=True)
SEGMENTS = (
    LUNG,
    Segment("b", "Nodule 1", (230, 159, 0), 0, 2, group="Nodule"),
    Segment("c", "Nodule 2", (0, 158, 115), 0, 3, group="Nodule"),
    Segment("d", "Lobe", (240, 228, 66), 1, 1, source=MODEL),
    Segment("e", "Cyst", (213, 94, 0), 1, 2, absent=True),
)
UNSURE = Segment("f", "Unsure", (148, 203, 236), 2, 1, role=SegmentRole.IGNORE)


@dataclass(frozen=True)
class Labelled:
    """A project, where its images are, and what was drawn in each case."""

    project: Path
    folders: tuple[Path, ...]
    loaded: tuple[LoadedVolume, ...]
    drawn: tuple[Segmentation, ...]
    box: BoxAnnotation


def layers() -> dict[int, np.ndarray]:  # type: ignore[type-arg]
    """Return a lung with holes, corners and lone pixels, nodules of one voxel, a lobe over both, and an unsure place."""
    first, second, third = (np.zeros(SHAPE, dtype=np.uint8) for _ in range(3))
    first[1:3] = holed_mask()
    first[2, 20:22, 10:15] = 2
    first[3, 0, 37] = 3
    second[1:4, 4:11, 6:20] = 1
    third[0, 1:4, 1:4] = 1
    return {0: first, 1: second, 2: third}


def labelled(folder: Path, *, unsure: bool = False, finish: Callable[[int], ReadingStatus] | None = None) -> Labelled:
    """Make the project. Cases are done unless ``finish`` says otherwise."""
    folders, loaded, drawn = [], [], []
    box = BoxAnnotation.on_grid("x", "Tumour", GRID, (1, 3, 5), (3, 9.5, 17.25))
    line = Trace("t", TraceKind.OPEN, tuple(triple(p) for p in GRID.point_lps_mm([(1, 2, 3), (2, 6.1, 9.7)])), "Vessel")
    with Project.create(folder / "p.medview", "Test", reader="Reader Rut") as project:
        for number in range(3):
            images = folder / f"Zebrafink-{number}"
            loaded.append(_series(images, number))
            folders.append(images)
            one = loaded[-1]
            geometry = one.volume.geometry
            stored = load_stored(project, one.series, one.entry, one.volume)
            assert stored.reading_id is not None
            tie_pixels(project, stored, one.volume, ())
            segments = (*SEGMENTS, UNSURE) if unsure else SEGMENTS
            segmentation = Segmentation(geometry)
            changes: list[Change] = [SegmentChange(None, s, n) for n, s in enumerate(segments)]
            for layer_id, voxels in layers().items():
                if layer_id < 2 or unsure:
                    patch = LabelPatch.between(segmentation.layer(layer_id), Box.whole(SHAPE), np.roll(voxels, number, 2))
                    assert patch is not None
                    changes.append(patch)
            changes.append(AnnotationChange(None, replace(box, sop_instance_uid=one.volume.sop_instance_uids[1])))
            changes.append(AnnotationChange(None, line))
            changes.append(AnswerChange(None, answer(QUALITY, (GOOD,))))
            if number == 1:
                changes.append(MarksChange(Marks(), Marks(frozenset({1, 2}))))
            project.journal.append(stored.reading_id, Entry(EntryKind.DO, Command("Draw", tuple(changes), "brush"), 1))
            assert project.journal.flush()
            drawn.append(project.load_reading(stored.reading_id).labels.segmentation)
            project.set_status(stored.reading_id, finish(number) if finish else ReadingStatus.DONE)
    return Labelled(folder / "p.medview", tuple(folders), tuple(loaded), tuple(drawn), box)


def _series(folder: Path, number: int) -> LoadedVolume:
    voxels = np.random.default_rng(number).integers(-500, 1500, SHAPE).astype(np.int16)
    grid = Geometry(GRID.shape_kji, GRID.affine_lps)
    identity = SeriesIdentity("Zebrafink^Xaveria", f"PID-88431-{number}", seed=f"export-{number}")
    for path in write_series(folder, Volume(voxels, grid, modality="CT", rescale=Rescale(1.0, -24.0)), identity):
        dataset = pydicom.dcmread(path)
        dataset.PatientBirthDate, dataset.AccessionNumber, dataset.StudyID = "19470312", "ACC-77120", "STUDY-3391"
        dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = dataset.AcquisitionDate = "20190817"
        dataset.OtherPatientIDs, dataset.ReferringPhysicianName = "OTHER-5512", "Qvistgaard^Q"
        dataset.StudyDescription = dataset.SeriesDescription = "Thorax Zebrafink"
        dataset.InstitutionName, dataset.PatientAddress = "Klinik Nordwind", "Wohnort 17"
        dataset.AcquisitionDateTime = "20190817101010"
        dataset.save_as(path)
    return load_volume(folder, None, Inline())


def leaks(folder: Path, secrets: Sequence[str] = SECRETS) -> list[str]:
    """Return what of the secrets stands in any name or byte below a folder, packed files unpacked."""
    found = []
    for path in folder.rglob("*"):
        data = path.relative_to(folder).as_posix().encode()
        if path.is_file():
            raw = path.read_bytes()
            data += raw
            if path.name.endswith(".gz"):
                data += gzip.decompress(raw)
            elif path.name.endswith(".seg.nrrd"):
                packed = raw.partition(b"\n\n")[2]
                data += gzip.decompress(packed)
        found += [f"{path.name}: {secret}" for secret in secrets if secret.encode() in data]
    return found
