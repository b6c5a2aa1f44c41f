"""Rigid registration against turns and shifts that are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medview.analysis.registration import register_rigidly
from medview.core.errors import CancelledError, GeometryError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.registration import Registration
from medview.core.volume import Volume
from medview.io.dicom.scan import scan
from medview.io.load import load_volume
from medview.io.reader_pool import InlinePool
from tests.helpers.moved import FloatArray, moved

MOVES = [
    ((8.0, 0.0, 0.0), (15.0, 0.0, 0.0)),
    ((-4.0, 5.0, -5.0), (6.0, -9.0, 10.0)),
    ((3.0, -6.0, 4.0), (-10.0, 8.0, -7.0)),
]
"""Degrees about x, y, z, and millimetres."""


def blobs(frame: str = "1.2.3") -> Volume:
    """Return an asymmetric head of sorts: an ellipsoid with smaller ones inside, 5.0 x 0.9 x 1.1 mm."""
    grid = Geometry.from_spacing((28, 150, 120), (5.0, 0.9, 1.1), (-60.0, -70.0, 12.0), frame)
    place = grid.point_lps_mm(np.stack(np.indices(grid.shape_kji), axis=-1))
    values = np.zeros(grid.shape_kji)
    for centre, radii, value in (
        ((5, -4, 80), (50, 60, 62), 400),
        ((20, 10, 95), (12, 18, 15), 500),
        ((-15, -30, 70), (9, 7, 20), -250),
        ((-12, 25, 60), (14, 10, 9), 250),
    ):
        inside = (((place - np.array(centre)) / np.array(radii)) ** 2).sum(axis=-1)
        values += value * np.clip(3.0 * (1.0 - inside), 0.0, 1.0)
    return Volume(values.astype(np.int16), grid, modality="MR", description="blobs")


def far_off(found: Registration, matrix: FloatArray, fixed: Geometry) -> tuple[float, float]:
    """Return the largest error (mm) at the corners of the fixed volume, and the error of the turn (degrees)."""
    corners = fixed.corners_lps_mm()
    there = corners @ matrix[:3, :3].T + matrix[:3, 3]
    rest = found.matrix_lps[:3, :3] @ matrix[:3, :3]
    angle = np.degrees(np.arccos(np.clip((np.trace(rest) - 1.0) / 2.0, -1.0, 1.0)))
    return float(np.linalg.norm(found.point_lps_mm(there) - corners, axis=1).max()), float(angle)


@pytest.fixture(scope="module")
def brain(test_data: Path) -> dict[str, Volume]:
    place = test_data / "mr-brain-t1-t1c-t2-flair"
    uids = {s.description: s.series_uid for s in scan(place, Inline(), InlinePool()).series}
    return {n: load_volume(place, uids[n], Inline()).volume for n in ("T1pre_reg", "T2_reg", "FLAIR_reg")}


def test_a_known_turn_and_shift_are_found_and_the_same_twice() -> None:
    fixed = blobs()
    moving, matrix = moved(fixed, (5.0, -3.0, 7.0), (12.0, -15.0, 9.0))
    found = register_rigidly(fixed, moving, Inline())
    error_mm, error_deg = far_off(found, matrix, fixed.geometry)
    assert error_mm < 1.0
    assert error_deg < 1.0
    assert (found.fixed_frame, found.moving_frame) == ("1.2.3", "9.9.9")
    assert "mutual information" in found.note
    corners = moving.geometry.corners_lps_mm()
    again = register_rigidly(fixed, moving, Inline())
    np.testing.assert_allclose(again.point_lps_mm(corners), found.point_lps_mm(corners), atol=0.01)


def test_opposite_contrast_does_not_mislead_it() -> None:
    fixed = blobs()
    moving, matrix = moved(fixed, (4.0, 2.0, -6.0), (-8.0, 5.0, 11.0))
    inverse = np.asarray(600.0 - moving.values(), dtype=np.int16)
    found = register_rigidly(fixed, replace(moving, voxels=inverse), Inline())
    error_mm, error_deg = far_off(found, matrix, fixed.geometry)
    assert error_mm < 1.0
    assert error_deg < 1.0


def test_padding_around_the_field_of_view_counts_as_air() -> None:
    fixed = blobs()
    moving, matrix = moved(fixed, (4.0, 2.0, -6.0), (-8.0, 5.0, 11.0))
    padded = moving.values().astype(np.int16)
    padded[padded < 5] = -2000
    found = register_rigidly(fixed, replace(moving, voxels=padded, padding=(-2000.0, -2000.0)), Inline())
    error_mm, error_deg = far_off(found, matrix, fixed.geometry)
    assert error_mm < 1.0
    assert error_deg < 1.0


@pytest.mark.data
@pytest.mark.parametrize("other", ["T2_reg", "FLAIR_reg"])
@pytest.mark.parametrize(("angles_deg", "shift_mm"), MOVES)
def test_t2_and_flair_are_found_on_t1(
    brain: dict[str, Volume], other: str, angles_deg: tuple[float, float, float], shift_mm: tuple[float, float, float]
) -> None:
    fixed = brain["T1pre_reg"]
    moving, matrix = moved(brain[other], angles_deg, shift_mm)
    error_mm, error_deg = far_off(register_rigidly(fixed, moving, Inline()), matrix, fixed.geometry)
    assert error_mm < 1.0
    assert error_deg < 1.0


@pytest.mark.data
@pytest.mark.parametrize(("angles_deg", "shift_mm"), MOVES)
def test_a_ct_head_is_found_on_itself(
    test_data: Path, angles_deg: tuple[float, float, float], shift_mm: tuple[float, float, float]
) -> None:
    fixed = load_volume(test_data / "ct-head-tiny-93", None, Inline()).volume
    moving, matrix = moved(fixed, angles_deg, shift_mm)
    error_mm, error_deg = far_off(register_rigidly(fixed, moving, Inline()), matrix, fixed.geometry)
    assert error_mm < 1.0
    assert error_deg < 1.0


def test_series_without_anything_in_common_are_refused() -> None:
    fixed = blobs()
    noise = np.random.default_rng(1).normal(size=fixed.geometry.shape_kji).astype(np.float32)
    with pytest.raises(GeometryError, match="could not be registered"):
        register_rigidly(fixed, replace(fixed, voxels=noise), Inline())


@pytest.mark.parametrize(
    ("calibration", "shape_kji", "said"),
    [
        (Calibration.IN_PLANE, (28, 150, 120), "no millimetres"),
        (Calibration.VOLUME, (3, 150, 120), "fewer than 4 slices"),
    ],
)
def test_what_has_no_millimetres_or_no_depth_is_refused(
    calibration: Calibration, shape_kji: tuple[int, int, int], said: str
) -> None:
    fixed = blobs()
    grid = Geometry(shape_kji, fixed.geometry.affine_lps, "1.2.3", calibration)
    with pytest.raises(GeometryError, match=said):
        register_rigidly(fixed, Volume(np.zeros(shape_kji, np.int16), grid), Inline())


class _CancelledSoon(Inline):
    """Presses Cancel at the third report of progress."""

    def __init__(self) -> None:
        super().__init__()
        self.reports: list[tuple[float, str]] = []

    def progress(self, fraction: float, text: str) -> None:
        self.reports.append((fraction, text))
        if len(self.reports) == 3:
            self.cancel()


def test_cancel_ends_it_at_the_next_iteration() -> None:
    fixed = blobs()
    context = _CancelledSoon()
    with pytest.raises(CancelledError):
        register_rigidly(fixed, moved(fixed, (5.0, 0.0, 0.0), (9.0, 0.0, 0.0))[0], context)
    assert len(context.reports) == 3
    assert context.reports[-1][0] < 0.1
