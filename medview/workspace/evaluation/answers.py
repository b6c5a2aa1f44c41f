"""Answers of a classifier beside the true ones: how often it is right, at every threshold and at its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from medview.analysis.agreement.bootstrap import weighted_interval
from medview.core.errors import ModelError
from medview.core.prediction import Prediction
from medview.core.scores import Said, ScoreRule
from medview.core.volume import Volume
from medview.ml.examples import Example, Truth
from medview.ml.outputs import ClassificationOutput
from medview.workspace.evaluation.case_parts import CaseParts, Part
from medview.workspace.evaluation.judging import (
    CaseJudgement,
    Document,
    Headline,
    TaskFigures,
    ends,
    patient_of,
)
from medview.workspace.evaluation.matching import JudgedClass
from medview.workspace.evaluation.scores import ScoreTable, mean_of

FloatArray = npt.NDArray[np.float64]


class AnswerJudge:
    """Compares probabilities of classes with what is true.

    Of classes that exclude each other each image is put into one, by the pack's own threshold, and needs a true class the
    model knows; otherwise each class is judged by itself, where somebody answered it.
    """

    def __init__(self, classes: Sequence[JudgedClass], output: ClassificationOutput) -> None:
        self._classes = tuple(classes)
        self._names = list(output.classes)
        self._softmax = output.activation == "softmax"
        self._rule = ScoreRule(output.subject.value, output.threshold, output.abstain, self._softmax)
        self._keys: list[str] = []
        self._patients: list[str] = []
        self._scores: list[list[float]] = []
        self._truth: list[list[float]] = []
        self._unsure: list[bool] = []
        self._not_judged = 0

    def add(self, example: Example, volume: Volume, truth: Truth, found: Prediction) -> CaseJudgement:
        """Judge one case."""
        middle = tuple(n // 2 for n in volume.geometry.shape_kji)
        at_kji = (middle[0], middle[1], middle[2])
        true = self._true(truth.answers)
        scores = [float(found.scores[name]) for name in self._names]
        if not np.isfinite(scores).all():
            raise ModelError("The model's answer is no number.")
        told = {name: round(score, 6) for name, score in zip(self._names, scores, strict=True)}
        if np.isnan(true).all():
            self._not_judged += 1
            return CaseJudgement(None, "", {"truth": None, "scores": told}, at_kji)
        said = self._rule.says(dict(found.scores))
        unsure = any(one is Said.UNSURE for one in said.values())
        self._keys.append(example.key)
        self._patients.append(patient_of(example))
        self._scores.append(scores)
        self._truth.append(true)
        self._unsure.append(unsure)
        right = [
            score if is_true else 1.0 - score for score, is_true in zip(scores, true, strict=True) if is_true == is_true
        ]
        if self._softmax:
            n = int(np.nanargmax(true))
            row: Document = {"truth": self._names[n], "said": self._names[self._winner(scores)], "scores": told}
            why = f"{self._names[n]}: probability {scores[n]:.2f}"
            score = scores[n]
        else:
            row = {
                "truth": {
                    name: bool(is_true) for name, is_true in zip(self._names, true, strict=True) if is_true == is_true
                },
                "said": {name: score >= self._rule.threshold for name, score in zip(self._names, scores, strict=True)},
                "scores": told,
            }
            score = min(right)
            why = f"the least of what is true has a probability of {score:.2f}"
        return CaseJudgement(score, why, {**row, "unsure": unsure}, at_kji)

    def _true(self, answers: Mapping[str, float]) -> list[float]:
        """Return 0 or 1 of every class of the model; NaN where nobody answered."""
        found = [np.nan] * len(self._names)
        for one in self._classes:
            if one.truth_name in answers:
                found[one.model] = float(answers[one.truth_name] >= 0.5)
        if not self._softmax:
            return found
        if found.count(1.0) == 1:
            return [0.0 if value != 1.0 else 1.0 for value in found]
        # Of all classes but one it is said that they do not hold.
        if found.count(0.0) == len(found) - 1 and not any(value == 1.0 for value in answers.values()):
            return [0.0 if value == 0.0 else 1.0 for value in found]
        return [np.nan] * len(found)

    def _winner(self, scores: Sequence[float]) -> int:
        rule = replace(self._rule, abstain=None)
        said = rule.says(dict(zip(self._names, scores, strict=True)))
        return next(n for n, name in enumerate(self._names) if said[name] is Said.PRESENT)

    def figures(self) -> TaskFigures:
        """Return the figures of all cases."""
        scores = np.array(self._scores).reshape(-1, len(self._names))
        truth = np.array(self._truth).reshape(-1, len(self._names))
        if self._softmax and len(self._names) > 1:
            winners = np.array([self._winner(row) for row in scores.tolist()], dtype=np.int64)
            said = np.eye(len(self._names))[winners] if len(winners) else np.zeros_like(scores)
        else:
            said = (scores >= self._rule.threshold).astype(np.float64)
        table = ScoreTable(tuple(self._names), self._softmax, scores, truth, said, tuple(self._patients))
        classes = [table.of_class(n) for n in range(len(self._names))]
        of_accuracy, of_auc = table.accuracy(), table.auc()
        accuracy, auc = (weighted_interval(one, self._patients) for one in (of_accuracy, of_auc))
        curves = {kind: {one.name: one.curves[kind] for one in classes if kind in one.curves} for kind in ("roc", "pr")}
        per_class = [one.row for one in classes]
        more: Document = {
            "accuracy": accuracy.value,
            "auc": auc.value,
            "f1": mean_of([row["f1"] for row in per_class]),
            "threshold": self._rule.threshold,
            "exclusive": self._softmax,
            "abstention": self._abstention(truth, said),
            "calibration": table.calibration_document(),
            "curves": curves,
            "not_judged": self._not_judged,
        }
        ci95 = {"accuracy": ends(accuracy), "auc": ends(auc), "classes": {one.name: one.ci95 for one in classes}}
        headlines = (Headline("auc", "AUC", auc, of_auc), Headline("accuracy", "Accuracy", accuracy, of_accuracy))
        whose = tuple(self._keys), tuple(self._patients)
        parts = {key: self._parts(*rows) for key, *rows in zip(self._keys, scores, truth, said, strict=True)}
        confusion = table.confusion(classes)
        return TaskFigures(
            headlines, per_class, confusion, ci95, more, self._notes(), *whose, class_figure="f1", parts=parts
        )

    def _parts(self, scores: FloatArray, truth: FloatArray, said: FloatArray) -> CaseParts:
        found = {}
        for one in self._classes:
            true, held, score = truth[one.model], said[one.model] > 0, float(scores[one.model])
            if np.isfinite(true):
                both = 2.0 * float(true > 0 and held)
                found[one.truth_name] = Part(both, float(true > 0) + float(held), score if true > 0 else 1.0 - score)
        return found

    def _abstention(self, truth: FloatArray, said: FloatArray) -> Document | None:
        if self._rule.abstain is None:
            return None
        unsure = np.array(self._unsure, dtype=bool)
        # As the accuracy beside it counts: images of classes that exclude each other, else answers one by one.
        asked, right = np.isfinite(truth), truth == said
        kept = right.all(axis=1)[~unsure] if self._softmax else right[asked & ~unsure[:, np.newaxis]]
        return {
            "between": list(self._rule.abstain),
            "items": int(unsure.sum()),
            "share": float(unsure.mean()) if len(unsure) else None,
            "accuracy_of_the_others": float(kept.mean()) if len(kept) else None,
        }

    def _notes(self) -> tuple[str, ...]:
        if not self._rule.draws_line(len(self._names)):
            how = "An image is put into the class that is most probable."
        elif self._softmax and len(self._names) > 1:
            how = (
                f"An image is put into {self._names[-1]} where that has a probability of at least "
                f"{self._rule.threshold:g}, else into the class that is most probable of the others."
            )
        else:
            how = f"A class is said to be present from a probability of {self._rule.threshold:g} on."
        notes = [how]
        if self._rule.abstain is not None:
            notes.append('Accuracy counts every image, also those that the model would answer with "not sure".')
        if self._not_judged:
            notes.append(f"{self._not_judged} images have no answer that could be compared.")
        return tuple(notes)
