"""A model on every case of a project, into folders; killed in the middle and begun again it goes on where it was."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import logging
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from medview.core.atomic import replacing
from medview.core.errors import CancelledError, DiskFullError, MedViewError, ModelError, WriteError
from medview.core.job import JobContext, JobPart
from medview.core.language import _
from medview.io.dicom.seg import RESEARCH_USE
from medview.io.reader_pool import Pool
from medview.ml.packs import ModelPack
from medview.ml.runners.quiet_import import import_torch
from medview.store.case_images import CaseImages
from medview.store.project import Project
from medview.workspace.case_request import request_of_case
from medview.workspace.exports import check_folder, prepare_folder, remove_outputs, write_json, write_prediction
from medview.workspace.input_preparation import prepared

STATUS_FILE = "status.jsonl"
"""One line per case that came to an end, the last one of a case counts; a line that was torn counts for nothing."""

SUMMARY_FILE = "predict.json"

_log = logging.getLogger("medview.workspace")

_FOLDER = re.compile(r"case-[0-9]{4,}")
"""Of one case."""


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """How one case ended.

    Attributes
    ----------
    status : str
        ``done``, ``skipped`` (the model is not for it) or ``failed``.
    outputs : mapping of str to str
        SHA-256 of every file that was written, by its name in ``folder``.
    digest : str
        Of the pack that ran.
    pixels : str
        Hash of the images as the project knew it.
    """

    case: int
    series_uid: str
    status: str
    reason: str = ""
    folder: str = ""
    seconds: float = 0.0
    model: str = ""
    digest: str = ""
    pixels: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    finished_utc: str = ""

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def read(cls, line: str) -> CaseOutcome | None:
        """Read a line of the status file; None where it is torn or says something else."""
        try:
            found = json.loads(line)
            outputs = {str(name): str(digest) for name, digest in found.pop("outputs").items()}
            return cls(**{**found, "outputs": outputs})
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


@dataclass(frozen=True, slots=True)
class ProjectRun:
    """What to run where.

    Attributes
    ----------
    resume : bool
        Go on in a folder that an earlier run of the same model began.
    full_precision : bool
        As ``PredictRequest`` has it.
    """

    pack: ModelPack
    project: Path
    output: Path
    device: str = "auto"
    resume: bool = False
    overwrite: bool = False
    full_precision: bool = False


def predict_project(run: ProjectRun, context: JobContext, pool: Pool) -> dict[str, Any]:
    """Run a model on all cases of a project, one after the other, and write what it finds.

    Returns
    -------
    dict
        ``model``, ``version``, ``cases`` (each with ``case``, ``series_uid``, ``status``, ``reason``, ``folder``,
        ``seconds``, ``resumed``), and how many are ``done``, ``skipped``, ``failed`` and ``resumed``.

    Raises
    ------
    MedViewError
        When the project cannot be read, the folder not written, or this computer cannot run models at all. What is wrong
        with one case is in the document.
    """
    with Project.open(run.project, read_only=True) as project:
        rows = project.images()
    earlier = _begin(run, rows)
    import_torch()
    cases: list[dict[str, Any]] = []
    for number, row in enumerate(rows):
        told = _("Case {number} of {count}").format(number=number + 1, count=len(rows))
        part = JobPart(context, number / len(rows), (number + 1) / len(rows), text=told)
        context.raise_if_cancelled()
        known = earlier.get(row.case_id)
        if known is not None and _stands(run, row, known):
            cases.append({**_told(known), "resumed": True})
            continue
        outcome = _one(run, row, rows, part, pool)
        _append(run.output / STATUS_FILE, outcome)
        cases.append({**_told(outcome), "resumed": False})
    counts = {status: sum(case["status"] == status for case in cases) for status in ("done", "skipped", "failed")}
    document: dict[str, Any] = {
        "model": run.pack.spec.id,
        "version": run.pack.spec.version,
        **counts,
        "resumed": sum(case["resumed"] for case in cases),
        "cases": cases,
        "notice": RESEARCH_USE,
    }
    write_json(run.output / SUMMARY_FILE, document)
    return document


def _begin(run: ProjectRun, rows: Sequence[CaseImages]) -> dict[int, CaseOutcome]:
    """Get the output folder ready and return what an earlier run ended, by case."""
    status = run.output / STATUS_FILE
    resumed = run.resume and status.is_file()
    check_folder(run.output, overwrite=run.overwrite or resumed)
    _refuse_images(run.output, rows)
    prepare_folder(run.output, overwrite=True)
    newest = _ended(run, status) if resumed else {}
    # There before the first case ends: who is killed during it can go on. And without a torn line at its end, which the
    # next one would be written onto.
    with replacing(status) as file:
        file.write("".join(_line(outcome) for outcome in newest.values()).encode())
    try:
        (run.output / SUMMARY_FILE).unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"{run.output} cannot be written to; choose another folder.", detail=str(error)) from error
    if not newest:
        for folder in run.output.iterdir():
            if _FOLDER.fullmatch(folder.name) and folder.is_dir():
                _clear(folder)
    return newest


def _ended(run: ProjectRun, status: Path) -> dict[int, CaseOutcome]:
    """Return what a status file says, by case."""
    try:
        lines = status.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise WriteError(f"{status} cannot be read; choose another folder.", detail=str(error)) from error
    outcomes = [outcome for line in lines if (outcome := CaseOutcome.read(line)) is not None]
    if any(outcome.digest != run.pack.digest for outcome in outcomes):
        raise WriteError(f"{run.output} holds results of another model; choose another folder, or run without --resume.")
    return {outcome.case: outcome for outcome in outcomes}


def _refuse_images(output: Path, rows: Sequence[CaseImages]) -> None:
    """Raise WriteError when images of the project lie where results are to be: sources are never changed."""
    there = output.resolve()
    for folder in {Path(path.partition("::")[0]).parent for row in rows for path in row.sources.paths}:
        held = folder.resolve()
        if held.is_relative_to(there) and _FOLDER.fullmatch((held.relative_to(there).parts or ("",))[0]):
            raise WriteError(f"{output} holds images of the project, which MedView never changes; choose another folder.")


def _clear(folder: Path) -> None:
    """Remove what an earlier run wrote of a case, and its folder where nothing else is in it."""
    if folder.is_dir():
        remove_outputs(folder)
        with contextlib.suppress(OSError):
            folder.rmdir()


def _one(run: ProjectRun, row: CaseImages, rows: Sequence[CaseImages], context: JobContext, pool: Pool) -> CaseOutcome:
    # Named by the number of the case in the project: texts from files never become paths.
    folder = run.output / f"case-{row.case_id:04d}"
    started = time.monotonic()
    status, reason = "done", ""
    outputs: dict[str, str] = {}
    try:
        # Before anything can go wrong: nobody takes an earlier result for that of a case that failed.
        _clear(folder)
        outputs, reason = _predict(run, row, rows, folder, context, pool)
        if not outputs:
            status = "skipped"
    except CancelledError:
        raise
    except MedViewError as error:
        if isinstance(error, DiskFullError):
            # Nothing more can be written there, so nothing more can be done.
            raise
        status, reason = "failed", error.sentence
    except Exception:  # noqa: BLE001 - whatever one case makes of a model, the others are run.
        _log.exception("case %d", row.case_id)
        status = "failed"
        reason = _("{name} failed on this series; the log says why.").format(name=run.pack.spec.name)
    return CaseOutcome(
        case=row.case_id,
        series_uid=row.key.series_uid,
        status=status,
        reason=reason,
        folder=folder.name if outputs else "",
        seconds=round(time.monotonic() - started, 3),
        model=run.pack.spec.key,
        digest=run.pack.digest,
        pixels=row.pixels_sha256,
        outputs=outputs,
        finished_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _predict(
    run: ProjectRun, row: CaseImages, rows: Sequence[CaseImages], folder: Path, context: JobContext, pool: Pool
) -> tuple[dict[str, str], str]:
    """Return the files that were written with their hashes; none, and why, where the model is not for the case."""
    began = time.monotonic()
    try:
        case = request_of_case(run.pack, row, rows, context, pool, run.device)
    except ModelError as error:
        return {}, error.sentence
    request, context = prepared(case.request, context)
    loaded_s = time.monotonic() - began
    runner = importlib.import_module("medview.ml.runners.run")
    prediction = runner.predict(replace(request, full_precision=run.full_precision), context)
    prepare_folder(folder, overwrite=True)
    began = time.monotonic()
    summary = write_prediction(prediction, case.volume, [Path(path) for path in case.entry.dicom_paths], folder)
    stages = {**prediction.seconds, "load": prediction.seconds.get("load", 0.0) + loaded_s}
    stages["write"] = time.monotonic() - began
    names = ("load", "prepare", "infer", "finish", "write")
    summary["seconds"] = {name: round(float(stages.get(name, 0.0)), 4) for name in names}
    write_json(folder / "summary.json", summary)
    return {path.name: _sha256(path) for path in sorted(folder.iterdir()) if path.is_file()}, ""


def _stands(run: ProjectRun, row: CaseImages, known: CaseOutcome) -> bool:
    """Whether a case is done: by this model, on these images, and with every file as it was written."""
    if known.status != "done" or known.series_uid != row.key.series_uid or not known.outputs:
        return False
    if known.pixels and row.pixels_sha256 and known.pixels != row.pixels_sha256:
        return False
    folder = run.output / f"case-{row.case_id:04d}"
    try:
        return all(_sha256(folder / name) == digest for name, digest in known.outputs.items() if name == Path(name).name)
    except OSError:
        return False


def _told(outcome: CaseOutcome) -> dict[str, Any]:
    named = ("case", "series_uid", "status", "reason", "folder", "seconds")
    return {name: getattr(outcome, name) for name in named}


def _line(outcome: CaseOutcome) -> str:
    return json.dumps(outcome.document()) + "\n"


def _append(path: Path, outcome: CaseOutcome) -> None:
    """Add a line that is on the disk when this returns."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(_line(outcome))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise WriteError(f"{path} cannot be written to; choose another folder.", detail=str(error)) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
