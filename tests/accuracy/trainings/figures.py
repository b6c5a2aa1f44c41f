"""Figures of reports: the headlines of one, and what the validation cases of several folds come to together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from medview.analysis.agreement.bootstrap import mean_interval

Document = dict[str, Any]


def figures_of(report: Document) -> dict[str, Document]:
    """Return the headlines of a report by name: ``title``, ``value``, ``low``, ``high``."""
    return {one["name"]: {key: one[key] for key in ("title", "value", "low", "high")} for one in report["headlines"]}


WITHOUT = "without-doubtful"
"""Ends the names of figures from which patients with doubtful labels were left out."""


def pooled(reports: Sequence[Document], without: Collection[str] = ()) -> dict[str, Document]:
    """Return mean Dice of each class over the cases of all folds, with intervals from draws of patients.

    A patient validates in one fold only, so patients of two folds are two, whatever they are called there.

    Parameters
    ----------
    without : collection of str
        Patients that are left out; the figures have other names then.

    Raises
    ------
    ValueError
        When one of those was not judged: patients would have other numbers than when their labels were looked at.
    """
    if gone := set(without) - {case["patient"] for report in reports for case in report["by_case"]}:
        raise ValueError(f"{', '.join(sorted(gone))} cannot be left out: not among the patients that were judged.")
    ending, words = (f".{WITHOUT}", ", without doubtful labels") if without else ("", "")
    dices: dict[str, list[float | None]] = {}
    patients: dict[str, list[tuple[int, str]]] = {}
    for fold, report in enumerate(reports):
        for case in (one for one in report["by_case"] if one["patient"] not in without):
            for one in case["classes"]:
                dices.setdefault(one["name"], []).append(one["dice"])
                patients.setdefault(one["name"], []).append((fold, case["patient"] or case["case"]))
    found = {}
    for name, values in dices.items():
        interval = mean_interval(values, patients[name])
        found[f"dice.{name}{ending}"] = {
            "title": f"Dice, {name}, all folds{words}",
            "value": interval.value,
            "low": interval.low,
            "high": interval.high,
        }
    return found
