"""What is there: files, folders and zip archives to Series with verdicts. Headers only, never pixels."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from medview.core.errors import MedViewError, ReadError
from medview.core.job import JobContext
from medview.core.study import DamagedFile, Reason, ScanResult, Series
from medview.io.batches import each_in_batches
from medview.io.dicom.assemble import assemble
from medview.io.dicom.group import SeriesFiles, by_series, split
from medview.io.dicom.header import read_header
from medview.io.dicom.instance import Instance
from medview.io.dicom.reasons import Code
from medview.io.plain_files import describe
from medview.io.reader_pool import InlinePool, Pool
from medview.io.sniff import Kind, sniff
from medview.io.sources import content_sha256, in_archive, name_of, zip_members

LOG = logging.getLogger("medview.io")

HEADERS_PER_TASK = 16
"""Files looked at per message to a reader; a message costs as much as half a header."""
PROGRESS_EVERY = 25
"""Files between two reports."""


@dataclass(slots=True)
class _Findings:
    instances: list[Instance] = field(default_factory=list)
    plain: list[Series] = field(default_factory=list)
    damaged: list[DamagedFile] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    seen: int = 0


def scan(path: Path, context: JobContext, pool: Pool | None = None) -> ScanResult:
    """Look at a file, a zip archive, or a folder with everything in it.

    Parameters
    ----------
    pool : Pool, optional
        Where files are parsed; inline unless given.

    Returns
    -------
    ScanResult
        Series sorted by study and series number. The same for any order of files. No image at all is an empty result.

    Raises
    ------
    ReadError
        When ``path`` is not there or cannot be listed.
    CancelledError
        When the context says so.
    """
    pool = pool or InlinePool()
    found = _Findings()
    _look(_sources(path, context, found), pool, context, found)
    instances, doubles = _without_copies(found.instances, pool)
    series = [_series(files, doubles) for files in by_series(instances)]
    series += found.plain
    series.sort(key=_order)
    found.damaged += [DamagedFile(i.path, i.problem) for i in found.instances if i.problem]
    found.damaged.sort(key=lambda damaged: damaged.path)
    LOG.info("Scanned %d files: %d series, %d damaged", found.seen, len(series), len(found.damaged))
    return ScanResult(tuple(series), tuple(found.damaged), found.seen, len(found.instances), dict(found.ignored))


Look = Instance | Series | str | tuple[str, ...]


def look_at(path: str) -> Look:
    """Return what one file is: a DICOM instance, a series of its own, the sources in an archive, or what it is ignored as.

    Raises
    ------
    ReadError, RefusedError
        When it is damaged or refused.
    """
    kind = sniff(path)
    if kind is Kind.DICOM:
        instance = read_header(path)
        return instance if instance.image or instance.sop_class_uid or instance.modality else "DICOM without image"
    if kind in (Kind.NIFTI, Kind.NRRD, Kind.IMAGE):
        return describe(path, kind)
    if kind is Kind.ZIP and not in_archive(path):
        return tuple(zip_members(path))
    return str(kind.value)


def _sources(path: Path, context: JobContext, found: _Findings) -> list[str]:
    if not path.exists():
        raise ReadError(f"{path.name or path} is not there; choose another file or folder.")
    if path.is_file():
        if not _directory_of_media(path):
            return [str(path)]
        # What it points at is not believed; the files beside it are looked at instead.
        path = path.parent
    if not path.is_dir():
        raise ReadError(f"{path.name} is neither a file nor a folder; choose another one.")
    return list(_files_below(path, context, found))


def _directory_of_media(path: Path) -> bool:
    try:
        return sniff(str(path)) is Kind.DICOMDIR
    except ReadError:
        return False  # looked at again below, where it is listed as damaged


def _files_below(folder: Path, context: JobContext, found: _Findings) -> Iterator[str]:
    """Yield files in a fixed order; links to folders are followed once. Folders that cannot be listed are reported."""
    been: set[tuple[int, int]] = set()

    def unreadable(error: OSError) -> None:
        if error.filename == str(folder):
            raise ReadError(f"{folder.name} cannot be listed; ask for access to it.", detail=repr(error)) from error
        name = name_of(str(error.filename))
        found.damaged.append(DamagedFile(str(error.filename), f"The folder {name} cannot be listed; ask for access to it."))

    for root, folders, files in os.walk(folder, onerror=unreadable, followlinks=True):
        context.raise_if_cancelled()
        stat = Path(root).stat()
        if (stat.st_dev, stat.st_ino) in been:
            folders.clear()
            continue
        been.add((stat.st_dev, stat.st_ino))
        folders.sort()
        for name in sorted(files):
            full = os.path.join(root, name)  # noqa: PTH118 - a Path per file is slow for very many files
            # Pipes and devices would be waited for; a link that leads nowhere is reported when it is opened.
            if os.path.isfile(full) or not os.path.exists(full):  # noqa: PTH110, PTH113 - as above
                yield full


def _look(sources: Sequence[str], pool: Pool, context: JobContext, found: _Findings) -> None:
    """Look at every source, and then at what the archives among them hold."""
    outcomes: dict[str, Look | MedViewError] = {}
    tasks = [(source,) for source in sources]
    looks = each_in_batches(pool, look_at, tasks, HEADERS_PER_TASK, context.raise_if_cancelled)
    for number, (index, outcome) in enumerate(looks, start=1):
        outcomes[sources[index]] = outcome
        if number % PROGRESS_EVERY == 0:
            context.progress(number / len(sources), f"Looking at file {number} of {len(sources)}")
    members: list[str] = []
    for source in sources:
        outcome = outcomes[source]
        if isinstance(outcome, tuple):
            members += outcome
            continue
        found.seen += 1
        if isinstance(outcome, MedViewError):
            found.damaged.append(DamagedFile(source, outcome.sentence))
        elif isinstance(outcome, Instance):
            found.instances.append(outcome)
        elif isinstance(outcome, Series):
            found.plain.append(outcome)
        else:
            found.ignored[outcome] += 1
    if members:
        _look(members, pool, context, found)


def _without_copies(instances: Sequence[Instance], pool: Pool) -> tuple[list[Instance], dict[str, Code]]:
    """Return instances with exact copies left out, and per series key whether copies or conflicts were found."""
    same: dict[tuple[str, str], list[Instance]] = {}
    for instance in instances:
        if instance.sop_instance_uid:
            same.setdefault((instance.series_uid, instance.sop_instance_uid), []).append(instance)
    suspects = [i for members in same.values() if len(members) > 1 for i in members]
    if not suspects:
        return list(instances), {}
    digests: dict[str, bytes] = {}
    for index, outcome in pool.each(content_sha256, [(i.path,) for i in suspects]):
        digests[suspects[index].path] = b"" if isinstance(outcome, MedViewError) else outcome
    kept: list[Instance] = []
    notes: dict[str, Code] = {}
    taken: set[tuple[str, str, bytes]] = set()
    for instance in sorted(instances, key=lambda i: i.path):
        mark = digests.get(instance.path)
        if mark is None:
            kept.append(instance)
            continue
        key = (instance.series_uid, instance.sop_instance_uid, mark or instance.path.encode())
        if key in taken:
            notes.setdefault(instance.series_uid, Code.DUPLICATE_FILE)
            continue
        if any(k[:2] == key[:2] for k in taken):
            notes[instance.series_uid] = Code.DUPLICATE_UID
        taken.add(key)
        kept.append(instance)
    return kept, notes


_NOTES = {
    Code.DUPLICATE_FILE: "Some files are exact copies of others; each image is shown once.",
    Code.DUPLICATE_UID: "Different images carry the same identifier; all of them are shown.",
}


def _series(files: SeriesFiles, doubles: dict[str, Code]) -> Series:
    instances = files.instances
    first = next((i for i in instances if i.image), instances[0])
    notes: tuple[Reason, ...] = files.reasons
    code = doubles.get(first.series_uid)
    if code is not None:
        notes = (*notes, Reason(code, _NOTES[code]))
    volumes = [entry for group in split(instances) for entry in assemble(group)]
    entries = tuple(replace(entry, reasons=(*notes, *entry.reasons)) for entry in volumes)
    return Series(
        series_uid=files.uid,
        study_uid=first.study_uid,
        patient_id=first.patient_id,
        patient_name=first.patient_name,
        modality=first.modality,
        description=first.description,
        study_description=first.study_description,
        study_date=first.study_date,
        body_part=first.body_part,
        series_number=first.series_number,
        instances=len(instances),
        transfer_syntaxes=tuple(sorted({i.transfer_syntax for i in instances if i.transfer_syntax})),
        volumes=entries,
        sop_class_uids=tuple(sorted({i.sop_class_uid for i in instances})),
        paths=tuple(i.path for i in instances if not i.image),
    )


def _order(series: Series) -> tuple[str, str, int, str]:
    number = series.series_number if series.series_number is not None else 2**62
    return (series.study_date, series.study_uid, number, series.series_uid)
