from __future__ import annotations

import numpy as np
import pytest

from medview.core.geometry import Geometry
from medview.core.orientation import UNKNOWN, edge_letters, opposite, stated_orientation
from medview.core.plane import Plane, SlicePlane
from medview.core.volume import Volume

GRID = Geometry.from_spacing((2, 5, 7), (1.0, 1.0, 1.0))


def volume(stated: tuple[str, str] | None) -> Volume:
    return Volume(np.zeros((2, 5, 7), np.int16), GRID, patient_orientation=stated)


def test_a_placed_slice_is_named_by_its_directions() -> None:
    for plane in Plane:
        layout = SlicePlane.of(plane, GRID)
        assert edge_letters(volume(None), layout) == layout.edge_letters(GRID)


def test_a_projection_is_named_by_what_its_header_states_and_only_as_acquired() -> None:
    radiograph = volume(("LA", "F"))
    assert edge_letters(radiograph, SlicePlane.of(Plane.AXIAL, GRID)) == ("RP", "LA", "H", "F")
    assert edge_letters(radiograph, SlicePlane.of(Plane.CORONAL, GRID)) == ("", "", "", "")


def test_a_picture_that_does_not_say_has_no_letters() -> None:
    assert edge_letters(volume(UNKNOWN), SlicePlane.of(Plane.AXIAL, GRID)) == ("", "", "", "")


@pytest.mark.parametrize(
    ("parts", "stated"),
    [
        (("L", "F"), ("L", "F")),
        (("r ", "ph"), ("R", "PH")),
        (("L",), UNKNOWN),
        ((), UNKNOWN),
        (("L", ""), UNKNOWN),
        (("LEFT", "F"), UNKNOWN),
        (("L", "X"), UNKNOWN),
    ],
)
def test_only_directions_of_the_standard_are_believed(parts: tuple[str, ...], stated: tuple[str, str]) -> None:
    assert stated_orientation(parts) == stated


def test_opposites_undo_each_other() -> None:
    assert opposite(opposite("LPH")) == "LPH"
    assert opposite("LPH") == "RAF"
