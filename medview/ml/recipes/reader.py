"""The text of a recipe to a ``Recipe``: strict, literal, and nothing is ever evaluated.

``docs/training.md`` explains every key, ``resources/schemas/recipe.schema.json`` is the JSON Schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from medview.core.errors import MedViewError, ModelError
from medview.ml.recipes.options import OPTIONS
from medview.ml.recipes.recipe import OptimiserChoice, Recipe, ScheduleChoice
from medview.ml.spec import Task
from medview.ml.spec_fields import Fields
from medview.ml.spec_reader import LONGEST_KWARG, read_literals

RECIPE_VERSION = 1
OPTIMISERS = ("sgd", "adagrad", "rmsprop", "adam", "adamw")
SCHEDULES = ("constant", "cosine", "poly")
LARGEST_DOCUMENT = 1 << 18
MOST_STEPS = 10_000_000
MOST_SAMPLES = 65_536
LONGEST_PATH = 4096
"""An option may name a file."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,31}")


class RecipeError(ModelError):
    """A recipe is not one MedView understands."""


class RecipeFields(Fields):
    """An object of a recipe."""

    document: ClassVar[str] = "The recipe"
    remedy: ClassVar[str] = "see docs/training.md"
    error: ClassVar[type[MedViewError]] = RecipeError


def read_recipe(document: bytes | str) -> Recipe:
    """Read the text of a recipe.

    Raises
    ------
    RecipeError
        With one sentence that names the key that is wrong.
    """
    if len(document) > LARGEST_DOCUMENT:
        raise RecipeError("The recipe is larger than one can be; choose another file.")
    try:
        content = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise RecipeError("The recipe is not readable JSON; see docs/training.md.", detail=repr(error)) from error
    top = RecipeFields(content, "")
    version = top.integer("recipe_version", 1, 1_000)
    if version > RECIPE_VERSION:
        raise RecipeError(f"This recipe was made for a newer MedView (format {version}); install the newest MedView.")
    usual = Recipe("", Task.SEGMENTATION, "", "")
    recipe = Recipe(
        name=top.pattern("name", _NAME, "lower case letters, digits and hyphens"),
        task=Task(top.choice("task", [t.value for t in Task])),
        summary=top.text("summary", 400, ""),
        network=top.pattern("network", _WORD, "a network's name"),
        network_options=_literals(top, "network_options"),
        dimensions=_whole(top, "dimensions", 0, 3, usual.dimensions),
        batch=_whole(top, "batch", 0, MOST_SAMPLES, usual.batch),
        optimiser=_optimiser(top),
        schedule=_schedule(top),
        loss=top.pattern("loss", _WORD, "a loss's name"),
        augment=_strengths(top),
        steps=_whole(top, "steps", 1, MOST_STEPS, usual.steps),
        check_every=_whole(top, "check_every", 1, MOST_STEPS, usual.check_every),
        average=_number(top, "average", 0.0, 0.99999, usual.average),
        patience=_whole(top, "patience", 0, MOST_STEPS, usual.patience),
        options=_literals(top, "options", LONGEST_PATH),
    )
    top.end()
    for name in sorted(set(recipe.options) - OPTIONS[recipe.task]):
        RecipeFields(recipe.options, "options.").wrong(
            name, f"left out, or one of {', '.join(sorted(OPTIONS[recipe.task]))}"
        )
    if recipe.dimensions == 1:
        top.wrong("dimensions", "2, 3, or 0 to leave it to the data")
    return recipe


def recipe_document(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe ready for JSON, every key written out; ``read_recipe`` reads the same back."""
    optimiser, schedule = recipe.optimiser, recipe.schedule
    return {
        "recipe_version": RECIPE_VERSION,
        "name": recipe.name,
        "task": recipe.task.value,
        "summary": recipe.summary,
        "network": recipe.network,
        "network_options": dict(recipe.network_options),
        "dimensions": recipe.dimensions,
        "batch": recipe.batch,
        "optimiser": {
            "name": optimiser.name,
            "rate": optimiser.rate,
            "momentum": optimiser.momentum,
            "nesterov": optimiser.nesterov,
            "weight_decay": optimiser.weight_decay,
        },
        "schedule": {"name": schedule.name, "warm_up": schedule.warm_up},
        "loss": recipe.loss,
        "augment": dict(recipe.augment),
        "steps": recipe.steps,
        "check_every": recipe.check_every,
        "average": recipe.average,
        "patience": recipe.patience,
        "options": dict(recipe.options),
    }


def _optimiser(top: Fields) -> OptimiserChoice:
    if "optimiser" not in top.content:
        return OptimiserChoice()
    fields = top.inside("optimiser")
    usual = OptimiserChoice()
    choice = OptimiserChoice(
        name=fields.choice("name", OPTIMISERS),
        rate=_number(fields, "rate", 1e-8, 100.0, usual.rate),
        momentum=_number(fields, "momentum", 0.0, 0.9999, usual.momentum),
        nesterov=fields.flag("nesterov"),
        weight_decay=_number(fields, "weight_decay", 0.0, 1.0, usual.weight_decay),
    )
    if choice.momentum and choice.name not in ("sgd", "rmsprop"):
        fields.wrong("momentum", f"left out: {choice.name} has none")
    if choice.nesterov and (choice.name != "sgd" or not choice.momentum):
        fields.wrong("nesterov", "left out, but for sgd with momentum")
    fields.end()
    return choice


def _schedule(top: Fields) -> ScheduleChoice:
    if "schedule" not in top.content:
        return ScheduleChoice()
    fields = top.inside("schedule")
    usual = ScheduleChoice()
    choice = ScheduleChoice(fields.choice("name", SCHEDULES), _number(fields, "warm_up", 0.0, 0.9, usual.warm_up))
    fields.end()
    return choice


def _strengths(top: Fields) -> Mapping[str, float]:
    if "augment" not in top.content:
        return {}
    fields = top.inside("augment")
    for key in fields.content:
        if not _WORD.fullmatch(key):
            fields.wrong(key[:40], "a keyword")
    return {key: fields.number(key, 0.0, 1_000.0) for key in fields.content}


def _literals(top: Fields, key: str, longest: int = LONGEST_KWARG) -> Mapping[str, Any]:
    return read_literals(top.inside(key), longest) if key in top.content else {}


def _whole(fields: Fields, key: str, low: int, high: int, usual: int) -> int:
    return fields.integer(key, low, high) if key in fields.content else usual


def _number(fields: Fields, key: str, low: float, high: float, usual: float) -> float:
    return fields.number(key, low, high) if key in fields.content else usual
