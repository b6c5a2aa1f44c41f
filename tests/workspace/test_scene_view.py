from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medview.core.errors import CancelledError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.study import Reason, Verdict
from medview.core.volume import Volume
from medview.scene.presets import MAX_SHIFT
from medview.workspace.open_case import OpenCase
from medview.workspace.requests_scene import PrepareScene, no_scene
from medview.workspace.scene_view import SceneView


def test_the_shift_stays_within_bounds_and_ends_with_another_preset() -> None:
    scene = SceneView()
    scene.shift_opacity(3.0)
    assert scene.opacity_shift == MAX_SHIFT
    scene.shift_opacity(-9.0)
    assert scene.opacity_shift == -MAX_SHIFT
    scene.choose("lung")
    assert (scene.preset, scene.opacity_shift) == ("lung", 0.0)


def test_a_volume_has_three_dimensions(case: OpenCase) -> None:
    assert no_scene(case) == ""
    grid = PrepareScene(case.volume).run(Inline())
    assert grid.voxels.shape == case.volume.geometry.shape_kji


def test_a_stack_says_its_own_reason(case: OpenCase) -> None:
    case.entry = replace(case.entry, verdict=Verdict.STACK, reasons=(Reason("x", "The slices overlap."),))
    assert no_scene(case) == "The slices overlap."


@pytest.mark.parametrize(
    ("shape", "calibration", "said"),
    [((1, 8, 8), Calibration.VOLUME, "A single slice"), ((5, 8, 8), Calibration.IN_PLANE, "distance between its slices")],
)
def test_a_grid_without_depth_says_so(
    case: OpenCase, shape: tuple[int, int, int], calibration: Calibration, said: str
) -> None:
    geometry = Geometry.from_spacing(shape, (1, 1, 1), calibration=calibration)
    case.volume = Volume(np.zeros(shape, np.int16), geometry)
    assert said in no_scene(case)


def test_preparing_ends_when_it_is_cancelled(case: OpenCase) -> None:
    context = Inline()
    context.cancel()
    with pytest.raises(CancelledError):
        PrepareScene(case.volume).run(context)
