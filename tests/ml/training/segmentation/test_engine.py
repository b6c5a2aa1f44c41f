"""The engine trains segmentation: a broken-off training ends bit for bit as a whole one, and its pack labels volumes."""

from __future__ import annotations

from pathlib import Path

from medview.core.job import Inline
from medview.ml.packs import load_pack
from medview.ml.predict import PredictRequest
from medview.ml.runners.run import let_go, predict
from medview.ml.runs.folder import RunFolder
from medview.ml.training.engine.plan_file import read_plan
from medview.ml.training.segmentation.first_weights import parameter_count
from tests.helpers.segmentation_training import phantom_set, tiny_recipe
from tests.ml.training.broken_off import ends_the_same

EXAMPLES = phantom_set(8)
RECIPE = tiny_recipe(steps=9, check_every=3, average=0.5, options={"precision": "full"})


def test_a_training_that_is_broken_off_ends_as_a_whole_one_and_its_pack_labels_volumes(tmp_path: Path) -> None:
    whole, _outcome = ends_the_same(tmp_path, RECIPE, EXAMPLES, 5)
    pack = load_pack(whole.pack)
    volume = EXAMPLES.of_split("val")[0].volumes()[0]
    mask = predict(PredictRequest(volume, pack, device="cpu"), Inline()).mask
    let_go()
    assert mask is not None
    assert {segment.name for segment in mask.segments} == {"bright", "dark"}
    # Half precision: two bytes for a weight.
    assert (whole.pack / "weights.safetensors").stat().st_size < 2.2 * _weights(whole)


def _weights(run: RunFolder) -> int:
    """Return how many weights the planned network has."""
    plan = read_plan(run)
    assert plan is not None
    return parameter_count(plan.spec.network)
