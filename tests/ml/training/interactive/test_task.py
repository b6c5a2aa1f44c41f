"""Networks learn to find one object from prompts, in volumes and pictures, and the runner finds it with them too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from medview.core.box import Box
from medview.core.errors import ModelError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline, JobContext
from medview.core.prompt import Prompt, PromptKind
from medview.core.prompt_log import NOTHING, HeldVoxels
from medview.core.volume import Volume
from medview.ml.examples import UNKNOWN, Example, ExampleSet, TrainingClass, Truth
from medview.ml.packs import write_pack
from medview.ml.recipes.recipe import OptimiserChoice, Recipe
from medview.ml.recipes.table import choose
from medview.ml.runners.interactive import KEPT, find_object
from medview.ml.spec import Shape3, Task
from medview.ml.spec_writer import document_of
from medview.ml.training.interactive.samples import collate
from medview.ml.training.interactive.task import InteractiveTask, clicked_on
from medview.ml.training.optimisers import make_optimiser
from medview.ml.training.prompter import correction
from medview.ml.training.task import TrainingPlan

CLASSES = (TrainingClass("bright"), TrainingClass("dark"))
TILE = (8, 16, 16)


def case(seed: int, shape: Shape3, calibration: Calibration = Calibration.VOLUME) -> tuple[Volume, Truth]:
    """Two bright and one dark blob."""
    rng = np.random.default_rng(seed)
    places = np.stack(np.meshgrid(*(np.arange(n) + 0.5 for n in shape), indexing="ij"), axis=-1)
    labels = np.zeros(shape, dtype=np.uint8)
    for number, at in ((1, (0.5, 0.3, 0.25)), (1, (0.5, 0.7, 0.75)), (2, (0.5, 0.25, 0.75))):
        middle = np.array(shape) * at + rng.uniform(-1, 1, 3)
        radii = np.maximum(np.array(shape) * rng.uniform(0.12, 0.2, 3), 1.5)
        labels[(((places - middle) / radii) ** 2).sum(axis=-1) < 1] = number
    values = np.choose(labels, (100.0, 180.0, 20.0)) + rng.normal(0, 10, shape)
    geometry = Geometry.from_spacing(shape, (2.0, 1.0, 1.0), calibration=calibration)
    return Volume(values.astype(np.int16), geometry, modality="MR", series_uid=f"{seed}"), Truth(labels[None])


def made(shape: Shape3, count: int = 6, calibration: Calibration = Calibration.VOLUME) -> ExampleSet:
    def example(n: int) -> Example:
        return Example(
            f"case-{n}",
            f"patient-{n}",
            "val" if n % 3 == 2 else "train",
            lambda: (case(n, shape, calibration)[0],),
            lambda: case(n, shape, calibration)[1],
        )

    return ExampleSet(Task.INTERACTIVE, CLASSES, ("MR",), tuple(example(n) for n in range(count)))


def near(volume: Volume, prompt: Prompt, _context: JobContext) -> HeldVoxels:
    """A growing that knows nothing: a box about the prompt."""
    at = np.rint(prompt.points_kji(volume.geometry).mean(axis=0)).astype(int)
    low, high = np.maximum(at - 2, 0), np.minimum(at + 3, volume.geometry.shape_kji)
    box = Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
    return HeldVoxels.of(box, np.ones(box.shape_kji, dtype=bool))


def tiny(**changes: object) -> Recipe:
    usual = choose(Task.INTERACTIVE)
    settings: dict[str, object] = {
        "network_options": {"features": 8, "widest": 16},
        "optimiser": OptimiserChoice("adamw", 8e-3),
        "augment": {**usual.augment, "blur": 0.0},
        "options": {"grown": True, "tile": list(TILE)},
        "batch": 4,
    }
    return replace(usual, **{**settings, **changes})  # type: ignore[arg-type]


def prepared(examples: ExampleSet, recipe: Recipe, folder: Path) -> tuple[InteractiveTask, TrainingPlan, object, object]:
    task = InteractiveTask(near)
    plan = task.plan(examples, recipe, Inline())
    for example in examples.examples:
        task.store(example, plan, folder, Inline())
    train, val = (task.open(folder, [one.key for one in examples.of_split(split)], plan) for split in ("train", "val"))
    return task, plan, train, val


@pytest.mark.parametrize(
    ("shape", "calibration"),
    [((12, 32, 36), Calibration.VOLUME), ((1, 40, 48), Calibration.PIXELS)],
    ids=["volumes", "pictures"],
)
def test_it_learns_to_find_what_is_clicked_at_and_the_runner_finds_it_too(
    shape: Shape3, calibration: Calibration, tmp_path: Path
) -> None:
    tile = [8, 24, 24] if shape[0] == 1 else list(TILE)
    examples, recipe = made(shape, calibration=calibration), tiny(options={"grown": True, "tile": tile})
    task, plan, train, val = prepared(examples, recipe, tmp_path / "cache")
    torch.manual_seed(0)
    network = task.network(plan).train()
    before = task.check(network, val, plan, Inline())["score"]
    optimiser = make_optimiser(network, recipe.optimiser, [(1.0, list(network.parameters()))])
    losses = []
    for step in range(40):
        batch = task.collate([task.draw(train, plan, recipe, np.random.default_rng([1, step, n])) for n in range(4)])
        optimiser.zero_grad()
        loss = task.loss(network, batch, plan, recipe)["loss"]
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-10:]) < 0.85 * np.mean(losses[:10])
    figures = task.check(network, val, plan, Inline())
    assert figures["score"] > max(before + 0.2, 0.5)

    spec = task.finish(network, val, plan, Inline())
    state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    files = {"weights.safetensors": save(state), "LICENSE": b"CC0\n", "MODEL_CARD.md": b"# Made\n"}
    pack = write_pack(tmp_path / "pack", {**document_of(spec), "files": {}}, files)
    KEPT.clear()
    found = []
    for example in examples.of_split("val"):
        (volume,), truth = example.volumes(), example.truth().layers
        assert truth is not None
        dark = truth[0] == 2
        axes = (0,) if shape[0] == 1 else (0, 1, 2)
        prompt = correction(dark, np.zeros_like(dark), volume.geometry, [PromptKind.POINT], axes=axes)
        assert prompt is not None
        held = find_object(pack, volume, [prompt], NOTHING, Inline(), "cpu", near).mask(Box.whole(shape))
        found.append(2 * np.count_nonzero(held & dark) / (np.count_nonzero(held) + np.count_nonzero(dark)))
    assert np.mean(found) > 0.5
    KEPT.clear()


def test_a_sample_hangs_on_its_generator_alone_and_shows_what_the_runner_would(tmp_path: Path) -> None:
    recipe = tiny(augment={})
    task, plan, train, _ = prepared(made((12, 32, 36)), recipe, tmp_path)
    samples = [task.draw(train, plan, recipe, np.random.default_rng([2, n])) for n in range(12)]
    again = [task.draw(train, plan, recipe, np.random.default_rng([2, n])) for n in range(12)]
    for one, other in zip(samples, again, strict=True):
        assert np.array_equal(one.seen, other.seen)
        assert np.array_equal(one.truth, other.truth)
        assert one.seen.shape == (plan.spec.in_channels, *TILE)
        # Something is said, and of the object.
        said = one.seen[3:].max(axis=0) > 0
        assert said.any()
        assert (one.truth == 1).sum() >= 4
    firsts = [one for one in samples if one.seen[2].any()]
    assert firsts, "some begin with what was grown"
    assert any(one.seen[1].any() for one in samples), "some begin with what is held"


def test_what_is_not_known_of_an_example_is_neither_object_nor_background(tmp_path: Path) -> None:
    volume, truth = case(0, (12, 32, 36))
    assert truth.layers is not None
    layers = truth.layers.copy()
    layers[0, :, :, 24:] = UNKNOWN
    examples = ExampleSet(
        Task.INTERACTIVE,
        CLASSES,
        ("MR",),
        tuple(
            Example(f"{n}", f"{n}", split, lambda: (volume,), lambda: Truth(layers))
            for n, split in enumerate(("train", "val"))
        ),
    )
    recipe = tiny(augment={})
    task, plan, train, _ = prepared(examples, recipe, tmp_path)
    samples = [task.draw(train, plan, recipe, np.random.default_rng([3, n])) for n in range(12)]
    assert any((one.truth == UNKNOWN).any() for one in samples)
    batch = task.collate([replace(one, further=0) for one in samples])
    logits = torch.randn((len(samples), 2, *TILE), requires_grad=True)
    task.loss(Given(logits), batch, plan, recipe)["loss"].backward()
    assert logits.grad is not None
    moved = logits.grad.abs().sum(dim=1) > 0
    assert not moved[batch.truth == UNKNOWN].any()
    assert moved[batch.truth == 1].all()


def test_where_classes_overlap_one_that_nobody_looked_for_hides_nothing_of_the_others(tmp_path: Path) -> None:
    examples = made((12, 32, 36), count=3)

    def partly(example: Example) -> Example:
        layers = example.truth().layers
        assert layers is not None
        # The bright blobs alone were looked for, and not on all slices.
        some = np.where(layers == 1, 1, 0).astype(np.uint8)
        some[:, 9:] = UNKNOWN
        return replace(example, truth=lambda: Truth(some, open_classes=frozenset({2})))

    partial = replace(examples, examples=tuple(map(partly, examples.examples)), exclusive=False)
    recipe = tiny(augment={})
    task, plan, train, val = prepared(partial, recipe, tmp_path)
    samples = [task.draw(train, plan, recipe, np.random.default_rng([5, n])) for n in range(6)]
    assert all((one.truth == 1).sum() >= 4 and (one.truth == 0).sum() > 100 for one in samples)
    assert any((one.truth == UNKNOWN).any() for one in samples)
    network = task.network(plan).train()
    with torch.no_grad():
        assert "dice_after_1" in task.check(network, val, plan, Inline())


def test_objects_of_which_nothing_is_known_end_a_training_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny(augment={})
    task, plan, train, _ = prepared(made((12, 32, 36), count=3), recipe, tmp_path)
    everything = HeldVoxels.of(Box.whole((12, 32, 36)), np.ones((12, 32, 36), dtype=bool))
    monkeypatch.setattr(type(train), "unknown", lambda _set, _n: everything)
    with pytest.raises(ModelError, match="review the labels"):
        task.draw(train, plan, recipe, np.random.default_rng(0))


class Given(torch.nn.Module):
    """Answers what it was given."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, _seen: torch.Tensor) -> torch.Tensor:
        return self.logits


def test_further_clicks_answer_what_the_network_found(tmp_path: Path) -> None:
    recipe = tiny(augment={})
    task, plan, train, _ = prepared(made((12, 32, 36)), recipe, tmp_path)
    network = task.network(plan).train()
    samples = [replace(task.draw(train, plan, recipe, np.random.default_rng([4, n])), further=n) for n in range(3)]
    batch = collate(samples)
    output = plan.spec.output
    seen = clicked_on(network, batch, output)  # type: ignore[arg-type]
    assert torch.equal(seen[0], batch.seen[0])
    for n in (1, 2):
        # The newest prompt stands out from those before, which became weaker.
        strengths = torch.unique(seen[n, 3:])
        assert len(strengths) == len(torch.unique(batch.seen[n, 3:])) + n
        assert not torch.equal(seen[n, 1], batch.seen[n, 1])
    assert torch.equal(seen, clicked_on(network, batch, output))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"network": "small_cnn"}, "no interactive network"),
        ({"loss": "huber"}, "no loss"),
        ({"options": {"tile": [24, 40]}}, "tile"),
        ({"options": {"tile": [9, 16, 16]}}, "multiples of 8"),
        ({"augment": {"elastic": 2.0}}, "elastic"),
    ],
)
def test_a_recipe_that_asks_for_what_there_is_not_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        InteractiveTask(near).plan(made((12, 32, 36)), tiny(**changes), Inline())


def test_without_anything_that_grows_a_recipe_may_not_ask_for_it() -> None:
    with pytest.raises(ModelError, match="nothing here grows"):
        InteractiveTask().plan(made((12, 32, 36)), tiny(), Inline())
    plan = InteractiveTask().plan(made((12, 32, 36)), tiny(options={"tile": list(TILE)}), Inline())
    assert plan.spec.in_channels == 9
