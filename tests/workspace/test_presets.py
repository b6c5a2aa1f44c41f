from __future__ import annotations

import numpy as np
import pytest

from medview.core.geometry import Geometry
from medview.core.suv import SuvKind, SuvScale
from medview.core.volume import Rescale, Volume
from medview.workspace.actions import action
from medview.workspace.hands import Hands
from medview.workspace.open_case import OpenCase
from medview.workspace.presets import choices, needs_auto_window, opening_window
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace
from tests.workspace.gestures import drag, pointer

FACTOR = 0.0004


def pet(suv: SuvScale | None, unit: str = "Bq/mL") -> Volume:
    voxels = np.zeros((2, 4, 4), np.int16)
    return Volume(
        voxels, Geometry.from_spacing((2, 4, 4), (1, 1, 1)), modality="PT", unit=unit, rescale=Rescale(2.0), suv=suv
    )


def test_presets_of_a_pet_are_in_uptake_where_it_is_known() -> None:
    volume = pet(SuvScale(((SuvKind.BODY_WEIGHT, FACTOR),)))
    assert [w.name for w in choices(volume)] == ["SUV 0 to 5", "SUV 0 to 10"]
    opened = opening_window(volume)
    assert opened.levels(np.array([0.0, 2.5 / FACTOR, 5.0 / FACTOR])).tolist() == [0, 128, 255]
    assert not needs_auto_window(volume)


def test_a_pet_without_uptake_has_no_presets_in_it() -> None:
    volume = pet(SuvScale(problem="the header does not state the patient's weight"))
    assert choices(volume) == ()
    assert needs_auto_window(volume)


def test_values_that_are_uptake_already_take_the_presets_as_they_are() -> None:
    assert opening_window(pet(None, "SUV")).width == pytest.approx(5.0)


def test_a_ct_whose_values_have_no_unit_opens_by_its_values_and_still_offers_the_presets() -> None:
    values = np.arange(32, dtype=np.int16).reshape(2, 4, 4) * 100
    told, untold = (
        Volume(values, Geometry.from_spacing((2, 4, 4), (1, 1, 1)), modality="CT", unit=unit) for unit in ("HU", "")
    )
    assert not needs_auto_window(told)
    assert needs_auto_window(untold)
    assert choices(untold) == choices(told)


def test_a_region_gives_the_window_of_its_values(workspace: Workspace, hands: Hands, case: OpenCase) -> None:
    wish = action("window.region")
    assert not wish.enabled(workspace)
    workspace.bench.tool = Tool.RECTANGLE
    drag(hands, pointer(case, 2.5, 3.5), pointer(case, 5.5, 9.5))
    assert wish.enabled(workspace)
    wish.run(workspace)
    layout = case.slice_plane(pointer(case, 0, 0).plane.plane)
    inside = layout.extract(case.volume.voxels, case.view.crosshair_kji[layout.normal_axis])[3:6, 4:10]
    levels = case.view.window.levels(np.array([inside.min(), inside.max()], np.float32))
    assert levels.tolist() == [0, 255]


def test_invert_turns_black_and_white_round_and_back(workspace: Workspace, case: OpenCase) -> None:
    action("window.invert").run(workspace)
    assert case.view.inverted
    action("window.invert").run(workspace)
    assert not case.view.inverted
