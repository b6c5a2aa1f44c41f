"""The description of a model that goes on from another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from medview.core.job import Inline
from medview.ml.lineage.channel_map import map_channels
from medview.ml.lineage.class_map import map_classes
from medview.ml.spec import ModelSpec
from medview.ml.training.finetune.spec import spec_after
from medview.ml.training.segmentation.task import SegmentationTask
from tests.helpers.parents import random_parent
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
