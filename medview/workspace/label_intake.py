"""The labels of a dataset into the readings of one reader, some cases at a time."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from medview.core.annotations import Annotation
from medview.core.case_labels import CaseLabels
from medview.core.changes import AnnotationChange, Change, Command
from medview.core.errors import CancelledError, GeometryError, MedViewError, ReadError, StoreError, WriteError
from medview.core.job import Inline, JobContext
from medview.core.language import _, plural
from medview.core.pixel_hash import pixels_sha256, same_pixels
from medview.core.source import Source, SourceKind
from medview.core.study import Series, VolumeEntry
from medview.core.volume import Volume
from medview.io.datasets.fingerprint import labels_sha256
from medview.io.datasets.foreign import ForeignCase, FoundLabels, LabelSource
from medview.io.datasets.reading import load_labels
from medview.io.imported_labels import Target
from medview.io.reader_pool import Pool
from medview.io.series_reader import SeriesReader
from medview.store.begun import BegunReading
from medview.store.entry import Entry, EntryKind
from medview.store.import_book import IMPORT_TOOL, ImportedFile
from medview.store.project import Project
from medview.store.readings import ReadingRow
from medview.store.undo_stacks import UndoStacks
from medview.store.worklist_book import NewCase
from medview.workspace.dataset_import_report import ImportReport
from medview.workspace.operations.files import imported_changes

AT_ONCE = 64
"""Cases whose readings are begun together: their labels are in memory meanwhile."""
MOST_BYTES = 256 << 20
"""Of such labels."""
WRITE_TIMEOUT_S = 300.0
"""Longest the rows of so many cases may take on a slow disk."""


@dataclass(frozen=True, slots=True)
class PlacedCase:
    """A case of the dataset, and the series its labels lie on."""

    case: ForeignCase
    series: Series
    entry: VolumeEntry
    stored: NewCase


@dataclass(frozen=True, slots=True)
class _Fresh:
    """Labels of a case nobody has begun with."""

    placed: PlacedCase
    file: ImportedFile
    pixels: str
    found: FoundLabels

    @property
    def size_bytes(self) -> int:
        """Memory its masks take."""
        return sum(layer.nbytes for layer in self.found.masks.layers.values()) if self.found.masks is not None else 0


class LabelIntake:
    """Puts labels into the readings of a project's reader; what is there already is not taken in again.

    A case is begun, gets its row in the journal, and is done only once that is on disk: whatever stops an import, importing
    again goes on where it stopped, and no case looks done that has no labels yet.

    Parameters
    ----------
    report : ImportReport
        Counts what comes in.
    leave_out : bool
        Labels that cannot be read, or do not belong to their images, are told and left out; otherwise they stop the import.
    """

    def __init__(self, form: str, project: Project, pool: Pool, report: ImportReport, *, leave_out: bool = False) -> None:
        self._form, self._project, self._pool, self._report = form, project, pool, report
        self._leave_out = leave_out
        self._when = datetime.now(UTC).isoformat(timespec="seconds")
        self._before = project.imports.of_readings()
        self._fresh: list[_Fresh] = []
        self._written: list[tuple[int, ImportedFile]] = []
        # Asked for once: most of what is imported is new to a project.
        self._begun = {row.series_uid for row in project.cases() if row.readings}

    def take_all(self, placed: Sequence[PlacedCase], context: JobContext) -> None:
        """Take in the labels of cases, in their order.

        Raises
        ------
        MedViewError
            When a file is wrong or the project cannot be written; what came in before stays.
        """
        try:
            for number, one in enumerate(placed, start=1):
                context.raise_if_cancelled()
                text = _("Case {number} of {count}").format(number=number, count=len(placed))
                context.progress((number - 1) / len(placed), text)
                self._take(one)
        except (StoreError, WriteError) as error:
            raise _stopped(error, self._report.labelled) from error
        except CancelledError:
            self._write()
            raise
        except MedViewError as error:
            # What was read before the damaged file is as good as all else.
            self._write()
            raise _stopped(error, self._report.labelled) from error
        self._write()

    def _take(self, one: PlacedCase) -> None:
        if one.case.labels is None:
            self._report.unlabelled += 1
            return
        if any(each.placed.series.series_uid == one.series.series_uid for each in self._fresh):
            # Another file of labels on the same images: it is added to what the first one began.
            self._write()
        begun = one.series.series_uid in self._begun
        row = self._own(one) if begun else None
        loaded = self._project.load_reading(row.reading_id) if row is not None else None
        file = _file(self._form, one.case.labels)
        if row is not None and loaded is not None:
            file = self._named(row.reading_id, file)
            if not file.gesture or self._project.imports.holds(row.reading_id, file.gesture):
                self._report.already(one.series.series_uid)
                self._know(row.reading_id, file)
                return
        pixels, found = self._read(one)
        if found is None:
            return
        if row is None or loaded is None:
            self._fresh.append(_Fresh(one, file, pixels, found))
            if len(self._fresh) >= AT_ONCE or sum(each.size_bytes for each in self._fresh) > MOST_BYTES:
                self._write()
            return
        self._project.attach_pixels(row.reading_id, pixels)
        self._append(row.reading_id, one, file, loaded.labels, found)
        self._write()

    def _named(self, reading_id: int, file: ImportedFile) -> ImportedFile:
        """Return a file with the name of its own row: that of the labels it brought before, or one nothing else has."""
        before, holds = self._before.get(reading_id, []), self._project.imports.holds
        for known in before:
            if known.labels_sha256 == file.labels_sha256 and (not known.gesture or holds(reading_id, known.gesture)):
                return known
        others = {known.gesture for known in before if known.labels_sha256 != file.labels_sha256}
        names = (file.gesture if n == 1 else f"{file.gesture} ({n})" for n in range(1, len(others) + 2))
        return replace(file, gesture=next(name for name in names if name not in others))

    def _know(self, reading_id: int, file: ImportedFile) -> None:
        if all(known.gesture != file.gesture for known in self._before.get(reading_id, ())):
            # Something stopped the import between the row and this.
            self._note([(reading_id, file)])

    def _write(self) -> None:
        """Begin with what is new, and see to it that everything taken in so far is on disk."""
        fresh, self._fresh = self._fresh, []
        # Somebody may have opened a series meanwhile: what is imported goes on from that.
        opened = [one for one in fresh if self._own(one.placed) is not None]
        fresh = [one for one in fresh if one not in opened]
        if fresh:
            begun = [
                BegunReading(case.key, case.geometry, case.sources, one.pixels, case.patient)
                for case, one in ((one.placed.stored, one) for one in fresh)
            ]
            for reading_id, one in zip(self._project.begin(begun), fresh, strict=True):
                self._begun.add(one.placed.series.series_uid)
                # Nothing is in its journal yet, so nothing has to be read for the first row.
                self._project.journal.adopt(reading_id, 0, UndoStacks(), head=None)
                self._append(reading_id, one.placed, one.file, CaseLabels.empty(one.placed.stored.geometry), one.found)
        if not self._project.journal.flush(WRITE_TIMEOUT_S):
            name = self._project.path.name
            raise StoreError(f"{name} could not be written to its end; import again once its disk has room.")
        written, self._written = self._written, []
        if written:
            self._note(written)
        for one in opened:
            self._begun.add(one.placed.series.series_uid)
            self._take(one.placed)

    def _own(self, one: PlacedCase) -> ReadingRow | None:
        return self._project.find_reading(one.stored.key, one.stored.geometry, one.stored.sources.sop_instance_uids)

    def _note(self, written: Sequence[tuple[int, ImportedFile]]) -> None:
        self._project.imports.finish(written)
        for reading_id, file in written:
            self._before.setdefault(reading_id, []).append(file)

    def _append(
        self, reading_id: int, placed: PlacedCase, file: ImportedFile, labels: CaseLabels, found: FoundLabels
    ) -> None:
        changes = tuple(_changes(labels, found, self._when))
        if changes:
            command = Command(file.gesture, changes, IMPORT_TOOL)
            self._project.journal.append(reading_id, Entry(EntryKind.DO, command, labels.revision))
        self._written.append((reading_id, file if changes else replace(file, gesture="")))
        self._report.note(placed.series.series_uid, found)

    def _read(self, one: PlacedCase) -> tuple[str, FoundLabels | None]:
        """Return the hash of the pixels as the window will read them, and the labels on their grid; None: left out."""
        volume = _whole(one, self._pool)
        try:
            return pixels_sha256(volume), _belonging(load_labels(one.case, Target.of(volume), self._pool), one.case, volume)
        except (ReadError, GeometryError) as error:
            if not self._leave_out:
                raise
            self._report.left_out += 1
            self._report.warnings.append(_("Left out: {reason}").format(reason=error.sentence))
            return "", None


def _file(form: str, source: LabelSource) -> ImportedFile:
    name = Path(source.path).name
    return ImportedFile(form, name, labels_sha256(source), f"Import {form} {name}")


def _belonging(found: FoundLabels, case: ForeignCase, volume: Volume) -> FoundLabels:
    """Return labels of DICOM unless they say that they were drawn on other pixels. Raises GeometryError."""
    said = found.masks.pixels_sha256 if found.masks is not None and case.images[0].series_uid else ""
    if said and case.labels is not None and not same_pixels(volume, said):
        name = Path(case.labels.path).name
        raise GeometryError(f"{name} was made on other images than these; open those and import it there.")
    return found


def _stopped(error: MedViewError, done: int) -> MedViewError:
    more = plural(
        "1 case was imported before; importing again goes on there.",
        "{n} cases were imported before; importing again goes on there.",
        done,
    )
    told = f"{error.sentence} {more.format(n=done)}" if done else error.sentence
    return type(error)(told, detail=error.detail)


def _whole(one: PlacedCase, pool: Pool) -> Volume:
    reader = SeriesReader(pool)
    opened = reader.begin(one.series, one.entry)
    damaged = reader.fill(opened, one.entry.shape_kji[0] // 2, Inline())
    if damaged:
        raise ReadError(damaged[0].reason)
    return opened.volume


def _changes(labels: CaseLabels, found: FoundLabels, when_utc: str) -> Sequence[Change]:
    """Return what the labels of a dataset change of a case, applied to it already."""
    done: list[Change] = []
    if found.masks is not None:
        segments = tuple(replace(one, source=_at(one.source, when_utc)) for one in found.masks.segments)
        for change in imported_changes(labels.segmentation, replace(found.masks, segments=segments)):
            if change is not None:
                labels.apply((change,))
                done.append(change)
    fresh: list[Annotation] = []
    fresh += [replace(one, annotation_id=uuid.uuid4().hex, source=_at(one.source, when_utc)) for one in found.boxes]
    fresh += [replace(one, annotation_id=uuid.uuid4().hex, source=_at(one.source, when_utc)) for one in found.answers]
    fresh += [replace(one, annotation_id=uuid.uuid4().hex, source=_at(one.source, when_utc)) for one in found.points]
    annotations = [AnnotationChange(None, one) for one in fresh]
    labels.apply(annotations)
    return [*done, *annotations]


def _at(source: Source, when_utc: str) -> Source:
    """Return the source of what came from a file, with the time it came."""
    return replace(source, kind=SourceKind.IMPORT, created_utc=when_utc) if source.kind is not SourceKind.MODEL else source
