from __future__ import annotations

import numpy as np

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.label_patch import LabelPatch
from medview.core.segmentation import Segmentation
from medview.edit.segments import clear_segment, new_segment
from tests.edit.grids import SHAPE_KJI, segment, segmentation
from tests.helpers.strokes import fill_layer


def test_a_new_segment_collides_with_none() -> None:
    labels = segmentation("oblique", segment(1, name="Liver"), segment(3))
    made = new_segment(labels, "Liver")
    assert (made.name, made.layer_id, made.value) == ("Liver 2", 0, 2)
    assert made.segment_id not in {s.segment_id for s in labels.segments}
    labels.segments.append(made)
    assert new_segment(labels).value == 4
    assert new_segment(labels, "  ").name == "Segment 4"


def test_the_256th_segment_goes_to_the_next_layer() -> None:
    labels = segmentation("oblique", *(segment(value) for value in range(1, 256)))
    made = new_segment(labels)
    assert (made.layer_id, made.value) == (1, 1)


def test_new_segments_get_different_colours_while_there_are_any() -> None:
    labels = segmentation("oblique")
    for _ in range(12):
        labels.segments.append(new_segment(labels))
    assert len({s.colour for s in labels.segments}) == 12


def test_clearing_takes_away_all_of_a_segment_and_nothing_else() -> None:
    one, two = segment(1), segment(2)
    labels = segmentation("oblique", one, two)
    drawn = np.random.default_rng(0).integers(0, 3, SHAPE_KJI)
    drawn[:2] = 0
    fill_layer(labels, 0, drawn)
    voxels = labels.layer(0).voxels
    before = voxels.copy()
    (patch,) = clear_segment(labels, two)
    assert isinstance(patch, LabelPatch)
    patch.apply(labels.layer(0))
    assert np.array_equal(voxels, np.where(before == 2, 0, before))
    patch.inverse().apply(labels.layer(0))
    assert np.array_equal(voxels, before)


def test_a_locked_segment_is_not_cleared() -> None:
    one = segment(1, locked=True)
    labels = segmentation("oblique", one)
    fill_layer(labels, 0, 1)
    assert list(clear_segment(labels, one)) == []


def test_the_box_of_a_segment_is_the_smallest_around_it() -> None:
    one = segment(5)
    labels = Segmentation(Geometry.from_spacing((50, 9, 8), (2.0, 1.0, 0.5)), segments=[one])
    assert labels.box(one) is None
    assert list(clear_segment(labels, one)) == []
    drawn = np.zeros((50, 9, 8), dtype=np.uint8)
    for at in ((14, 3, 2), (17, 8, 4), (40, 5, 7)):
        drawn[at] = 5
    drawn[49, 0, 0] = 4
    fill_layer(labels, 0, drawn)
    assert labels.box(one) == Box((14, 3, 2), (41, 9, 8))
    assert labels.count(one) == 3
