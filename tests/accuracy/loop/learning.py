"""One training of a loop by the public command line: made, gone on with, or taken as it is; and what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medview.ml.lineage.recipe import TUNE_RATE, WARM_UP
from medview.ml.lineage.rung import AUTO
from medview.ml.recipes.reader import read_recipe, recipe_document
from medview.ml.recipes.recipe import Recipe
from medview.ml.recipes.table import choose
from medview.ml.spec import Task
from medview.store.project import Project
from medview.workspace.training.run_report import case_of_key
from tests.accuracy.loop.volumes import SUFFIX

Document = dict[str, Any]
Dices = dict[str, dict[str, float | None]]
"""By patient (name of the volume) and class."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One training that is wanted.

    Attributes
    ----------
    steps : int or None
        None where time ends it.
    minutes : float or None
        Wall time of the whole command.
    parent : Path or None
        Pack it begins with.
    tune : str
        How much of the parent learns.
    rate : float
        Of the optimiser, in place of the recipe's; 0 for that.
    looks : int
        At the validation cases, before the last one.
    """

    name: str
    steps: int | None = None
    minutes: float | None = None
    parent: Path | None = None
    tune: str = AUTO
    rate: float = 0.0
    looks: int = 2

    def recipe(self, base: Document) -> Document:
        """Return the recipe: the task's default with so many steps, made careful as for a parent without a recipe."""
        made = json.loads(json.dumps(base))
        if self.steps is not None:
            made |= {"steps": self.steps, "check_every": max(1, -(-self.steps // self.looks))}
        if self.parent is not None:
            # A recipe that somebody names keeps its rate; this one is only named to say how many steps are made.
            made["options"] = {**made.get("options", {}), "tune_rate": TUNE_RATE}
            made["schedule"]["warm_up"] = max(made["schedule"]["warm_up"], WARM_UP)
        if self.rate:
            made["optimiser"]["rate"] = self.rate
            made.get("options", {}).pop("tune_rate", None)
        return recipe_document(read_recipe(json.dumps(made)))


@dataclass(frozen=True, slots=True)
class Learnt:
    """A training that is done.

    Attributes
    ----------
    dices : dict
        On the held-out patients.
    gate : dict or None
        What the gate said; None where nothing was asked of it.
    """

    run: Path
    project: Path
    steps: int
    seconds: float
    dices: Dices
    gate: Document | None

    @property
    def pack(self) -> Path:
        """The model."""
        return self.run / "pack"

    def document(self) -> Document:
        """Return what is kept of it, ready for JSON."""
        gate = self.gate or {}
        return {
            "steps": self.steps,
            "seconds": round(self.seconds, 1),
            "dices": self.dices,
            "dice": means(self.dices),
            "verdict": gate.get("verdict"),
            "sentence": gate.get("sentence"),
        }


def default_recipe() -> Recipe:
    """Return what masks are learnt by where nobody asks for anything."""
    return choose(Task.SEGMENTATION, None)


def read_learnt(run: Path, project: Path) -> Learnt | None:
    """Return what a folder of a training holds once it is done; None before that."""
    result, report, gate = (_read(run / name) for name in ("result.json", "report.json", "gate.json"))
    if result is None or report is None:
        return None
    with Project.open(project, read_only=True) as opened:
        names = {
            row.case_id: Path(row.sources.paths[0]).name.removesuffix(SUFFIX)
            for row in opened.images()
            if row.sources.paths
        }
    dices: Dices = {}
    for case in report["by_case"]:
        number, _ = case_of_key(case["case"])
        dices[names[number] if number is not None else case["case"]] = {one["name"]: one["dice"] for one in case["classes"]}
    return Learnt(run, project, int(result["steps"]), float(result["seconds"]), dices, gate)


def means(dices: Dices) -> dict[str, float]:
    """Return the mean Dice of each class over patients, and under ``all`` that of the classes."""
    found: dict[str, list[float]] = {}
    for row in dices.values():
        for name, dice in row.items():
            if dice is not None:
                found.setdefault(name, []).append(dice)
    of_class = {name: float(np.mean(values)) for name, values in found.items()}
    return {**of_class, "all": float(np.mean(list(of_class.values())))} if of_class else {}


def _read(file: Path) -> Document | None:
    try:
        found: Document = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    return found
