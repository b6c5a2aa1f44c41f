"""What is there: files, folders and zip archives to Series with verdicts. Headers only, never pixels."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Sequence
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
from medview.io.known_files import Known, Look
from medview.io.library import Library, Visit
from medview.io.listing import Source, files_below, members_of, source_of
from medview.io.plain_files import describe
from medview.io.reader_pool import InlinePool, Pool
from medview.io.sniff import Kind, plainly_other, sniff
from medview.io.sources import content_sha256, in_archive, zip_members

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
    known: dict[str, Known] = field(default_factory=dict)
    """By path, what may be remembered: all but what is damaged, which may be whole the next time."""


def scan(path: Path, context: JobContext, pool: Pool | None = None, library: Library | None = None) -> ScanResult:
    """Look at a file, a zip archive, or a folder with everything in it.

    Parameters
    ----------
    pool : Pool, optional
        Where files are parsed; inline unless given.
    library : Library, optional
        Files it knows are not opened again unless they have changed; the others are made known to it.

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
    found = _Findings()
    sources, whole = _sources(path, context, found)
    return _scanned(sources, found, context, pool or InlinePool(), library, whole=whole)


def scan_files(
    paths: Sequence[str], context: JobContext, pool: Pool | None = None, library: Library | None = None
) -> ScanResult:
    """Look at certain files only, as ``scan`` does at all of a folder; members of archives may be among them."""
    sources = [source_of(path) for path in paths]
    return _scanned(sources, _Findings(), context, pool or InlinePool(), library, whole=False)


def _scanned(
    sources: Sequence[Source],
    found: _Findings,
    context: JobContext,
    pool: Pool,
    library: Library | None,
    *,
    whole: bool,
) -> ScanResult:
    visit = Visit(library, context.raise_if_cancelled)
    _look(sources, pool, context, found, visit, whole=whole)
    instances, doubles = _without_copies(found.instances, pool, context, found.known)
    visit.keep(found.known)
    series = [_series(files, doubles) for files in by_series(instances)]
    series += found.plain
    series.sort(key=_order)
    found.damaged += [DamagedFile(i.path, i.problem) for i in found.instances if i.problem]
    found.damaged.sort(key=lambda damaged: damaged.path)
    LOG.info("Scanned %d files: %d series, %d damaged", found.seen, len(series), len(found.damaged))
    return ScanResult(tuple(series), tuple(found.damaged), found.seen, len(found.instances), dict(found.ignored))


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


def _sources(path: Path, context: JobContext, found: _Findings) -> tuple[list[Source], bool]:
    """Return what to look at, and whether that is all there is in its folders."""
    if not path.exists():
        raise ReadError(f"{path.name or path} is not there; choose another file or folder.")
    if path.is_file():
        if not _directory_of_media(path):
            return [source_of(str(path))], False
        # What it points at is not believed; the files beside it are looked at instead.
        path = path.parent
    if not path.is_dir():
        raise ReadError(f"{path.name} is neither a file nor a folder; choose another one.")
    return list(files_below(path, context.raise_if_cancelled, found.damaged)), True


def _directory_of_media(path: Path) -> bool:
    try:
        return sniff(str(path)) is Kind.DICOMDIR
    except ReadError:
        return False  # looked at again below, where it is listed as damaged


def _look(
    sources: Sequence[Source], pool: Pool, context: JobContext, found: _Findings, visit: Visit, *, whole: bool
) -> None:
    """Look at every source, and then at what the archives among them hold."""
    looks: dict[str, Look | MedViewError] = {}
    known = visit.recall(sources, whole=whole)
    looks |= {path: one.look for path, one in known.items()}
    found.known |= known
    unknown = [source.path for source in sources if source.path not in known]
    looks |= _looked_at(unknown, pool, context)
    members: list[Source] = []
    for source in sources:
        look = looks[source.path]
        if not isinstance(look, MedViewError) and not (isinstance(look, Instance) and look.problem):
            found.known.setdefault(source.path, Known(look))
        if isinstance(look, tuple):
            members += members_of(source, look)
            continue
        found.seen += 1
        if isinstance(look, MedViewError):
            found.damaged.append(DamagedFile(source.path, look.sentence))
        elif isinstance(look, Instance):
            found.instances.append(look)
        elif isinstance(look, Series):
            found.plain.append(look)
        else:
            found.ignored[look] += 1
    if members:
        _look(members, pool, context, found, visit, whole=True)


def _looked_at(paths: Sequence[str], pool: Pool, context: JobContext) -> dict[str, Look | MedViewError]:
    """Look at files nothing is known of; those that are plainly nothing for a reader are not sent to one."""
    looks: dict[str, Look | MedViewError] = {}
    files = [path for path in paths if not in_archive(path)]
    looks |= {path: str(kind.value) for path, kind in plainly_other(files, context.raise_if_cancelled)}
    rest = [path for path in paths if path not in looks]
    tasks = [(path,) for path in rest]
    outcomes = each_in_batches(pool, look_at, tasks, HEADERS_PER_TASK, context.raise_if_cancelled)
    for number, (index, outcome) in enumerate(outcomes, start=1):
        looks[rest[index]] = outcome
        if number % PROGRESS_EVERY == 0:
            context.progress(number / len(rest), f"Looking at file {number} of {len(rest)}")
    return looks


def _without_copies(
    instances: Sequence[Instance], pool: Pool, context: JobContext, known: dict[str, Known]
) -> tuple[list[Instance], dict[str, Code]]:
    """Return instances with exact copies left out, and per series key whether copies or conflicts were found.

    Hashes that had to be computed are added to what is ``known``.
    """
    same: dict[tuple[str, str], list[Instance]] = {}
    for instance in instances:
        if instance.sop_instance_uid:
            same.setdefault((instance.series_uid, instance.sop_instance_uid), []).append(instance)
    suspects = [i.path for members in same.values() if len(members) > 1 for i in members]
    if not suspects:
        return list(instances), {}
    digests = {path: known[path].sha256 for path in suspects if path in known and known[path].sha256}
    unhashed = [path for path in suspects if path not in digests]
    hashed = pool.each(content_sha256, [(path,) for path in unhashed], while_waiting=context.raise_if_cancelled)
    for number, (index, outcome) in enumerate(hashed, start=1):
        if number % PROGRESS_EVERY == 0:
            context.progress(number / len(unhashed), f"Comparing file {number} of {len(unhashed)}")
        path = unhashed[index]
        digests[path] = b"" if isinstance(outcome, MedViewError) else outcome
        if path in known and digests[path]:
            known[path] = replace(known[path], sha256=digests[path])
    kept: list[Instance] = []
    notes: dict[str, Code] = {}
    taken: dict[tuple[str, str], set[bytes]] = {}
    for instance in sorted(instances, key=lambda i: i.path):
        if instance.path not in digests:
            kept.append(instance)
            continue
        contents = taken.setdefault((instance.series_uid, instance.sop_instance_uid), set())
        mark = digests[instance.path] or os.fsencode(instance.path)
        if mark in contents:
            notes.setdefault(instance.series_uid, Code.DUPLICATE_FILE)
            continue
        if contents:
            notes[instance.series_uid] = Code.DUPLICATE_UID
        contents.add(mark)
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
        patient_issuer=first.patient_issuer,
        patient_birth_date=first.patient_birth_date,
        modality=first.modality,
        description=first.description,
        study_description=first.study_description,
        study_date=first.study_date,
        body_part=first.body_part,
        acquisition=first.acquisition,
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
