"""A model that was trained on grey pictures looks at the brightness of those in colour, as its training did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.volume import Volume
from medview.ml.predict import PredictRequest, brightness
from medview.ml.runners.run import predict
from tests.ml.small_packs import document, small_pack

SHAPE = (3, 12, 16)


def picture() -> Volume:
    voxels = np.random.default_rng(3).integers(0, 255, SHAPE).astype(np.uint8)
    return Volume(voxels, Geometry.from_spacing(SHAPE, (2.0, 1.0, 1.0), calibration=Calibration.VOLUME))


def test_equal_channels_are_that_grey_and_others_their_luminance() -> None:
    grey = picture()
    assert brightness(grey) is grey
    same = replace(grey, voxels=np.repeat(grey.voxels[..., None], 3, axis=3))
    assert np.array_equal(brightness(same).voxels, grey.voxels)
    pixels = np.zeros((*SHAPE, 3), dtype=np.uint8)
    pixels[..., 0] = 100
    red = replace(grey, voxels=pixels)
    assert set(np.unique(brightness(red).voxels)) == {30}


def test_a_picture_that_is_grey_in_three_channels_gives_what_the_grey_one_gives(tmp_path: Path) -> None:
    anything = {**document()["input"], "modality": [], "unit": "", "spacing_kji_mm": None, "orientation": None}
    pack = small_pack(tmp_path / "pack", input=anything)
    grey = picture()
    colour = replace(grey, voxels=np.repeat(grey.voxels[..., None], 3, axis=3))
    plain, found = (predict(PredictRequest(one, pack, "cpu"), Inline()) for one in (grey, colour))
    assert plain.mask is not None
    assert found.mask is not None
    assert np.array_equal(found.mask.on_grid(SHAPE), plain.mask.on_grid(SHAPE))
