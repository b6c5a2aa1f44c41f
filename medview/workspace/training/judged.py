"""A trained pack is judged by the runner everybody uses, and gets its card and its report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from medview.core.job import JobContext
from medview.ml.examples import ExampleSet
from medview.ml.runs.folder import RunFolder, RunSettings
from medview.workspace.evaluation.evaluate import evaluate_pack
from medview.workspace.evaluation.files import write_report
from medview.workspace.evaluation.judging import EvaluationSettings
from medview.workspace.evaluation.model_card import TrainingFacts, carded, machine_line
from medview.workspace.evaluation.report import EvaluationReport
from medview.workspace.training.gate_run import GateRun
from medview.workspace.training.learnt import LEARNT_FILE, learnt_file

if TYPE_CHECKING:
    from medview.ml.training.engine.outcome import Outcome

VALIDATION = "val"


def judge(
    run: RunFolder,
    settings: RunSettings,
    examples: ExampleSet,
    outcome: Outcome,
    seconds: float,
    context: JobContext,
    gate: GateRun | None = None,
) -> EvaluationReport:
    """Judge the pack of a run on its validation examples; write the report, the card into the pack, and the gate's verdict.

    Parameters
    ----------
    seconds : float
        That the training took so far.
    gate : GateRun, optional
        Of a training on the cases of a project; without one the pack does not tell its cases, and there is no verdict.

    Raises
    ------
    MedViewError
    """
    report = evaluate_pack(outcome.pack, examples, VALIDATION, context, EvaluationSettings(device=settings.device))
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
    pack = carded(report, guards, facts, {} if gate is None else {LEARNT_FILE: learnt_file(gate.learnt)})
    if gate is not None and gate.wanted:
        more["gate"] = gate.decide(report, pack, context)
    report = replace(report, pack=pack, more=more)
    write_report(report, run.path, overwrite=True)
    return report
