"""A trained pack is judged by the runner everybody uses, and gets its card and its report."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from medview.core.errors import CancelledError, MedViewError
from medview.core.job import JobContext
from medview.ml.examples import ExampleSet
from medview.ml.packs import load_pack
from medview.ml.runs.folder import RunFolder, RunSettings
from medview.ml.spec import MODEL_FILE
from medview.workspace.evaluation.comparison import compare
from medview.workspace.evaluation.evaluate import evaluate_pack
from medview.workspace.evaluation.files import write_report
from medview.workspace.evaluation.judging import EvaluationSettings
from medview.workspace.evaluation.model_card import TrainingFacts, carded, machine_line
from medview.workspace.evaluation.report import EvaluationReport

if TYPE_CHECKING:
    from medview.ml.training.engine.outcome import Outcome

VALIDATION = "val"

_log = logging.getLogger("medview.training")


def judge(
    run: RunFolder, settings: RunSettings, examples: ExampleSet, outcome: Outcome, seconds: float, context: JobContext
) -> EvaluationReport:
    """Judge the pack of a run on its validation examples; write the report, and the card into the pack.

    Parameters
    ----------
    seconds : float
        That the training took so far.

    Raises
    ------
    MedViewError
    """
    report = evaluate_pack(outcome.pack, examples, VALIDATION, context)
    guards = run.read_json(run.guards)
    facts = TrainingFacts(
        recipe=settings.recipe.name,
        summary=settings.recipe.summary,
        seed=settings.seed,
        steps=outcome.steps,
        stopped=outcome.reason,
        seconds=seconds,
        created_utc=settings.created_utc,
        parent=settings.parent,
        begun=str((run.read_json(run.borrowed) or {}).get("sentence", "")),
        machine=machine_line(report.speed.device),
        versions=settings.versions,
    )
    more: dict[str, object] = {"guards": guards, "training": facts.document()}
    # Within a time limit there is none for a second model; ``medview evaluate --against`` compares any time.
    if settings.minutes is None and (beside := _parent(run, examples, context)) is not None:
        more["comparison"] = compare(report, beside)
    report = replace(report, more=more)
    report = replace(report, pack=carded(report, guards, facts))
    write_report(report, run.path, overwrite=True)
    return report


def _parent(run: RunFolder, examples: ExampleSet, context: JobContext) -> EvaluationReport | None:
    """Judge the model that the training began with; None where there is none, or it finds other things."""
    if not (run.parent / MODEL_FILE).is_file():
        return None
    try:
        return evaluate_pack(load_pack(run.parent), examples, VALIDATION, context, EvaluationSettings(pictures=False))
    except CancelledError:
        raise
    except MedViewError as error:
        _log.info("not compared with the parent: %s", error.sentence)
        return None
