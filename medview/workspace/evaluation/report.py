"""What an evaluation came to, as a value and as a JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import medview
from medview.analysis.agreement.bootstrap import LEVEL, RESAMPLES
from medview.io.dicom.seg import RESEARCH_USE
from medview.ml.packs import ModelPack
from medview.ml.spec import Task
from medview.ml.spec_fields import LONGEST_NAME
from medview.ml.texts import different
from medview.workspace.evaluation.judging import CaseJudgement, Document, TaskFigures

_LOW, _HIGH = " (95 % low)", " (95 % high)"


@dataclass(frozen=True, slots=True)
class JudgedCase:
    """A case by its key in the dataset, and how the model did on it."""

    key: str
    patient: str
    judgement: CaseJudgement


@dataclass(frozen=True, slots=True)
class Speed:
    """How long the model took.

    Attributes
    ----------
    seconds : dict
        ``median``, ``mean``, ``p95`` of a case, and the mean of each stage.
    """

    seconds: Mapping[str, float]
    device: str
    peak_memory_mb: float


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """The figures of one model on one set of labelled cases.

    Attributes
    ----------
    split : str
        Of the examples; empty is all of them.
    patients : int or None
        None where nobody knows whose the cases are.
    by_patient : bool
        Whether intervals draw patients; otherwise they draw images.
    failed : tuple of (str, str)
        Cases on which the model did not run, and why; no figure counts them.
    left_out : int
        Cases whose labels a model made and nobody looked at.
    pictures : mapping of str to bytes
        PNG of the worst cases by key.
    data : mapping
        ``dataset_sha256``, ``splits_sha256``, ``licence``.
    more : mapping
        Further keys of the document, ready for JSON: ``guards`` and ``training`` of a run.
    test_openings : tuple of dict
        Every time the locked test cases were opened, this one included; ``who``, ``when_utc``, ``model``.
    """

    pack: ModelPack
    split: str
    cases: tuple[JudgedCase, ...]
    patients: int | None
    by_patient: bool
    figures: TaskFigures
    speed: Speed
    made_utc: str
    worst: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    left_out: int = 0
    warnings: tuple[str, ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    test_openings: tuple[Document, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def task(self) -> Task:
        """What the model gives."""
        return self.pack.spec.task

    def metrics(self) -> dict[str, float]:
        """Return the headline figures and their intervals as a card holds them: plain names and numbers."""
        found: dict[str, float] = {}
        titles = different((one.title for one in self.figures.headlines), "Figure", LONGEST_NAME - len(_HIGH))
        for one, title in zip(self.figures.headlines, titles, strict=True):
            interval = one.interval
            for name, value in (
                (title, interval.value),
                (f"{title}{_LOW}", interval.low),
                (f"{title}{_HIGH}", interval.high),
            ):
                if value is not None:
                    found[name] = round(value, 4)
        return found

    def document(self) -> Document:
        """Return it ready for JSON, with the keys of the command line's contract."""
        spec, figures = self.pack.spec, self.figures
        judged = [case for case in self.cases if case.judgement.score is not None]
        document: Document = {
            "model": spec.id,
            "version": spec.version,
            "model_name": spec.name,
            "model_sha256": self.pack.sha256,
            "task": spec.task.value,
            "split": self.split or "all",
            "cases": len(self.cases),
            "judged": len(judged),
            "patients": self.patients,
            "split_by": "patient" if self.by_patient else "image",
            "unit": None,
            "per_class": figures.per_class,
            "confusion": figures.confusion,
            "ci95": figures.ci95,
            **figures.more,
            "headlines": [
                {
                    "name": one.name,
                    "title": one.title,
                    "value": one.interval.value,
                    "low": one.interval.low,
                    "high": one.interval.high,
                }
                for one in figures.headlines
            ],
            "bootstrap": {
                "level": LEVEL,
                "resamples": RESAMPLES,
                "by": "patient" if self.by_patient else "image",
                "undefined": {one.name: one.interval.undefined for one in figures.headlines if one.interval.undefined},
            },
            "worst": [
                {
                    "case": case.key,
                    "score": case.judgement.score,
                    "why": case.judgement.why,
                    "at_kji": [int(n) for n in case.judgement.at_kji],
                }
                for key in self.worst
                for case in self.cases
                if case.key == key
            ],
            "by_case": [
                {"case": case.key, "patient": case.patient or None, "score": case.judgement.score, **case.judgement.row}
                for case in self.cases
            ],
            "failed": [{"case": key, "reason": reason} for key, reason in self.failed],
            "left_out": self.left_out,
            "seconds": dict(self.speed.seconds),
            "device": self.speed.device,
            "peak_memory_mb": round(self.speed.peak_memory_mb, 1),
            "data": dict(self.data),
            "test_openings": list(self.test_openings),
            "notes": list(figures.notes),
            "warnings": list(self.warnings),
            "made_utc": self.made_utc,
            "written_by": f"MedView {medview.__version__}",
            "notice": RESEARCH_USE,
            **self.more,
        }
        return document
