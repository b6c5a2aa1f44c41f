"""What the gate says, in one sentence or two, with classes and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medview.io.datasets.dataset_case import many
from medview.workspace.training.gate import BETTER, IS_LEARNT, LEAST_PATIENTS, NO_WORSE, NOT_LEARNT, WORSE

FIGURES = {"dice": "Dice", "ap50": "AP50", "f1": "F1", "dice_3": "Dice after 3 clicks"}
"""What figures of classes are called."""

MOST = 3
"""Classes told one by one."""


def sentence_of(gate: Mapping[str, Any], new: str, current: str) -> str:
    """Return the verdict of a gate document in words.

    Parameters
    ----------
    new, current : str
        What both models are called: ``v7`` and ``v6``. The current one is empty where there is none.
    """
    if gate["verdict"] == "first":
        return _first(gate, new, current)
    words = {
        "better": _better, "added": _added, "other": _other, "few": _few, "failed": _failed, "class": _class,
        "equal": _equal, "not judged": _not_judged,
    }  # fmt: skip
    return words[gate["why"]](gate, new, current) + _left_out(gate, new, current)


def _first(gate: Mapping[str, Any], new: str, current: str) -> str:
    if gate["why"] == "not judged":
        return f"{new} is the first; {current} could not be judged beside it: {gate['problem']}"
    if gate["why"] == "gone":
        return f"{new} could be compared with none: the pack of {gate['gone']}, which counted until now, is gone."
    return f"{new} is the first: there was none to compare it with."


def _better(gate: Mapping[str, Any], new: str, current: str) -> str:
    row = gate["headline"]
    between = f"{row['difference']:+.3f}, between {row['ci95'][0]:+.3f} and {row['ci95'][1]:+.3f}"
    return f"{new} is better than {current}: {_figures(gate, [row])} ({between}).{_of_classes(gate)}"


def _added(gate: Mapping[str, Any], new: str, current: str) -> str:
    learnt = [row for row in gate["per_class"] if row["verdict"] == IS_LEARNT]
    found = _listed([f"{row['name']} ({_title(gate)} {row['new']:.3f})" for row in learnt])
    return (
        f"{new} finds {found} as well and is no worse than {current} in what both find: "
        f"{_figures(gate, [gate['headline']])}.{_of_classes(gate, IS_LEARNT)}"
    )


def _other(gate: Mapping[str, Any], new: str, current: str) -> str:
    kept = gate["verdict"] == "kept"
    return f"{new} and {current} find nothing in common{f': kept {current}' if kept else ''}.{_of_classes(gate)}"


def _few(gate: Mapping[str, Any], new: str, current: str) -> str:
    where = f"only {_patients(gate, gate['patients'])}" if gate["patients"] else "no patient"
    if not gate["classes"]["kept"]:
        found = f"what {new} finds is in {where}, which is too few to tell"
        return f"{new} and {current} find nothing in common, and {found}: kept {current}."
    return f"{new} was compared with {current} in {where}, which is too few to tell: kept {current}."


def _failed(gate: Mapping[str, Any], new: str, current: str) -> str:
    count = many(len(gate["left_out"]["new_failed"]), "1 case", "{n} cases")
    return f"{new} did not run on {count} on which {current} does: kept {current}."


def _class(gate: Mapping[str, Any], new: str, current: str) -> str:
    poor = [row for row in _judged(gate) if row["verdict"] not in (BETTER, NO_WORSE)]
    worse = [row for row in poor if row["verdict"] == WORSE]
    names = _listed([str(row["name"]) for row in worse or poor])
    better = gate["headline"]["verdict"] == BETTER
    gained = f"is better than {current} as a whole" if better else f"finds more than {current}"
    lost = f"is worse in {names}" if worse else f"may be worse in {names}, as far as can be told"
    return f"{new} {gained}, but {lost}: kept {current}. {_figures(gate, worse or poor)}.{_of_classes(gate)}"


def _equal(gate: Mapping[str, Any], new: str, current: str) -> str:
    rows = sorted(_judged(gate), key=lambda row: row["difference"])
    told = rows[:1] if rows and rows[0]["difference"] < 0 else [gate["headline"]]
    figures = f" {_figures(gate, told)}." if told[0]["difference"] is not None else ""
    return f"{new} is not better than {current}: kept {current}.{figures}{_of_classes(gate)}"


def _not_judged(gate: Mapping[str, Any], new: str, current: str) -> str:
    return f"{new} could not be compared with {current}, which was kept: {gate['problem']}"


def _judged(gate: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in gate["per_class"] if row["difference"] is not None and _count(gate, row) >= LEAST_PATIENTS]


def _count(gate: Mapping[str, Any], row: Mapping[str, Any]) -> int:
    """Return how many patients show a class; gates of trainings that were over before that was counted do not say it."""
    return int(row.get("patients", gate["patients"]))


def _figures(gate: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return figures of both models: of a class by its name, of all by what the figure is called; and how many patients."""
    told, counts = [], []
    for row in rows[:MOST]:
        name = _title(gate) if row is gate["headline"] else row["name"]
        told.append(f"{name} {row['new']:.3f} against {row['current']:.3f}")
        counts.append(_patients(gate, _count(gate, row)))
    if len(set(counts)) == 1:
        return f"{', '.join(told)} in {counts[0]}"
    return ", ".join(f"{figures} in {count}" for figures, count in zip(told, counts, strict=True))


def _of_classes(gate: Mapping[str, Any], told: str = "") -> str:
    """Return what is to be known of classes that only one of the models has; ``told`` was said already."""
    said = ""
    for verdict, words in ((IS_LEARNT, " It also finds {}."), (NOT_LEARNT, " It does not find {} yet.")):
        rows = [row for row in gate["per_class"] if row["verdict"] == verdict]
        if rows and verdict != told:
            figures = [f"{row['name']} ({'–' if row['new'] is None else format(row['new'], '.3f')})" for row in rows]
            said += words.format(_listed(figures))
    counts = [(row["name"], _count(gate, row)) for row in gate["per_class"]]
    if few := [f"{name} ({count})" for name, count in counts if count < LEAST_PATIENTS]:
        said += f" Too few patients show {_listed(few)} to tell."
    for one in gate["classes"]["renamed"]:
        said += f" What was called {one['from']} is called {one['to']} now."
    gone = gate["classes"]["gone"]
    return f"{said} It no longer finds {_listed(gone)}." if gone else said


def _left_out(gate: Mapping[str, Any], new: str, current: str) -> str:
    count = len(gate["left_out"]["seen"])
    if not count:
        return ""
    cases = many(count, " 1 held-out case did not count", " {n} held-out cases did not count")
    return f"{cases}, since {current} or what {new} began with has learnt from {'it' if count == 1 else 'them'}."


def _patients(gate: Mapping[str, Any], count: int) -> str:
    """Return a number of patients; an image of which nobody knows the patient counts as one."""
    return many(count, "1 patient", "{n} patients") if gate["by_patient"] else many(count, "1 image", "{n} images")


def _title(gate: Mapping[str, Any]) -> str:
    return FIGURES[gate["figure"]]


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:MOST])
    if len(names) > MOST:
        return f"{', '.join(shown)} and {len(names) - MOST} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]
