"""How much learns follows from how many cases there are, unless somebody says it."""

from __future__ import annotations

import pytest

from medview.core.errors import ModelError
from medview.ml.lineage.rung import Rung, Tune, tune_of
from tests.helpers.segmentation_training import tiny_recipe


def test_few_cases_teach_little_of_a_network() -> None:
    found = [tune_of(tiny_recipe(), cases) for cases in (1, 3, 4, 20, 21, 500)]
    assert [one.rung for one in found] == [Rung.HEAD, Rung.HEAD, Rung.ALL, Rung.ALL, Rung.ALL, Rung.ALL]
    assert [one.stages for one in found] == [1, 1, 0, 0, 0, 0]


def test_a_recipe_may_say_it() -> None:
    options = {"tune": "adapters", "rank": 4, "encoder_rate": 0.5, "new_rate": 2, "head_rate": 5, "frozen": 0.2}
    found = tune_of(tiny_recipe(options=options), 2)
    assert found == Tune(Rung.ADAPTERS, 0, 0.5, 2.0, 5.0, 0.2, 4)
    assert Tune.of_document(found.document()) == found
    # As recipes for classifiers called it before there were rungs.
    assert tune_of(tiny_recipe(options={"backbone_rate": 1.0}), 50).encoder_rate == 1.0


@pytest.mark.parametrize("options", [{"tune": "some"}, {"tune": 3}, {"rank": 0}, {"rank": 1.5}])
def test_options_that_are_none_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="recipe"):
        tune_of(tiny_recipe(options=options), 5)
