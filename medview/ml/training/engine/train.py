"""A training from its folder to a pack: every stage takes up what an earlier, killed one left."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from medview.core.errors import DeviceError, ModelError
from medview.core.job import JobContext, JobPart
from medview.ml.examples import Example, ExampleSet
from medview.ml.packs import load_pack
from medview.ml.runs.control import Control
from medview.ml.runs.events import EventLog, read_events, used_seconds
from medview.ml.runs.folder import RunFolder, RunSettings
from medview.ml.training.build import channels_last
from medview.ml.training.engine import checkpoint
from medview.ml.training.engine.askable import check_askable
from medview.ml.training.engine.loop import Loop, Steady, batches_of, make_steps
from medview.ml.training.engine.module import moved
from medview.ml.training.engine.outcome import Outcome, round_kernels, write_outcome
from medview.ml.training.engine.pace import Pace, Trial, find_pace
from medview.ml.training.engine.plan_file import read_plan, write_plan
from medview.ml.training.engine.processes import Processes
from medview.ml.training.engine.resources import check_disk, check_memory, folder_bytes, weights_bytes
from medview.ml.training.engine.samples import SampleTaker
from medview.ml.training.engine.tasks import training_task
from medview.ml.training.finetune.task import TunedTask, begun_of
from medview.ml.training.task import TrainingPlan, TrainingTask

TRAIN, VAL = "train", "val"


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """One training in this process.

    Attributes
    ----------
    examples : ExampleSet
        Of the frozen dataset; those of the locked test split are never looked at.
    asked : callable
        Whether somebody wants a break.
    task : TrainingTask or None
        How it is trained; by the table unless given.
    control : Control or None
        What is asked of it by its folder; looked at here unless given.
    report_seconds : float
        That judging the model in the end takes, as far as is known; 0 where nothing is.
    """

    run: RunFolder
    settings: RunSettings
    examples: ExampleSet
    context: JobContext
    asked: Callable[[], bool]
    task: TrainingTask | None = None
    control: Control | None = None
    report_seconds: float = 0.0

    def carry_out(self, processes: Processes, events: EventLog | None) -> Outcome | None:
        """Train, and return what came of it; None in all processes but the first.

        Raises
        ------
        MedViewError
            CancelledError among them, when somebody asked for a break: the same call goes on.
        """
        settings, recipe, run = self.settings, self.settings.recipe, self.run
        task = self.task or training_task(settings.task)
        if settings.parent:
            task = TunedTask(task, load_pack(run.parent), settings.renames)
        device = device_of(settings.device, processes)
        processes.meet(device)
        train, validation = (self.examples.of_split(split) for split in (TRAIN, VAL))
        if not train or not validation:
            raise ModelError("There are no cases to train on, or none to validate with; split the cases of the project.")
        plan = self._planned(task, processes, events)
        network = first_network(task, plan, settings)
        if events is not None:
            _tell_begun(network, run, events)
        room = weights_bytes(network)
        if processes.local_rank == 0:
            check_disk(run.path, plan, room, folder_bytes(run.cache))
            check_memory(device, plan, room)
        self._prepare(task, plan, (*train, *validation), processes, events)
        opened = task.open(run.cache, [one.key for one in train], plan)
        seen = task.open(run.cache, [one.key for one in validation], plan)
        pace = self._paced(task, plan, network, opened, seen, len(validation), device, processes, events)
        before = processes.told(checkpoint.load_last(run.checkpoints) if processes.first else None)
        again = False
        if events is not None:
            # An earlier life may have been killed before its first checkpoint.
            again = before is not None or any(event["kind"] == "step" for event in read_events(run.events))
            events.add("stage", name="train")
            if again:
                events.add("resumed", step=before.step if before else 0)
        with _scalars(run, processes, (before.step if before else 0) if again else None) as scalars:
            steady = Steady(JobPart(self.context, 0.1, 0.9))
            samples = SampleTaker(run, [one.key for one in validation], steady) if settings.samples else None
            loop = Loop(
                run, task, plan, recipe, pace, settings.seed, network, opened, seen, device, processes, events, scalars,
                self.asked, self.control or Control(run), steady, samples,
            )  # fmt: skip
            state = make_steps(loop, before)
        if not processes.first or events is None:
            return None
        events.add("stopped", step=state.step, reason=state.reason)
        return self._finish(task, plan, network, seen, state, device, events)

    def _planned(self, task: TrainingTask, processes: Processes, events: EventLog | None) -> TrainingPlan:
        if processes.first and read_plan(self.run) is None:
            assert events is not None, "the first process writes"
            events.add("stage", name="plan")
            self.context.progress(0.0, "Planning the training")
            # Whoever plans is not shown the locked test cases.
            shown = tuple(one for one in self.examples.examples if one.split in (TRAIN, VAL))
            examples = replace(self.examples, examples=shown)
            made = task.plan(examples, self.settings.recipe, JobPart(self.context, 0.0, 0.03))
            check_askable(made.spec, examples.of_split(VAL))
            write_plan(self.run, made)
        processes.wait()
        plan = processes.told(read_plan(self.run) if processes.first else None)
        assert isinstance(plan, TrainingPlan)
        if plan.batch < processes.count:
            raise ModelError(
                f"{processes.count} processes cannot share a batch of {plan.batch}; start fewer, or use a larger batch."
            )
        return plan

    def _prepare(
        self,
        task: TrainingTask,
        plan: TrainingPlan,
        examples: tuple[Example, ...],
        processes: Processes,
        events: EventLog | None,
    ) -> None:
        """Write prepared examples: on the first computer, then on others whose folder is not the same."""
        if events is not None:
            events.add("stage", name="prepare", examples=len(examples))
        for turn in (True, False):
            if processes.local_rank == 0 and processes.first is turn:
                self.run.cache.mkdir(exist_ok=True)
                for number, example in enumerate(examples):
                    self.context.raise_if_cancelled()
                    done = number / len(examples)
                    self.context.progress(0.03 + 0.07 * done, f"Preparing case {number + 1} of {len(examples)}")
                    task.store(example, plan, self.run.cache, JobPart(self.context, 0.03 + 0.07 * done, 0.1))
            processes.wait()

    def _paced(
        self,
        task: TrainingTask,
        plan: TrainingPlan,
        network: nn.Module,
        training: Any,
        validation: Any,
        examples: int,
        device: torch.device,
        processes: Processes,
        events: EventLog | None,
    ) -> Pace:
        pace: Pace | None = None
        if processes.first:
            assert events is not None, "the first process writes"
            content = self.run.read_json(self.run.pace)
            if content is None:
                recipe = self.settings.recipe
                batches = batches_of(task, plan, recipe, training, self.settings.seed, processes, 0, 1)
                trial = Trial(task, plan, recipe, network, batches, validation, examples, device, moved)
                pace = find_pace(trial, self.settings.minutes, lambda: events.used, self.context, self.report_seconds)
                self.run.write_json(self.run.pace, pace.document())
                events.add("note", text="Pace", **pace.document())
            else:
                pace = Pace(**content)
        found = processes.told(pace)
        assert isinstance(found, Pace)
        return found

    def _finish(
        self,
        task: TrainingTask,
        plan: TrainingPlan,
        network: nn.Module,
        validation: Any,
        state: checkpoint.TrainingState,
        device: torch.device,
        events: EventLog,
    ) -> Outcome:
        events.add("stage", name="finish")
        self.context.progress(0.9, "Finishing the model")
        best = copy.deepcopy(network).cpu().eval().requires_grad_(requires_grad=False)
        best.load_state_dict(state.average if state.best is None else state.best)
        best = task.plain(best)
        round_kernels(best, self.settings)
        # Looks at validation take the time that was measured where the steps were made.
        spec = task.finish(best.to(device), validation, plan, JobPart(self.context, 0.9, 0.93))
        pack = write_outcome(self.run, self.settings, spec, best)
        return Outcome(pack, state.step, state.best_step, state.best_figures or {}, state.reason, events.used)


def first_network(task: TrainingTask, plan: TrainingPlan, settings: RunSettings) -> nn.Module:
    """Return the network with its first weights, the same for the same seed."""
    torch.manual_seed(settings.seed)
    network = task.network(plan)
    channels_last(network)
    return network


def _tell_begun(network: nn.Module, run: RunFolder, events: EventLog) -> None:
    """Say once what became of a parent's weights."""
    begun = begun_of(network)
    if begun is not None and run.read_json(run.borrowed) is None:
        document = begun.report.document()
        run.write_json(run.borrowed, document)
        events.add("borrowed", text=document["sentence"], rung=document["rung"], gone=document["gone"])


def device_of(wanted: str, processes: Processes) -> torch.device:
    """Return where to compute.

    Raises
    ------
    DeviceError
        When there is no graphics card and one is asked for, or there are fewer than processes.
    """
    if wanted == "cpu" or (wanted == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise DeviceError("There is no graphics card that can be used; train with --device cpu.")
    cards = torch.cuda.device_count()
    if processes.local_rank >= cards:
        raise DeviceError(
            f"{processes.local_count} processes are started on a computer with {cards} graphics cards that can be used; "
            f"start {cards} (--nproc-per-node)."
        )
    # Matrix products on graphics cards are the same every time only with room of their own.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    return torch.device("cuda", processes.local_rank)


@contextmanager
def event_log(run: RunFolder, settings: RunSettings, processes: Processes, since: float = 0.0) -> Iterator[EventLog | None]:
    """Give the first process the events of a run to write on; others get None.

    Parameters
    ----------
    since : float
        Seconds that this life took already; those of earlier lives are known.
    """
    if not processes.first:
        yield None
        return
    earlier = read_events(run.events)
    before = used_seconds(earlier) if earlier else settings.frozen_seconds
    log = EventLog(run.events, before + since)
    try:
        yield log
    finally:
        log.close()


@contextmanager
def _scalars(run: RunFolder, processes: Processes, step: int | None) -> Iterator[Any]:
    """Give the first process what draws curves; those of an earlier life end at ``step`` where there was one."""
    if not processes.first:
        yield None
        return
    from tensorboardX import SummaryWriter

    writer = SummaryWriter(str(run.tensorboard), purge_step=step)
    try:
        yield writer
    finally:
        writer.close()
