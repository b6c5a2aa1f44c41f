"""Where the patient is in a volume."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.volume import Rescale, Volume
from medview.ml.predict import PredictRequest
from medview.ml.runners import memory_plan, run
from medview.ml.runners.body import MARGIN_MM, find_body
from medview.ml.runners.orientation import Orientation
from medview.ml.runners.run import predict
from tests.ml.runners.test_preprocess import turned
from tests.ml.runners.test_run import NATIVE, SMALL_TILES, balanced
from tests.ml.small_packs import document

SHAPE = (40, 120, 140)
SPACING = (3.0, 2.0, 1.5)
TRUNK = Box((0, 30, 30), (40, 70, 80))


def chest(modality: str = "CT", unit: str = "HU") -> Volume:
    """A trunk with lungs open to the first slice, and an arm, in noisy air; nothing else up to the far corner."""
    rng = np.random.default_rng(5)
    hu = rng.normal(-1000.0, 12.0, SHAPE)
    hu[TRUNK.slices] = rng.normal(40.0, 12.0, TRUNK.shape_kji)
    hu[:30, 36:64, 36:74] = rng.normal(-880.0, 15.0, (30, 28, 38))
    hu[10:40, 40:50, 90:98] = 60.0
    stored = np.rint(hu + 1024.0).clip(0, 4095).astype(np.uint16)
    return Volume(stored, Geometry.from_spacing(SHAPE, SPACING), modality, unit, Rescale(1.0, -1024.0), "1.2.3")


def far_from(cells_box: Box, box: Box) -> bool:
    return cells_box.intersection(box).empty


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_all_of_the_patient_is_in_the_box_with_a_margin_and_the_air_is_not(modality: str) -> None:
    volume = chest(modality, "HU" if modality == "CT" else "")
    body = find_body([volume], Orientation(), SHAPE, Inline())
    assert body is not None
    low, high = body.box.min_kji, body.box.max_kji
    for axis, (first, last) in enumerate(((0, 40), (30, 70), (30, 98))):
        margin = MARGIN_MM / SPACING[axis]
        assert low[axis] <= max(0, first - margin)
        assert high[axis] >= min(SHAPE[axis], last + margin)
    assert body.box.size < 0.7 * np.prod(SHAPE)


def test_lungs_count_as_the_patient_though_they_are_air_and_open() -> None:
    body = find_body([chest()], Orientation(), SHAPE, Inline())
    assert body is not None
    for k in range(0, 40, 5):
        assert body.meets(Box((k, 45, 50), (k + 1, 50, 55)))
    assert not body.meets(Box((0, 100, 0), (40, 120, 140)))


@pytest.mark.parametrize(("axes", "flips"), [((2, 0, 1), (False, True, True)), ((2, 1, 0), (True, True, True))])
def test_the_box_turns_with_the_grid(axes: tuple[int, int, int], flips: tuple[bool, bool, bool]) -> None:
    straight = find_body([chest()], Orientation(), SHAPE, Inline())
    other = turned(chest(), axes, flips)
    back = Orientation.towards(other.geometry, "SPL")
    assert back.turned_shape(other.geometry.shape_kji) == SHAPE
    found = find_body([other], back, (60, 80, 70), Inline())
    assert straight is not None
    assert found is not None
    scale = np.divide((60, 80, 70), SHAPE)
    # Cells of 4 mm, counted from the other end.
    assert np.abs(np.multiply(straight.box.min_kji, scale) - found.box.min_kji).max() <= 4
    assert np.abs(np.multiply(straight.box.max_kji, scale) - found.box.max_kji).max() <= 4


def test_what_any_channel_shows_is_the_patient() -> None:
    first = chest()
    voxels = np.full(SHAPE, 24, dtype=np.uint16)
    voxels[20:30, 90:110, 100:130] = 1100
    both = find_body([first, dataclasses.replace(first, voxels=voxels)], Orientation(), SHAPE, Inline())
    assert both is not None
    assert both.meets(Box((22, 95, 110), (23, 96, 111)))
    assert both.meets(Box((22, 35, 40), (23, 36, 41)))


@pytest.mark.parametrize("modality", ["PT", "US"])
def test_where_dark_is_not_air_nothing_is_cropped(modality: str) -> None:
    assert find_body([chest(modality, "")], Orientation(), SHAPE, Inline()) is None
    empty = dataclasses.replace(chest(), voxels=np.zeros(SHAPE, dtype=np.uint16))
    assert find_body([empty], Orientation(), SHAPE, Inline()) is None


def test_a_cropped_run_gives_the_labels_of_the_whole_one_inside_the_body_and_none_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = chest()
    # One slice group of tiles over the whole plane, so that tiles lie in the same places with and without the crop.
    network = {"name": "meshnet", "kwargs": {"in_channels": 1, "out_channels": 3, "channels": 5, "dilations": [1, 2, 1]}}
    tiling = {"blend": "valid", "margin_kji": [4, 4, 4]}
    wanted = {**NATIVE, "crop": "body", "spacing_kji_mm": [3.5, 2.5, 2.0], "orientation": "SPL"}
    pack = balanced(tmp_path / "pack", volume, network=network, tiling=tiling, input=wanted)
    seen = []
    plan = memory_plan.make_plan

    def watched(*args: object, **kwargs: object) -> object:
        seen.append(args[2])
        return plan(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(memory_plan, "make_plan", watched)
    masks = [predict(PredictRequest(volume, pack, crop=crop), Inline()).mask for crop in (True, False)]
    assert masks[0] is not None
    assert masks[1] is not None
    cropped, whole = (mask.on_grid(SHAPE) for mask in masks)
    assert np.prod(seen[0]) < 0.75 * np.prod(seen[1])
    inside = TRUNK.padded((3, 4, 5)).clipped(SHAPE).slices
    assert len(np.unique(whole[inside])) == 3
    assert (cropped[inside] != whole[inside]).mean() < 1e-4
    assert not cropped[:, 100:].any()
    assert whole[:, 100:].any()


def test_only_packs_that_allow_it_are_cropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    monkeypatch.setattr(run, "find_body", lambda *args: calls.append(args))
    volume = chest()
    pack = balanced(tmp_path / "pack", volume, input={**document()["input"], "spacing_kji_mm": [9.0, 6.0, 6.0]})
    predict(PredictRequest(volume, pack), Inline())
    assert not calls
    assert SMALL_TILES
