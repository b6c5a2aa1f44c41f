"""A class that is added later is learnt from the few cases that show it, and costs the old ones nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from medview.ml.examples import Example, ExampleSet, TrainingClass, Truth
from medview.ml.packs import load_pack
from medview.ml.recipes.recipe import OptimiserChoice
from tests.helpers.parents import new_run, train
from tests.helpers.segmentation_training import phantom_set, tiny_recipe

BRIGHT, DARK = TrainingClass("bright"), TrainingClass("dark")
RECIPE = replace(
    tiny_recipe(steps=80, check_every=80, average=0.9, options={"precision": "full"}, augment={}),
    name="segmentation-residual-unet",
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def without_dark(example: Example, *, known: bool) -> Example:
    """Return an example in which nobody drew what is dark; ``known``: since there was no such class."""
    layers = example.truth().layers
    assert layers is not None
    truth = Truth(np.where(layers == 1, layers, 0), frozenset() if known else frozenset({2}))
    return replace(example, truth=lambda: truth)


def test_old_cases_that_say_nothing_of_a_new_class_keep_the_old_ones_as_good(tmp_path: Path) -> None:
    both = phantom_set(12)
    alone = tuple(without_dark(one, known=True) for one in both.examples)
    before = train(new_run(tmp_path / "parent", RECIPE), replace(both, classes=(BRIGHT,), examples=alone))
    parent = load_pack(tmp_path / "parent" / "pack")
    # Two training cases show it, and those of validation.
    later = tuple(
        one if n in (0, 1) or one.split == "val" else without_dark(one, known=False) for n, one in enumerate(both.examples)
    )
    now = ExampleSet(both.task, (BRIGHT, DARK), both.channels, later)
    recipe = replace(RECIPE, steps=50, check_every=50, optimiser=OptimiserChoice("adamw", 1e-2))
    after = train(new_run(tmp_path / "run", recipe, parent, "all"), now)
    assert before.figures["dice_bright"] > 0.85
    assert after.figures["dice_bright"] > before.figures["dice_bright"] - 0.01
    assert after.figures["dice_dark"] > 0.7
