"""From a project to a training and back: what counts when it begins, and the version it becomes."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medview.core.errors import LockedError, MedViewError, ModelError, ReadError, StoreError
from medview.core.job import Inline, JobContext
from medview.core.language import _, in_language
from medview.io.datasets.neutral_read import NeutralDataset, read_neutral
from medview.ml.examples import ExampleSet
from medview.ml.packs import copy_pack, load_pack
from medview.ml.runs.folder import RunFolder, RunSettings
from medview.ml.spec import Task
from medview.store.model_book import OvertakenError
from medview.store.project import Project
from medview.workspace.model_line import ModelLines, ModelVersion, Verdict, pack_of_version
from medview.workspace.training.gate_run import CURRENT_FILE, NEW_FILE, GateRun, Rival
from medview.workspace.training.gate_words import sentence_of
from medview.workspace.training.judgements import Judgements
from medview.workspace.training.leaks import without
from medview.workspace.training.learnt import Learnt

RUNS, JUDGED = "runs", "judged"
"""Folders in a project: of trainings started from the window, and, in ``models``, of what is known of versions."""

_log = logging.getLogger("medview.training")


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What a project knows when a training of it begins.

    Attributes
    ----------
    current : ModelVersion or None
        The version that counts.
    next : int
        The number the new version will have, if none comes before it.
    parent : Learnt or None
        What the model it begins with has learnt from; None where there is none, or nobody knows.
    """

    project: Path
    uid: str
    line: str
    current: ModelVersion | None
    next: int
    parent: Learnt | None

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        current = self.current
        seen = None if current is None else Learnt.of_document(current.learnt)
        told = None if current is None else {"version": current.version, "key": current.key, "digest": current.digest}
        return {
            "project": str(self.project),
            "project_uid": self.uid,
            "line": self.line,
            "current": told,
            "next": self.next,
            "seen_by_current": None if seen is None else seen.document(),
            "seen_by_parent": None if self.parent is None else self.parent.document(),
        }


def line_name(task: Task, target: str) -> str:
    """Return what the versions of a model are listed under: the task, of classifiers with what they learn."""
    return f"{task.value}: {target}" if task is Task.CLASSIFICATION and target else task.value


def line_facts(path: Path, opened: Project | None, line: str, parent_digest: str) -> LineFacts:
    """Return what a project knows. Raises MedViewError where it cannot be read.

    Parameters
    ----------
    opened : Project, optional
        The project, where this process has it open.
    parent_digest : str
        Of the model that training begins with; empty for none.
    """
    if opened is None:
        with Project.open(path, read_only=True) as project:
            return line_facts(path, project, line, parent_digest)
    lines = ModelLines(opened)
    parent = lines.of_pack(parent_digest) if parent_digest else None
    versions, current = lines.versions(line), lines.current(line)
    if current is not None and current.folder is None:
        _log.warning("the pack of %s of %s is gone: nothing is compared with it", current.title, line)
        current = None
    return LineFacts(
        path.resolve(),
        opened.models.project_uid,
        line,
        current,
        max((one.version for one in versions), default=0) + 1,
        None if parent is None else Learnt.of_document(parent.learnt),
    )


def write_line(run: RunFolder, facts: LineFacts, parent_digest: str) -> None:
    """Freeze what a project knows into the folder of a training, with the model that counts and what is known of it."""
    run.write_json(run.line, facts.document())
    if facts.current is None or (pack := pack_of_version(facts.current)) is None:
        return
    if pack.digest != parent_digest:
        copy_pack(pack, run.current)
    known = _known(facts.project, pack.digest)
    if known.is_file():
        run.judged.mkdir(exist_ok=True)
        shutil.copyfile(known, run.judged / CURRENT_FILE)


def take_run(lines: ModelLines, project: Project, path: Path, context: JobContext | None = None) -> ModelVersion:
    """Take the model of a finished training into its project as a version, which counts or not as the gate said.

    Where another version came to count meanwhile both are compared anew: that belongs into a worker. The first one counts,
    and so does one that the version which counts cannot be compared with since its pack is gone.

    Raises
    ------
    ReadError
        When the folder holds no finished training.
    ModelError
        When it is of another project.
    MedViewError
        When the project cannot be written.
    """
    run = RunFolder(path)
    settings, line = run.settings(), run.read_json(run.line)
    if line is None or str(line["project_uid"]) != project.models.project_uid:
        raise ModelError(f"{path.name} was not trained on {project.path.name}; name a training of this project.")
    gate = run.read_json(run.gate)
    if gate is None or run.read_json(run.result) is None:
        raise ReadError(f"{path.name} is not finished yet; go on with it with medview train --run {path}.")
    pack, name = load_pack(run.pack), str(line["line"])
    if (known := lines.of_pack(pack.digest)) is not None and known.line == name:
        # It stays the version it is; its files come again where they are gone.
        known = lines.add(name, pack, known.verdict, reason=known.reason)
        if not run.taken.exists():
            # Whoever took it in was ended before that was written down.
            _note_taken(run, project, known, known.gate or gate)
        return known
    dataset = read_neutral(run.dataset, check=False)
    examples = _examples(dataset, settings)
    learnt = GateRun(run, dataset, examples, settings.renames).learnt
    taken = None
    while taken is None:
        current = lines.current(name)
        if _digest(gate["current"]) != (None if current is None else current.digest):
            gate = _again(run, gate, dataset, examples, settings, current, project.path, context or Inline())
        try:
            taken = _taken(lines, run, project, name, gate, learnt, current)
        except OvertakenError:
            # A person chose another version while both were compared: that is who it has to be better than.
            _log.info("another version of %s counts than the one that was compared", name)
    _note_taken(run, project, taken, gate)
    return taken


def take_home(path: Path) -> str:
    """Take a finished training into the project it is of, where nobody has that open; return what a person is told.

    Nothing is told of trainings that are of no project.
    """
    run = RunFolder(path)
    line = run.read_json(run.line)
    if line is None or run.taken.exists():
        return ""
    place = Path(str(line["project"]))
    later = _("To take it up: medview project models {project} --take {run}").format(project=place, run=path)
    try:
        with Project.open(place) as project:
            taken = take_run(ModelLines(project), project, path)
    except LockedError:
        return _("{name} is open elsewhere and takes the model up there.").format(name=place.name) + f" {later}"
    except (StoreError, MedViewError) as error:
        return f"{in_language(error.sentence)} {later}"
    told = _("Version {version} of {line} in {name}: {reason}")
    return told.format(version=taken.version, line=taken.line, name=place.name, reason=taken.reason)


def waiting_runs(lines: ModelLines, project: Path) -> tuple[Path, ...]:
    """Return the finished trainings in a project's folder that it is to take and has not yet, oldest first."""
    found = []
    for path in sorted((project / RUNS).glob("*")) if (project / RUNS).is_dir() else []:
        run = RunFolder(path)
        waiting = run.line.is_file() and run.result.is_file() and run.gate.is_file() and not run.taken.exists()
        if waiting and not _is_version(lines, run):
            found.append(path)
    return tuple(sorted(found, key=lambda path: RunFolder(path).result.stat().st_mtime))


def _is_version(lines: ModelLines, run: RunFolder) -> bool:
    """Whether the model of a training is in the project, where its folder does not say so."""
    try:
        return lines.of_pack(load_pack(run.pack, verify=False).digest) is not None
    except MedViewError:
        return False


def _taken(
    lines: ModelLines,
    run: RunFolder,
    project: Project,
    line: str,
    gate: dict[str, Any],
    learnt: Learnt,
    current: ModelVersion | None,
) -> ModelVersion:
    versions = lines.versions(line)
    number = max((one.version for one in versions), default=0) + 1
    rival = gate["current"]
    gate["new"] |= {"version": number, "title": f"v{number}"}
    gate["sentence"] = sentence_of(gate, f"v{number}", "" if rival is None else rival["title"])
    inside = run.path.resolve().parent == (project.path / RUNS).resolve()
    return lines.add(
        line,
        load_pack(run.pack),
        Verdict(gate["verdict"]),
        reason=gate["sentence"],
        run=run.path.name if inside else str(run.path.resolve()),
        gate=gate,
        learnt=learnt.document(),
        compared=0 if rival is None or rival["version"] is None else rival["version"],
        counting=0 if current is None else current.version,
    )


def _note_taken(run: RunFolder, project: Project, taken: ModelVersion, gate: Mapping[str, Any]) -> None:
    """Write down in a training which version it became; that last, since it is not looked at again then."""
    _keep_known(run, project.path, gate)
    told = {"line": taken.line, "version": taken.version, "verdict": taken.verdict.value, "utc": taken.utc}
    try:
        # Numbers that others took meanwhile are put right in it.
        run.write_json(run.gate, gate)
        run.write_json(run.taken, told)
    except (OSError, MedViewError):
        # It is a version by now, whatever can be written beside it: its pack says so too.
        _log.warning("what became of a training was not written into its folder", exc_info=True)


def _again(
    run: RunFolder,
    gate: dict[str, Any],
    dataset: NeutralDataset,
    examples: ExampleSet,
    settings: RunSettings,
    current: ModelVersion | None,
    project: Path,
    context: JobContext,
) -> dict[str, Any]:
    """Compare the model of a training with the version that counts by now, if there is one that can be read."""
    pack = None if current is None else pack_of_version(current)
    if current is None or pack is None:
        # Were it refused, so would be every later one: what is gone can be chosen no more.
        why = {"why": "first"} if current is None else {"why": "gone", "gone": current.title}
        return {**gate, "verdict": "first", "current": None, **why}
    line = dict(run.read_json(run.line) or {})
    seen = Learnt.of_document(current.learnt)
    line |= {"seen_by_current": None if seen is None else seen.document()}
    line["current"] = {"version": current.version, "key": current.key, "digest": current.digest}
    run.write_json(run.line, line)
    known = _known(project, current.digest)
    if known.is_file():
        run.judged.mkdir(exist_ok=True)
        shutil.copyfile(known, run.judged / CURRENT_FILE)
    rival = Rival(pack, current.title, current.version)
    # It may have been trained on another computer, with a graphics card that is not here.
    device = "cpu" if settings.device == "cpu" else "auto"
    gate_run = GateRun(run, dataset, examples, settings.renames, rival, device=device)
    return gate_run.decide_again(load_pack(run.pack), context)


def _examples(dataset: NeutralDataset, settings: RunSettings) -> ExampleSet:
    from medview.workspace.training.examples import examples_of

    found = examples_of(dataset, settings.task, settings.target, reviewed_only=not settings.unfinished)
    return without(found, settings.left_out)


def _keep_known(run: RunFolder, project: Path, gate: Mapping[str, Any]) -> None:
    """Keep in the project what is known of both models on single cases."""
    for name, side in ((NEW_FILE, gate["new"]), (CURRENT_FILE, gate["current"])):
        if side is not None and (run.judged / name).is_file():
            digest = str(side["digest"])
            held = Judgements.read(_known(project, digest), digest)
            held.take(Judgements.read(run.judged / name, digest))
            try:
                held.write(_known(project, digest))
            except (OSError, MedViewError):
                # It is judged again then.
                _log.warning("what is known of a model was not kept", exc_info=True)


def _known(project: Path, digest: str) -> Path:
    return project / "models" / JUDGED / f"{digest[:12]}.json"


def _digest(side: Mapping[str, Any] | None) -> str | None:
    return None if side is None or side["version"] is None else str(side["digest"])
