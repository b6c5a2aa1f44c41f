"""Runs rows in a work folder: what is done is not done again, what was broken off goes on."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from medview.core.atomic import replacing
from medview.ml.recipes.reader import read_recipe, recipe_document
from medview.ml.recipes.table import choose
from medview.ml.spec import Task
from tests.accuracy.trainings.command_line import ROOT, medview, run
from tests.accuracy.trainings.figures import figures_of, pooled
from tests.accuracy.trainings.machine import machine
from tests.accuracy.trainings.projects import project_of
from tests.accuracy.trainings.row import Row
from tests.accuracy.trainings.rows import ROWS
from tests.accuracy.trainings.training import trained

RESULT = "row.json"
SHORTEST_MINUTES = 1.0
"""However small the share: less is no training."""

_CODE = (
    "medview/ml/lineage",
    "medview/ml/networks",
    "medview/ml/runners",
    "medview/ml/training",
    "medview/analysis/agreement",
    "medview/workspace/evaluation",
    "medview/workspace/training",
)
"""What figures hang on beside recipe and data."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bench:
    """Where rows are run.

    Attributes
    ----------
    work : Path
        Holds projects, trainings and results.
    data : Path
        What MEDVIEW_TEST_DATA names.
    share : float
        Part of the time, or of the steps, that each training gets; 1 for figures that are published.
    say : callable
        Told what goes on, a line at a time.
    """

    work: Path
    data: Path
    share: float = 1.0
    say: Callable[[str], None] = print

    def folder(self, row: Row) -> Path:
        """Return where a row lies. Another recipe, other data or another budget is another folder."""
        return self.work / "rows" / f"{row.name}-{self.key(row)[:12]}"

    def run_of(self, row: Row, part: int | None = None) -> Path:
        """Return the folder of a training."""
        return self.folder(row) / ("run" if part is None else f"run-{part}")

    def result(self, row: Row) -> Document | None:
        """Return what a row came to; None where it has not been run to its end."""
        try:
            found: Document = json.loads((self.folder(row) / RESULT).read_text("utf-8"))
        except FileNotFoundError:
            return None
        return found

    def recipe(self, row: Row) -> Document:
        """Return the recipe of a row, every key written out."""
        return recipe_of(row, self.share)

    def minutes(self, row: Row) -> float | None:
        """Return the wall time of each training of a row."""
        return None if row.minutes is None else max(SHORTEST_MINUTES, row.minutes * self.share)

    def key(self, row: Row) -> str:
        """Return a checksum over all that makes a row another one."""
        what = {
            "recipe": self.recipe(row),
            "minutes": self.minutes(row),
            "seed": row.seed,
            "folds": row.folds,
            "data": "" if row.script else row.data.sha256(self.data),
            "options": row.data.options,
            "parent": self.key(ROWS[row.parent]) if row.parent else "",
            "script": row.script,
        }
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()

    def carry_out(self, row: Row) -> Document:
        """Run a row to its end, from wherever an earlier process ended, and return what it came to.

        Raises
        ------
        CommandError, MedViewError, FileNotFoundError
        """
        if (done := self.result(row)) is not None:
            return done
        if row.parent:
            self.carry_out(ROWS[row.parent])
        self.folder(row).mkdir(parents=True, exist_ok=True)
        recipe = self.folder(row) / "recipe.json"
        _write(recipe, self.recipe(row))
        reports = [self._scripted(row, recipe) if row.script else self._part(row, part, recipe) for part in row.parts]
        result = self._concluded(row, reports)
        _write(self.folder(row) / RESULT, result)
        return result

    def _part(self, row: Row, part: int | None, recipe: Path) -> tuple[Document, Document]:
        """Train one model, judge it on the project's validation cases; return the result of the training and the report."""
        project = project_of(row.data, self.data, self.work / "projects", part, row.folds)
        folder = self.run_of(row, part)
        where = row.name if part is None else f"{row.name}, fold {part}"
        if not (folder / "result.json").exists():
            self._train(row, project, folder, recipe, where)
        report = self.folder(row) / ("report" if part is None else f"report-{part}")
        if not (report / "report.json").exists():
            self.say(f"{where}: judging")
            shutil.rmtree(report, ignore_errors=True)
            medview("evaluate", folder / "pack", project, "--split", "val", "-o", report, "--quiet")
        return _read(folder / "result.json"), _read(report / "report.json")

    def _train(self, row: Row, project: Path, folder: Path, recipe: Path, where: str) -> None:
        # Pictures that stand in two splits of a public dataset must not make figures better.
        options: list[object] = ["--task", row.task, "--recipe", recipe, "--seed", row.seed, "--without-leaks", "--yes"]
        # Rows of one project are no versions of one model: none waits for another to be judged.
        options.append("--apart")
        if (minutes := self.minutes(row)) is not None:
            options += ["--minutes", minutes]
        if row.parent:
            options += ["--parent", self.run_of(ROWS[row.parent]) / "pack"]
        trained(project, folder, options, lambda what: self.say(f"{where}: {what}"))

    def _scripted(self, row: Row, recipe: Path) -> tuple[Document, Document]:
        """Run a row that a program of its own trains and judges."""
        if not (ROOT / row.script).is_file():
            raise FileNotFoundError(f"{row.script} is not there; {row.name} cannot be run.")
        folder = self.run_of(row)
        done = next((one for one in _events(folder) if one["kind"] == "done"), None)
        if done is None or not (folder / "report.json").exists():
            self.say(f"{row.name}: training; medview train --watch {folder} follows it")
            minutes = self.minutes(row)
            budget = [] if minutes is None else ["--minutes", minutes]
            run(row.script, folder, *budget, "--seed", row.seed, "--recipe", recipe, "--data", self.data)
            done = next(one for one in _events(folder) if one["kind"] == "done")
        return done, _read(folder / "report.json")

    def _concluded(self, row: Row, reports: list[tuple[Document, Document]]) -> Document:
        judged = [report for _, report in reports]
        figures = pooled(judged) if row.folds else figures_of(judged[0])
        if row.folds and row.data.doubtful:
            figures |= pooled(judged, row.data.doubtful)
        parts = [
            {
                "name": row.name if part is None else f"{row.name}-{part}",
                "minutes_asked": self.minutes(row),
                "minutes_used": round(result["seconds"] / 60, 1),
                "steps": result["steps"],
                "stopped": result.get("stopped", ""),
                "cases": report["cases"],
                "patients": report["patients"],
                "split_by": report["split_by"],
                "data": report["data"],
                "model_sha256": report["model_sha256"],
                "case_seconds": report["seconds"],
                "click_seconds": report.get("click_seconds"),
                "figures": figures_of(report),
            }
            for part, (result, report) in zip(row.parts, reports, strict=True)
        ]
        recipe = self.recipe(row)
        return {
            "row": row.name,
            "key": self.key(row),
            "share": self.share,
            "seed": row.seed,
            "recipe": recipe["name"],
            "recipe_document": recipe,
            "code_sha256": code_sha256(),
            "made_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "figures": figures,
            "thresholds": [
                {"figure": one.figure, "asked": one.words(), "reached": one.reached(figures)} for one in row.thresholds
            ],
            "parts": parts,
        }


def recipe_of(row: Row, share: float = 1.0) -> Document:
    """Return the recipe of a row, every key written out."""
    document = recipe_document(choose(Task(row.task), row.recipe or None))
    document |= row.changes
    if row.changes:
        document["name"] = row.name
    if row.minutes is None:
        document["steps"] = max(2, round(document["steps"] * share))
    return recipe_document(read_recipe(json.dumps(document)))


def code_sha256() -> str:
    """Return a checksum over the code that trains, runs and judges models."""
    total = hashlib.sha256()
    for folder in _CODE:
        for file in sorted((ROOT / folder).rglob("*.py")):
            total.update(file.read_bytes())
    return total.hexdigest()


def _events(run_folder: Path) -> list[Document]:
    try:
        lines = (run_folder / "events.jsonl").read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines if line.endswith("}")]


def _read(file: Path) -> Document:
    found: Document = json.loads(file.read_text("utf-8"))
    return found


def _write(file: Path, content: Mapping[str, Any]) -> None:
    with replacing(file) as opened:
        opened.write((json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())
