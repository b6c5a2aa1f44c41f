"""The gate of one training: the model that counts is judged first, the new one last, on the same cases."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from medview.core.errors import AmbiguousError, CancelledError, DeviceError, MedViewError, ModelError
from medview.core.job import JobContext
from medview.io.datasets.neutral_read import NeutralDataset
from medview.ml.examples import ExampleSet, Trust
from medview.ml.lineage.class_map import plain_name
from medview.ml.outputs import ClassificationOutput, DetectionOutput, SegmentationOutput
from medview.ml.packs import ModelPack, load_pack
from medview.ml.runs.folder import RunFolder
from medview.ml.spec import MODEL_FILE, ModelSpec, Task
from medview.workspace.evaluation.case_parts import CaseParts
from medview.workspace.evaluation.evaluate import evaluate_pack
from medview.workspace.evaluation.judging import EvaluationSettings, patient_of
from medview.workspace.evaluation.matching import JudgedClass, match_classes, model_classes
from medview.workspace.evaluation.report import EvaluationReport
from medview.workspace.training.gate import Held, Judged, compare_judged
from medview.workspace.training.gate_words import sentence_of
from medview.workspace.training.judgements import Judgements, case_prints
from medview.workspace.training.learnt import Learnt, learnt_in, learnt_of_pack, seen_in

VAL = "val"
NEW_FILE, CURRENT_FILE = "new.json", "current.json"
"""In ``RUN/judged``."""

_QUIET = EvaluationSettings(common=True, pictures=False)

_log = logging.getLogger("medview.training")


@dataclass(frozen=True, slots=True)
class Rival:
    """The model that a new one has to be better than.

    Attributes
    ----------
    title : str
        ``v6``, or its name where it is no version of the project.
    version : int or None
    """

    pack: ModelPack
    title: str
    version: int | None

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return _side(self.pack, self.title, self.version)


class GateRun:
    """Compares the model of a training with the one that counts in its project, else with the one it began with.

    Parameters
    ----------
    dataset, examples
        Of the training.
    renames : mapping of str to str
        What classes of the model it began with are called now.
    rival : Rival, optional
        To compare with, where it is not the one that counted when the training began.
    device : str
        Where models run, as in ``EvaluationSettings``.
    """

    def __init__(
        self,
        run: RunFolder,
        dataset: NeutralDataset,
        examples: ExampleSet,
        renames: Mapping[str, str],
        rival: Rival | None = None,
        *,
        device: str = "auto",
    ) -> None:
        self._judging = replace(_QUIET, device=device)
        self._run, self._dataset, self._examples, self._renames = run, dataset, examples, renames
        self._line: Mapping[str, Any] = run.read_json(run.line) or {}
        self.rival = rival or _rival(run, self._line)
        self._judged: Judged | None = None
        self._problem = ""

    @property
    def wanted(self) -> bool:
        """Whether there is a verdict to give: the model goes on a line, or there is one to compare it with."""
        return bool(self._line) or self.rival is not None

    def judge_current(self, context: JobContext) -> float:
        """Judge the model that counts on the held-out cases that it was not judged on before.

        Returns
        -------
        float
            Seconds of a case, as far as is known; 0 where nothing is.

        Raises
        ------
        CancelledError
        """
        if self.rival is None or self._judged is not None:
            return 0.0
        path, pack = self._run.judged / CURRENT_FILE, self.rival.pack
        known = Judgements.read(path, pack.digest)
        # What stood in the way at the beginning, a full graphics card say, need not do so in the end.
        self._problem = ""
        try:
            self._judged = self._judge(renamed(pack, self._renames), known, context)
        except CancelledError:
            raise
        except AmbiguousError as error:
            # It finds nothing of what the labels are of: what it does find is not judged.
            _log.info("the model that counts has no class in common: %s", error.sentence)
            self._judged = Judged("", (), {})
        except MedViewError as error:
            self._problem = error.sentence
        else:
            _keep(known, path)
        return known.seconds()

    def _judge(self, pack: ModelPack, known: Judgements, context: JobContext) -> Judged:
        examples = self._examples
        classes = tuple(one.truth_name for one in match_classes(pack.spec, examples, common=True))
        figure = _FIGURE[pack.spec.task]
        prints = case_prints(self._dataset, examples)
        cases: dict[str, CaseParts] = {}
        left = []
        for example in examples.of_split(VAL):
            parts = known.get(prints[example.key], figure, classes)
            if parts is not None:
                cases[example.key] = parts
            elif example.trust is not Trust.UNREVIEWED:
                left.append(example)
        failed: tuple[str, ...] = ()
        if left:
            began = time.monotonic()
            try:
                report = evaluate_pack(pack, replace(examples, examples=tuple(left)), VAL, context, self._judging)
            except DeviceError:
                # The model is not to blame, and it is tried again in the end.
                raise
            except ModelError:
                if not cases:
                    raise
                return Judged(figure, classes, cases, tuple(example.key for example in left))
            seconds = (time.monotonic() - began) / len(left)
            failed = tuple(key for key, _ in report.failed)
            for key, parts in report.figures.parts.items():
                cases[key] = parts
                known.put(prints[key], figure, classes, parts, seconds)
        return Judged(figure, classes, cases, failed)

    def decide(self, report: EvaluationReport, pack: ModelPack, context: JobContext) -> dict[str, Any]:
        """Compare, and write ``gate.json``.

        Parameters
        ----------
        report : EvaluationReport
            Of the new model on the held-out cases.
        pack : ModelPack
            The new model as it is kept.

        Raises
        ------
        CancelledError, WriteError
        """
        figures = report.figures
        classes = tuple(one.truth_name for one in match_classes(report.pack.spec, self._examples, common=True))
        new = Judged(figures.class_figure, classes, figures.parts, tuple(key for key, _ in report.failed))
        self._keep(new, pack, report)
        return self._decided(new, pack, context)

    def decide_again(self, pack: ModelPack, context: JobContext) -> dict[str, Any]:
        """Compare the trained model anew, with what is known of it. Raises MedViewError."""
        known = Judgements.read(self._run.judged / NEW_FILE, pack.digest)
        new = self._judge(pack, known, context)
        _keep(known, self._run.judged / NEW_FILE)
        return self._decided(new, pack, context)

    def _decided(self, new: Judged, pack: ModelPack, context: JobContext) -> dict[str, Any]:
        self.judge_current(context)
        validation = [example for example in self._examples.of_split(VAL) if example.trust is not Trust.UNREVIEWED]
        own = {example.key: patient_of(example) for example in validation}
        held = Held(own, all(example.patient for example in validation), self._seen())
        found = compare_judged(new, self._judged or Judged(new.figure, (), {}), held, self._gone())
        # What it began with may have been made for something else.
        alone = self.rival is None or (self.rival.version is None and not found["classes"]["kept"])
        if self._problem or alone:
            first = self.rival is None or self.rival.version is None
            why = "not judged" if self._problem else "first"
            found |= {"verdict": "first" if first else "kept", "why": why, "problem": self._problem}
            found |= {"cases": len(new.cases), "patients": len({own[key] for key in new.cases})}
        found["classes"]["renamed"] = self._called_otherwise()
        number = self._line.get("next")
        title = f"v{number}" if number else "The new model"
        rival = self.rival
        gate = {
            "format": 1,
            **found,
            "new": _side(pack, title, number),
            "current": None if rival is None else rival.document(),
            "split": VAL,
        }
        gate["sentence"] = sentence_of(gate, title, "" if rival is None else rival.title)
        self._run.write_json(self._run.gate, gate)
        return gate

    def _keep(self, new: Judged, pack: ModelPack, report: EvaluationReport) -> None:
        """Keep what is known of the new model: should it count, the next one is compared with that."""
        prints, kept = case_prints(self._dataset, self._examples), Judgements(pack.digest)
        for key, parts in new.cases.items():
            kept.put(prints[key], new.figure, new.classes, parts, float(report.speed.seconds.get("mean", 0.0)))
        _keep(kept, self._run.judged / NEW_FILE)

    @property
    def learnt(self) -> Learnt:
        """What the new weights have learnt from, those they began with included."""
        own = learnt_in(self._dataset, self._examples, str(self._line.get("project_uid", "")))
        return own.with_(Learnt.of_document(self._line.get("seen_by_parent"))).with_(self._of_parent())

    def _of_parent(self) -> Learnt | None:
        folder = self._run.parent
        return learnt_of_pack(load_pack(folder, verify=False)) if (folder / MODEL_FILE).is_file() else None

    def _seen(self) -> frozenset[str]:
        earlier = [Learnt.of_document(self._line.get(name)) for name in ("seen_by_current", "seen_by_parent")]
        earlier += [self._of_parent(), None if self.rival is None else learnt_of_pack(self.rival.pack)]
        return seen_in(self._dataset, self._examples, earlier, str(self._line.get("project_uid", "")))

    def _gone(self) -> list[str]:
        """Return what the model that counts finds and the labels do not know."""
        spec, matched = self._of_rival()
        there = {one.model for one in matched}
        return [] if spec is None else [name for n, (name, _) in enumerate(model_classes(spec)) if n not in there]

    def _called_otherwise(self) -> list[dict[str, str]]:
        """Return classes that are called otherwise now: those that somebody renamed, and those their code makes one."""
        found = dict(self._renames)
        for one in self._of_rival()[1]:
            if one.name.casefold() != one.truth_name.casefold():
                found[one.name] = one.truth_name
        return [{"from": old, "to": name} for old, name in found.items()]

    def _of_rival(self) -> tuple[ModelSpec | None, tuple[JudgedClass, ...]]:
        """Return what the model that counts finds, and what of it the labels know."""
        if self.rival is None:
            return None, ()
        spec = renamed(self.rival.pack, self._renames).spec
        try:
            return spec, match_classes(spec, self._examples, common=True)
        except AmbiguousError:
            return spec, ()


_FIGURE = {
    Task.SEGMENTATION: "dice",
    Task.DETECTION: "ap50",
    Task.CLASSIFICATION: "f1",
    Task.INTERACTIVE: "dice_3",
}


def renamed(pack: ModelPack, renames: Mapping[str, str]) -> ModelPack:
    """Return a pack whose classes are called as they are now; case and blanks of names are passed over."""
    output, now = pack.spec.output, {plain_name(before): after for before, after in renames.items()}
    if not renames:
        return pack
    if isinstance(output, SegmentationOutput):
        labels = tuple(replace(one, name=now.get(plain_name(one.name), one.name)) for one in output.labels)
        return replace(pack, spec=replace(pack.spec, output=replace(output, labels=labels)))
    if isinstance(output, DetectionOutput):
        classes = tuple(replace(one, name=now.get(plain_name(one.name), one.name)) for one in output.classes)
        return replace(pack, spec=replace(pack.spec, output=replace(output, classes=classes)))
    if isinstance(output, ClassificationOutput):
        names = tuple(now.get(plain_name(name), name) for name in output.classes)
        return replace(pack, spec=replace(pack.spec, output=replace(output, classes=names)))
    return pack


def _keep(known: Judgements, path: Path) -> None:
    """Keep what is known of single cases, where there is room for it: it is judged again otherwise."""
    try:
        known.write(path)
    except (OSError, MedViewError):
        _log.warning("what is known of a model on single cases was not kept", exc_info=True)


def _rival(run: RunFolder, line: Mapping[str, Any]) -> Rival | None:
    """Return the model that counted in the project when the training was frozen, else the one it begins with."""
    current = line.get("current")
    for folder in (run.current, run.parent):
        if (folder / MODEL_FILE).is_file():
            pack = load_pack(folder, verify=False)
            if current is not None and current["digest"] == pack.digest:
                return Rival(pack, f"v{current['version']}", int(current["version"]))
            if current is None:
                return Rival(pack, pack.spec.name, None)
    return None


def _side(pack: ModelPack, title: str, version: int | None) -> dict[str, Any]:
    return {"key": pack.spec.key, "name": pack.spec.name, "digest": pack.digest, "title": title, "version": version}
