"""Recipes are read strictly, written back in full, and agree with their JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from medview.core.errors import AmbiguousError, ReadError
from medview.core.resources import resource_path
from medview.ml.recipes import table
from medview.ml.recipes.reader import OPTIMISERS, SCHEDULES, RecipeError, read_recipe, recipe_document
from medview.ml.recipes.recipe import OptimiserChoice, ScheduleChoice
from medview.ml.spec import Task


def example() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(resource_path("schemas/recipes/example.json").read_text())
    return document


def schema() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(resource_path("schemas/recipe.schema.json").read_text())
    return document


def read(**changes: Any) -> Any:
    return read_recipe(json.dumps({**example(), **changes}))


def test_the_example_reads_as_it_is_written_and_comes_back_the_same() -> None:
    recipe = read()
    assert recipe.optimiser == OptimiserChoice("sgd", 0.01, 0.99, True, 3e-5)
    assert recipe.schedule == ScheduleChoice("poly", 0.0)
    assert recipe.augment == {"rotate": 0.3, "contrast": 0.25}
    assert read_recipe(json.dumps(recipe_document(recipe))) == recipe
    jsonschema.validate(example(), schema())
    jsonschema.validate(recipe_document(recipe), schema())


def test_what_is_left_out_is_as_usual() -> None:
    recipe = read_recipe('{"recipe_version": 1, "name": "a", "task": "detection", "network": "fpn", "loss": "focal"}')
    assert recipe.task is Task.DETECTION
    assert recipe.optimiser == OptimiserChoice()
    assert recipe.steps == 2000
    assert not recipe.augment


def test_every_recipe_that_comes_with_medview_reads_and_stands_in_a_file_of_its_name() -> None:
    for recipe in table.bundled():
        document = json.loads(resource_path(f"recipes/{recipe.name}.json").read_text())
        jsonschema.validate(document, schema())
        assert recipe.name.startswith(recipe.task.value)
        assert table.choose(recipe.task, recipe.name) == recipe


def test_the_schema_names_the_keys_and_choices_the_reader_knows() -> None:
    keys = schema()["properties"]
    assert set(recipe_document(read())) == set(keys)
    assert set(recipe_document(read())["optimiser"]) == set(keys["optimiser"]["properties"])
    assert tuple(keys["optimiser"]["properties"]["name"]["enum"]) == OPTIMISERS
    assert tuple(keys["schedule"]["properties"]["name"]["enum"]) == SCHEDULES


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("step", 10, "step"),
        ("steps", 0, "steps"),
        ("steps", 1.5, "steps"),
        ("dimensions", 1, "dimensions"),
        ("average", 1.0, "average"),
        ("network", "os.system", "network"),
        ("network_options", {"a": {"b": 1}}, "network_options.a"),
        ("augment", {"rotate": "much"}, "augment.rotate"),
        ("optimiser", {"name": "lion"}, "optimiser.name"),
        ("optimiser", {"name": "adamw", "momentum": 0.9}, "optimiser.momentum"),
        ("optimiser", {"name": "sgd", "nesterov": True}, "optimiser.nesterov"),
        ("schedule", {"name": "cosine", "cycles": 3}, "schedule.cycles"),
        ("options", {"foregound": 0.5}, r"options\.foregound.*foreground"),
        ("options", {"tile": [8, 8, 8]}, r"options\.tile"),
        ("recipe_version", 2, "newer MedView"),
    ],
)
def test_what_is_wrong_is_named(key: str, value: Any, named: str) -> None:
    with pytest.raises(RecipeError, match=named):
        read(**{key: value})


def test_a_recipe_is_chosen_by_name_or_by_file_and_only_for_its_task(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(example()))
    assert table.choose(Task.SEGMENTATION, str(file)).name == "left-ventricle"
    with pytest.raises(AmbiguousError, match="for segmentation, not for detection"):
        table.choose(Task.DETECTION, str(file))
    with pytest.raises(AmbiguousError, match="no recipe best"):
        table.choose(Task.SEGMENTATION, "best")
    file.write_text("[]")
    with pytest.raises(RecipeError, match=r"mine\.json"):
        table.choose(Task.SEGMENTATION, str(file))
    with pytest.raises(ReadError, match=r"none\.json"):
        table.choose(Task.SEGMENTATION, str(tmp_path / "none.json"))
