"""Measurements out of the active case as a DICOM structured report, and in again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from medview.analysis.measures import measure, readable
from medview.core.annotations import Drawn
from medview.core.changes import AnnotationChange, Command
from medview.core.errors import GeometryError, MedViewError
from medview.core.job import JobContext
from medview.core.language import _, in_language, plural
from medview.core.measurement import Measurement
from medview.core.pixel_hash import pixels_sha256, same_pixels
from medview.core.study import Frame, VolumeEntry
from medview.core.volume import Volume
from medview.io.dicom.sr_codes import Stated
from medview.io.dicom.sr_drawn import as_drawn, as_reported, left_out
from medview.io.dicom.sr_read import ImportedReport, ReadFigure, ReportTarget, is_report, read_sr
from medview.io.dicom.sr_write import Reported, ReportSource, write_sr
from medview.io.label_files import READ_TIMEOUT_S, SAME_PLACE_VOXELS
from medview.io.reader_pool import Pool
from medview.io.sniff import Kind, sniff
from medview.workspace.drawn import all_drawn
from medview.workspace.events import Severity
from medview.workspace.exports import refuse_sources
from medview.workspace.jobs import Job, Lane, Outcome
from medview.workspace.measuring import measurements, title
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.drawn import import_drawn
from medview.workspace.operations.files import import_labels
from medview.workspace.operations.other_grid import ask_of_other_images, compare_grids
from medview.workspace.operations.writing import Written, noted, reader_of
from medview.workspace.time_points import TimeOfImages, TimePoint
from medview.workspace.workspace import Workspace

AGREES = 0.01
"""Largest part by which a number may differ from the report's; reports of others are rounded."""
NAMED_AT_MOST = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """A measurement and the volume it was drawn on: that of its time point."""

    measurement: Measurement
    volume: Volume


@dataclass(frozen=True, slots=True)
class ExportReport:
    """Request: measurements with their numbers as a report on the images they were drawn on.

    Attributes
    ----------
    volume : Volume
        The first time point, by whose pixels a report knows its series; ``damaged`` are slices of it.
    frames : tuple of Frame
        Of all time points one after the other.
    """

    path: Path
    figures: tuple[Figure, ...]
    volume: Volume
    frames: tuple[Frame, ...]
    damaged: tuple[int, ...] = ()
    drawn: tuple[Drawn, ...] = ()
    reader: str = ""

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Writing the measurements")

    @property
    def lane(self) -> Lane:
        """Writing."""
        return Lane.WRITE

    def run(self, context: JobContext) -> Written:
        """Measure and write the file. Raises WriteError or GeometryError when it cannot be written."""
        volume = self.volume
        pixels = pixels_sha256(volume, self.damaged)
        source = ReportSource(volume.geometry, self.frames, volume.modality, pixels, self.reader)
        figures = [reported(one.volume, one.measurement) for one in self.figures]
        marks = [as_reported(one, volume.geometry) for one in self.drawn]
        figures += [one for one in marks if one is not None]
        notes = left_out(self.path, marks.count(None), written=len(figures))
        return Written(self.path, (*write_sr(self.path, figures, source), *notes))


@dataclass(frozen=True, slots=True)
class IsReport:
    """Request: whether a file is a structured report."""

    path: Path
    pool: Pool

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Looking into {name}").format(name=self.path.name)

    @property
    def lane(self) -> Lane:
        """Reading."""
        return Lane.READ

    def run(self, context: JobContext) -> bool:
        """Ask in a reader process; what cannot be read is left to whoever reads it next, to say so."""
        return bool(self.pool.call(_is_report, str(self.path), timeout_s=READ_TIMEOUT_S))


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Request: the measurements of a report that belong to a volume."""

    path: Path
    entry: VolumeEntry
    times: tuple[TimePoint, ...]
    pool: Pool

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Reading measurements from {name}").format(name=self.path.name)

    @property
    def lane(self) -> Lane:
        """Reading."""
        return Lane.READ

    def run(self, context: JobContext) -> ImportedReport:
        """Read in a reader process. Raises GeometryError when the report says it was made on other pixels."""
        first = self.times[0].volume
        target = ReportTarget(first.geometry, _images(self.entry.frames))
        found: ImportedReport = self.pool.call(read_sr, str(self.path), target, timeout_s=READ_TIMEOUT_S)
        _refuse_other_pixels(self.path, found, first)
        images = TimeOfImages(self.entry)
        known = []
        for one in found.figures:
            time_index = images.time(one.measurement)
            time = self.times[time_index] if time_index < len(self.times) else None
            if time is not None and readable(time.volume, one.measurement, time.load.damaged):
                known.append((time.volume, one))
        return replace(found, notes=(*found.notes, *differing(known)))


def reported(volume: Volume, measurement: Measurement) -> Reported:
    """Return a measurement with what it says on its volume, as a report takes it."""
    found = measure(volume, measurement)
    return Reported(measurement, tuple(Stated(q.name, q.value, q.unit) for q in found.quantities), found.reason, found.note)


def differing(figures: Iterable[tuple[Volume, ReadFigure]]) -> tuple[str, ...]:
    """Return a sentence that names the numbers of a report that are others here; none when all agree.

    Parameters
    ----------
    figures : iterable of (Volume, ReadFigure)
        Figures with the volumes they lie on.
    """
    said = []
    for volume, figure in figures:
        mine = {one.name: one for one in reported(volume, figure.measurement).stated}
        for theirs in figure.stated:
            own = mine.get(theirs.name)
            if own is None or own.bare_unit != theirs.bare_unit:
                continue
            if abs(own.value - theirs.value) > AGREES * max(abs(own.value), abs(theirs.value)):
                said.append(
                    _("{title}: {name} {theirs} there, {ours} here").format(
                        title=title(figure.measurement), name=theirs.name, theirs=_number(theirs), ours=_number(own)
                    )
                )
    if not said:
        return ()
    more = [_("and {count} more").format(count=len(said) - NAMED_AT_MOST)] if len(said) > NAMED_AT_MOST else []
    return (_("Other numbers than in the report: {value}.").format(value="; ".join((*said[:NAMED_AT_MOST], *more))),)


def export_sr(workspace: Workspace, path: Path) -> Job | None:
    """Write the measurements of the active case as a DICOM structured report."""
    case = workspace.active
    if case is None or not (measurements(case) or all_drawn(case)):
        workspace.say(_("There are no measurements, boxes or marks to export yet; draw one first."), Severity.WARNING)
        return None
    if not case.ready:
        workspace.say(_("The series is still being read; export when it is complete."), Severity.WARNING)
        return None
    if not case.entry.dicom_paths:
        workspace.say(_("A report needs a DICOM series; copy the measurements as a table instead."), Severity.WARNING)
        return None
    try:
        refuse_sources(path, (frame.path for frame in case.entry.frames))
    except MedViewError as error:
        workspace.report(error)
        return None
    figures, unread = _on_read_slices(case)

    def done(value: object) -> None:
        if isinstance(value, Written):
            notes = (*map(in_language, value.notes), *unread)
            severity = Severity.WARNING if notes else Severity.INFO
            workspace.say(" ".join((_("Wrote {path}.").format(path=value.path), *notes)), severity)

    drawn = tuple(all_drawn(case))
    anchor, reader = case.anchor, reader_of(workspace, case)
    request = ExportReport(path, figures, anchor.volume, case.entry.frames, anchor.load.damaged, drawn, reader)
    return workspace.runner.submit(noted(workspace, case, request, "report"), Outcome(done, failed=workspace.report))


def _import_labels(workspace: Workspace, path: Path) -> Job | None:
    """Take labels in; what lies on another grid, or was drawn on other images, is looked at before."""
    refused, doubtful = partial(compare_grids, workspace, path), partial(ask_of_other_images, workspace, path)
    return import_labels(workspace, path, refused, doubtful)


def import_file(workspace: Workspace, path: Path) -> Job | None:
    """Read labels, measurements or boxes into the active case, whichever the file holds."""
    if path.suffix.lower() == ".json":
        return import_drawn(workspace, path)
    case = workspace.active
    if case is None or case.read_only or not case.ready or path.is_dir():
        return _import_labels(workspace, path)

    def done(value: object) -> None:
        if value is True:
            import_sr(workspace, path)
        else:
            _import_labels(workspace, path)

    return workspace.runner.submit(IsReport(path, workspace.services.pool), Outcome(done, failed=workspace.report))


def import_sr(workspace: Workspace, path: Path) -> Job | None:
    """Read the measurements of a report into the active case."""
    case = workspace.active
    if case is None or case.read_only or not case.ready:
        problem = (case.read_only or _("The series is still being read; import when it is complete.")) if case else ""
        workspace.say(problem or _("Open the series first that the measurements belong to."), Severity.WARNING)
        return None

    def done(value: object) -> None:
        if isinstance(value, ImportedReport) and workspace.cases.get(case.key) is case:
            case.after_gesture(lambda: _take_in(workspace, case, value, path.name))

    request = ImportReport(path, case.entry, tuple(case.times), workspace.services.pool)
    return workspace.runner.submit(request, Outcome(done, failed=workspace.report))


def add_figures(case: OpenCase, figures: tuple[ReadFigure, ...], name: str) -> int:
    """Add the measurements, boxes and marks of a report that are not there yet, as one command; return how many."""
    known = set(case.labels.annotations)
    fresh: dict[str, Measurement | Drawn] = {}
    for figure in figures:
        one = figure.measurement
        if one.annotation_id not in known:
            geometry = case.anchor.volume.geometry
            fresh.setdefault(one.annotation_id, as_drawn(one, figure.drawn_as, geometry) if figure.drawn_as else one)
    changes = tuple(AnnotationChange(None, one) for one in fresh.values())
    return len(changes) if changes and case.do(Command(f"Import {name}", changes, "import")) else 0


def _take_in(workspace: Workspace, case: OpenCase, report: ImportedReport, name: str) -> None:
    if not case.editable:
        problem = case.read_only or "the measurements cannot be changed now."
        workspace.say(_("{name} was not taken in: {problem}").format(name=name, problem=problem), Severity.WARNING)
        return
    count = add_figures(case, report.figures, name)
    there = len(report.figures) - count
    said = [
        plural("{n} measurement read from {name}.", "{n} measurements read from {name}.", count).format(n=count, name=name)
    ]
    if there:
        said.append(
            plural(
                "{n} measurement of it was here already and left as it is.",
                "{n} measurements of it were here already and left as they are.",
                there,
            ).format(n=there)
        )
    severity = Severity.WARNING if report.notes else Severity.INFO
    workspace.say(
        " ".join((*said, *map(in_language, report.notes))), severity, undo=bool(count) and workspace.active is case
    )


def _on_read_slices(case: OpenCase) -> tuple[tuple[Figure, ...], tuple[str, ...]]:
    """Return the measurements whose slices could be read: numbers of missing pixels are no findings."""
    every = measurements(case)
    kept = []
    for one in every:
        time_index = case.images.time(one)
        time = case.times[time_index] if time_index < len(case.times) else None
        if time is not None and readable(time.volume, one, time.load.damaged):
            kept.append(Figure(one, time.volume))
    left_out = len(every) - len(kept)
    if not left_out:
        return tuple(kept), ()
    said = plural(
        "{n} measurement on slices that could not be read was left out.",
        "{n} measurements on slices that could not be read were left out.",
        left_out,
    )
    return tuple(kept), (said.format(n=left_out),)


def _images(frames: tuple[Frame, ...]) -> tuple[tuple[str, int], ...]:
    return tuple((frame.sop_instance_uid, frame.number) for frame in frames)


def _is_report(path: str) -> bool:
    try:
        return sniff(path) is Kind.DICOM and is_report(path)
    except MedViewError:
        return False


def _refuse_other_pixels(path: Path, found: ImportedReport, volume: Volume) -> None:
    """Raise GeometryError when a report made on this very series was made on other pixels, or on these lying elsewhere.

    In the patient it may also hold for other series, whose pixels are their own.
    """
    if not found.pixels_sha256 or not found.figures or volume.series_uid not in found.series_uids:
        return
    if not same_pixels(volume, found.pixels_sha256):
        raise GeometryError(f"{path.name} was made on other images than these; open those and import it there.")
    tolerance_mm = SAME_PLACE_VOXELS * min(volume.geometry.spacing_kji_mm)
    lay = found.drawn_on
    # The mark carries shape and place, not what the millimetres are worth.
    if lay is not None and not replace(lay, calibration=volume.geometry.calibration).same_grid(
        volume.geometry, tolerance_mm
    ):
        raise GeometryError(f"{path.name} was made when these images lay elsewhere in the patient; open the originals.")


def _number(stated: Stated) -> str:
    return f"{stated.value:.4g} {stated.unit}".rstrip()
