"""Recipes by name: those that come with MedView, and files of the person."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from medview.core.errors import AmbiguousError, ReadError
from medview.core.resources import resource_path
from medview.ml.recipes.reader import LARGEST_DOCUMENT, RecipeError, read_recipe
from medview.ml.recipes.recipe import Recipe
from medview.ml.spec import Task

FOLDER = "recipes"

DEFAULTS: Mapping[Task, str] = {
    Task.SEGMENTATION: "segmentation-residual-unet",
    Task.DETECTION: "detection-fpn",
    Task.CLASSIFICATION: "classification-small-cnn",
    Task.INTERACTIVE: "interactive-clicks",
}
"""What a task is trained with where nobody asked for another."""


def bundled() -> tuple[Recipe, ...]:
    """Return the recipes that come with MedView, by name; each stands in a file of its own name."""
    return tuple(_read(file) for file in sorted(resource_path(FOLDER).glob("*.json")))


def choose(task: Task, name: str | None = None) -> Recipe:
    """Return a recipe for a task.

    Parameters
    ----------
    name : str, optional
        Of a recipe that comes with MedView, or the path of a file (``*.json``); the task's default where not given.

    Raises
    ------
    AmbiguousError
        When there is none of that name, or it is for another task.
    RecipeError
        When a file holds no recipe.
    ReadError
        When a file cannot be read.
    """
    if name is not None and name.endswith(".json"):
        recipe = _read(Path(name))
    else:
        wanted = DEFAULTS[task] if name is None else name
        names = [file.stem for file in sorted(resource_path(FOLDER).glob("*.json"))]
        if wanted not in names:
            own = [one for one in names if one.startswith(task.value)]
            raise AmbiguousError(f"There is no recipe {wanted[:64]}; for {task} there are: {', '.join(own) or 'none'}.")
        recipe = _read(resource_path(f"{FOLDER}/{wanted}.json"))
    if recipe.task is not task:
        raise AmbiguousError(f"The recipe {recipe.name} is for {recipe.task}, not for {task}; choose another.")
    return recipe


def _read(file: Path) -> Recipe:
    try:
        with file.open("rb") as opened:
            document = opened.read(LARGEST_DOCUMENT + 1)
    except OSError as error:
        raise ReadError(f"The recipe {file.name} cannot be read; check the file.", detail=repr(error)) from error
    try:
        return read_recipe(document)
    except RecipeError as error:
        raise RecipeError(f"{file.name}: {error.sentence}", detail=error.detail) from error
