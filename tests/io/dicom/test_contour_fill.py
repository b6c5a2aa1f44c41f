from __future__ import annotations

import numpy as np
import pytest

from medview.io.dicom import contour_fill
from medview.io.dicom.contour_fill import filled

SHAPE = (23, 38)


def rectangle(j0: float, i0: float, j1: float, i1: float) -> np.ndarray:
    return np.array([(j0, i0), (j0, i1), (j1, i1), (j1, i0)], dtype=float)


def disc(radius: float, centre: tuple[float, float]) -> np.ndarray:
    j, i = np.indices(SHAPE)
    return (j - centre[0]) ** 2 + (i - centre[1]) ** 2 <= radius**2


def circle(radius: float, centre: tuple[float, float], points: int = 300) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.stack([centre[0] + radius * np.sin(angle), centre[1] + radius * np.cos(angle)], axis=1)


def test_a_voxel_belongs_when_its_centre_lies_inside() -> None:
    wanted = np.zeros(SHAPE, bool)
    wanted[3:7, 5:20] = True
    for edge in (0.02, 0.3, 0.5, 0.98):
        np.testing.assert_array_equal(filled([rectangle(3 - edge, 5 - edge, 6 + edge, 19 + edge)], SHAPE).mask, wanted)


@pytest.mark.parametrize("noise", [0.0, 1e-9, 0.004])
def test_a_contour_through_the_centres_of_the_outermost_voxels_holds_these_on_every_side(noise: float) -> None:
    wanted = np.zeros(SHAPE, bool)
    wanted[3:7, 5:20] = True
    drawn = rectangle(3, 5, 6, 19) + np.random.default_rng(1).uniform(-noise, noise, (4, 2))
    for contour in (drawn, drawn[::-1], np.roll(drawn, 1, axis=0)):
        np.testing.assert_array_equal(filled([contour], SHAPE).mask, wanted)


def test_circles_hold_what_the_formula_of_a_disc_says() -> None:
    for radius, centre in ((8.3, (11.2, 17.7)), (1.4, (4.0, 30.0)), (10.77, (10.9, 18.1))):
        found = filled([circle(radius, centre, 4000)], SHAPE).mask
        # A centre within a hundredth of a voxel of the circle lies on it.
        assert not (disc(radius - 1e-3, centre) & ~found).any()
        assert not (found & ~disc(radius + 0.011, centre)).any()


def test_a_contour_inside_another_cuts_a_hole_and_one_inside_the_hole_fills_it_again_in_any_order() -> None:
    centre = (11.0, 18.0)
    contours = [circle(r, centre, 4000) for r in (9.3, 6.3, 2.3)]
    wanted = disc(9.3, centre) & ~disc(6.3, centre) | disc(2.3, centre)
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        found = filled([contours[n] for n in order], SHAPE)
        np.testing.assert_array_equal(found.mask, wanted)
        assert not found.crossing


def test_a_keyhole_holds_what_its_two_circles_hold() -> None:
    centre = (11.0, 18.0)
    outer, inner = circle(9.3, centre, 4000), circle(5.3, centre, 4000)[::-1]
    keyhole = np.vstack([outer, outer[:1], inner[-1:], inner, outer[:1]])
    found = filled([keyhole], SHAPE).mask
    np.testing.assert_array_equal(found, filled([outer, inner], SHAPE).mask)
    np.testing.assert_array_equal(found, disc(9.3, centre) & ~disc(5.3, centre))


def test_a_contour_that_is_there_twice_counts_once() -> None:
    one = circle(5.3, (11.0, 18.0))
    for twice in (one.copy(), one[::-1], np.roll(one, 7, axis=0)):
        np.testing.assert_array_equal(filled([one, twice], SHAPE).mask, filled([one], SHAPE).mask)


def test_contours_that_overlap_in_part_are_told_of() -> None:
    found = filled([circle(5.3, (11.0, 14.0)), circle(5.3, (11.0, 20.0))], SHAPE)
    assert found.crossing
    assert not found.mask[11, 17]


def test_what_reaches_outside_is_cut_off_and_what_lies_outside_is_nothing() -> None:
    np.testing.assert_array_equal(filled([circle(9.3, (0.0, 36.0), 4000)], SHAPE).mask, disc(9.3, (0.0, 36.0)))
    assert filled([rectangle(-1e5, -1e5, 1e5, 1e5)], SHAPE).mask.all()
    assert not filled([circle(5.0, (-40.0, 10.0)), circle(5.0, (500.0, 10.0))], SHAPE).mask.any()


def test_many_edges_are_gone_through_in_parts_with_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    contour = circle(9.3, (11.0, 18.0), 5000)
    whole = filled([contour], SHAPE).mask
    monkeypatch.setattr(contour_fill, "CROSSINGS_AT_ONCE", 100)
    np.testing.assert_array_equal(filled([contour], SHAPE).mask, whole)


def test_a_polygon_that_crosses_itself_holds_the_centres_with_an_odd_number_of_edges_beside_them() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        contour = rng.uniform(-3, 40, (rng.integers(3, 12), 2))
        j, i = np.indices(SHAPE)
        odd = np.zeros(SHAPE, bool)
        for (j0, i0), (j1, i1) in zip(contour, np.roll(contour, -1, axis=0), strict=True):
            spans = (j0 > j) != (j1 > j)
            odd ^= spans & (i < i0 + (j - j0) * (i1 - i0) / (j1 - j0))
        found = filled([contour], SHAPE).mask
        # A line through a centre belongs; it is within a hundredth of a voxel.
        assert not (odd & ~found).any()
        assert (found & ~odd).sum() <= 3
