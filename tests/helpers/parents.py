"""Models that a training begins with: packs with random weights, planned as a training plans, and trainings from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save

from medview.core.job import Inline
from medview.ml.examples import ExampleSet
from medview.ml.lineage.recipe import recipe_from_parent
from medview.ml.packs import ModelPack, copy_pack, write_pack
from medview.ml.recipes.recipe import Recipe
from medview.ml.runs.folder import RunFolder, RunSettings
from medview.ml.spec import ModelSpec
from medview.ml.spec_writer import document_of
from medview.ml.training.engine.outcome import Outcome
from medview.ml.training.engine.processes import Processes
from medview.ml.training.engine.train import Training, event_log
from medview.ml.training.finetune.task import TunedTask
from medview.ml.training.task import TrainingPlan, TrainingTask


def random_parent(
    folder: Path,
    task: TrainingTask,
    examples: ExampleSet,
    recipe: Recipe,
    alter: Callable[[ModelSpec], ModelSpec] = lambda s: s,
) -> ModelPack:
    """Write a pack whose weights nobody trained; ``alter`` changes its description."""
    spec = alter(task.plan(examples, recipe, Inline()).spec)
    torch.manual_seed(4)
    network = task.network(TrainingPlan(spec, 1, 0, 0, {"weights": ""}))
    for parameter in network.parameters():
        if parameter.ndim == 1:
            torch.nn.init.normal_(parameter, 0.1, 0.3)
    content = {key: value for key, value in document_of(spec).items() if key != "files"}
    state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    return write_pack(folder, content, {"weights.safetensors": save(state), "LICENSE": b"x\n"})


def tuned(
    task: TrainingTask, parent: ModelPack, examples: ExampleSet, recipe: Recipe, renames: Mapping[str, str] | None = None
) -> tuple[TunedTask, TrainingPlan, torch.nn.Module]:
    """Return the task that goes on from a model, its plan and its network before the first step."""
    going_on = TunedTask(task, parent, renames or {})
    plan = going_on.plan(examples, recipe, Inline())
    torch.manual_seed(1)
    return going_on, plan, going_on.network(plan)


def new_run(folder: Path, recipe: Recipe, parent: ModelPack | None = None, tune: str | None = None) -> RunFolder:
    """Make the folder of a training that goes on from a model; its recipe becomes one for that."""
    folder.mkdir(parents=True)
    run = RunFolder(folder)
    settings = RunSettings(recipe.task, recipe, 1, "tiny", "Tiny", "1.0.0", "2026-01-01T00:00:00+00:00", device="cpu")
    if parent is not None:
        copy_pack(parent, run.parent)
        made = recipe_from_parent(recipe, parent.spec, given=False, tune=tune)
        settings = replace(settings, parent=parent.spec.key, recipe=made)
    run.write_json(run.settings_file, settings.document())
    return run


def train(run: RunFolder, examples: ExampleSet, asked: Callable[[], bool] = lambda: False) -> Outcome:
    """Train in this process, from wherever an earlier call ended."""
    settings = run.settings()
    with event_log(run, settings, Processes()) as events:
        outcome = Training(run, settings, examples, Inline(), asked).carry_out(Processes(), events)
    assert outcome is not None
    return outcome
