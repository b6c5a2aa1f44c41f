"""Whether a new model takes the place of the one that counts: both on the same held-out patients, class by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from medview.analysis.agreement.bootstrap import Interval, weighted_intervals
from medview.workspace.evaluation.case_parts import CaseParts, ClassFigure, FloatArray, IntArray, Part

MARGIN = 0.01
"""A class must not lose so much of its figure: about what a second training with another seed changes, and the least that
is seen of a mask. The whole interval has to lie above, so that a class in which little can be told is no way around it."""

LEAST_PATIENTS = 3
"""With fewer that show a class nothing can be said of patients that were not looked at: an interval of one is a point."""

LEARNT = 0.2
"""Figure from which a new class is learnt, its interval being above 0: less is of no help to who corrects it."""

BETTER, NO_WORSE, WORSE, NOT_SHOWN = "better", "no worse", "worse", "not shown"
"""Of a class both have: interval above 0, above the margin, below 0 or its middle below the margin, or none of these; the
last as well of any class that too few patients show."""
IS_LEARNT, NOT_LEARNT = "learnt", "not learnt"
"""Of a class that only the new model has and enough patients show."""

POOLED = "dice_3"
"""The figure that is a mean over objects, whatever their class; others are means over classes."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Judged:
    """One model on the held-out cases.

    Attributes
    ----------
    figure : str
        What stands for a class: ``dice``, ``ap50``, ``f1`` or ``dice_3``.
    classes : tuple of str
        That it was judged in, as the labels call them.
    cases : mapping of str to CaseParts
        By the key of the case.
    failed : tuple of str
        Cases it did not run on.
    """

    figure: str
    classes: tuple[str, ...]
    cases: Mapping[str, CaseParts]
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """The cases two models are compared on.

    Attributes
    ----------
    patients : mapping of str to str
        Of every held-out case, by its key; a case of which nobody knows the patient is one of its own.
    by_patient : bool
        Whether all patients are known.
    seen : frozenset of str
        Cases that either model, or one whose weights it began with, has learnt from: they count for neither.
    """

    patients: Mapping[str, str]
    by_patient: bool = True
    seen: frozenset[str] = frozenset()


def compare_judged(new: Judged, current: Judged, held: Held, gone: Sequence[str] = ()) -> Document:
    """Compare two models on the cases both ran on, patients drawn together for both.

    Parameters
    ----------
    gone : sequence of str
        Classes that the current model finds and the labels do not know any more.

    Returns
    -------
    dict
        ``verdict`` (``promoted`` or ``kept``), ``why`` (``better``, ``added``, ``few``, ``failed``, ``class``, ``other`` or
        ``equal``), ``figure``, ``patients`` (that show what both find; where that is nothing, what the new one finds),
        ``cases``, ``by_patient``, ``left_out``, ``per_class``, ``headline``, ``by_case`` (where the new one loses most
        first) and ``classes``. Rows of classes and the headline say how many ``patients`` show them.
    """
    common = [name for name in new.classes if name in current.classes]
    added = [name for name in new.classes if name not in current.classes]
    lost = [*gone, *(name for name in current.classes if name not in new.classes)]
    keys = [key for key in new.cases if key in current.cases and key not in held.seen]
    failed = [key for key in new.failed if key in current.cases and key not in held.seen]
    rows, headline = _differences(new, current, keys, common, held.patients)
    own = [key for key in new.cases if key not in held.seen]
    rows += _of_added(new, own, added, held.patients)
    count = headline["patients"] if common else _count([new], own, added, held.patients)
    verdict, why = _verdict(rows, headline, count, failed=bool(failed), common=bool(common))
    return {
        "verdict": verdict,
        "why": why,
        "figure": new.figure,
        "patients": count,
        "cases": len(keys),
        "by_patient": held.by_patient,
        "left_out": {
            "seen": sorted(held.seen & set(held.patients)),
            "new_failed": failed,
            "current_failed": [key for key in current.failed if key in new.cases],
        },
        "per_class": rows,
        "headline": headline,
        "by_case": _by_case(new, current, keys, common),
        "classes": {"kept": common, "added": added, "gone": lost, "renamed": []},
    }


def _verdict(rows: Sequence[Document], headline: Document, patients: int, *, failed: bool, common: bool) -> tuple[str, str]:
    learnt = [row for row in rows if row["verdict"] == IS_LEARNT]
    if failed:
        return "kept", "failed"
    if patients < LEAST_PATIENTS:
        return "kept", "few"
    if not common:
        return ("promoted", "other") if learnt else ("kept", "other")
    # A class that no held-out patients show, or too few, says nothing for or against.
    judged = [row for row in rows if row["difference"] is not None and row["patients"] >= LEAST_PATIENTS]
    sound = all(row["verdict"] in (BETTER, NO_WORSE) for row in judged)
    if headline["verdict"] == BETTER:
        return ("promoted", "better") if sound else ("kept", "class")
    if learnt and judged and sound:
        return "promoted", "added"
    return ("kept", "equal") if sound or not learnt else ("kept", "class")


def _differences(
    new: Judged, current: Judged, keys: Sequence[str], common: Sequence[str], patients: Mapping[str, str]
) -> tuple[list[Document], Document]:
    if not common or not keys:
        return [], _row("all classes", [Interval(None, None, None, 0.95, 0, 0, 0)] * 3, 0)
    pairs = [_pair(new, current, keys, name) for name in common]
    pooled = new.figure == POOLED

    def figures(weights: IntArray) -> FloatArray:
        found = np.stack([np.stack([one(weights) for one in pair], axis=1) for pair in pairs], axis=1)
        both = np.isfinite(found).all(axis=2)
        whole = _pooled(pairs, weights) if pooled else _mean(found, both)
        table = np.concatenate([found, whole[:, None]], axis=1)
        return np.concatenate([table, table[:, :, :1] - table[:, :, 1:]], axis=2).reshape(len(weights), -1)

    intervals = weighted_intervals(figures, [patients[key] for key in keys])
    counts = [_count([new, current], keys, [name], patients) for name in common]
    rows = [_row(name, intervals[3 * n : 3 * n + 3], counts[n]) for n, name in enumerate(common)]
    return rows, _row("all classes", intervals[3 * len(common) :], _count([new, current], keys, common, patients))


def _count(sides: Sequence[Judged], keys: Sequence[str], names: Sequence[str], patients: Mapping[str, str]) -> int:
    """Return how many patients show one of the classes, or a model found it in them: no others change its figure."""
    found = set()
    for key in keys:
        for name in names:
            parts = [side.cases[key][name] for side in sides if name in side.cases[key]]
            if len(parts) == len(sides) and any(part.shown for part in parts):
                found.add(patients[key])
    return len(found)


def _pair(new: Judged, current: Judged, keys: Sequence[str], name: str) -> tuple[ClassFigure, ClassFigure]:
    """Return a class of both models, of the cases in which both were judged in it."""
    empty = Part()
    both = [key for key in keys if name in new.cases[key] and name in current.cases[key]]
    there = set(both)
    sides = [[side.cases[key][name] if key in there else empty for key in keys] for side in (new, current)]
    return ClassFigure(sides[0]), ClassFigure(sides[1])


def _mean(found: FloatArray, both: Any) -> FloatArray:
    """Return the mean over the classes that ``both`` sides have a figure of, shape (draws, 2)."""
    counts = both.sum(axis=1)[:, None]
    sums = np.where(both[:, :, None], found, 0.0).sum(axis=1)
    return np.asarray(np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0))


def _pooled(pairs: Sequence[tuple[ClassFigure, ClassFigure]], weights: IntArray) -> FloatArray:
    """Return the mean over the objects of all classes, shape (draws, 2)."""
    sums = np.array([[one.sums(weights) for one in pair] for pair in pairs]).sum(axis=0)
    above, below = sums[:, 0], sums[:, 1]
    return np.asarray(np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)).T


def _row(name: str, intervals: Sequence[Interval], patients: int) -> Document:
    new, current, difference = intervals
    return {
        "name": name,
        "new": new.value,
        "current": current.value,
        "difference": difference.value,
        "ci95": [difference.low, difference.high],
        "patients": patients,
        "verdict": _of_difference(difference) if patients >= LEAST_PATIENTS else NOT_SHOWN,
    }


def _of_difference(found: Interval) -> str:
    if found.value is None or found.low is None or found.high is None:
        return NOT_SHOWN
    if found.low > 0:
        return BETTER
    if found.low > -MARGIN:
        return NO_WORSE
    return WORSE if found.high < 0 or found.value < -MARGIN else NOT_SHOWN


def _of_added(new: Judged, keys: Sequence[str], added: Sequence[str], patients: Mapping[str, str]) -> list[Document]:
    """Return classes that only the new model has; ``ci95`` is that of their own figure."""
    if not added or not keys:
        return []
    figures = [ClassFigure([new.cases[key].get(name, Part()) for key in keys]) for name in added]
    own = [patients[key] for key in keys]
    found = weighted_intervals(lambda weights: np.stack([one(weights) for one in figures], axis=1), own)
    counts = [_count([new], keys, [name], patients) for name in added]
    return [
        {
            "name": name,
            "new": one.value,
            "current": None,
            "difference": None,
            "ci95": [one.low, one.high],
            "patients": count,
            "verdict": _of_own(one) if count >= LEAST_PATIENTS else NOT_SHOWN,
        }
        for name, one, count in zip(added, found, counts, strict=True)
    ]


def _of_own(found: Interval) -> str:
    return IS_LEARNT if found.value is not None and found.value >= LEARNT and (found.low or 0) > 0 else NOT_LEARNT


def _by_case(new: Judged, current: Judged, keys: Sequence[str], common: Sequence[str]) -> list[Document]:
    found = []
    for key in keys:
        scores = [
            (new.cases[key][name].score, current.cases[key][name].score)
            for name in common
            if name in new.cases[key] and name in current.cases[key]
        ]
        held = [(mine, theirs) for mine, theirs in scores if mine is not None or theirs is not None]
        if held:
            # Of a class that one of them rightly left empty, that one has all of it right.
            mine, theirs = (float(np.mean([1.0 if n is None else n for n in side])) for side in zip(*held, strict=True))
            found.append({"case": key, "new": mine, "current": theirs, "difference": mine - theirs})
    return sorted(found, key=lambda row: (row["difference"], row["case"]))
