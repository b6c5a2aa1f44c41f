"""The engine trains detection: a broken-off training ends bit for bit as a whole one, and its pack finds boxes."""

from __future__ import annotations

from pathlib import Path

from medview.core.job import Inline
from medview.ml.packs import load_pack
from medview.ml.predict import PredictRequest
from medview.ml.runners.run import let_go, predict
from tests.ml.training.broken_off import ends_the_same
from tests.ml.training.pictures import discs, recipe

EXAMPLES = discs(count=8, channels=3)
RECIPE = recipe(
    "detection",
    "fpn_detector",
    network_options={"channels": [8, 12, 16, 24, 24], "width": 16},
    loss="focal",
    optimiser={"name": "adamw", "rate": 0.01},
    batch=4,
    steps=30,
    check_every=10,
    average=0.5,
    augment={"flip_i": 0.5, "scale": 0.1},
    options={"precision": "full"},
)


def test_a_training_that_is_broken_off_ends_as_a_whole_one_and_its_pack_finds_boxes(tmp_path: Path) -> None:
    whole, outcome = ends_the_same(tmp_path, RECIPE, EXAMPLES, 20)
    assert outcome.figures["map50"] > 0.3
    # A picture in colour, given as its three parts; the classes are those of the set.
    volumes = EXAMPLES.of_split("val")[0].volumes()
    found = predict(PredictRequest(volumes[0], load_pack(whole.pack), device="cpu", others=volumes[1:]), Inline()).boxes
    let_go()
    assert {box.label for box in found} <= {"bright", "dark"}
    assert found
