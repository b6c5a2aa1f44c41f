"""What a training learns of its examples before it plans: all of them count where classes are rare."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medview.core.errors import ModelError
from medview.core.job import Inline
from medview.ml.examples import ExampleSet, Truth
from medview.ml.training.segmentation import fingerprint
from medview.ml.training.segmentation.fingerprint import look_at
from tests.helpers.segmentation_training import example_of, phantom_case, phantom_set

SHAPE = (2, 8, 9)


def _mostly_empty(count: int, drawn: set[int]) -> ExampleSet:
    volume, truth = phantom_case(1, SHAPE)
    empty = Truth(np.zeros((1, *SHAPE), dtype=np.uint8))
    examples = tuple(example_of(f"case-{n}", volume, truth if n in drawn else empty) for n in range(count))
    return replace(phantom_set(4), examples=examples)


def test_classes_that_hardly_any_example_shows_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "MOST_LOOKED_AT", 3)
    for drawn in range(11):
        found = look_at(_mostly_empty(11, {drawn}), Inline())
        assert any(found.voxels)
        assert found.channels[0].low < found.channels[0].high
    # Where the first ones looked at show classes, it is left at those.
    assert len(look_at(_mostly_empty(11, {0, 1}), Inline()).shapes_kji) == 3
    with pytest.raises(ModelError, match="No training example has a voxel"):
        look_at(_mostly_empty(11, set()), Inline())
