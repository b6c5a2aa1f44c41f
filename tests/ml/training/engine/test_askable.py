"""What could be asked about none of its own validation images is not trained."""

from __future__ import annotations

from dataclasses import replace

import pytest

from medview.core.errors import ModelError
from medview.core.job import Inline
from medview.ml.spec import ModelSpec
from medview.ml.training.engine.askable import check_askable
from medview.ml.training.segmentation.task import SegmentationTask
from tests.helpers.segmentation_training import example_of, phantom_case, phantom_set, tiny_recipe

EXAMPLES = phantom_set(4)


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    return SegmentationTask().plan(EXAMPLES, tiny_recipe(), Inline()).spec


def _for_ct(spec: ModelSpec) -> ModelSpec:
    (channel,) = spec.input.channels
    return replace(spec, input=replace(spec.input, channels=(replace(channel, modality=("CT",)),)))


def test_a_model_for_other_images_is_refused_with_the_reason(spec: ModelSpec) -> None:
    check_askable(spec, EXAMPLES.examples)
    with pytest.raises(ModelError, match=r"none of the 4 validation cases.* is for CT; this series is MR\."):
        check_askable(_for_ct(spec), EXAMPLES.examples)


def test_one_case_that_can_be_judged_is_enough(spec: ModelSpec) -> None:
    volume, truth = phantom_case(5)
    of_ct = example_of("of-ct", replace(volume, modality="CT"), truth)
    check_askable(_for_ct(spec), (*EXAMPLES.examples, of_ct))
