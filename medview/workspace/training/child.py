"""What runs in the process of a training: from its folder alone to the pack and its report."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medview.core.errors import CancelledError, MedViewError
from medview.core.job import JobContext, JobPart
from medview.io.datasets.neutral_read import read_neutral
from medview.ml.examples import ExampleSet
from medview.ml.runners.quiet_import import import_torch
from medview.ml.runs.control import Control
from medview.ml.runs.folder import RunFolder, RunSettings, nothing_kept
from medview.ml.spec import Task
from medview.workspace.requests_prompt import grow_first
from medview.workspace.training.examples import examples_of
from medview.workspace.training.gate_run import VAL, GateRun
from medview.workspace.training.leaks import without
from medview.workspace.training.line_of_run import take_home

if TYPE_CHECKING:
    from medview.ml.runs.events import EventLog
    from medview.ml.training.engine.outcome import Outcome
    from medview.ml.training.task import TrainingTask

_LONG = ("by_case", "curves", "worst", "calibration", "bootstrap", "headlines", "guards", "training", "gate")
"""What only the report holds."""


def train_run(
    path: Path, context: JobContext, asked: Callable[[], bool], began: float | None = None, *, enough: bool = False
) -> dict[str, Any]:
    """Train in a run folder, from wherever an earlier process of it ended; the project is not needed.

    Parameters
    ----------
    asked : callable
        Whether somebody wants a break: the next step is the last, and the same call goes on.
    began : float, optional
        ``time.monotonic()`` when this life of the training began; now unless given.
    enough : bool
        The training was broken off and is not to be gone on with: its best weights are judged and become the pack.

    Returns
    -------
    dict
        What ``medview train --json`` prints; empty in all processes but the first.

    Raises
    ------
    RunBusyError
        When another process of this computer trains there.
    CancelledError
        After a break.
    MedViewError
    """
    began = time.monotonic() if began is None else began
    run = RunFolder(path)
    settings = run.settings()
    if (done := run.read_json(run.result)) is not None:
        take_home(path)
        _clear(run)
        return done
    if enough and not any(run.checkpoints.glob("step-*.ckpt")):
        raise nothing_kept(run)
    control = Control(run, enough=enough)

    def break_wanted() -> bool:
        return asked() or control.pause

    context = _Breakable(context, break_wanted, path.name)
    import_torch()
    from medview.ml.training.engine.processes import Processes
    from medview.ml.training.engine.train import Training, event_log

    processes = Processes.of_environment()
    with ExitStack() as held:
        # Of processes on several computers that share a disk the first alone: its lock may hold for all of them.
        if processes.first:
            held.enter_context(run.held(patience_s=1.0))
            # What was asked of an earlier life does not count for this one.
            control.obeyed()
            _sweep(run)
        held.callback(processes.part)
        log = held.enter_context(event_log(run, settings, processes, time.monotonic() - began))
        try:
            dataset = read_neutral(run.dataset, check=not run.plan.exists())
            examples = examples_of(dataset, settings.task, settings.target, reviewed_only=not settings.unfinished)
            examples = without(examples, settings.left_out)
            gate = GateRun(run, dataset, examples, settings.renames, device=settings.device)
            # Before the steps are planned: what it takes is known then, and what comes after can be told from it.
            case_seconds = _current_judged(gate, log, JobPart(context, 0.0, 0.02)) if log is not None else 0.0
            report_seconds = case_seconds * len(examples.of_split(VAL))
            training = Training(run, settings, examples, context, break_wanted, _task_of(settings), control, report_seconds)
            outcome = training.carry_out(processes, log)
            if outcome is None or log is None:
                return {}
            result = _concluded(run, settings, examples, outcome, log, JobPart(context, 0.93, 1.0), gate)
            if said := take_home(path):
                log.add("note", text=said)
            _clear(run)
            return result
        except CancelledError:
            if log is not None:
                control.obeyed()
            _tell(log, "stopped", reason="asked")
            raise
        except MedViewError as error:
            _tell(log, "failed", text=error.sentence)
            raise


def _task_of(settings: RunSettings) -> TrainingTask | None:
    """Return how a task is trained where that needs something of other parts of MedView; None where the table knows."""
    if settings.task is not Task.INTERACTIVE:
        return None
    from medview.ml.training.interactive.task import InteractiveTask

    return InteractiveTask(grow_first)


def _current_judged(gate: GateRun, log: EventLog, context: JobContext) -> float:
    """Judge the model that counts, and return the seconds of a case; 0 where there is none, or nothing is known."""
    if gate.rival is None:
        return 0.0
    log.add("stage", name="judge", model=gate.rival.title)
    return gate.judge_current(context)


def _concluded(
    run: RunFolder,
    settings: RunSettings,
    examples: ExampleSet,
    outcome: Outcome,
    log: EventLog,
    context: JobContext,
    gate: GateRun,
) -> dict[str, Any]:
    """Judge the pack by the runner everybody uses, write down what is known of it, and the result."""
    from medview.workspace.training.judged import judge

    log.add("stage", name="evaluate")
    document = judge(run, settings, examples, outcome, log.used, context, gate).document()
    result: dict[str, Any] = {
        "run": str(run.path),
        "model": outcome.pack.spec.key,
        "task": settings.task.value,
        "recipe": settings.recipe.name,
        "seed": settings.seed,
        "steps": outcome.steps,
        "seconds": round(log.used, 1),
        "score": outcome.figures.get("score"),
        "validation": {name: value for name, value in document.items() if name not in _LONG},
        "pack": str(run.pack),
        "stopped": outcome.reason,
    }
    if gate.wanted:
        result["gate"] = {name: document["gate"][name] for name in ("verdict", "sentence")}
        log.add("gate", **result["gate"])
    log.add("done", **{name: result[name] for name in ("model", "steps", "seconds", "score", "stopped")})
    run.write_json(run.result, result)
    return result


def _clear(run: RunFolder) -> None:
    """Remove what only a training that goes on needs: of scans that is more than all the rest."""
    for folder in (run.cache, run.checkpoints):
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(run: RunFolder) -> None:
    """Remove what earlier lives were writing when they were killed."""
    for left in (*run.checkpoints.glob(".medview-*.tmp"), *run.cache.glob(".medview-*.tmp"), *run.cache.glob(".part-*")):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            with suppress(OSError):
                left.unlink()


class _Breakable:
    """A context of stages that do again what they were at, so that they may be ended at once."""

    def __init__(self, context: JobContext, asked: Callable[[], bool], name: str) -> None:
        self._context, self._asked, self._name = context, asked, name

    def progress(self, fraction: float, text: str) -> None:
        """Report it."""
        self._context.progress(fraction, text)

    def partial(self, value: object) -> None:
        """Hand it over."""
        self._context.partial(value)

    def raise_if_cancelled(self) -> None:
        """Raise CancelledError once somebody wants a break."""
        self._context.raise_if_cancelled()
        if self._asked():
            raise CancelledError(f"Training stopped; go on with medview train --run {self._name}.")


def _tell(log: EventLog | None, kind: str, **said: Any) -> None:
    if log is not None:
        log.add(kind, **said)
