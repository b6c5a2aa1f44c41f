"""Where channels lie beside each other, and on what grounds."""

from __future__ import annotations

import numpy as np

from medview.core.geometry import Geometry
from medview.core.registration import Registration
from medview.ml.inputs.placing import Ground, place_beside, remark_on, why_elsewhere

SHIFT = np.eye(4) + np.array([[0, 0, 0, 3.0], [0, 0, 0, -2.0], [0, 0, 0, 1.0], [0, 0, 0, 0]])
REGISTRATION = Registration("A", "B", SHIFT, 0.4, 0.9, 2.0, "Check it.")


def grid(frame: str, spacing_mm: float = 1.0) -> Geometry:
    return Geometry.from_spacing((5, 6, 7), (2.0, spacing_mm, 1.0), (1.0, 2.0, 3.0), frame)


def test_the_same_grid_needs_no_work_and_no_word() -> None:
    place = place_beside(grid("A"), grid("A"))
    assert place.ground is Ground.SAME_GRID
    assert remark_on(place, "T2", "T1") == ""


def test_another_grid_of_the_frame_is_resampled_and_said() -> None:
    place = place_beside(grid("A"), grid("A", 0.7))
    assert place.ground is Ground.SAME_FRAME
    assert remark_on(place, "T2", "T1") == "T2 was resampled onto the grid of T1."


def test_another_frame_is_refused_with_the_way_out_unless_it_was_registered() -> None:
    assert place_beside(grid("A"), grid("B")).geometry is None
    assert "register" in why_elsewhere("T2", "T1")
    place = place_beside(grid("A"), grid("B"), REGISTRATION)
    assert place.geometry is not None
    assert np.allclose(place.geometry.point_lps_mm((0, 0, 0)), (4.0, 0.0, 4.0))
    assert remark_on(place, "T2", "T1", REGISTRATION).endswith("Check it.")


def test_files_that_state_no_frame_are_taken_as_they_lie_and_that_is_said() -> None:
    for one, other in (("", ""), ("A", ""), ("", "B")):
        place = place_beside(grid(one), grid(other, 0.7))
        assert place.ground is Ground.UNSTATED
        assert "no frame of reference" in remark_on(place, "T2", "T1")


def test_files_on_one_grid_that_state_no_frame_belong_together() -> None:
    assert place_beside(grid(""), grid("")).ground is Ground.SAME_GRID


def test_a_registration_is_not_used_within_one_frame() -> None:
    assert place_beside(grid("A"), grid("A", 0.7), REGISTRATION).ground is Ground.SAME_FRAME
