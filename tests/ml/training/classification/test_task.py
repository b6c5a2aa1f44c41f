"""Classifiers learn, keep what was measured, and answer in the real runner as they did in training."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save

from medview.core.errors import ModelError
from medview.core.job import Inline
from medview.core.volume import Volume
from medview.ml.examples import Truth
from medview.ml.explain.explain import explain
from medview.ml.explain_request import ExplainRequest
from medview.ml.outputs import ClassificationOutput, Subject, Summary
from medview.ml.packs import write_pack
from medview.ml.predict import PredictRequest
from medview.ml.recipes.table import bundled, choose
from medview.ml.runners.run import predict
from medview.ml.spec import Task
from medview.ml.spec_reader import read_spec
from medview.ml.spec_writer import document_of
from medview.ml.training.classification.calibrate import probabilities_of
from medview.ml.training.classification.figures import figures_of
from medview.ml.training.classification.planning import batch_of
from medview.ml.training.classification.task import ClassificationTask, answers
from tests.ml.training.pictures import Trained, bright_or_not, example_of, recipe

AUGMENT = {"rotate": 20, "scale": 0.1, "shift": 0.05, "gain": 0.1, "noise": 0.1}
NARROW = {"width": 8}

FAMILIES = [("small_cnn", NARROW), ("resnet18", {"width": 6}), ("resnet50", {"width": 4}), ("densenet121", {"growth": 4})]


@pytest.mark.parametrize("shape", [(1, 20, 26), (10, 16, 20)], ids=["2-D", "3-D"])
def test_the_small_network_learns_and_tells_pictures_apart(shape: tuple[int, int, int], tmp_path: Path) -> None:
    made = recipe(
        "classification",
        "small_cnn",
        network_options=NARROW,
        augment=AUGMENT,
        steps=50,
        optimiser={"name": "adamw", "rate": 0.01},
    )
    trained = Trained(ClassificationTask(), bright_or_not(shape=shape), made, tmp_path)
    assert trained.plan.spec.input.dimensions == (2 if shape[0] == 1 else 3)
    assert trained.plan.spec.input.shape_kji == shape
    assert trained.falls
    figures = trained.task.check(trained.network, trained.val, trained.plan, Inline())
    assert figures["auc"] > 0.9
    assert set(figures) >= {"auc", "accuracy", "f1", "log_loss", "score"}


@pytest.mark.parametrize("loss", ["ce", "focal"])
@pytest.mark.parametrize(("family", "options"), FAMILIES, ids=[name for name, _ in FAMILIES])
def test_every_network_trains_to_a_falling_loss_with_every_loss(
    family: str, options: dict[str, int], loss: str, tmp_path: Path
) -> None:
    made = recipe("classification", family, network_options=options, loss=loss, steps=20, batch=6)
    trained = Trained(ClassificationTask(), bright_or_not(count=12, shape=(1, 16, 18)), made, tmp_path)
    assert trained.falls, trained.losses
    assert trained.plan.step_bytes > 4 * sum(w.numel() for w in trained.network.parameters())


OPTIMISERS = [
    {"name": "sgd", "rate": 0.05},
    {"name": "sgd", "rate": 0.02, "momentum": 0.9},
    {"name": "sgd", "rate": 0.02, "momentum": 0.9, "nesterov": True},
    {"name": "adagrad", "rate": 0.01},
    {"name": "rmsprop", "rate": 0.001},
    {"name": "adam", "rate": 0.003},
    {"name": "adamw", "rate": 0.003},
]


TOGETHER = [(one, "cosine") for one in OPTIMISERS] + [(OPTIMISERS[-1], name) for name in ("constant", "poly")]


@pytest.mark.parametrize(("optimiser", "schedule"), TOGETHER, ids=[f"{one} {name}" for one, name in TOGETHER])
def test_every_optimiser_and_schedule_trains_to_a_falling_loss(
    optimiser: dict[str, object], schedule: str, tmp_path: Path
) -> None:
    made = recipe(
        "classification",
        "small_cnn",
        network_options=NARROW,
        optimiser=optimiser,
        schedule={"name": schedule, "warm_up": 0.1},
        steps=40,
    )
    assert Trained(ClassificationTask(), bright_or_not(shape=(1, 16, 18)), made, tmp_path).falls


@pytest.mark.parametrize("shape", [(1, 20, 26), (10, 16, 20)], ids=["2-D", "3-D"])
def test_the_pack_answers_in_the_runner_as_the_network_did_on_validation(
    shape: tuple[int, int, int], tmp_path: Path
) -> None:
    made = recipe("classification", "small_cnn", network_options=NARROW, steps=20)
    examples = bright_or_not(count=48, shape=shape)
    trained = Trained(ClassificationTask(), examples, made, tmp_path / "cache")
    trained.network.eval()
    spec = trained.task.finish(trained.network, trained.val, trained.plan, Inline())
    assert isinstance(spec.output, ClassificationOutput)
    state = {name: tensor.contiguous() for name, tensor in trained.network.state_dict().items()}
    files = {"weights.safetensors": save(state), "LICENSE": b"CC0\n", "MODEL_CARD.md": b"# Made\n"}
    pack = write_pack(tmp_path / "pack", {**document_of(spec), "files": {}}, files)
    right, count = 0, 0
    for example in examples.of_split("val"):
        found = predict(PredictRequest(example.volumes()[0], pack, device="cpu"), Inline())
        assert found.score_rule is not None
        said = found.score_rule.says(found.scores)
        right += (said["spot"] == "present") == (example.truth().answers["spot"] == 1.0)
        count += 1
    plan = replace(trained.plan, spec=spec)
    assert right / count == pytest.approx(_calibrated_accuracy(trained, plan.spec.output), abs=1e-9)


def test_what_the_model_before_had_set_is_set_anew_at_the_end_and_used_as_meant_until_then(
    tmp_path: Path,
) -> None:
    made = recipe("classification", "small_cnn", network_options=NARROW, steps=20)
    trained = Trained(ClassificationTask(), bright_or_not(count=48, shape=(1, 20, 26)), made, tmp_path / "cache")
    output = trained.plan.spec.output
    assert isinstance(output, ClassificationOutput)
    # As a model that was tuned from one has it: its calibration, its threshold, and its band of "not sure".
    before = replace(output, scale=4.0, shift=1.5, threshold=0.7, abstain=(0.6, 0.8))
    plan = replace(trained.plan, spec=replace(trained.plan.spec, output=before))
    after = trained.task.finish(trained.network, trained.val, plan, Inline()).output
    assert isinstance(after, ClassificationOutput)
    assert after.abstain is None
    assert (after.scale, after.shift) != (4.0, 1.5)
    seen = trained.task.check(trained.network, trained.val, plan, Inline())
    assert seen["accuracy"] == pytest.approx(_calibrated_accuracy(trained, before), abs=1e-9)


def _calibrated_accuracy(trained: Trained, output: object) -> float:
    assert isinstance(output, ClassificationOutput)
    logits, truth = answers(trained.network, trained.val, trained.plan, Inline())
    found = probabilities_of(logits, output.scale, output.shift, exclusive=True)
    return figures_of(found, truth, output.threshold, exclusive=True)["accuracy"]


def test_the_same_generator_draws_the_same_sample_and_another_one_another(tmp_path: Path) -> None:
    made = recipe("classification", "small_cnn", augment=AUGMENT, steps=1)
    trained = Trained(ClassificationTask(), bright_or_not(), made, tmp_path)
    one, same, other = (
        trained.task.draw(trained.data, trained.plan, made, np.random.default_rng([7, 3, place])) for place in (0, 0, 1)
    )
    assert np.array_equal(one["values"], same["values"])
    assert not np.array_equal(one["values"], other["values"])


def test_pictures_are_turned_as_they_are_seen_and_not_on_their_grid(tmp_path: Path) -> None:
    rows, columns = np.indices((40, 20)) + 0.5
    disc = ((rows - 20) ** 2 + (2 * (columns - 10)) ** 2 < 64)[None, None]
    pixels = (60 + 120 * disc).astype(np.uint8)
    examples = replace(
        bright_or_not(count=2),
        examples=tuple(
            example_of(f"d{n}", "train", pixels, Truth(answers={"clear": 1.0 - n, "spot": float(n)}), (1.0, 1.0, 2.0))
            for n in range(2)
        ),
    )
    task, made = ClassificationTask(), recipe("classification", "small_cnn", augment={"rotate": 180})
    plan = task.plan(examples, made, Inline())
    for example in examples.examples:
        task.store(example, plan, tmp_path, Inline())
    data = task.open(tmp_path, ["d0", "d1"], plan)
    for n in range(12):
        seen = task.draw(data, plan, made, np.random.default_rng(n))["values"][0, 0]
        bright = seen > (seen.min() + seen.max()) / 2
        assert np.count_nonzero(bright.any(axis=1)) == pytest.approx(16, abs=2)
        assert np.count_nonzero(bright.any(axis=0)) == pytest.approx(8, abs=2)


def test_examples_without_an_answer_are_left_out(tmp_path: Path) -> None:
    examples = bright_or_not()
    silent = replace(examples.examples[0], truth=Truth)
    trained = Trained(
        ClassificationTask(),
        replace(examples, examples=(silent, *examples.examples[1:])),
        recipe("classification", "small_cnn", steps=1),
        tmp_path,
    )
    assert len(trained.data) == len(examples.of_split("train")) - 1
    assert silent.key not in trained.data.keys


def test_validation_without_a_single_answer_is_said(tmp_path: Path) -> None:
    examples = bright_or_not(count=12)
    silent = tuple(replace(e, truth=Truth) if e.split == "val" else e for e in examples.examples)
    made = recipe("classification", "small_cnn", network_options=NARROW, steps=1)
    trained = Trained(ClassificationTask(), replace(examples, examples=silent), made, tmp_path)
    with pytest.raises(ModelError, match="No validation case has an answer"):
        trained.task.check(trained.network, trained.val, trained.plan, Inline())


def test_a_class_that_no_training_case_has_is_said_with_its_name(tmp_path: Path) -> None:
    examples = bright_or_not()
    clear = tuple(replace(e, truth=lambda: Truth(answers={"clear": 1.0, "spot": 0.0})) for e in examples.examples)
    with pytest.raises(ModelError, match=r"clear nothing can be learnt.*none without it"):
        ClassificationTask().plan(replace(examples, examples=clear), recipe("classification", "small_cnn"), Inline())


def test_answers_that_do_not_exclude_each_other_train_with_some_of_them_missing(tmp_path: Path) -> None:
    examples = bright_or_not()
    kept = []
    for n, example in enumerate(examples.examples):
        answers = dict(example.truth().answers)
        if n % 3 == 0:
            del answers["clear"]
        kept.append(replace(example, truth=lambda answers=answers: Truth(answers=answers)))
    some = replace(examples, examples=tuple(kept), exclusive=False)
    trained = Trained(
        ClassificationTask(),
        some,
        recipe("classification", "small_cnn", network_options=NARROW, loss="focal", steps=50),
        tmp_path,
    )
    assert trained.plan.spec.output.activation == "sigmoid"  # type: ignore[union-attr]
    assert len(trained.data) == len(some.of_split("train"))
    assert trained.falls


def test_a_network_of_slices_learns_from_every_slice_of_a_volume(tmp_path: Path) -> None:
    made = recipe("classification", "small_cnn", dimensions=2, steps=4)
    examples = bright_or_not(shape=(6, 16, 20))
    trained = Trained(ClassificationTask(), examples, made, tmp_path)
    assert trained.plan.spec.input.shape_kji == (1, 16, 20)
    assert trained.data.values(0).shape == (1, 6, 16, 20)
    figures = trained.task.check(trained.network, trained.val, trained.plan, Inline())
    assert 0.0 <= figures["accuracy"] <= 1.0


def test_the_slices_of_a_long_volume_are_not_looked_at_all_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = recipe("classification", "small_cnn", dimensions=2, network_options=NARROW, steps=1)
    trained = Trained(ClassificationTask(), bright_or_not(count=8, shape=(6, 16, 20)), made, tmp_path)
    whole, _ = answers(trained.network, trained.val, trained.plan, Inline())
    together: list[int] = []
    trained.network.register_forward_hook(lambda _network, seen, _answer: together.append(len(seen[0])))
    monkeypatch.setattr("medview.ml.training.classification.task.TOGETHER", 4)
    pieces, _ = answers(trained.network, trained.val, trained.plan, Inline())
    assert max(together) == 4
    assert np.allclose(pieces, whole, atol=1e-5)


def test_large_pictures_are_made_smaller_and_small_ones_left_as_they_are() -> None:
    examples = bright_or_not(count=8, shape=(1, 300, 450))
    plan = ClassificationTask().plan(examples, recipe("classification", "small_cnn"), Inline())
    assert plan.spec.input.shape_kji == (1, 149, 224)
    assert plan.cache_bytes == 8 * 149 * 224 * 2


def test_a_loss_or_network_that_classification_has_not_is_named() -> None:
    with pytest.raises(ModelError, match="no loss dice"):
        ClassificationTask().plan(bright_or_not(), recipe("classification", "small_cnn", loss="dice"), Inline())
    with pytest.raises(ModelError, match="no network unet"):
        ClassificationTask().plan(bright_or_not(), recipe("classification", "unet"), Inline())


def test_numbers_of_a_scanner_are_cut_at_what_training_held_and_bytes_are_taken_as_they_are() -> None:
    examples = bright_or_not()
    of_bytes = ClassificationTask().plan(examples, recipe("classification", "small_cnn"), Inline())
    assert [step.op for step in of_bytes.spec.input.channels[0].intensity] == ["shift_scale"]
    hounsfield = tuple(
        replace(e, volumes=lambda e=e: tuple(_in_hu(volume) for volume in e.volumes())) for e in examples.examples
    )
    of_ct = ClassificationTask().plan(
        replace(examples, examples=hounsfield), recipe("classification", "small_cnn"), Inline()
    )
    channel = of_ct.spec.input.channels[0]
    assert (channel.unit, channel.modality) == ("HU", ("CT",))
    assert [step.op for step in channel.intensity] == ["clip", "shift_scale"]


def _in_hu(volume: Volume) -> Volume:
    return replace(volume, voxels=volume.voxels.astype(np.int16) - 100, modality="CT", unit="HU")


def test_what_is_said_of_slices_makes_a_model_of_slices() -> None:
    examples = replace(bright_or_not(), of_slices=True)
    output = ClassificationTask().plan(examples, recipe("classification", "small_cnn"), Inline()).spec.output
    assert isinstance(output, ClassificationOutput)
    assert (output.subject, output.summary) == (Subject.SLICE, Summary.LARGEST)


def test_a_strength_that_augmentation_has_not_is_named() -> None:
    with pytest.raises(ModelError, match=r"augment\.tilt"):
        ClassificationTask().plan(bright_or_not(), recipe("classification", "small_cnn", augment={"tilt": 3}), Inline())


@pytest.mark.parametrize("name", [one.name for one in bundled() if one.task is Task.CLASSIFICATION])
def test_every_recipe_plans_and_its_plan_is_a_pack_that_can_be_read_back(name: str) -> None:
    made = choose(Task.CLASSIFICATION, name)
    assert made.name == name
    shape = (6, 16, 18) if name == "classification-slices" else (1, 16, 18)
    plan = ClassificationTask().plan(bright_or_not(shape=shape), made, Inline())
    document = {**document_of(plan.spec), "files": {"weights.safetensors": "0" * 64}}
    assert read_spec(json.dumps(document)).input == plan.spec.input
    assert json.loads(json.dumps(plan.settings)) == plan.settings


@pytest.mark.parametrize(("shape", "batch"), [((1, 28, 28), 64), ((1, 224, 224), 16), ((24, 96, 96), 4), ((80, 80, 80), 4)])
def test_a_step_sees_fewer_samples_of_larger_pictures(shape: tuple[int, int, int], batch: int) -> None:
    assert batch_of(shape) == batch


@pytest.mark.parametrize("shape", [(1, 20, 26), (10, 16, 20)], ids=["2-D", "3-D"])
@pytest.mark.parametrize(("family", "options"), FAMILIES[1:], ids=[name for name, _ in FAMILIES[1:]])
def test_packs_of_every_network_run_and_show_where_they_looked(
    family: str, options: dict[str, int], shape: tuple[int, int, int], tmp_path: Path
) -> None:
    made = recipe("classification", family, network_options=options, steps=1, batch=4)
    examples = bright_or_not(count=8, shape=shape)
    trained = Trained(ClassificationTask(), examples, made, tmp_path / "cache")
    spec = trained.task.finish(trained.network, trained.val, trained.plan, Inline())
    state = {name: tensor.contiguous() for name, tensor in trained.network.state_dict().items()}
    files = {"weights.safetensors": save(state), "LICENSE": b"CC0\n", "MODEL_CARD.md": b"# Made\n"}
    pack = write_pack(tmp_path / "pack", {**document_of(spec), "files": {}}, files)
    request = PredictRequest(examples.of_split("val")[0].volumes()[0], pack, device="cpu")
    found = predict(request, Inline())
    logits, _ = answers(trained.network, trained.val, trained.plan, Inline())
    own = probabilities_of(logits[:1], 1.0, 0.0, exclusive=True)[0]
    assert list(found.scores.values()) == pytest.approx(own.tolist(), abs=2e-3)
    looked = explain(ExplainRequest(request, "spot", "gradcam"), Inline())
    assert looked.heat.levels.shape[0] == shape[0]
