"""Masks of a model beside the true ones: overlap, surfaces and volume of every class in every case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from medview.analysis.agreement.bootstrap import mean_interval, weighted_interval
from medview.analysis.agreement.masks import MaskAgreement, mask_agreement
from medview.core.box import Box
from medview.core.geometry import Calibration, Geometry
from medview.core.job import JobContext
from medview.core.prediction import Prediction
from medview.core.volume import Volume
from medview.ml.examples import UNKNOWN, Example, Truth
from medview.workspace.evaluation.case_parts import CaseParts, Part
from medview.workspace.evaluation.judging import (
    CaseJudgement,
    Document,
    EvaluationSettings,
    Headline,
    TaskFigures,
    ends,
    patient_of,
)
from medview.workspace.evaluation.matching import JudgedClass

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8]

_Wrong = tuple[int, int, tuple[int, int, int]]
"""Wrong voxels of a slice, voxels of the class on it, and where that is."""

_FIGURES = ("dice", "surface_dice", "hd95", "volume_error")


@dataclass(frozen=True, slots=True)
class _Case:
    key: str
    patient: str
    unit: str | None
    by_class: tuple[MaskAgreement | None, ...]
    millilitres: bool
    """Whether the images say how much a voxel holds."""


class MaskJudge:
    """Compares label maps.

    Where both sides are empty nothing is said of a class in a case; where one is, its overlap is 0 and there is no
    distance. Voxels of which nobody knows what they are do not count, nor do classes that a case leaves open.
    """

    def __init__(self, classes: Sequence[JudgedClass], settings: EvaluationSettings, context: JobContext) -> None:
        self._classes = tuple(classes)
        self._tolerance, self._context = settings.tolerance, context
        self._cases: list[_Case] = []
        size = len(self._classes) + 1
        self._confusion: npt.NDArray[np.int64] | None = np.zeros((size, size), dtype=np.int64)

    def add(self, example: Example, volume: Volume, truth: Truth, found: Prediction) -> CaseJudgement:
        """Judge one case."""
        geometry, unit = _measured_on(volume.geometry)
        shape = geometry.shape_kji
        layers = np.zeros((1, *shape), dtype=np.uint8) if truth.layers is None else truth.layers
        unknown = (layers == UNKNOWN).any(axis=0)
        maps = [(mask.on_grid(shape), {s.value for s in mask.segments}) for mask in found.masks]
        by_class: list[MaskAgreement | None] = []
        worst: _Wrong = (0, 0, (shape[0] // 2, shape[1] // 2, shape[2] // 2))
        for one in self._classes:
            self._context.raise_if_cancelled()
            if one.truth in truth.open_classes:
                by_class.append(None)
                continue
            true = (layers == one.truth).any(axis=0)
            said = next((labels == one.model + 1 for labels, values in maps if one.model + 1 in values), None)
            said = np.zeros(shape, dtype=bool) if said is None else said
            known = true | ~unknown if unknown.any() else None
            by_class.append(mask_agreement(true, said, geometry, self._tolerance, known, self._context))
            worst = max(worst, _most_wrong(true, said, known))
        self._count(layers, [labels for labels, _ in maps], truth)
        case = _Case(
            example.key,
            patient_of(example),
            unit,
            tuple(by_class),
            millilitres=volume.geometry.calibration is Calibration.VOLUME,
        )
        self._cases.append(case)
        return self._judgement(case, worst[2])

    def _judgement(self, case: _Case, at_kji: tuple[int, int, int]) -> CaseJudgement:
        rows = [
            {"name": one.name, **_row(agreement, case.unit, millilitres=case.millilitres)}
            for one, agreement in zip(self._classes, case.by_class, strict=True)
        ]
        dices = [(row["dice"], row["name"]) for row in rows if row["dice"] is not None]
        if not dices:
            return CaseJudgement(None, "", {"classes": rows}, at_kji)
        lowest, name = min(dices)
        score = float(np.mean([dice for dice, _ in dices]))
        why = f"Dice {lowest:.3f}" if len(self._classes) == 1 else f"Dice {lowest:.3f} of {name}"
        return CaseJudgement(score, why, {"dice": score, "classes": rows}, at_kji)

    def _count(self, layers: Labels, maps: Sequence[Labels], truth: Truth) -> None:
        """Count voxels by true and found class, as long as no two share one anywhere."""
        if self._confusion is None:
            return
        if len(maps) > 1 or _overlap(layers):
            self._confusion = None
            return
        true, said = _flat(layers), maps[0] if maps else np.zeros_like(layers[0])
        box = Box.around((true != 0) | (said != 0))
        outside = true.size - (0 if box is None else int(np.prod(box.shape_kji)))
        of_truth, of_model = np.full(256, -1), np.zeros(256, dtype=np.int64)
        of_truth[0] = -1 if truth.open_classes else 0
        self._confusion[0, 0] += 0 if truth.open_classes else outside
        for position, one in enumerate(self._classes, start=1):
            of_truth[one.truth], of_model[one.model + 1] = position, position
        if box is None:
            return
        size = len(self._confusion)
        for k in range(box.min_kji[0], box.max_kji[0]):
            rows = of_truth[true[k][box.slices[1:]]]
            counted = rows >= 0
            pairs = rows[counted] * size + of_model[said[k][box.slices[1:]]][counted]
            self._confusion += np.bincount(pairs, minlength=size * size).reshape(size, size)

    def figures(self) -> TaskFigures:
        """Return means over cases, each with an interval by patient."""
        units = {case.unit for case in self._cases} - {None}
        unit = "mm" if "mm" in units else "pixel" if units else None
        patients = [case.patient for case in self._cases]
        per_class: list[Document] = []
        ci: Document = {}
        for n, one in enumerate(self._classes):
            column = [(case.by_class[n], case) for case in self._cases]
            rows = [
                _row(agreement, unit if case.unit == unit else None, millilitres=case.millilitres)
                for agreement, case in column
            ]
            found = {name: mean_interval([row[name] for row in rows], patients) for name in _FIGURES}
            ci[one.name] = {name: ends(interval) for name, interval in found.items()}
            judged = [agreement for agreement, _ in column if agreement is not None]
            per_class.append(
                {
                    "name": one.name,
                    "dice": found["dice"].value,
                    "surface_dice": found["surface_dice"].value,
                    "tolerance": self._tolerance,
                    "hd95": found["hd95"].value,
                    "volume_error": found["volume_error"].value,
                    "volume_bias_ml": _mean([row["volume_difference_ml"] for row in rows]),
                    "cases": found["dice"].items,
                    "empty": sum(agreement.both_empty for agreement in judged),
                    "one_empty": sum(agreement.one_empty for agreement in judged),
                    "not_known": len(column) - len(judged),
                    "voxels_left_out": sum(agreement.left_out for agreement in judged),
                }
            )
        table = np.array(
            [[np.nan if one is None or one.dice is None else one.dice for one in case.by_class] for case in self._cases]
        ).reshape(len(self._cases), len(self._classes))
        of_all = _MeanDice(table)
        mean = weighted_interval(of_all, patients)
        headlines = [Headline("dice", "Dice, mean over classes", mean, of_all)] if len(self._classes) > 1 else []
        for n, (one, row) in enumerate(zip(self._classes, per_class, strict=True)):
            low, high = ci[one.name]["dice"]
            own = replace(mean, value=row["dice"], low=low, high=high)
            headlines.append(Headline(f"dice.{one.name}", f"Dice, {one.name}", own, _MeanDice(table[:, [n]])))
        ci95 = {"dice": ends(mean), "classes": ci}
        more: Document = {"unit": unit, "dice": mean.value}
        keys = tuple(case.key for case in self._cases)
        confusion = self._confusion_document()
        parts = {case.key: self._parts(case) for case in self._cases}
        whose = keys, tuple(patients)
        return TaskFigures(
            tuple(headlines), per_class, confusion, ci95, more, self._notes(unit), *whose, class_figure="dice", parts=parts
        )

    def _parts(self, case: _Case) -> CaseParts:
        held = zip(self._classes, case.by_class, strict=True)
        return {one.truth_name: _part(agreement) for one, agreement in held if agreement is not None}

    def _confusion_document(self) -> Document | None:
        if self._confusion is None:
            return None
        names = ["background", *(one.name for one in self._classes)]
        return {"rows": names, "columns": names, "counts": self._confusion.tolist(), "of": "voxels"}

    def _notes(self, unit: str | None) -> tuple[str, ...]:
        notes = [
            "A class that is empty in the labels and in the model's answer does not count in that case; one that is empty "
            "in only one of them has a Dice of 0 and no distance."
        ]
        if unit is None:
            notes.append("No case has millimetres in all directions, so there are no distances.")
        elif any(case.unit != unit for case in self._cases):
            notes.append("Distances are of the cases with millimetres only.")
        if self._confusion is None:
            notes.append("Some classes share voxels, so there is no confusion matrix.")
        return tuple(notes)


class _MeanDice:
    """The mean over classes of the means over cases, of a table (case, class) with NaN where nothing is said."""

    def __init__(self, table: npt.NDArray[np.float64]) -> None:
        self._there = np.isfinite(table)
        self._filled = np.where(self._there, table, 0.0)

    def __call__(self, weights: npt.NDArray[np.int64]) -> float | None:
        counts = weights @ self._there
        held = counts > 0
        return float(((weights @ self._filled)[held] / counts[held]).mean()) if held.any() else None


def _measured_on(geometry: Geometry) -> tuple[Geometry, str | None]:
    """Return the grid on which distances are measured, and their unit; None where there are no distances."""
    flat = geometry.shape_kji[0] == 1
    if geometry.calibration is Calibration.VOLUME or (geometry.calibration is Calibration.IN_PLANE and flat):
        return geometry, "mm"
    if flat:
        return Geometry.from_spacing(geometry.shape_kji, (1.0, 1.0, 1.0), calibration=Calibration.IN_PLANE), "pixel"
    return geometry, None


def _row(agreement: MaskAgreement | None, unit: str | None, *, millilitres: bool) -> Document:
    if agreement is None:
        return dict.fromkeys((*_FIGURES, "volume_difference_ml", "true_voxels", "found_voxels"))
    error = agreement.volume_difference_of_first
    return {
        "dice": agreement.dice,
        "surface_dice": None if unit is None else agreement.surface_dice,
        "hd95": None if unit is None else agreement.hd95_mm,
        "volume_error": None if error is None else abs(error),
        "volume_difference_ml": agreement.volume_difference_ml if millilitres else None,
        "true_voxels": agreement.first_voxels,
        "found_voxels": agreement.second_voxels,
    }


def _part(agreement: MaskAgreement) -> Part:
    dice = agreement.dice
    return Part() if dice is None else Part(dice, 1.0, dice)


def _most_wrong(true: Mask, said: Mask, known: Mask | None) -> _Wrong:
    """Return the slice on which most is wrong; where nothing is, the one with most of the class."""
    wrong = true ^ said
    if known is not None:
        wrong &= known
    shown = wrong if wrong.any() else true
    counts = np.count_nonzero(shown, axis=(1, 2))
    k = int(counts.argmax())
    places = np.argwhere(shown[k])
    j, i = (true.shape[1] // 2, true.shape[2] // 2) if not len(places) else places[len(places) // 2]
    most = int(counts[k])
    return (most, 0, (k, int(j), int(i))) if shown is wrong else (0, most, (k, int(j), int(i)))


def _flat(layers: Labels) -> Labels:
    """Return layers of which no two say something of one voxel as one map; unknown only where no layer has a label."""
    if len(layers) == 1:
        return np.asarray(layers[0])
    unknown = layers == UNKNOWN
    labelled = np.asarray(np.where(unknown, 0, layers).max(axis=0), dtype=np.uint8)
    labelled[(labelled == 0) & unknown.any(axis=0)] = UNKNOWN
    return labelled


def _overlap(layers: Labels) -> bool:
    if len(layers) == 1:
        return False
    return bool((((layers != 0) & (layers != UNKNOWN)).sum(axis=0) > 1).any())


def _mean(numbers: Sequence[float | None]) -> float | None:
    held = [number for number in numbers if number is not None]
    return float(np.mean(held)) if held else None
