from __future__ import annotations

import numpy as np
import pytest

from medview.core.geometry import Geometry
from medview.core.segmentation import Segment, Segmentation


@pytest.fixture
def labels() -> Segmentation:
    """Two layers; liver and cyst overlap, the spleen shares the liver's layer."""
    made = Segmentation(Geometry.from_spacing((4, 5, 6), (5.0, 0.9, 0.6)))
    made.segments += [
        Segment("liver", "Liver", (1, 0, 0), 0, 1, locked=True),
        Segment("spleen", "Spleen", (2, 0, 0), 0, 2),
        Segment("cyst", "Cyst", (3, 0, 0), 1, 1),
    ]
    made.layer(0).voxels[1, :3] = 1
    made.layer(0).voxels[2, 3:] = 2
    made.layer(1).voxels[1, 1] = 1
    return made


def test_a_voxel_names_every_segment_that_holds_it(labels: Segmentation) -> None:
    assert [s.name for s in labels.at((1, 1, 5))] == ["Liver", "Cyst"]
    assert [s.name for s in labels.at((2, 4, 0))] == ["Spleen"]
    assert list(labels.at((0, 0, 0))) == []


def test_a_mask_holds_a_segment_and_not_its_namesake_in_another_layer(labels: Segmentation) -> None:
    assert np.count_nonzero(labels.mask(labels.segment("liver"))) == 18
    assert np.count_nonzero(labels.mask(labels.segment("cyst"))) == 6


def test_locked_values_are_those_of_the_layer(labels: Segmentation) -> None:
    assert labels.locked_values(0).tolist() == [1]
    assert labels.locked_values(0, but="liver").tolist() == []
    assert labels.locked_values(1).tolist() == []


def test_a_free_slot_is_the_first_unused_value(labels: Segmentation) -> None:
    assert labels.free_slot() == (0, 3)
    assert labels.free_slot(1) == (1, 2)
    labels.segments += [Segment(f"s{v}", f"s{v}", (0, 0, 0), 0, v) for v in range(3, 256)]
    assert labels.free_slot() == (1, 2)


def test_a_segment_is_found_by_its_id(labels: Segmentation) -> None:
    assert labels.segment("cyst").name == "Cyst"
    assert labels.find("nothing") is None
    with pytest.raises(KeyError):
        labels.segment("nothing")


def test_a_taken_name_gets_a_number(labels: Segmentation) -> None:
    assert labels.free_name("Lung") == "Lung"
    assert labels.free_name("Liver") == "Liver 2"
