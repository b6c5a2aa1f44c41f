from __future__ import annotations

import numpy as np
import pytest

from medview.core.annotations import BoxAnnotation
from medview.core.geometry import Geometry
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction
from medview.core.source import Source
from medview.workspace.demo import place_to_show

GEOMETRY = Geometry.from_spacing((10, 12, 14), (5.0, 0.9, 0.6))


def prediction(labels: np.ndarray | None = None, boxes: tuple[BoxAnnotation, ...] = ()) -> Prediction:
    segments = (PredictedSegment(1, "Lung", (1, 2, 3)), PredictedSegment(2, "Nodule", (4, 5, 6)))
    mask = None if labels is None else PredictedMask.trimmed(labels, segments)
    return Prediction("segmentation", "Model", Source(), GEOMETRY, mask=mask, boxes=boxes)


def test_the_surest_box_is_looked_at_first() -> None:
    boxes = (
        BoxAnnotation.on_grid("a", "Nodule", GEOMETRY, (1, 1, 1), (3, 3, 3), 0.4),
        BoxAnnotation.on_grid("b", "Nodule", GEOMETRY, (6, 7, 8), (9, 10, 11), 0.9),
    )
    assert place_to_show(prediction(boxes=boxes)) == (7, 8, 9)


def test_without_boxes_it_is_inside_the_largest_piece_of_the_smallest_segment() -> None:
    labels = np.zeros(GEOMETRY.shape_kji, dtype=np.uint8)
    labels[:, :6] = 1
    labels[2, 8, 3] = 2
    labels[5:8, 9:12, 6:9] = 2
    assert place_to_show(prediction(labels)) == (6, 10, 7)


def test_a_prediction_without_findings_shows_the_middle() -> None:
    assert place_to_show(prediction()) == (5, 6, 7)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_bent_piece_is_looked_at_on_itself(seed: int) -> None:
    labels = np.zeros(GEOMETRY.shape_kji, dtype=np.uint8)
    labels[4 + seed, 2:10, 2] = 2
    labels[4 + seed, 2, 2:12] = 2
    assert labels[place_to_show(prediction(labels))] == 2
