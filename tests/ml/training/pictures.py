"""Made-up pictures and volumes with known answers and boxes, and a loop that trains a task on them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.volume import Volume
from medview.ml.examples import Example, ExampleSet, TrainingClass, TrueBox, Truth
from medview.ml.recipes.reader import read_recipe
from medview.ml.recipes.recipe import Recipe
from medview.ml.spec import Task
from medview.ml.training.optimisers import make_optimiser, set_rate
from medview.ml.training.schedules import rate_at
from medview.ml.training.task import TrainingPlan, TrainingTask


def recipe(task: str, network: str, **changes: Any) -> Recipe:
    """Return a short recipe."""
    content = {"recipe_version": 1, "name": "made", "task": task, "network": network, "loss": "ce", "batch": 8, "steps": 24}
    optimiser = {"name": "adamw", "rate": 3e-3, "weight_decay": 1e-3}
    return read_recipe(json.dumps({**content, "optimiser": optimiser, "average": 0.9, **changes}))


def example_of(
    key: str, split: str, values: np.ndarray[Any, Any], truth: Truth, spacing: tuple[float, float, float]
) -> Example:
    """Return an example of one or several channels (channels, k, j, i)."""
    volumes = tuple(Volume(one, Geometry.from_spacing(one.shape, spacing)) for one in values)
    return Example(key, f"p-{key}", split, lambda: volumes, lambda: truth)


def bright_or_not(count: int = 24, shape: tuple[int, int, int] = (1, 20, 26), *, seed: int = 3) -> ExampleSet:
    """Noise, in every second picture with a bright disc or ball somewhere."""
    rng = np.random.default_rng(seed)
    spacing = (3.0, 1.5, 1.0)
    made = []
    for n in range(count):
        values = rng.normal(100, 20, shape)
        if n % 2:
            centre = rng.uniform(0.3, 0.7, 3) * shape
            grid = np.stack(np.meshgrid(*(np.arange(m) + 0.5 for m in shape), indexing="ij"), axis=-1)
            values[np.linalg.norm((grid - centre) * (1.0 if shape[0] > 1 else (0, 1, 1)), axis=-1) < 4.5] += 80
        answers = {"clear": 1.0 - n % 2, "spot": float(n % 2)}
        pixels = values.clip(0, 255).astype(np.uint8)[None]
        made.append(example_of(f"c{n}", "val" if n % 6 > 3 else "train", pixels, Truth(answers=answers), spacing))
    classes = (TrainingClass("clear"), TrainingClass("spot"))
    return ExampleSet(Task.CLASSIFICATION, classes, ("grey",), tuple(made))


def discs(
    count: int = 12, shape: tuple[int, int, int] = (1, 64, 80), *, seed: int = 4, channels: int = 1, largest: float = 10.0
) -> ExampleSet:
    """Noise with bright discs (class 1) and dark, flatter ones (class 2) that lie apart; balls in volumes."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*(np.arange(m) + 0.5 for m in shape), indexing="ij"), axis=-1)
    seen = slice(1, None) if shape[0] == 1 else slice(None)
    made = []
    for n in range(count):
        values = rng.normal(120, 8, (channels, *shape))
        boxes: list[TrueBox] = []
        for _ in range(40):
            kind = int(rng.integers(1, 3))
            radii = rng.uniform(0.5, 1.0) * largest * np.array([1.0, 1.0 if kind == 1 else 0.6, 1.0])
            radii[0] = 0.5 if shape[0] == 1 else min(radii[0], shape[0] / 3)
            middle = np.array([0.5 if m == 1 else rng.uniform(r, m - r) for m, r in zip(shape, radii, strict=True)])
            low, high = middle - radii, middle + radii
            apart = [(low[seen] > b.max_kji[seen]).any() or (high[seen] < b.min_kji[seen]).any() for b in boxes]
            if not all(apart) or len(boxes) == 4:
                continue
            values[:, (((grid - middle) / radii) ** 2)[..., seen].sum(axis=-1) < 1] += 70 if kind == 1 else -70
            boxes.append(TrueBox(kind, (low[0], low[1], low[2]), (high[0], high[1], high[2])))
        split = "val" if n % 4 == 3 else "train"
        pixels = values.clip(0, 255).astype(np.uint8)
        made.append(example_of(f"d{n}", split, pixels, Truth(boxes=tuple(boxes)), (2.0, 1.0, 1.0)))
    classes = (TrainingClass("bright"), TrainingClass("dark", (10, 20, 230)))
    return ExampleSet(Task.DETECTION, classes, tuple(f"c{n}" for n in range(channels)), tuple(made))


class Trained:
    """What came of a short training.

    Attributes
    ----------
    losses : list of float
        One per step.
    """

    def __init__(
        self,
        task: TrainingTask,
        examples: ExampleSet,
        recipe: Recipe,
        folder: Path,
        seed: int = 1,
        watch: Callable[[int, torch.nn.Module], None] = lambda step, network: None,
    ) -> None:
        # Steps this small are only slowed down by threads that wait for each other.
        torch.set_num_threads(1)
        self.task, self.recipe = task, recipe
        self.plan: TrainingPlan = task.plan(examples, recipe, Inline())
        for example in examples.examples:
            task.store(example, self.plan, folder, Inline())
        self.data, self.val = (
            task.open(folder, [e.key for e in examples.of_split(split)], self.plan) for split in ("train", "val")
        )
        torch.manual_seed(seed)
        self.network = task.network(self.plan)
        self.losses: list[float] = []
        optimiser = make_optimiser(self.network, recipe.optimiser, task.rates(self.network, recipe))
        for step in range(recipe.steps):
            rngs = [np.random.default_rng([seed, step, place]) for place in range(self.plan.batch)]
            batch = task.collate([task.draw(self.data, self.plan, recipe, rng) for rng in rngs])
            self.network.train()
            task.phase(self.network, step / recipe.steps, recipe)
            set_rate(optimiser, rate_at(step, recipe.steps, recipe.optimiser.rate, recipe.schedule))
            loss = task.loss(self.network, batch, self.plan, recipe)["loss"]
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
            optimiser.step()
            self.losses.append(float(loss.detach()))
            watch(step, self.network)

    @property
    def falls(self) -> bool:
        """Whether the last quarter is clearly below the first; single samples that nothing can be seen on do not count."""
        part = max(1, len(self.losses) // 4)
        return bool(np.median(self.losses[-part:]) < 0.8 * np.median(self.losses[:part]))
