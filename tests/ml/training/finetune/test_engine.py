"""Each rung trains what it says and nothing else, goes on after a break bit for bit, and leaves a plain pack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from medview.core.errors import CancelledError, ModelError
from medview.ml.examples import TrainingClass
from medview.ml.packs import ModelPack, load_pack, write_pack
from medview.ml.runs.events import read_events
from medview.ml.runs.folder import RunFolder
from medview.ml.training.classification.task import ClassificationTask
from medview.ml.training.detection.task import DetectionTask
from medview.ml.training.segmentation.task import SegmentationTask
from medview.ml.weights import load_network
from tests.helpers.parents import new_run, random_parent, train
from tests.helpers.segmentation_training import phantom_set, tiny_recipe
from tests.ml.small_packs import small_network
from tests.ml.training.pictures import bright_or_not, discs, recipe

EXAMPLES = phantom_set(8)
# Kernels in full, so that what did not learn is the parent's bit for bit.
OPTIONS = {"precision": "full", "full_weights": True}
RECIPE = replace(
    tiny_recipe(steps=4, check_every=2, average=0.5, options=OPTIONS, network_options={"features": 8}),
    name="segmentation-residual-unet",
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> ModelPack:
    return random_parent(tmp_path_factory.mktemp("parent"), SegmentationTask(), EXAMPLES, RECIPE)


def changed(run: RunFolder, parent: ModelPack) -> set[str]:
    """Return the names of weights that are not the parent's."""
    before, after = load_file(parent.weights), load_file(load_pack(run.pack).weights)
    assert before.keys() == after.keys()
    return {name for name, tensor in before.items() if not torch.equal(tensor, after[name])}


def beginning_with(names: set[str], *begins: str) -> set[str]:
    return {name for name in names if name.startswith(begins)}


@pytest.mark.parametrize("rung", ["head", "decoder", "all", "adapters"])
def test_a_rung_trains_what_it_says_and_ends_after_a_break_as_without_one(
    tmp_path: Path, parent: ModelPack, rung: str
) -> None:
    whole, broken = (new_run(tmp_path / name, RECIPE, parent, rung) for name in ("whole", "broken"))
    train(whole, EXAMPLES)
    calls = count(1)
    with pytest.raises(CancelledError):
        train(broken, EXAMPLES, lambda: next(calls) >= 3)
    train(broken, EXAMPLES)
    assert (broken.pack / "weights.safetensors").read_bytes() == (whole.pack / "weights.safetensors").read_bytes()
    names, moved = set(load_file(parent.weights)), changed(whole, parent)
    expected = {
        "head": beginning_with(names, "decoder.seg_layers."),
        "decoder": beginning_with(names, "decoder."),
        "all": names,
    }
    # A bias before a norm changes nothing, and gets no gradient worth the name.
    idle = {name for name in names if name.endswith("conv.bias")}
    if rung == "adapters":
        assert "decoder.seg_layers.0.weight" in moved
        assert "encoder.stages.1.blocks.0.conv1.conv.weight" in moved
        assert "encoder.stages.1.blocks.0.conv1.norm.weight" in moved
        assert not moved & idle
    else:
        assert moved <= expected[rung]
        assert expected[rung] - idle <= moved
    # It is a pack like any other.
    with torch.no_grad():
        tile = load_pack(whole.pack).spec.tiling
        assert tile is not None
        assert load_network(load_pack(whole.pack))(torch.zeros(1, 1, *tile.tile_kji)).shape[1] == 3
    document = whole.read_json(whole.borrowed)
    assert document is not None
    assert (document["rung"], document["taken"], document["gone"]) == (rung, len(names), [])
    told = [event for event in read_events(broken.events) if event["kind"] == "borrowed"]
    assert [event["text"] for event in told] == [document["sentence"]]
    assert 0 < document["trained"] <= document["of"]


def test_three_cases_teach_the_head_and_the_last_stage(tmp_path: Path, parent: ModelPack) -> None:
    run = new_run(tmp_path / "run", replace(RECIPE, steps=1), parent)
    train(run, phantom_set(4))
    moved = changed(run, parent)
    last = max(int(name.split(".")[2]) for name in load_file(parent.weights) if name.startswith("decoder.stages."))
    allowed = beginning_with(moved, "decoder.seg_layers.", f"decoder.stages.{last}.", f"decoder.transpconvs.{last}.")
    assert moved == allowed
    assert f"decoder.transpconvs.{last}.weight" in moved


def test_the_first_network_of_an_ensemble_is_gone_on_with_and_said(tmp_path: Path, parent: ModelPack) -> None:
    content = {key: value for key, value in parent.spec.document.items() if key != "files"}
    other = parent.folder / "other.safetensors"
    other.write_bytes(parent.weights.read_bytes()[:-4] + b"\0\0\0\0")
    files = {"weights.safetensors": parent.weights, "fold_1.safetensors": other, "LICENSE": b"x\n"}
    both = write_pack(tmp_path / "both", {**content, "ensemble": ["weights.safetensors", "fold_1.safetensors"]}, files)
    run = new_run(tmp_path / "run", replace(RECIPE, steps=1), both, "head")
    train(run, EXAMPLES)
    assert not beginning_with(changed(run, parent), "encoder.")
    document = run.read_json(run.borrowed)
    assert document is not None
    assert "first of its 2 networks" in document["sentence"]
    assert load_pack(run.pack).spec.ensemble == ("weights.safetensors",)


def test_a_foreign_network_is_trained_as_its_pack_says(tmp_path: Path, parent: ModelPack) -> None:
    from safetensors.torch import save

    kwargs = {"in_channels": 1, "classes": 3, "channels": [4, 8, 12], "strides": [2, 2], "residual_units": 1}
    content = {key: value for key, value in parent.spec.document.items() if key != "files"}
    content["network"] = {"name": "monai_unet", "kwargs": kwargs}
    content["tiling"] = {**parent.spec.document["tiling"], "tile_kji": [12, 16, 20]}  # type: ignore[dict-item]
    state = {name: tensor.contiguous() for name, tensor in small_network("monai_unet", kwargs).state_dict().items()}
    foreign = write_pack(tmp_path / "foreign", content, {"weights.safetensors": save(state), "LICENSE": b"x\n"})
    run = new_run(tmp_path / "run", replace(RECIPE, network_options={}), foreign)
    more = replace(EXAMPLES, classes=(*EXAMPLES.classes, TrainingClass("lesion")))
    train(run, more)
    pack = load_pack(run.pack)
    assert pack.spec.network.kwargs == {**kwargs, "classes": 4}
    assert run.settings().recipe.network == "monai_unet"
    with pytest.raises(ModelError, match="no decoder"):
        train(new_run(tmp_path / "d", replace(RECIPE, network_options={}), foreign, "decoder"), EXAMPLES)


def test_detectors_and_classifiers_climb_the_same_ladder(tmp_path: Path) -> None:
    found = discs(count=8)
    short = {"steps": 2, "check_every": 2, "average": 0.5, "options": OPTIONS}
    how = recipe("detection", "fpn_detector", network_options={"channels": [8, 12, 16], "width": 16}, loss="focal", **short)
    how = replace(how, name="detection-fpn", batch=2)
    model = random_parent(tmp_path / "d", DetectionTask(), found, how)
    run = new_run(tmp_path / "d-head", how, model, "head")
    train(run, found)
    moved = changed(run, model)
    assert "logits.weight" in moved
    # Not the statistics of frozen norms either.
    assert not beginning_with(moved, "stem.", "down.", "lateral.", "smooth")

    asked = bright_or_not(count=12)
    small = replace(
        recipe("classification", "small_cnn", network_options={"width": 8}, **short), name="classification-small-cnn"
    )
    model = random_parent(tmp_path / "c", ClassificationTask(), asked, small)
    for rung, begins in (("head", ("head.",)), ("all", ("head.", "features.")), ("adapters", ("head.", "features."))):
        run = new_run(tmp_path / f"c-{rung}", small, model, rung)
        train(run, asked)
        moved = changed(run, model)
        assert moved == beginning_with(moved, *begins)
        assert beginning_with(moved, "head.")
        assert bool(beginning_with(moved, "features.")) == (rung != "head")
