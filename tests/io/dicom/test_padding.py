"""Row 64: what lies outside the field of view is no anatomy, in no window and no statistic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import FileDataset

from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.volume import Volume
from medview.io.load import load_volume
from medview.workspace.presets import auto_window
from tests.helpers.dicom_series import asymmetric, put_pixels, write_ct


def read(folder: Path, change: Any, voxels: Any = None) -> Volume:
    write_ct(folder, voxels, change=change)
    return load_volume(folder, None, Inline()).volume


@pytest.mark.parametrize(("value", "limit"), [(-2000, -1990), (-1990, -2000)])
def test_a_range_of_padding_takes_in_both_of_its_ends(tmp_path: Path, value: int, limit: int) -> None:
    def padded(k: int, ds: FileDataset) -> None:
        ds.add_new(0x00280120, "SS", value)
        ds.add_new(0x00280121, "SS", limit)

    volume = read(tmp_path, padded)
    assert volume.padding == (-2000.0, -1990.0)
    stored = np.array([-2001, -2000, -1995, -1990, -1989], np.int16)
    assert volume.is_padding(stored).tolist() == [False, True, True, True, False]


def test_the_automatic_window_does_not_look_at_padding(tmp_path: Path) -> None:
    voxels = asymmetric((3, 10, 13)) + 1000
    bare = voxels.copy()
    voxels[:, :4] = -2000

    def padded(k: int, ds: FileDataset) -> None:
        ds.add_new(0x00280120, "SS", -2000)

    with_padding = auto_window(read(tmp_path / "a", padded, voxels))
    without = auto_window(read(tmp_path / "b", lambda k, ds: None, bare[:, 4:]))
    assert with_padding == without


def test_padding_of_float_pixels_is_known_too(tmp_path: Path) -> None:
    values = np.linspace(-1, 1, 130, dtype=np.float32).reshape(10, 13)
    values[0] = -3.0e38

    def floats(k: int, ds: FileDataset) -> None:
        put_pixels(ds, asymmetric()[0])
        del ds.PixelData, ds.RescaleSlope, ds.RescaleIntercept
        ds.BitsAllocated = 32
        ds.FloatPixelData = values.tobytes()
        ds.FloatPixelPaddingValue = float(values[0, 0])

    volume = read(tmp_path, floats, asymmetric((2, 10, 13)))
    assert volume.is_padding(volume.voxels).sum() == 2 * 13
    assert volume.seen_values().min() > -1.1


def test_slices_with_different_scaling_claim_no_padding_since_their_voxels_are_values(tmp_path: Path) -> None:
    def scaled(k: int, ds: FileDataset) -> None:
        ds.add_new(0x00280120, "SS", -2000)
        ds.RescaleSlope = str(1 + k)

    assert read(tmp_path, scaled).padding is None


def test_colour_has_no_padding() -> None:
    rgb = np.zeros((1, 4, 5, 3), np.uint8)
    volume = Volume(rgb, Geometry.from_spacing((1, 4, 5), (1, 1, 1)), padding=(0.0, 0.0))
    assert not volume.is_padding(volume.voxels).any()
    assert volume.seen_values().size == rgb.size
