"""Detectors learn to find discs and balls, and their packs find in the runner what was found on validation."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from medview.core.errors import ModelError
from medview.core.job import Inline
from medview.ml.examples import Example, ExampleSet, TrainingClass, TrueBox, Truth
from medview.ml.outputs import DetectionOutput
from medview.ml.packs import ModelPack, write_pack
from medview.ml.predict import PredictRequest
from medview.ml.recipes.recipe import Recipe
from medview.ml.recipes.table import choose
from medview.ml.runners.candidates import Candidates
from medview.ml.runners.orientation import Orientation
from medview.ml.runners.preprocess import Prepared
from medview.ml.runners.run import predict
from medview.ml.spec import ModelSpec, Task
from medview.ml.spec_reader import read_spec
from medview.ml.spec_writer import document_of
from medview.ml.training.detection.average_precision import TrueBoxes, hits_of, mean_average_precision
from medview.ml.training.detection.boxes import model_box
from medview.ml.training.detection.task import LEAST_SCORE, DetectionTask, cut_off
from tests.ml.training.pictures import Trained, discs, example_of, recipe

NARROW = {"channels": [8, 12, 16, 24, 24], "width": 16}
AUGMENT = {"flip_j": 0.5, "flip_i": 0.5, "scale": 0.1, "gain": 0.1}


def _recipe(**changes: object) -> Recipe:
    optimiser = {"name": "adamw", "rate": 0.01, "weight_decay": 1e-3}
    content = {"network_options": NARROW, "loss": "focal", "optimiser": optimiser, "batch": 4, "steps": 40}
    return recipe("detection", "fpn_detector", **{**content, **changes})


def _dark_is_difficult(example: Example) -> Truth:
    return Truth(boxes=tuple(replace(box, difficult=box.number == 2) for box in example.truth().boxes))


def _pack(trained: Trained, spec: ModelSpec, folder: Path) -> ModelPack:
    state = {name: tensor.contiguous() for name, tensor in trained.network.state_dict().items()}
    files = {"weights.safetensors": save(state), "LICENSE": b"CC0\n", "MODEL_CARD.md": b"# Made\n"}
    return write_pack(folder, {**document_of(spec), "files": {}}, files)


def _map50_of_runner(pack: ModelPack, examples: ExampleSet) -> float:
    """Return mAP50 of the boxes the real runner gives on validation, on the examples' own grids."""
    output = pack.spec.output
    assert isinstance(output, DetectionOutput)
    names = [one.name for one in output.classes]
    low = replace(pack, spec=replace(pack.spec, output=replace(output, score_threshold=LEAST_SCORE)))
    found, true = [], []
    for example in examples.of_split("val"):
        volumes = example.volumes()
        boxes = predict(PredictRequest(volumes[0], low, "cpu", others=volumes[1:]), Inline()).boxes
        corners = np.array([box.bounds_kji(volumes[0].geometry) for box in boxes]).reshape(-1, 2, 3)
        scores = np.array([box.score for box in boxes], dtype=np.float64)
        found.append(Candidates(corners[:, 0], corners[:, 1], scores, np.array([names.index(b.label) for b in boxes], int)))
        truth = example.truth().boxes
        ends = np.array([(box.min_kji, box.max_kji) for box in truth]).reshape(-1, 2, 3)
        kinds = np.array([box.number - 1 for box in truth], dtype=np.int64)
        true.append(TrueBoxes(ends[:, 0], ends[:, 1], kinds, np.array([box.difficult for box in truth], dtype=bool)))
    return mean_average_precision([hits_of(found, true, n) for n in range(len(names))])


@pytest.mark.parametrize(
    ("shape", "channels", "steps"), [((1, 64, 80), 3, 50), ((24, 48, 56), 1, 45)], ids=["2-D in colour", "3-D"]
)
def test_it_learns_to_find_what_it_has_never_seen_and_the_runner_finds_it_too(
    shape: tuple[int, int, int], channels: int, steps: int, tmp_path: Path
) -> None:
    examples = discs(count=16, shape=shape, channels=channels)
    made = _recipe(augment=AUGMENT, steps=steps)
    trained = Trained(DetectionTask(), examples, made, tmp_path / "cache")
    assert trained.falls, trained.losses
    figures = trained.task.check(trained.network, trained.val, trained.plan, Inline())
    assert figures["score"] == figures["map50"] > 0.65
    assert set(figures) >= {"ap50 bright", "ap50 dark", "f1"}
    spec = trained.task.finish(trained.network, trained.val, trained.plan, Inline())
    assert isinstance(spec.output, DetectionOutput)
    assert 0.05 <= spec.output.score_threshold <= 0.95
    pack = _pack(trained, spec, tmp_path / "pack")
    finished = trained.task.check(trained.network, trained.val, replace(trained.plan, spec=spec), Inline())
    assert finished["map50"] >= figures["map50"]
    assert _map50_of_runner(pack, examples) == pytest.approx(finished["map50"], abs=0.03)


def test_a_network_of_slices_draws_boxes_in_slices_and_joins_them(tmp_path: Path) -> None:
    made = _recipe(dimensions=2, steps=30, batch=8)
    examples = discs(count=8, shape=(16, 48, 56))
    trained = Trained(DetectionTask(), examples, made, tmp_path)
    assert trained.plan.spec.output.join_slices  # type: ignore[union-attr]
    assert trained.plan.spec.tiling.tile_kji[0] == 1  # type: ignore[union-attr]
    assert trained.falls
    trained.task.finish(trained.network, trained.val, trained.plan, Inline())


def test_samples_of_flat_boxes_are_of_the_slice_they_lie_on_and_others_of_any_slice(tmp_path: Path) -> None:
    def flat(n: int) -> Example:
        values = np.broadcast_to(10 * np.arange(12, dtype=np.uint8)[:, None, None], (1, 12, 40, 48))
        boxes = tuple(TrueBox(1, (float(k), 12, 12), (float(k + 1), 28, 30)) for k in (0, 5, 11))
        return example_of(f"f{n}", "train", values, Truth(boxes=boxes), (3.0, 1.0, 1.0))

    examples = ExampleSet(Task.DETECTION, (TrainingClass("flat"),), ("grey",), (flat(0), flat(1)))
    task, made = DetectionTask(), _recipe(dimensions=2, augment={}, options={"foreground": 1.0})
    plan = task.plan(examples, made, Inline())
    for example in examples.examples:
        task.store(example, plan, tmp_path, Inline())
    data = task.open(tmp_path, [one.key for one in examples.examples], plan)
    held = [task.draw(data, plan, made, np.random.default_rng(n)) for n in range(30)]
    assert all(len(sample["boxes"]) for sample in held)
    anywhere = replace(made, options={"foreground": 0.0})
    slices = {
        round(float(task.draw(data, plan, anywhere, np.random.default_rng(n))["values"].max()), 4) for n in range(150)
    }
    assert len(slices) == 12


def test_difficult_boxes_are_neither_right_nor_wrong_in_training_and_on_validation(tmp_path: Path) -> None:
    examples = discs(count=8)
    hard = tuple(replace(e, truth=partial(_dark_is_difficult, e)) for e in examples.examples)
    task, made = DetectionTask(), _recipe(steps=1)
    with pytest.raises(ModelError, match="dark nothing can be learnt"):
        task.plan(replace(examples, examples=hard), made, Inline())
    mixed = replace(examples, examples=(*examples.examples[:4], *hard[4:]))
    trained = Trained(task, mixed, made, tmp_path)
    numbers = [n for n, key in enumerate(trained.data.keys) if int(key[1:]) >= 4]
    sample = task.draw(trained.data.chosen(numbers), trained.plan, made, np.random.default_rng(1))
    assert (sample["ignored"] == (sample["classes"] == 1)).all()
    assert "ap50 dark" in task.check(trained.network, trained.val, trained.plan, Inline())


def test_objects_cut_off_by_a_sample_are_looked_for_ignored_or_gone() -> None:
    boxes = np.array(
        [[0, -2, 0, 1, 8, 10], [0, -7, 0, 1, 3, 10], [0, -9.5, 0, 1, 0.5, 10], [0, 30, 0, 1, 40, 9]], np.float32
    )
    inside, ignored, kept = cut_off(boxes, (1, 20, 20))
    assert kept.tolist() == [0, 1]
    assert ignored.tolist() == [False, True]
    assert inside[0].tolist() == [0, 0, 0, 1, 8, 10]


def test_sizes_follow_from_the_boxes() -> None:
    small = DetectionTask().plan(discs(largest=5.0), _recipe(), Inline())
    assert small.settings["levels"][0] == [1, 2, 2]
    assert small.settings["levels"][-1] == [1, 8, 8]
    middle = DetectionTask().plan(discs(shape=(1, 300, 400), largest=24.0), _recipe(), Inline())
    assert middle.settings["levels"][0] == [1, 4, 4]
    assert middle.spec.tiling.tile_kji == (1, 304, 400)  # type: ignore[union-attr]
    assert middle.spec.network.kwargs["shrink"] == 1
    # Of large things in large pictures the network sees smaller ones; cells are told in voxels of the picture.
    large = DetectionTask().plan(discs(shape=(1, 800, 1000), largest=150.0), _recipe(), Inline())
    shrink = large.spec.network.kwargs["shrink"]
    assert isinstance(shrink, int)
    assert shrink >= 4
    assert large.settings["levels"][0] == [1, 4 * shrink, 4 * shrink] or large.settings["levels"][0][1] == 8 * shrink
    assert all(side % large.settings["levels"][-1][1] == 0 for side in large.spec.tiling.tile_kji[1:])  # type: ignore[union-attr]
    deep = DetectionTask().plan(discs(shape=(24, 48, 56)), _recipe(), Inline())
    # Even spacing, so that the cells are as wide in the patient along every axis.
    assert len(set(deep.spec.input.spacing_kji_mm or ())) == 1
    assert all(side % 8 == 0 or side % 4 == 0 for side in deep.spec.tiling.tile_kji)  # type: ignore[union-attr]


@pytest.mark.parametrize(("shape", "largest"), [((1, 2944, 1316), 200.0), ((1, 2544, 3056), 700.0)])
def test_no_side_of_a_tile_is_longer_than_packs_may_have_it(shape: tuple[int, int, int], largest: float) -> None:
    plan = DetectionTask().plan(discs(count=4, shape=shape, largest=largest), _recipe(), Inline())
    assert plan.spec.tiling is not None
    assert max(plan.spec.tiling.tile_kji) <= 2048
    assert all(side % plan.settings["levels"][-1][1] == 0 for side in plan.spec.tiling.tile_kji[1:])
    again = read_spec(json.dumps({**document_of(plan.spec), "files": {"weights.safetensors": "0" * 64}}))
    assert again.tiling == plan.spec.tiling


def test_large_pictures_are_looked_at_in_tiles_and_training_samples_are_of_that_size(tmp_path: Path) -> None:
    made = _recipe(steps=1, options={"side": 96, "foreground": 1.0})
    examples = discs(count=4, shape=(1, 150, 210))
    trained = Trained(DetectionTask(), examples, made, tmp_path)
    tile = trained.plan.spec.tiling.tile_kji  # type: ignore[union-attr]
    assert tile[0] == 1
    assert tile[1] * tile[2] <= 112 * 112
    for seed in range(12):
        sample = trained.task.draw(trained.data, trained.plan, made, np.random.default_rng(seed))
        assert sample["values"].shape == (1, *tile)
        assert len(sample["boxes"]) >= 1
    trained.task.check(trained.network, trained.val, trained.plan, Inline())


def test_boxes_stay_on_the_pictures_they_were_drawn_on_whatever_way_those_are_stored(tmp_path: Path) -> None:
    examples = discs(count=4, shape=(24, 48, 56))
    trained = Trained(DetectionTask(), examples, _recipe(steps=1, augment=AUGMENT), tmp_path)
    checked = 0
    for seed in range(6):
        sample = trained.task.draw(trained.data, trained.plan, trained.recipe, np.random.default_rng(seed))
        for box, kind in zip(sample["boxes"], sample["classes"], strict=True):
            low, high = np.ceil(box[:3] + 0.3 * (box[3:] - box[:3])), np.floor(box[3:] - 0.3 * (box[3:] - box[:3]))
            inner = sample["values"][0][
                tuple(slice(int(a), max(int(b), int(a) + 1)) for a, b in zip(low, high, strict=True))
            ]
            if inner.size:
                checked += 1
                assert (inner.mean() > 0.5) if kind == 0 else (inner.mean() < -0.5)
    assert checked > 5


def test_a_box_on_the_edge_of_a_flipped_grid_is_where_it_was() -> None:

    shape = (10, 20, 30)
    turn = Orientation((2, 0, 1), (True, False, True))
    prepared = Prepared(torch.zeros(1, 15, 10, 40), turn, turn.turned_shape(shape), (1.0, 1.0, 1.0))
    box = TrueBox(1, (2.0, 5.0, 3.0), (4.0, 9.0, 8.0))
    low_high = np.asarray(model_box(box, prepared, shape))
    scale = np.array([30, 10, 20]) / np.array([15, 10, 40])
    back = turn.box_back(low_high[:3] * scale, low_high[3:] * scale, shape)
    assert np.allclose(back[0], box.min_kji)
    assert np.allclose(back[1], box.max_kji)


def test_the_default_recipe_plans_pictures_and_volumes() -> None:
    made = choose(Task.DETECTION)
    assert DetectionTask().plan(discs(), made, Inline()).spec.input.dimensions == 2
    assert DetectionTask().plan(discs(shape=(24, 48, 56)), made, Inline()).spec.input.dimensions == 3


def test_a_network_or_loss_that_detection_has_not_is_named() -> None:
    with pytest.raises(ModelError, match="no network unet"):
        DetectionTask().plan(discs(), recipe("detection", "unet", loss="focal"), Inline())
    with pytest.raises(ModelError, match="no loss ce"):
        DetectionTask().plan(discs(), _recipe(loss="ce"), Inline())


def test_large_things_in_large_pictures_are_found(tmp_path: Path) -> None:
    examples = discs(count=12, shape=(1, 320, 400), largest=70.0)
    trained = Trained(DetectionTask(), examples, _recipe(steps=40, augment=AUGMENT), tmp_path)
    assert int(str(trained.plan.spec.network.kwargs["shrink"])) >= 2
    assert trained.falls
    assert trained.task.check(trained.network, trained.val, trained.plan, Inline())["map50"] > 0.5
