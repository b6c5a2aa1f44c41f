"""The description of a model that goes on from another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from medview.core.geometry import Calibration
from medview.core.job import Inline
from medview.ml.lineage.channel_map import map_channels
from medview.ml.lineage.class_map import map_classes
from medview.ml.registry import fits
from medview.ml.spec import ModelSpec, Step
from medview.ml.training.finetune.spec import spec_after
from medview.ml.training.segmentation.task import SegmentationTask
from tests.helpers.parents import random_parent, tuned
from tests.helpers.segmentation_training import phantom_set, tiny_recipe

EXAMPLES = phantom_set(4)


def _next(parent: ModelSpec, base: ModelSpec) -> ModelSpec:
    classes, channels = map_classes(parent, EXAMPLES.classes, {}), map_channels(parent, EXAMPLES.channels)
    return spec_after(parent, base, EXAMPLES, classes, channels)


def test_every_generation_names_each_licence_once(tmp_path: Path) -> None:
    share = "CC BY-SA 4.0, share alike"
    first = random_parent(
        tmp_path, SegmentationTask(), EXAMPLES, tiny_recipe(), lambda spec: replace(spec, licence=share, name="Whole brain")
    ).spec
    base = SegmentationTask().plan(EXAMPLES, tiny_recipe(), Inline()).spec
    made = first
    for number in range(2, 9):
        made = replace(_next(made, base), name=f"A project with a name that is long: segmentation {number}")
        assert made.licence == f"No licence is stated; begun with Whole brain: {share}"
    terms = "Only for research at the hospital it was made at, and only until the end of the study it was made for"
    made = _next(made, replace(base, licence=terms))
    assert len(made.licence) <= 200
    assert made.licence.startswith(f"{terms}; begun with ")
    assert made.licence.endswith(share)
    assert "No licence is stated" in made.licence
    assert _next(first, replace(base, licence="x" * 200)).licence.endswith(share)


def test_images_of_another_kind_may_be_given_to_what_was_trained_on_them(tmp_path: Path) -> None:
    def of_ct(spec: ModelSpec) -> ModelSpec:
        (channel,) = spec.input.channels
        checks = replace(spec.input.checks, values=(-900.0, 1500.0))
        made = replace(spec.input, channels=(replace(channel, modality=("CT",), unit="HU"),), checks=checks)
        return replace(spec, input=made)

    parent = random_parent(tmp_path, SegmentationTask(), EXAMPLES, tiny_recipe(), of_ct).spec
    geometry = EXAMPLES.examples[0].volumes()[0].geometry
    assert not fits(parent, "MR", geometry, "", colour=False).ok
    made = _next(parent, SegmentationTask().plan(EXAMPLES, tiny_recipe(), Inline()).spec)
    assert made.input.channels[0].intensity == parent.input.channels[0].intensity
    assert made.input.channels[0].modality == ("CT", "MR")
    assert made.input.checks.values is None
    assert fits(made, "MR", geometry, "", colour=False).ok
    assert fits(made, "CT", geometry, "HU", colour=False).ok
    assert not fits(made, "PT", geometry, "g/mL", colour=False).ok


def test_of_pictures_without_millimetres_none_are_asked_for(tmp_path: Path) -> None:
    flat = phantom_set(4, shape_kji=(1, 30, 34), calibration=Calibration.PIXELS, spacing_kji_mm=(1.0, 1.0, 1.0))
    task = SegmentationTask()
    by_slices = tiny_recipe(dimensions=2)

    def in_space(spec: ModelSpec) -> ModelSpec:
        checks = replace(spec.input.checks, spacing_kji_mm=((0.5, 6.0),) * 3, extent_kji_mm=((5.0, 600.0),) * 3)
        small = Step("remove_small", {"min_mm3": 4.0}, (1,))
        return replace(spec, input=replace(spec.input, checks=checks), postprocess=(small,))

    parent = random_parent(tmp_path, task, flat, by_slices, in_space)
    volume = flat.examples[0].volumes()[0]
    assert not fits(parent.spec, "MR", volume.geometry, "", colour=False).ok
    _, plan, _ = tuned(task, parent, flat, by_slices)
    assert fits(plan.spec, "MR", volume.geometry, "", colour=False).ok
