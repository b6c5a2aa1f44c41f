"""How a recipe is made to go on from a model: its network is the model's, its rate a careful one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from medview.core.errors import ModelError
from medview.ml.networks.table import NETWORKS
from medview.ml.outputs import InteractiveOutput
from medview.ml.recipes.options import number_in
from medview.ml.recipes.recipe import Recipe
from medview.ml.recipes.table import DEFAULTS, choose
from medview.ml.spec import Blend, Literal, ModelSpec, NetworkSpec, Task

FAMILIES: Mapping[str, str] = {"nnunet_residual": "residual_unet", "nnunet_plain": "plain_unet"}
"""Networks of the table that recipes call otherwise."""

RECIPES: Mapping[str, str] = {
    "plain_unet": "segmentation-plain-unet",
    "attention_unet": "segmentation-attention-unet",
    "fcn": "segmentation-fcn",
    "resnet18": "classification-resnet18",
    "resnet50": "classification-resnet50",
    "densenet121": "classification-densenet121",
}
"""What a network is trained with where nobody asked for a recipe; others with their task's default."""

TUNE_RATE = 0.5
"""Rate beside that of a training from nothing."""

WARM_UP = 0.1
"""Share of the steps in which the rate rises: what is good already is not to be shaken by the first steps."""

MADE_BY_PLAN = ("millions", "widest", "dropout", "features", "width")
"""Options of networks that say how large a plan may make them, or that leave no weight behind."""


def recipe_from_parent(recipe: Recipe, parent: ModelSpec, *, given: bool, tune: str | None = None) -> Recipe:
    """Return the recipe by which a training goes on from a model.

    Parameters
    ----------
    given : bool
        Whether somebody asked for this recipe: then its rate and warm-up stay, and it may not speak against the model.
    tune : str, optional
        The option of that name, in place of the recipe's.

    Raises
    ------
    ModelError
        When the recipe speaks against the model, or nothing here trains such a model.
    """
    if parent.task is not recipe.task:
        raise ModelError(
            f"{parent.name} is a model for {parent.task} and this is {recipe.task}; begin from another model, or from none."
        )
    check_parent(parent)
    family = FAMILIES.get(parent.network.name, parent.network.name)
    if given:
        _check_agrees(recipe, family, parent)
    elif recipe.name == DEFAULTS[recipe.task] and family != recipe.network:
        other = RECIPES.get(family)
        name = f"{recipe.task.value}-{family}".replace("_", "-")
        recipe = replace(recipe, name=name, summary="") if other is None else choose(recipe.task, other)
    options = dict(recipe.options)
    times = number_in(options, "tune_rate", 1.0 if given else TUNE_RATE)
    # It is in the rate now, and not to be counted twice by who trains by this recipe again.
    options.pop("tune_rate", None)
    if given and "tune_rate" not in recipe.options:
        # Its rate is what somebody wants, with new classes too.
        options.setdefault("new_rate", 1.0)
    if tune is not None:
        options["tune"] = tune
    if isinstance(parent.output, InteractiveOutput) and parent.tiling is not None:
        if given and options.get("grown", parent.output.grown) != parent.output.grown:
            raise ModelError(f"The recipe {recipe.name} and {parent.name} do not agree about grown; leave it out.")
        options |= {"tile": list(parent.tiling.tile_kji), "grown": parent.output.grown}
    warm_up = recipe.schedule.warm_up if given else max(recipe.schedule.warm_up, WARM_UP)
    return replace(
        recipe,
        network=family,
        network_options=recipe.network_options if given else {},
        dimensions=parent.input.dimensions,
        optimiser=replace(recipe.optimiser, rate=recipe.optimiser.rate * times),
        schedule=replace(recipe.schedule, warm_up=warm_up),
        options=options,
    )


def check_parent(parent: ModelSpec) -> None:
    """Refuse a model that nothing here can train. Raises ModelError."""
    network = parent.network.name
    if network not in NETWORKS:
        raise ModelError(f"This MedView has no network {network}, so that {parent.name} cannot be gone on with; update it.")
    if parent.task is Task.DETECTION and network != "fpn_detector":
        raise ModelError(f"Boxes are learnt by fpn_detector alone and {parent.name} is a {network}; begin with another.")
    if parent.task is Task.SEGMENTATION and (parent.tiling is None or parent.tiling.blend is not Blend.GAUSSIAN):
        raise ModelError(
            f"{parent.name} looks at whole images at once, which no training here has room for; begin with another model."
        )


def _check_agrees(recipe: Recipe, family: str, parent: ModelSpec) -> None:
    if recipe.network != family:
        raise ModelError(
            f"The recipe {recipe.name} trains {recipe.network} and {parent.name} is {family}; leave the recipe out, or "
            "begin with another model."
        )
    if recipe.dimensions and recipe.dimensions != parent.input.dimensions:
        raise ModelError(
            f"The recipe {recipe.name} is for {recipe.dimensions} dimensions and {parent.name} has "
            f"{parent.input.dimensions}; leave the recipe out, or begin with another model."
        )
    for key, wanted in recipe.network_options.items():
        if key not in MADE_BY_PLAN and not _same(wanted, parent.network.kwargs.get(key, wanted)):
            raise ModelError(
                f"The recipe {recipe.name} wants {wanted!r} for {key} and {parent.name} has "
                f"{parent.network.kwargs[key]!r}; leave that out, or begin with another model."
            )
    if wide := _width_that_differs(recipe.network_options, parent.network):
        raise ModelError(f"The recipe {recipe.name} wants {wide} in {parent.name}; leave that out.")
    if recipe.options.get("weights"):
        raise ModelError(f"The recipe {recipe.name} begins with a file of weights; leave out that or the parent.")


def _same(wanted: Literal, have: Literal) -> bool:
    if isinstance(wanted, list) and isinstance(have, list):
        # Detectors take as many of the widths as their pictures have levels.
        return wanted[: len(have)] == have
    return wanted == have


def _width_that_differs(options: Mapping[str, Literal], network: NetworkSpec) -> str:
    channels = network.kwargs.get("channels")
    for key in ("features", "width"):
        have = network.kwargs.get(key, channels[0] if isinstance(channels, list) and channels else None)
        if key in options and have is not None and options[key] != have:
            return f"{options[key]} features where there are {have}"
    return ""
