"""A training is made: its labels frozen, looked at, and its settings written, so that it needs the project no more."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import re
import shutil
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import medview
from medview.core.atomic import write_error
from medview.core.errors import AmbiguousError, ModelError, ReadError, WriteError
from medview.core.job import JobContext, JobPart
from medview.core.language import _
from medview.io.datasets.dataset_case import WriteOptions
from medview.io.datasets.neutral_copy import copy_neutral
from medview.io.datasets.neutral_read import read_neutral
from medview.io.reader_pool import Pool
from medview.ml.examples import ExampleSet
from medview.ml.guards.finding import GuardReport, Severity
from medview.ml.guards.guard import guard
from medview.ml.lineage.recipe import recipe_from_parent
from medview.ml.packs import ModelPack, copy_pack
from medview.ml.recipes.recipe import Recipe
from medview.ml.runs.folder import RunFolder, RunSettings
from medview.ml.spec import Task
from medview.store.project import Project
from medview.workspace.export_selection import ExportRun, Include
from medview.workspace.exporting import export_as, note_export
from medview.workspace.neutral_export import DATASET
from medview.workspace.training.examples import approved_of, dataset_folder, examples_of
from medview.workspace.training.leaks import leaking, said_of, without
from medview.workspace.training.learnt import learnt_of_pack, seen_finding, seen_in
from medview.workspace.training.line_of_run import LineFacts, line_facts, line_name, write_line
from medview.workspace.training.targets import IMAGE_LABELS

_PARTS = ("numpy", "torch", "lightning")
MARKER, MARKED = (
    ".medview-unfinished-training",
    b"A training is being made in this folder; what is in it may be made anew.\n",
)
"""A file that stands in a folder while it is made, and what it holds."""
_GROWING = ".medview-"
"""Begins the names of the marker, and of files and folders that are being written."""
_LONGEST_ID, _LONGEST_TARGET = 64, 24
_DIGITS = 6
"""Of a checksum, where a name is told by one."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants trained.

    Attributes
    ----------
    source : Path
        A project or a dataset folder.
    include : Include
        How far cases have to be; ``ALL`` is for labels that were made elsewhere and are known to be good.
    reader : str
        Whose labels, as in ``ExportRun``.
    images : Path or None
        Folder with the images of a project, where they are no longer where they were.
    target : str or None
        Classification: what is learnt.
    minutes : float or None
        Wall time of all of it.
    recipe_given : bool
        Whether somebody asked for this very recipe: with a parent it has to agree with that then, and keeps its rate.
    tune : str or None
        How much of the parent learns (``medview.ml.lineage.rung``), in place of what the recipe says.
    renames : mapping of str to str
        Name of a class in the parent -> name now.
    without_leaks : bool
        Cases whose picture or patient is in another split too are left out, instead of ending it.
    without_undecided : bool
        Cases that several read, and nobody said whose labels count, are left out, instead of ending it.
    confirmed : bool or collection of str
        What the guards want confirmed and somebody means: the sentences that were read; True for whatever they are.
    began : float
        ``time.monotonic()`` when the command began.
    samples : bool
        Whether what is found on a few validation slices is kept at each look.
    apart : bool
        Whether the model is to be no version of the project's: an experiment, compared with its parent alone.
    """

    source: Path
    task: Task
    recipe: Recipe
    seed: int = 0
    include: Include = Include.DONE
    reader: str = ""
    images: Path | None = None
    target: str | None = None
    minutes: float | None = None
    device: str = "auto"
    parent: ModelPack | None = None
    recipe_given: bool = False
    tune: str | None = None
    renames: Mapping[str, str] = field(default_factory=dict)
    without_leaks: bool = False
    without_undecided: bool = False
    confirmed: bool | Collection[str] = False
    began: float = 0.0
    samples: bool = False
    apart: bool = False


class GuardedError(ModelError):
    """The guards speak against a training.

    Attributes
    ----------
    report : GuardReport
        Everything they found.
    """

    def __init__(self, sentence: str, report: GuardReport) -> None:
        super().__init__(sentence)
        self.report = report

    @property
    def blocked(self) -> bool:
        """Whether nobody can confirm it away."""
        return bool(self.report.of(Severity.BLOCK))


def freeze(
    wanted: Wanted,
    folder: Path,
    context: JobContext,
    pool: Pool,
    told: Callable[[Sequence[str]], None],
    opened: Project | None = None,
) -> RunFolder:
    """Make the folder of a training; whole, or such that the same call makes it anew.

    Parameters
    ----------
    told : callable
        Gets sentences about what is left out and what the guards found.
    opened : Project, optional
        The source, where this process has it open for writing: a copy of it is read, and the splits are noted in it.

    Raises
    ------
    AmbiguousError
        When it is not clear what is to be learnt.
    GuardedError
        When the guards speak against it.
    ModelError
        When there is too little.
    MedViewError
        When the source cannot be read or the folder not be written.
    """
    run = RunFolder(folder)
    wanted = _with_parent(wanted)
    said: dict[str, None] = {}

    def tell(sentences: Sequence[str]) -> None:
        said.update(dict.fromkeys(sentences))
        told(sentences)

    _begin(run)
    try:
        _freeze_labels(wanted, run, JobPart(context, 0.0, 0.7), pool, tell, opened)
        dataset = read_neutral(run.dataset, check=False)
        every = examples_of(dataset, wanted.task, wanted.target, reviewed_only=wanted.include is not Include.ALL)
        examples = approved_of(dataset, every) if wanted.include is Include.APPROVED else every
        if not examples.examples:
            raise ModelError(f"No case of {wanted.source.name} is approved; approve some, or name another --include.")
        line = _line_of(wanted, examples, opened)
        parent = None if wanted.parent is None else wanted.parent.spec
        report = _with_seen(
            guard(examples, JobPart(context, 0.7, 0.9), parent, wanted.renames), run, examples, wanted, line
        )
        leaks = leaking(report, examples) if wanted.without_leaks else frozenset()
        if leaks:
            tell([said_of(leaks)])
            examples = without(examples, leaks)
            again = guard(examples, JobPart(context, 0.9, 1.0), parent, wanted.renames)
            report = _with_seen(again, run, examples, wanted, line)
        left_out = {one.key for one in every.examples} - {one.key for one in examples.examples}
        tell([*examples.warnings, *(finding.sentence for finding in report.findings)])
        run.write_json(run.guards, {**report.document(), "told": list(said)})
        _obey(report, confirmed=wanted.confirmed)
        if wanted.parent is not None:
            copy_pack(wanted.parent, run.parent)
        if line is not None:
            write_line(run, line, "" if wanted.parent is None else wanted.parent.digest)
        run.write_json(run.settings_file, _settings(wanted, examples, left_out).document())
        (run.path / MARKER).unlink()
    except BaseException:  # Ctrl-C as well leaves no half frozen folder behind
        _clear(run)
        raise
    return run


def _with_parent(wanted: Wanted) -> Wanted:
    """Return what is wanted with the recipe by which its parent is gone on with. Raises ModelError where it cannot be."""
    if wanted.parent is None:
        if wanted.renames or wanted.tune is not None:
            raise AmbiguousError("Only a parent is tuned, and only its classes are renamed; name one with --parent.")
        options = wanted.recipe.options
        if options.get("frozen") and not options.get("weights"):
            raise ModelError(
                f"The recipe {wanted.recipe.name} trains the head first, on a network that is chance as yet; name "
                "a model with --parent, or weights in the recipe."
            )
        return wanted
    recipe = recipe_from_parent(wanted.recipe, wanted.parent.spec, given=wanted.recipe_given, tune=wanted.tune)
    return replace(wanted, recipe=recipe)


def _line_of(wanted: Wanted, examples: ExampleSet, opened: Project | None) -> LineFacts | None:
    """Return the model line of the project that a training goes on; None where it goes on none."""
    if wanted.apart or dataset_folder(wanted.source):
        return None
    digest = "" if wanted.parent is None else wanted.parent.digest
    return line_facts(wanted.source, opened, line_name(wanted.task, examples.target), digest)


def _with_seen(
    report: GuardReport, run: RunFolder, examples: ExampleSet, wanted: Wanted, line: LineFacts | None
) -> GuardReport:
    """Return what the guards found, and which held-out cases the first weights have learnt from."""
    if wanted.parent is None:
        return report
    known = [learnt_of_pack(wanted.parent), None if line is None else line.parent]
    keys = seen_in(read_neutral(run.dataset, check=False), examples, known, "" if line is None else line.uid)
    if not keys:
        return report
    return replace(report, findings=(seen_finding(keys, examples, wanted.parent.spec.name), *report.findings))


def _begin(run: RunFolder) -> None:
    """Make room: an empty folder, or one that an interrupted call left."""
    name = run.path.name
    if run.settings_file.exists():
        raise WriteError(f"{name} holds a training already; go on with medview train --run {name}.")
    try:
        if _left(run):
            _clear(run)
        if run.path.exists() and any(run.path.iterdir()):
            raise WriteError(f"{name} is not empty; choose another folder for the training.")
        run.path.mkdir(parents=True, exist_ok=True)
        (run.path / MARKER).write_bytes(MARKED)
    except OSError as error:
        raise write_error(run.path, error) from error


def _left(run: RunFolder) -> bool:
    """Whether a folder is what an interrupted call left: it is marked, and holds nothing else than such a call makes."""
    marker = run.path / MARKER
    if marker.is_symlink() or not marker.is_file() or marker.stat().st_size != len(MARKED) or marker.read_bytes() != MARKED:
        return False
    made = {one.name for one in (run.dataset, run.guards, run.parent, run.line, run.current, run.judged)}
    return all(one.name in made or one.name.startswith(_GROWING) for one in run.path.iterdir())


def remove_left(folder: Path) -> None:
    """Remove the trainings in a folder that interrupted calls left half made; nobody may be making one there."""
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            left = _left(RunFolder(path))
        except OSError:
            continue
        if left:
            _clear(RunFolder(path))


def _clear(run: RunFolder) -> None:
    """Remove what was made of a run; its folder held nothing else."""
    shutil.rmtree(run.path, ignore_errors=True)


def _freeze_labels(
    wanted: Wanted,
    run: RunFolder,
    context: JobContext,
    pool: Pool,
    told: Callable[[Sequence[str]], None],
    opened: Project | None,
) -> None:
    source = wanted.source
    if dataset_folder(source):
        context.progress(0.0, _("Freezing the dataset"))
        read_neutral(source)
        copy_neutral(source, run.dataset)
        return
    if not (source / "project.db").is_file():
        raise ReadError(f"{source.name or source} is neither a project nor a dataset folder; choose another.")
    name = source.stem
    if opened is not None:
        opened.journal.flush()
    with Project.open(source, read_only=True) as project:
        options, undecided = WriteOptions(name), wanted.without_undecided
        export = ExportRun(DATASET, wanted.reader, options, wanted.include, wanted.images, undecided)
        exported = export_as(export, project, run.dataset, context, pool, told)
    # The project keeps the splits that were made: who is tested on is never trained on later.
    if opened is not None:
        note_export(opened, exported)
        return
    with Project.open(source) as project:
        note_export(project, exported)


def _obey(report: GuardReport, *, confirmed: bool | Collection[str]) -> None:
    """Raise GuardedError where the guards speak against a training."""
    if blocked := report.of(Severity.BLOCK):
        raise GuardedError(blocked[0].sentence, report)
    read = () if isinstance(confirmed, bool) else confirmed
    open_ones = [one for one in report.of(Severity.CONFIRM) if confirmed is not True and one.sentence not in read]
    if open_ones:
        raise GuardedError(f"{open_ones[0].sentence} To train all the same, say --yes.", report)


def _settings(wanted: Wanted, examples: ExampleSet, left_out: Collection[str]) -> RunSettings:
    now = datetime.now(UTC)
    stem = wanted.source.resolve().stem
    slug = _slug(stem) or "model"
    tail = f"-{wanted.task.value}{_of_target(examples.target)}"
    return RunSettings(
        task=wanted.task,
        recipe=wanted.recipe,
        seed=wanted.seed,
        model_id=f"{slug[: _LONGEST_ID - len(tail)].strip('-')}{tail}",
        model_name=_name(stem, wanted.task, examples.target),
        # Trainings of one project are versions of one model.
        model_version=now.strftime("%Y%m%d.%H%M%S"),
        created_utc=now.isoformat(timespec="seconds"),
        target=wanted.target,
        minutes=wanted.minutes,
        device=wanted.device,
        parent="" if wanted.parent is None else wanted.parent.spec.key,
        frozen_seconds=round(time.monotonic() - wanted.began, 3) if wanted.began else 0.0,
        dataset_sha256=examples.dataset_sha256,
        splits_sha256=examples.splits_sha256,
        unfinished=wanted.include is Include.ALL,
        left_out=tuple(sorted(left_out)),
        samples=wanted.samples,
        renames=wanted.renames,
        versions={
            "medview": medview.__version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in _PARTS},
        },
    )


def _name(stem: str, task: Task, target: str) -> str:
    """Return what a person reads: the project, and the task or the question that is answered."""
    what = task.value if target in ("", IMAGE_LABELS) else _printable(target)
    return f"{_printable(stem)[:40]}: {what[:36]}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _of_target(target: str) -> str:
    """Return what tells the classifiers of one project apart in their ids; one of all image labels needs nothing."""
    if target in ("", IMAGE_LABELS):
        return ""
    slug = _slug(target)
    if len(slug) <= _LONGEST_TARGET and slug.replace("-", " ") == target.lower():
        return f"-{slug}"
    # Cut or spelt in other letters, two questions may look the same.
    short = slug[: _LONGEST_TARGET - _DIGITS].strip("-")
    return "".join(f"-{part}" for part in (short, hashlib.sha256(target.encode()).hexdigest()[:_DIGITS]) if part)


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable()).strip() or "model"
