"""Before the first step a network that goes on from a model says of old classes what the model says, bit for bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from medview.core.errors import ModelError
from medview.core.job import Inline
from medview.ml.examples import Example, ExampleSet, TrainingClass
from medview.ml.lineage.channel_map import ChannelMap
from medview.ml.networks.monai_unet import unet as monai_unet
from medview.ml.spec import NetworkSpec
from medview.ml.training.build import trainable_network
from medview.ml.training.classification.task import ClassificationTask
from medview.ml.training.detection.task import DetectionTask
from medview.ml.training.finetune.carry import Carried, carry
from medview.ml.training.finetune.counted import counted_in, with_counts
from medview.ml.training.finetune.rows import RARE, RARER, Row
from medview.ml.training.finetune.task import begun_of
from medview.ml.training.segmentation.task import SegmentationTask
from tests.helpers.parents import random_parent, tuned
from tests.helpers.segmentation_training import phantom_set, tiny_recipe
from tests.ml.training.pictures import bright_or_not, discs, recipe

EXAMPLES = phantom_set(4)
BRIGHT, DARK = EXAMPLES.classes
LESION = TrainingClass("lesion")
RECIPE = tiny_recipe()
SAME = ChannelMap(("MR",), (0,), averaged=False, gone=(), before=1)


def of_classes(*classes: TrainingClass, exclusive: bool = True) -> ExampleSet:
    return replace(EXAMPLES, classes=classes, exclusive=exclusive)


def answers(network: torch.nn.Module, volume: torch.Tensor) -> list[torch.Tensor]:
    """Return what all heads say, as in training."""
    with torch.no_grad():
        found = network.train()(volume)
    return list(found)


def test_rows_of_all_heads_are_copied_to_where_their_classes_are_now(tmp_path: Path) -> None:
    parent = random_parent(tmp_path, SegmentationTask(), EXAMPLES, RECIPE)
    _, plan, before = tuned(SegmentationTask(), parent, EXAMPLES, RECIPE)
    _, after_plan, after = tuned(SegmentationTask(), parent, of_classes(LESION, DARK, BRIGHT), RECIPE)
    assert plan.spec.network == parent.spec.network
    assert after_plan.spec.network == with_counts(parent.spec.network, channels=1, answers=4)
    volume = torch.randn(2, 1, 12, 20, 24)
    scales = list(zip(answers(before, volume), answers(after, volume), strict=True))
    assert len(scales) > 1
    for old, new in scales:
        # Background, dark, bright.
        torch.testing.assert_close(new[:, [0, 2, 3]], old[:, [0, 2, 1]], atol=1e-5, rtol=1e-5)
        # The new class is rare background, but for what lets the two part: hardly a voxel is said to be it.
        assert float((new[:, 1] - old[:, 0] - RARER).mean()) == pytest.approx(0.0, abs=1.0)
        assert 0.1 < float((new[:, 1] - old[:, 0]).std()) < 1.5
        assert float((new.argmax(dim=1) == 1).float().mean()) < 0.02
    report = begun_of(after).report  # type: ignore[union-attr]
    # More rows may be added up in another order; the rows themselves are the same.
    theirs, mine = before.state_dict(), after.state_dict()
    assert all(torch.equal(mine[name][[0, 2, 3]], theirs[name][[0, 2, 1]]) for name in report.carried.heads)
    assert {name.rpartition(".")[2] for name in report.carried.heads} == {"weight", "bias"}
    assert all("seg_layers" in name for name in report.carried.heads)
    assert report.carried.fresh == report.carried.unused == ()
    assert "new: lesion" in report.sentence()


def test_a_class_that_is_gone_takes_its_row_with_it(tmp_path: Path) -> None:
    parent = random_parent(tmp_path, SegmentationTask(), EXAMPLES, RECIPE)
    volume = torch.randn(1, 1, 12, 20, 24)
    before, after = (tuned(SegmentationTask(), parent, one, RECIPE)[2] for one in (EXAMPLES, of_classes(DARK)))
    assert torch.equal(answers(after, volume)[0], answers(before, volume)[0][:, [0, 2]])
    assert begun_of(after).report.document()["gone"] == ["bright"]  # type: ignore[union-attr]


def test_classes_that_overlap_now_are_told_from_the_background_they_had(tmp_path: Path) -> None:
    parent = random_parent(tmp_path, SegmentationTask(), EXAMPLES, RECIPE)
    volume = torch.randn(1, 1, 12, 20, 24)
    before = answers(tuned(SegmentationTask(), parent, EXAMPLES, RECIPE)[2], volume)[0]
    _, plan, network = tuned(SegmentationTask(), parent, of_classes(DARK, LESION, exclusive=False), RECIPE)
    assert plan.settings["overlapping"]
    assert plan.spec.output.activation == "sigmoid"  # type: ignore[union-attr]
    after = answers(network, volume)[0]
    torch.testing.assert_close(after[:, 0], before[:, 2] - before[:, 0], atol=1e-4, rtol=1e-4)
    assert float(after[:, 1].mean()) == pytest.approx(RARE, abs=1.0)


def test_what_is_told_class_by_class_stays_so_when_classes_no_longer_overlap(tmp_path: Path) -> None:
    parent = random_parent(tmp_path, SegmentationTask(), of_classes(BRIGHT, DARK, exclusive=False), RECIPE)
    volume = torch.randn(1, 1, 12, 20, 24)
    _, _, before = tuned(SegmentationTask(), parent, of_classes(BRIGHT, DARK, exclusive=False), RECIPE)
    _, plan, after = tuned(SegmentationTask(), parent, of_classes(DARK, LESION, BRIGHT), RECIPE)
    assert plan.spec.output.activation == "sigmoid"  # type: ignore[union-attr]
    old, new = answers(before, volume)[0], answers(after, volume)[0]
    assert torch.equal(new[:, [0, 2]], old[:, [1, 0]])
    assert float(new[:, 1].mean()) == pytest.approx(RARE, abs=1.0)


def test_boxes_and_answers_keep_their_rows_too(tmp_path: Path) -> None:
    made = discs(count=6)
    how = recipe("detection", "fpn_detector", network_options={"channels": [8, 12, 16], "width": 16}, loss="focal")
    parent = random_parent(tmp_path / "d", DetectionTask(), made, how)
    swapped = replace(made, classes=made.classes[::-1])
    picture = torch.randn(1, 1, 64, 80)
    with torch.no_grad():
        old, new = (tuned(DetectionTask(), parent, one, how)[2].eval()(picture) for one in (made, swapped))
    assert torch.equal(new["logits_0"], old["logits_0"].flip(1))
    assert torch.equal(new["size_0"], old["size_0"])

    asked = bright_or_not(count=12)
    small = recipe("classification", "small_cnn", network_options={"width": 8})
    parent = random_parent(tmp_path / "c", ClassificationTask(), asked, small)
    more = replace(asked, classes=(TrainingClass("SPOT"), TrainingClass("clear"), TrainingClass("blur")))
    more = replace(more, examples=tuple(_answered(one, n) for n, one in enumerate(asked.examples)))
    picture = torch.randn(3, 1, 20, 26)
    with torch.no_grad():
        old, new = (tuned(ClassificationTask(), parent, one, small)[2].eval()(picture) for one in (asked, more))
    assert torch.equal(new[:, :2], old.flip(1))
    assert new[:, 2].std() > 0


def test_features_are_asked_to_tell_a_new_class_from_what_it_was_before(tmp_path: Path) -> None:
    parent = random_parent(tmp_path, SegmentationTask(), EXAMPLES, RECIPE)
    _, _, network = tuned(SegmentationTask(), parent, of_classes(LESION, DARK, BRIGHT), RECIPE)
    layer = network.get_submodule("decoder.seg_layers")[-1]  # type: ignore[index]
    features = torch.randn(1, layer.weight.shape[1], 2, 2, 2, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(layer(features), torch.ones(1, 2, 2, 2, dtype=torch.long))
    (asked,) = torch.autograd.grad(loss, features)
    # Rows of the same numbers would take their gradients away from each other.
    assert float(asked.norm()) > 0.1 * float(layer.weight.detach().norm(dim=1).mean()) / 8


def _answered(example: Example, n: int) -> Example:
    truth = replace(example.truth(), answers={name: float(n % 3 == m) for m, name in enumerate(("SPOT", "clear", "blur"))})
    return replace(example, truth=lambda: truth)


def test_a_new_channel_says_nothing_yet_and_a_known_one_stays_where_its_name_is(tmp_path: Path) -> None:
    parent = random_parent(tmp_path, SegmentationTask(), EXAMPLES, RECIPE)
    two = replace(EXAMPLES, channels=("PET", "mr"), examples=tuple(_with_channel(one) for one in EXAMPLES.examples))
    _, plan, after = tuned(SegmentationTask(), parent, two, RECIPE)
    _, _, before = tuned(SegmentationTask(), parent, EXAMPLES, RECIPE)
    volume = torch.randn(1, 1, 12, 20, 24)
    shown = torch.cat((torch.randn(1, 1, 12, 20, 24), volume), dim=1)
    torch.testing.assert_close(answers(after, shown)[0], answers(before, volume)[0])
    assert [channel.name for channel in plan.spec.input.channels] == ["PET", "MR"]
    assert plan.spec.input.channels[1] == parent.spec.input.channels[0]
    begun = begun_of(after)
    assert begun is not None
    assert begun.report.carried.adapted == ("encoder.stem.convs.0.conv.weight",)
    assert "new: PET" in begun.report.sentence()


def _with_channel(example: Example) -> Example:
    return replace(example, volumes=lambda: (*example.volumes(), *example.volumes()))


@pytest.mark.parametrize("units", [0, 2])
def test_foreign_heads_of_several_layers_go_on_as_they_were(units: int) -> None:
    kwargs = {"in_channels": 1, "classes": 3, "channels": [4, 8, 12], "strides": [2, 2], "residual_units": units}
    torch.manual_seed(2)
    theirs = monai_unet(**kwargs).eval()  # type: ignore[arg-type]
    spec = with_counts(NetworkSpec("monai_unet", kwargs), channels=1, answers=4)  # type: ignore[arg-type]
    own = trainable_network(spec).eval()
    found = _carried(own, theirs, spec, (Row(0), Row(2), Row(0, more=RARE), Row(1)))
    assert found.heads
    volume = torch.randn(1, 1, 8, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(own(volume)[:, [0, 1, 3]], theirs(volume)[:, [0, 2, 1]])


def _carried(own: torch.nn.Module, theirs: torch.nn.Module, spec: NetworkSpec, rows: tuple[Row, ...]) -> Carried:
    return carry(own, theirs.state_dict(), counted_in(spec), rows, SAME, "foreign")


def test_weights_of_another_network_are_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    parent = random_parent(tmp_path, SegmentationTask(), EXAMPLES, RECIPE)
    network = SegmentationTask().network(
        SegmentationTask().plan(EXAMPLES, tiny_recipe(network_options={"features": 8}), Inline())
    )
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    rows = (Row(0), Row(1), Row(2))
    with pytest.raises(ModelError, match="not those of the network"):
        carry(network, load_file(parent.weights), counted_in(parent.spec.network), rows, SAME, "x")
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_a_head_with_new_classes_learns_faster_and_an_encoder_more_slowly(tmp_path: Path) -> None:
    parent = random_parent(tmp_path, SegmentationTask(), EXAMPLES, RECIPE)
    how = tiny_recipe(options={"tune": "all", "new_rate": 2.0})
    for classes, expected in (((BRIGHT, DARK), {0.1, 1.0}), ((BRIGHT, LESION), {0.2, 2.0, 6.0})):
        task, _, network = tuned(SegmentationTask(), parent, of_classes(*classes), how)
        groups = task.rates(network, how)
        assert {times for times, _ in groups} == expected
        assert sum(len(weights) for _, weights in groups) == len(list(network.parameters()))
        names = {id(weights): name for name, weights in network.named_parameters()}
        for times, weights in groups:
            begins = "encoder." if times < 1 else "decoder." if times < 3 else "decoder.seg_layers."
            assert all(names[id(one)].startswith(begins) for one in weights)
