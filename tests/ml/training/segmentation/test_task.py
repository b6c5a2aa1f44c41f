"""Every network and loss learns a tiny phantom, and the pack that comes out answers as it was judged."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from medview.core.errors import ModelError
from medview.core.geometry import Calibration
from medview.core.job import Inline
from medview.ml.examples import UNKNOWN, ExampleSet, TrainingClass, Truth
from medview.ml.networks.averaged import Mirrored
from medview.ml.outputs import SegmentationOutput
from medview.ml.packs import ModelPack, write_pack
from medview.ml.predict import PredictRequest
from medview.ml.recipes.recipe import Recipe
from medview.ml.recipes.table import bundled
from medview.ml.registry import fits
from medview.ml.runners.run import let_go, predict
from medview.ml.spec import ModelSpec, Step, Task
from medview.ml.spec_reader import read_spec
from medview.ml.spec_writer import document_of
from medview.ml.training.segmentation.finish import worthwhile_steps
from medview.ml.training.segmentation.look import Tally, dice_of, predicted
from medview.ml.training.segmentation.loss import LOSSES
from medview.ml.training.segmentation.sizes import NETWORKS, TILE_VOXELS
from medview.ml.training.segmentation.stored import StoredExample, open_examples
from medview.ml.training.segmentation.task import IN_SPACE, SegmentationTask
from medview.ml.training.task import TrainingPlan
from tests.helpers.segmentation_training import (
    CLASSES,
    example_of,
    phantom_case,
    phantom_set,
    stored_otherwise,
    tiny_recipe,
)

TASK = SegmentationTask()
SOLID = {"shape_kji": (10, 18, 22)}
FLAT = {"shape_kji": (1, 30, 34), "calibration": Calibration.PIXELS, "spacing_kji_mm": (1.0, 1.0, 1.0)}


def _prepared(
    folder: Path, examples: ExampleSet, recipe: Recipe
) -> tuple[TrainingPlan, tuple[StoredExample, ...], tuple[StoredExample, ...]]:
    plan = TASK.plan(examples, recipe, Inline())
    for example in examples.examples:
        TASK.store(example, plan, folder, Inline())
    training, validation = ([one.key for one in examples.of_split(split)] for split in ("train", "val"))
    return plan, TASK.open(folder, training, plan), TASK.open(folder, validation, plan)


def _trained(
    plan: TrainingPlan, data: tuple[StoredExample, ...], recipe: Recipe, steps: int
) -> tuple[torch.nn.Module, list[float]]:
    torch.manual_seed(0)
    network = TASK.network(plan)
    optimiser = torch.optim.AdamW(network.parameters(), recipe.optimiser.rate)
    losses = []
    for step in range(steps):
        rngs = [np.random.default_rng([0, step, place]) for place in range(plan.batch)]
        batch = TASK.collate([TASK.draw(data, plan, recipe, rng) for rng in rngs])
        loss = TASK.loss(network, batch, plan, recipe)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return network, losses


def _pack(folder: Path, spec: ModelSpec, network: torch.nn.Module) -> ModelPack:
    document = {key: value for key, value in document_of(spec).items() if key != "files"}
    state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    return write_pack(folder, document, {"weights.safetensors": save(state), "LICENSE": b"x\n"})


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


TRIED = [(family, flat, "dice_ce") for family in NETWORKS for flat in (True, False)]
TRIED += [("residual_unet", True, loss) for loss in LOSSES[1:]]


@pytest.mark.parametrize(("family", "flat", "loss"), TRIED)
def test_every_network_and_loss_learns(tmp_path: Path, family: str, flat: bool, loss: str) -> None:
    recipe = tiny_recipe(network=family, loss=loss)
    plan, training, validation = _prepared(tmp_path, phantom_set(4, **(FLAT if flat else SOLID)), recipe)
    assert plan.spec.input.dimensions == (2 if flat else 3)
    network, losses = _trained(plan, training, recipe, 16)
    assert np.mean(losses[-3:]) < 0.75 * np.mean(losses[:3])
    figures = TASK.check(network, validation, plan, Inline())
    assert set(figures) <= {"score", "dice_bright", "dice_dark"}
    assert network.training


@pytest.mark.parametrize("flat", [False, True])
def test_a_trained_pack_answers_as_its_network_was_judged(tmp_path: Path, flat: bool) -> None:
    recipe = tiny_recipe()
    examples = phantom_set(8, **(FLAT if flat else SOLID))
    plan, training, validation = _prepared(tmp_path / "cache", examples, recipe)
    network, _ = _trained(plan, training, recipe, 30)
    spec = replace(TASK.finish(network, validation, plan, Inline()), postprocess=())
    figures = TASK.check(network, validation, plan, Inline())
    assert figures["score"] > 0.6
    pack = _pack(tmp_path / "pack", spec, network)
    tally = Tally(2, overlapping=False)
    for example, stored in zip(examples.of_split("val"), validation, strict=True):
        mask = predict(PredictRequest(example.volumes()[0], pack, device="cpu"), Inline()).mask
        assert mask is not None
        # The network's grid is the examples' own here.
        whole = np.zeros(stored.labels().shape, np.uint8)
        whole[0][mask.box.slices] = mask.voxels
        tally.add(stored, whole)
    let_go()
    assert tally.score() == pytest.approx(figures["score"], abs=0.01)
    assert isinstance(pack.spec.output, SegmentationOutput)
    assert [label.name for label in pack.spec.output.labels] == ["bright", "dark"]
    assert pack.spec.input.spacing_kji_mm == (None if flat else (2.0, 1.0, 1.0))


def test_cases_of_other_spacing_and_orientation_are_learnt_and_labelled_on_their_own_grid(tmp_path: Path) -> None:
    """A third is stored along other axes, a third has finer slices; a shift or flip on the way would show."""
    cases = []
    for n in range(9):
        volume, truth = phantom_case(n, (14, 18, 22), (1.5, 1.0, 1.0)) if n % 3 == 1 else phantom_case(n)
        cases.append(stored_otherwise(volume, truth) if n % 3 == 2 else (volume, truth))
    examples = tuple(example_of(f"c{n}", *case, split="val" if n >= 6 else "train") for n, case in enumerate(cases))
    recipe = tiny_recipe()
    plan, training, _ = _prepared(tmp_path / "cache", ExampleSet(Task.SEGMENTATION, CLASSES, ("MR",), examples), recipe)
    assert plan.spec.input.orientation == "SPL"
    network, _ = _trained(plan, training, recipe, 40)
    pack = _pack(tmp_path / "pack", plan.spec, network)
    for volume, truth in cases[6:]:
        mask = predict(PredictRequest(volume, pack, device="cpu"), Inline()).mask
        assert mask is not None
        assert truth.layers is not None
        found = np.zeros(volume.geometry.shape_kji, np.uint8)
        found[mask.box.slices] = mask.voxels
        for number in (1, 2):
            assert (dice_of(found == number, truth.layers[0] == number) or 0) > 0.7
    let_go()


def test_partly_labelled_cases_teach_as_well(tmp_path: Path) -> None:
    """In half of the cases one class is drawn, in the others the other; some slices are not done at all."""
    examples = []
    for n in range(6):
        volume, truth = phantom_case(n, **FLAT)
        assert truth.layers is not None
        missing = 1 + n % 2
        layers = np.where(truth.layers == missing, 0, truth.layers).astype(np.uint8)
        layers[..., :2, :] = UNKNOWN
        examples.append(example_of(f"t{n}", volume, Truth(layers, frozenset({missing}))))
    examples += [example_of(f"v{n}", *phantom_case(n, **FLAT), split="val") for n in (20, 21)]
    recipe = tiny_recipe(batch=6)
    sets = ExampleSet(Task.SEGMENTATION, CLASSES, ("MR",), tuple(examples))
    plan, training, validation = _prepared(tmp_path, sets, recipe)
    network, _ = _trained(plan, training, recipe, 40)
    figures = TASK.check(network, validation, plan, Inline())
    # Whoever takes what is not drawn for background finds neither.
    assert min(figures["dice_bright"], figures["dice_dark"]) > 0.6


def test_classes_that_overlap_are_learnt_each_by_itself(tmp_path: Path) -> None:
    examples = []
    for n in range(4):
        volume, truth = phantom_case(n, **FLAT)
        assert truth.layers is not None
        both = (truth.layers > 0).astype(np.uint8) * 2
        inner = (truth.layers == 1).astype(np.uint8)
        examples.append(example_of(f"c{n}", volume, Truth(np.concatenate((inner, both))), "val" if n == 3 else "train"))
    recipe = tiny_recipe(batch=4)
    sets = ExampleSet(Task.SEGMENTATION, CLASSES, ("MR",), tuple(examples), exclusive=False)
    plan, training, validation = _prepared(tmp_path, sets, recipe)
    assert isinstance(plan.spec.output, SegmentationOutput)
    assert plan.spec.output.overlapping
    assert plan.spec.out_channels == 2
    network, losses = _trained(plan, training, recipe, 40)
    assert losses[-1] < 0.6 * losses[0]
    figures = TASK.check(network, validation, plan, Inline())
    assert min(figures["dice_bright"], figures["dice_dark"]) > 0.6


def test_of_pictures_each_counts_by_itself_and_of_volumes_the_batch_as_a_whole(tmp_path: Path) -> None:
    flat, solid = (
        TASK.plan(phantom_set(4, **sides), tiny_recipe(), Inline()).settings["pictures"] for sides in (FLAT, SOLID)
    )
    assert (flat, solid) == (True, False)


def test_plans_are_the_same_every_time_and_say_what_they_take(tmp_path: Path) -> None:
    examples, recipe = phantom_set(6), tiny_recipe()
    one, again = (TASK.plan(examples, recipe, Inline()) for _ in range(2))
    assert one.spec == again.spec
    assert one.settings == again.settings
    for example in examples.examples:
        TASK.store(example, one, tmp_path, Inline())
    written = sum(file.stat().st_size for name in ("values", "labels") for file in tmp_path.glob(f"*/{name}.npy"))
    assert one.cache_bytes == pytest.approx(written, rel=0.1)
    assert one.step_bytes > 0


def test_names_and_codes_longer_than_packs_hold_make_a_pack_all_the_same() -> None:
    code = {"value": "39607008", "scheme": "SCT", "meaning": "lung " * 20}
    classes = (TrainingClass("lobe " * 20, code=code), TrainingClass("dark", code={**code, "value": "1" * 40}))
    examples = replace(phantom_set(4), classes=classes, licence="CC " * 100)
    plan = TASK.plan(examples, tiny_recipe(), Inline())
    again = read_spec(json.dumps({**document_of(plan.spec), "files": {"weights.safetensors": "0" * 64}}))
    assert isinstance(again.output, SegmentationOutput)
    first, second = again.output.labels
    assert first.code is not None
    assert first.code.value == "39607008"
    assert second.code is None


def test_recipes_that_name_what_there_is_not_are_refused() -> None:
    examples = phantom_set(4)
    for changes in (
        {"network": "perceptron"},
        {"loss": "hinge"},
        {"augment": {"wobble": 1.0}},
        {"augment": {"rotate": 900.0}},
    ):
        with pytest.raises(ModelError):
            TASK.plan(examples, tiny_recipe(**changes), Inline())


def test_examples_without_masks_are_refused_in_words() -> None:
    volume, _ = phantom_case(1)
    for example in (example_of("a", volume, Truth()), example_of("a", volume, Truth(np.zeros((1, 10, 18, 22), np.uint8)))):
        with pytest.raises(ModelError, match="draw what is to be learnt"):
            TASK.plan(ExampleSet(Task.SEGMENTATION, CLASSES, ("MR",), (example,)), tiny_recipe(), Inline())
    with pytest.raises(ModelError, match="no training examples"):
        TASK.plan(ExampleSet(Task.SEGMENTATION, CLASSES, ("MR",), ()), tiny_recipe(), Inline())


def test_the_recipes_that_come_with_medview_can_be_planned() -> None:
    recipes = [recipe for recipe in bundled() if recipe.task is Task.SEGMENTATION]
    assert {recipe.network for recipe in recipes} == set(NETWORKS)
    examples = phantom_set(4)
    for recipe in recipes:
        plan = TASK.plan(examples, recipe, Inline())
        assert plan.batch >= 2


def test_tiles_of_several_examples_are_put_together_as_if_alone(tmp_path: Path) -> None:
    recipe = tiny_recipe(options={"room": 8**3 / TILE_VOXELS[3]})
    plan, training, _ = _prepared(tmp_path, phantom_set(4, **SOLID), recipe)
    assert plan.spec.tiling is not None
    network = TASK.network(plan)

    def found(examples: tuple[StoredExample, ...]) -> list[np.ndarray]:
        tiling = plan.spec.tiling
        assert tiling is not None
        return [labels for _, labels in predicted(network, examples, tiling, 3, Inline(), overlapping=False)]

    for together, alone in zip(found(training), (found((one,))[0] for one in training), strict=True):
        assert together.shape == (1, 10, 18, 22)
        assert (together == alone).mean() > 0.999


def test_small_pieces_are_removed_where_that_is_better_and_nowhere_else(tmp_path: Path) -> None:
    recipe = tiny_recipe()
    examples = phantom_set(8, **SOLID)
    _, training, _ = _prepared(tmp_path, examples, recipe)
    right = [(one, np.array(one.labels())) for one in training]
    assert worthwhile_steps(right, 2, Inline()) == ()
    specks = copy.deepcopy(right)
    for _, labels in specks:
        labels[0, 0, ::4, ::4] = 1
    steps = worthwhile_steps(specks, 2, Inline())
    assert [step.values for step in steps] == [(1,)]
    assert steps[0].op in ("largest_component", "remove_small")
    assert worthwhile_steps(specks[:2], 2, Inline()) == ()


def test_pictures_without_millimetres_get_no_step_by_which_their_model_would_refuse_them(tmp_path: Path) -> None:
    examples = phantom_set(8, **FLAT)
    plan, training, _ = _prepared(tmp_path, examples, tiny_recipe())
    several = []
    for one in training:
        # Two true pieces, so that the largest alone is no answer, and a speck that is smaller than either.
        labels = np.zeros_like(np.array(one.labels()))
        labels[0, 0, 2:12, 2:12] = labels[0, 0, 16:26, 16:26] = 1
        found = labels.copy()
        found[0, 0, 28, 30:33] = 1
        np.save(one.folder / "labels.npy", labels)
        several.append((one, found))
    assert [step.op for step in worthwhile_steps(several, 2, Inline())] == ["remove_small"]
    assert plan.settings[IN_SPACE] is False
    steps = worthwhile_steps(several, 2, Inline(), in_space=False)
    volume = examples.examples[0].volumes()[0]
    spec = replace(plan.spec, postprocess=steps)
    assert fits(spec, volume.modality, volume.geometry, volume.unit, volume.colour).ok


def test_equal_steps_of_several_classes_are_one_and_those_of_a_class_stay_in_their_order(tmp_path: Path) -> None:
    _, training, _ = _prepared(tmp_path, phantom_set(8, **SOLID), tiny_recipe())
    nowhere = [(replace(one, open_classes=(1, 2, 3)), np.array(one.labels())) for one in training]
    largest, small = Step("largest_component", {}), Step("remove_small", {"min_mm3": 3.0})
    steps = worthwhile_steps(nowhere, 3, Inline(), (largest, small, replace(largest, values=(2,))))
    assert steps == (
        replace(largest, values=(1, 2, 3)),
        replace(small, values=(1, 2, 3)),
        replace(largest, values=(2,)),
    )


def test_steps_of_the_model_before_stay_where_validation_does_not_speak_against_them(tmp_path: Path) -> None:
    _, training, _ = _prepared(tmp_path, phantom_set(8, **SOLID), tiny_recipe())
    right = [(one, np.array(one.labels())) for one in training]
    harmless, harmful = Step("largest_component", {}, (2,)), Step("remove_small", {"min_mm3": 1e6})
    assert worthwhile_steps(right, 2, Inline(), (harmless, harmful)) == (harmless,)
    # Cases that were done before class 2 was added say nothing about it.
    few = [(replace(one, open_classes=(2,)) if n > 2 else one, labels) for n, (one, labels) in enumerate(right)]
    assert worthwhile_steps(few, 2, Inline(), (harmful,)) == (replace(harmful, values=(2,)),)


def test_what_is_set_at_the_end_is_measured_with_the_mirrored_looks_of_the_model_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny_recipe(augment={"flip_i": 0.5})
    plan, training, _ = _prepared(tmp_path, phantom_set(8, **SOLID), recipe)
    assert plan.spec.tiling is not None
    network, tiling = TASK.network(plan), replace(plan.spec.tiling, mirror_axes=(1, 2))
    looked: list[Sequence[int]] = []

    def seen(*args: Any, mirrored: Sequence[int] = (), **how: Any) -> Any:
        looked.append(mirrored)
        return predicted(*args, mirrored=mirrored, **how)

    monkeypatch.setattr(f"{SegmentationTask.__module__}.predicted", seen)
    spec = TASK.finish(network, training, replace(plan, spec=replace(plan.spec, tiling=tiling)), Inline())
    assert looked == [(1, 2)]
    assert spec.tiling == tiling


def test_mirrored_looks_are_those_of_the_runner(tmp_path: Path) -> None:
    plan, training, _ = _prepared(tmp_path, phantom_set(4, **SOLID), tiny_recipe())
    network, tiling = TASK.network(plan).eval(), plan.spec.tiling
    assert tiling is not None
    ours = predicted(network, training[:1], tiling, 3, Inline(), overlapping=False, mirrored=(0, 2))
    theirs = predicted(Mirrored(network, (0, 2)), training[:1], tiling, 3, Inline(), overlapping=False)
    for (_, one), (_, other) in zip(ours, theirs, strict=True):
        assert (one == other).mean() > 0.999


def test_a_class_that_nobody_ruled_out_is_not_judged(tmp_path: Path) -> None:
    volume, truth = phantom_case(2)
    stored = []
    for key, one in (("a", truth), ("b", Truth(truth.layers, frozenset({2})))):
        sets = ExampleSet(Task.SEGMENTATION, CLASSES, ("MR",), (example_of(key, volume, one),))
        plan = TASK.plan(sets, tiny_recipe(), Inline())
        TASK.store(sets.examples[0], plan, tmp_path, Inline())
        stored += open_examples(tmp_path, [key])
    tally = Tally(2, overlapping=False)
    for one in stored:
        tally.add(one, np.array(one.labels()))
    assert {number: set(cases) for number, cases in tally.dice.items()} == {1: {"a", "b"}, 2: {"a"}}
    assert tally.score() == 1.0
