"""A training that goes on from a model sees pictures as that does: spacing, axes, values, tiles and steps are its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import ModelError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.volume import Volume
from medview.ml.examples import TrainingClass, TrueBox
from medview.ml.lineage.recipe import recipe_from_parent
from medview.ml.outputs import ClassificationOutput, DetectionOutput, InteractiveOutput
from medview.ml.recipes.table import choose
from medview.ml.runners.preprocess import prepare
from medview.ml.runners.resampling import nearest_points
from medview.ml.spec import ChannelSpec, Crop, Grid, InputSpec, ModelSpec, Step, Task
from medview.ml.training.classification.task import ClassificationTask
from medview.ml.training.detection.boxes import model_box
from medview.ml.training.detection.task import DetectionTask
from medview.ml.training.finetune.planning import TUNE
from medview.ml.training.finetune.task import TunedTask, begun_of
from medview.ml.training.interactive.task import InteractiveTask
from medview.ml.training.segmentation.stored import class_maps
from medview.ml.training.segmentation.task import SegmentationTask
from tests.helpers.parents import random_parent, tuned
from tests.helpers.segmentation_training import phantom_case, phantom_set, tiny_recipe
from tests.ml.training.pictures import bright_or_not, discs, recipe

EXAMPLES = phantom_set(4)
OTHERS = phantom_set(4, shape_kji=(14, 24, 20), spacing_kji_mm=(1.2, 0.8, 0.9))
RECIPE = tiny_recipe()


def altered(spec: ModelSpec) -> ModelSpec:
    """Return a description no plan would make."""
    channel = ChannelSpec("MR", ("MR",), "", (Step("clip", {"low": 0.0, "high": 250.0}), Step("zscore")))
    assert spec.tiling is not None
    return replace(
        spec,
        input=replace(
            spec.input, channels=(channel,), spacing_kji_mm=(1.7, 1.1, 1.3), orientation="RAS", crop=Crop.NONZERO
        ),
        tiling=replace(spec.tiling, tile_kji=(16, 16, 24), overlap=0.3, mirror_axes=(1,)),
        postprocess=(Step("largest_component", {}, (2,)), Step("remove_small", {"min_mm3": 3.0}, (1,))),
        licence="CC BY-NC 4.0",
        notice="Not for babies.",
    )


def test_masks_are_prepared_and_tiled_as_by_the_parent(tmp_path: Path) -> None:
    parent = random_parent(tmp_path, SegmentationTask(), EXAMPLES, RECIPE, altered)
    dark = EXAMPLES.classes[1]
    now = replace(OTHERS, classes=(TrainingClass("lesion"), replace(dark, name=" Dark")))
    _, plan, _ = tuned(SegmentationTask(), parent, now, tiny_recipe(batch=0))
    before, after = parent.spec.input, plan.spec.input
    assert replace(after, checks=before.checks) == before
    assert plan.spec.tiling == parent.spec.tiling
    # Dark was class 2; steps of what is gone go with it.
    assert plan.spec.postprocess == (Step("largest_component", {}, (2,)),)
    assert plan.spec.notice == "Not for babies."
    assert "CC BY-NC 4.0" in plan.spec.licence
    assert plan.batch >= 2
    assert plan.settings[TUNE]["rung"] == "head"
    assert before.checks.spacing_kji_mm is not None
    assert after.checks.spacing_kji_mm is not None
    # Of images with finer voxels nobody is warned any longer, along the axis they are along: R is i, which was 0.9 mm.
    assert after.checks.spacing_kji_mm[0][0] == pytest.approx(0.9 * 0.9)


def test_a_plan_is_the_parents_where_nothing_else_is_learnt(tmp_path: Path) -> None:
    for name, task, examples, how in (
        ("s", SegmentationTask(), EXAMPLES, RECIPE),
        ("c", ClassificationTask(), bright_or_not(count=12), recipe("classification", "small_cnn")),
        ("d", DetectionTask(), discs(count=6), recipe("detection", "fpn_detector", loss="focal")),
    ):
        parent = random_parent(tmp_path / name, task, examples, how)
        _, plan, _ = tuned(task, parent, examples, how)
        assert plan.spec.network == parent.spec.network
        assert plan.spec.input == parent.spec.input
        assert (plan.spec.tiling, plan.spec.output) == (parent.spec.tiling, parent.spec.output)
        own = task.plan(examples, how, Inline())
        assert (plan.batch, plan.step_bytes, plan.cache_bytes) == (own.batch, own.step_bytes, own.cache_bytes)
        assert {key: plan.settings[key] for key in own.settings} == dict(own.settings)


def test_thresholds_are_the_parents_until_validation_says_otherwise(tmp_path: Path) -> None:
    def strict(spec: ModelSpec) -> ModelSpec:
        assert isinstance(spec.output, DetectionOutput)
        return replace(spec, output=replace(spec.output, score_threshold=0.7, nms_iou=0.2, max_boxes=900))

    made, how = discs(count=6), recipe("detection", "fpn_detector", loss="focal")
    parent = random_parent(tmp_path / "d", DetectionTask(), made, how, strict)
    _, plan, _ = tuned(DetectionTask(), parent, replace(made, classes=made.classes[::-1]), how)
    output = plan.spec.output
    assert isinstance(output, DetectionOutput)
    assert (output.score_threshold, output.nms_iou, output.max_boxes) == (0.7, 0.2, 900)
    assert [one.name for one in output.classes] == ["dark", "bright"]

    def sure(spec: ModelSpec) -> ModelSpec:
        assert isinstance(spec.output, ClassificationOutput)
        return replace(spec, output=replace(spec.output, threshold=0.9, scale=2.0))

    asked, small = bright_or_not(count=12), recipe("classification", "small_cnn")
    parent = random_parent(tmp_path / "c", ClassificationTask(), asked, small, sure)
    _, plan, _ = tuned(ClassificationTask(), parent, asked, small)
    assert plan.spec.output == parent.spec.output


def test_a_model_for_another_task_is_refused(tmp_path: Path) -> None:
    parent = random_parent(tmp_path, SegmentationTask(), EXAMPLES, RECIPE)
    going_on = TunedTask(ClassificationTask(), parent, {})
    with pytest.raises(ModelError, match="another task"):
        going_on.plan(bright_or_not(count=12), recipe("classification", "small_cnn"), Inline())


def test_boxes_go_with_the_values_where_a_model_sees_a_part_of_the_picture() -> None:
    voxels = np.zeros((12, 20, 16), dtype=np.int16)
    voxels[2:11, 4:18, 3:13] = 50
    voxels[4:7, 8:12, 5:9] = 200
    volume = Volume(voxels, Geometry.from_spacing(voxels.shape, (2.0, 1.0, 1.0)), modality="MR")
    box = TrueBox(1, (4, 8, 5), (7, 12, 9))
    for grid in Grid:
        wanted = InputSpec((ChannelSpec("MR"),), (1.0, 0.5, 0.8), None, crop=Crop.NONZERO, grid=grid)
        prepared = prepare((volume,), wanted, Inline())
        bright = np.argwhere(prepared.values[0].numpy() > 125)
        found = model_box(box, prepared, voxels.shape)
        np.testing.assert_allclose(found, [*bright.min(axis=0), *(bright.max(axis=0) + 1)], atol=0.8)


def test_labels_go_with_the_values_where_grids_start_at_the_same_middle() -> None:
    volume, truth = phantom_case(3)
    wanted = InputSpec((ChannelSpec("MR", intensity=(Step("zscore"),)),), (0.7, 0.8, 1.4), None, grid=Grid.CENTRES)
    prepared = prepare((volume,), wanted, Inline())
    labels = class_maps(truth, prepared, 2, overlapping=False)
    assert labels.shape[1:] == prepared.shape_kji
    # The values of the nearest voxel are those that labels lie on.
    places = [
        np.abs(np.arange(n)[:, None] / ratio - np.arange(have)).argmin(axis=1)
        for have, n, ratio in zip(volume.geometry.shape_kji, prepared.shape_kji, prepared.ratios_kji or (), strict=True)
    ]
    assert truth.layers is not None
    agreeing = labels[0] == truth.layers[0][np.ix_(*places)]
    assert agreeing.mean() > 0.97
    assert nearest_points(4, 7, 2.0).tolist() == [0, 1, 1, 2, 2, 3, 3]


def test_a_model_of_prompts_keeps_its_tile_and_takes_the_same_prompts(tmp_path: Path) -> None:
    how = tiny_recipe(network_options={"features": 4}, options={"tile": [8, 16, 24]})
    how = replace(how, task=Task.INTERACTIVE)
    parent = random_parent(tmp_path / "p", InteractiveTask(), EXAMPLES, how)
    made = recipe_from_parent(choose(Task.INTERACTIVE), parent.spec, given=False)
    _, plan, network = tuned(InteractiveTask(), parent, OTHERS, made)
    assert plan.spec.network == parent.spec.network
    assert (plan.spec.input, plan.spec.tiling, plan.spec.output) == (
        parent.spec.input,
        parent.spec.tiling,
        parent.spec.output,
    )
    begun = begun_of(network)
    assert begun is not None
    assert not begun.report.carried.heads
    assert isinstance(parent.spec.output, InteractiveOutput)
    fewer = replace(parent.spec, output=replace(parent.spec.output, prompts=parent.spec.output.prompts[:2]))
    going_on = TunedTask(InteractiveTask(), replace(parent, spec=fewer), {})
    with pytest.raises(ModelError, match="takes other prompts"):
        going_on.plan(OTHERS, made, Inline())
