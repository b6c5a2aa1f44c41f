"""A recipe goes on from a model as that is, or is refused in a sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from medview.core.errors import ModelError
from medview.ml.lineage.recipe import TUNE_RATE, WARM_UP, recipe_from_parent
from medview.ml.recipes.reader import read_recipe, recipe_document
from medview.ml.recipes.table import choose
from medview.ml.spec import Blend, ModelSpec, NetworkSpec, Task
from medview.ml.training.segmentation.sizes import NETWORKS
from tests.helpers.segmentation_training import tiny_recipe
from tests.ml.lineage.models import segmenter

USUAL = choose(Task.SEGMENTATION)


def named(network: str, **kwargs: Any) -> ModelSpec:
    spec = segmenter()
    return replace(spec, network=NetworkSpec(network, {**spec.network.kwargs, **kwargs}))


def test_the_usual_recipe_becomes_a_careful_one_for_the_models_network() -> None:
    made = recipe_from_parent(USUAL, segmenter(), given=False, tune="head")
    assert made.optimiser.rate == pytest.approx(USUAL.optimiser.rate * TUNE_RATE)
    assert (made.schedule.warm_up, made.dimensions, made.options["tune"]) == (WARM_UP, 3, "head")
    assert (made.name, made.network, made.network_options) == (USUAL.name, "residual_unet", {})
    assert read_recipe(json.dumps(recipe_document(made))) == made


@pytest.mark.parametrize(("family", "table"), NETWORKS.items())
def test_every_family_has_its_recipe(family: str, table: str) -> None:
    made = recipe_from_parent(USUAL, named(table), given=False)
    assert made.network == family
    assert made.name == f"segmentation-{family}".replace("_", "-")


def test_a_foreign_network_is_trained_as_its_pack_says() -> None:
    made = recipe_from_parent(USUAL, named("monai_unet"), given=False)
    assert (made.network, made.name) == ("monai_unet", "segmentation-monai-unet")
    assert read_recipe(json.dumps(recipe_document(made))) == made


def test_a_recipe_somebody_asked_for_keeps_its_rate() -> None:
    recipe = tiny_recipe(dimensions=3, network_options={"features": 6, "millions": 1.0})
    made = recipe_from_parent(recipe, segmenter(), given=True)
    assert (made.optimiser.rate, made.schedule) == (recipe.optimiser.rate, recipe.schedule)
    assert made.options["new_rate"] == 1.0
    slower = recipe_from_parent(replace(recipe, options={"tune_rate": 0.5}), segmenter(), given=True)
    assert slower.optimiser.rate == pytest.approx(recipe.optimiser.rate / 2)
    # It is counted once, also where somebody trains by it again.
    assert "tune_rate" not in slower.options
    assert "new_rate" not in slower.options


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"network": "fcn"}, r"trains fcn and .* is residual_unet"),
        ({"dimensions": 2}, "for 2 dimensions"),
        ({"network_options": {"features": 32}}, "32 features where there are 6"),
        ({"network_options": {"decoder_units": [2]}}, "decoder_units"),
        ({"options": {"weights": "a.safetensors"}}, "weights"),
    ],
)
def test_a_recipe_that_speaks_against_the_model_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        recipe_from_parent(tiny_recipe(**changes), segmenter(), given=True)


def test_what_nothing_here_trains_is_refused() -> None:
    spec = segmenter()
    assert spec.tiling is not None
    with pytest.raises(ModelError, match="whole images at once"):
        recipe_from_parent(USUAL, replace(spec, tiling=replace(spec.tiling, blend=Blend.WHOLE)), given=False)
    with pytest.raises(ModelError, match="no network monai_dream"):
        recipe_from_parent(USUAL, named("monai_dream"), given=False)
    with pytest.raises(ModelError, match="model for segmentation"):
        recipe_from_parent(choose(Task.DETECTION), spec, given=False)
