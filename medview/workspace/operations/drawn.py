"""Boxes, points and lines of the active case as files, and in again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from medview.core.annotations import BoxAnnotation, Drawn
from medview.core.changes import AnnotationChange, Command
from medview.core.errors import GeometryError
from medview.core.geometry import Calibration
from medview.core.job import JobContext
from medview.core.language import _, plural
from medview.core.pixel_hash import pixels_sha256, same_pixels
from medview.core.volume import Volume
from medview.io.coco import CocoSource, write_coco
from medview.io.csv_table import write_csv
from medview.io.drawn_json import DrawnSheet, read_drawn, write_drawn
from medview.io.label_files import READ_TIMEOUT_S, SAME_PLACE_VOXELS
from medview.io.reader_pool import Pool
from medview.workspace.drawn import all_drawn
from medview.workspace.drawn_table import sheet_rows
from medview.workspace.events import Severity
from medview.workspace.jobs import Job, Lane, Outcome
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.files import may_write
from medview.workspace.operations.writing import Written, noted, written
from medview.workspace.workspace import Workspace

COCO_ENDING = ".coco.json"
CSV_ENDING = ".csv"


@dataclass(frozen=True, slots=True)
class ExportDrawn:
    """Request: boxes, points and lines in the format the name of the file asks for.

    Attributes
    ----------
    rows : tuple of tuple of str
        The table, its heading first.
    images : tuple of (str, int)
        Of the slices of all time points, one after the other.
    times : dict of str to int
        Of each thing, the time point it was drawn on.
    """

    path: Path
    things: tuple[Drawn, ...]
    volume: Volume
    rows: tuple[tuple[str, ...], ...]
    images: tuple[tuple[str, int], ...]
    done_slices: frozenset[int] = frozenset()
    damaged: tuple[int, ...] = ()
    times: dict[str, int] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Writing boxes and marks")

    @property
    def lane(self) -> Lane:
        """Writing."""
        return Lane.WRITE

    def run(self, context: JobContext) -> Written:
        """Write the file. Raises WriteError or DiskFullError."""
        name = self.path.name.lower()
        if name.endswith(CSV_ENDING):
            write_csv(self.path, self.rows)
            return Written(self.path)
        if name.endswith(COCO_ENDING):
            boxes = [one for one in self.things if isinstance(one, BoxAnnotation)]
            source = CocoSource(self.volume.geometry, self.volume.series_uid, self.images, self.done_slices, self.times)
            return Written(self.path, write_coco(self.path, boxes, source))
        pixels = pixels_sha256(self.volume, self.damaged)
        sheet = DrawnSheet(self.volume.geometry, self.things, self.volume.series_uid, self.volume.study_uid, pixels)
        write_drawn(self.path, sheet)
        return Written(self.path)


@dataclass(frozen=True, slots=True)
class ImportDrawn:
    """Request: the boxes, points and lines of a file that belong to a volume."""

    path: Path
    volume: Volume
    pool: Pool

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Reading boxes and marks from {name}").format(name=self.path.name)

    @property
    def lane(self) -> Lane:
        """Reading."""
        return Lane.READ

    def run(self, context: JobContext) -> DrawnSheet:
        """Read in a reader process. Raises ReadError, or GeometryError when they were drawn on something else."""
        sheet: DrawnSheet = self.pool.call(read_drawn, str(self.path), timeout_s=READ_TIMEOUT_S)
        _refuse_elsewhere(self.path, sheet, self.volume)
        return sheet


def export_drawn(workspace: Workspace, path: Path) -> Job | None:
    """Write the boxes, points and lines of the active case: JSON, a table (.csv) or COCO (.coco.json)."""
    case = workspace.active
    things = all_drawn(case) if case is not None else []
    if case is None or not things:
        workspace.say(_("There are no boxes and marks to export yet; draw one first."), Severity.WARNING)
        return None
    if not case.ready:
        workspace.say(_("The series is still being read; export when it is complete."), Severity.WARNING)
        return None
    if not may_write(workspace, case, path):
        return None
    volume = case.anchor.volume
    slices = volume.geometry.shape_kji[0]
    request = ExportDrawn(
        path,
        tuple(things),
        volume,
        tuple(tuple(row) for row in sheet_rows(case, things)),
        tuple(case.images.image(time, k) for time in range(case.entry.time_points) for k in range(slices)),
        case.labels.marks.done_slices,
        case.anchor.load.damaged,
        {one.annotation_id: case.images.time(one) for one in things},
    )
    return workspace.runner.submit(noted(workspace, case, request, "boxes"), written(workspace))


def import_drawn(workspace: Workspace, path: Path) -> Job | None:
    """Read the boxes, points and lines of a JSON file into the active case."""
    case = workspace.active
    if case is None or case.read_only or not case.ready:
        problem = (case.read_only or _("The series is still being read; import when it is complete.")) if case else ""
        workspace.say(problem or _("Open the series first that the boxes belong to."), Severity.WARNING)
        return None

    def done(value: object) -> None:
        if isinstance(value, DrawnSheet) and workspace.cases.get(case.key) is case:
            case.after_gesture(lambda: _take_in(workspace, case, value, path.name))

    request = ImportDrawn(path, case.anchor.volume, workspace.services.pool)
    return workspace.runner.submit(request, Outcome(done, failed=workspace.report))


def add_drawn(case: OpenCase, sheet: DrawnSheet, name: str) -> int:
    """Add the things of a sheet that are not there yet, as one command; return how many were added."""
    fresh: dict[str, Drawn] = {}
    for one in sheet.things:
        if one.annotation_id not in case.labels.annotations:
            fresh.setdefault(one.annotation_id, _as_of_here(case, sheet, one))
    changes = tuple(AnnotationChange(None, one) for one in fresh.values())
    return len(changes) if changes and case.do(Command(f"Import {name}", changes, "import")) else 0


def _as_of_here(case: OpenCase, sheet: DrawnSheet, one: Drawn) -> Drawn:
    """Return a thing as it is; of another series of the same patient space without the image it lay on there."""
    if sheet.series_uid == case.volume.series_uid:
        return one
    return replace(one, sop_instance_uid="", frame_number=0)


def _refuse_elsewhere(path: Path, sheet: DrawnSheet, volume: Volume) -> None:
    """Raise GeometryError unless the things of a sheet belong where a volume lies."""
    geometry = volume.geometry
    if sheet.series_uid == volume.series_uid and volume.series_uid:
        if sheet.pixels_sha256 and not same_pixels(volume, sheet.pixels_sha256):
            raise GeometryError(f"{path.name} was made on other images than these; open those and import it there.")
        if not sheet.geometry.same_grid(geometry, SAME_PLACE_VOXELS * min(geometry.spacing_kji_mm)):
            raise GeometryError(f"{path.name} was made when these images lay elsewhere in the patient; open the originals.")
        return
    frames = {geometry.frame_of_reference_uid, sheet.geometry.frame_of_reference_uid}
    whole = geometry.calibration is sheet.geometry.calibration is Calibration.VOLUME
    if not whole or len(frames) != 1 or frames == {""}:
        raise GeometryError(
            f"{path.name} was made on another series in another place; open that series and import it there."
        )


def _take_in(workspace: Workspace, case: OpenCase, sheet: DrawnSheet, name: str) -> None:
    if not case.editable:
        problem = case.read_only or "the boxes and marks cannot be changed now."
        workspace.say(_("{name} was not taken in: {problem}").format(name=name, problem=problem), Severity.WARNING)
        return
    count = add_drawn(case, sheet, name)
    there = len(sheet.things) - count
    said = [
        plural("Took {n} box or mark from {name}.", "Took {n} boxes and marks from {name}.", count).format(
            n=count, name=name
        )
    ]
    if there:
        said.append(
            plural(
                "{n} of them was here already and left as it is.",
                "{n} of them were here already and left as they are.",
                there,
            ).format(n=there)
        )
    workspace.say(" ".join(said), undo=bool(count) and workspace.active is case)
