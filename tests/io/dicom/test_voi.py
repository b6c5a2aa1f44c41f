"""Rows 58 and 60: a file's own display tables and windows come first, and a person's act replaces them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence

from medview.core.job import Inline
from medview.core.plane import Plane, SlicePlane
from medview.core.voi_table import VoiTable
from medview.core.volume import Volume
from medview.core.window import Window
from medview.io.load import load_volume
from medview.workspace.presets import choices, opening_window
from medview.workspace.rendering import grey_slice
from tests.helpers.dicom_series import asymmetric, put_pixels, write_ct
from tests.helpers.enhanced import enhanced_ct, one


def lut(entries: list[int], first: int, bits: int = 12, *, vr: str = "US", name: str = "") -> Dataset:
    item = Dataset()
    item.add_new(0x00283002, "SS" if first < 0 else "US", [len(entries) % 65536, first, bits])
    if name:
        item.LUTExplanation = name
    data = np.asarray(entries, "<u2")
    item.add_new(0x00283006, vr, data.tolist() if vr == "US" else data.tobytes())
    return item


def read(folder: Path, *items: Dataset, window: tuple[str, str] | None = None) -> Volume:
    def tables(k: int, ds: FileDataset) -> None:
        ds.VOILUTSequence = Sequence(items)
        if window:
            ds.WindowCenter, ds.WindowWidth = window

    write_ct(folder, change=tables)
    return load_volume(folder, None, Inline()).volume


def test_a_file_with_a_table_opens_through_it_and_its_window_is_the_next_choice(tmp_path: Path) -> None:
    curve = [min(4095, n * n // 200) for n in range(1000)]
    volume = read(tmp_path, lut(curve, -1024, name="NORMAL"), window=("40", "400"))
    opened = opening_window(volume)
    assert isinstance(opened, VoiTable)
    assert opened.name == "NORMAL"
    values = volume.values((3,))
    wanted = np.asarray(curve)[np.clip(np.rint(values + 1024).astype(int), 0, 999)] / 4095 * 255
    np.testing.assert_allclose(opened.levels(values), wanted, atol=0.51)
    assert [w.name for w in choices(volume)][-2:] == ["From the file", "NORMAL"]
    # Dragging is a person's act: from then on it is a window.
    assert isinstance(opened.adjusted(opened.center + 5, opened.width), Window)


@pytest.mark.parametrize("vr", ["US", "OW"])
def test_tables_are_read_whichever_way_they_are_written(tmp_path: Path, vr: str) -> None:
    (table,) = read(tmp_path, lut([5, 600, 4095], 7, vr=vr)).voi_tables
    assert (table.first, np.frombuffer(table.entries, "<u2").tolist(), table.bits) == (7.0, [5, 600, 4095], 12)


def test_a_table_of_65536_entries_declares_zero(tmp_path: Path) -> None:
    (table,) = read(tmp_path, lut(list(range(65536)), 0, 16, vr="OW")).voi_tables
    assert table.count == 65536


def test_an_eight_bit_table_may_be_packed_two_to_a_word(tmp_path: Path) -> None:
    item = Dataset()
    item.add_new(0x00283002, "US", [3, 0, 8])
    item.add_new(0x00283006, "OW", bytes([1, 128, 255, 0]))
    (table,) = read(tmp_path, item).voi_tables
    assert table.levels(np.array([0, 1, 2])).tolist() == [1, 128, 255]


def test_damaged_tables_are_left_out_and_the_window_stands(tmp_path: Path) -> None:
    short, odd = lut([1, 2, 3], 0), lut([1, 2, 3], 0)
    short[0x00283002].value = [9, 0, 12]
    odd[0x00283002].value = [3, 0, 0]
    volume = read(tmp_path, short, odd, window=("40", "400"))
    assert volume.voi_tables == ()
    assert opening_window(volume) == Window(40.0, 400.0)


def test_a_frame_of_an_enhanced_object_brings_its_own_table(tmp_path: Path) -> None:
    positions = [(0.0, 0.0, 5.0 * k) for k in range(3)]
    ds = enhanced_ct(asymmetric((3, 10, 13)), positions, [[1, 0, 0, 0, 1, 0]] * 3)
    ds.SharedFunctionalGroupsSequence[0].FrameVOILUTSequence = one(VOILUTSequence=Sequence([lut([0, 9, 4095], 3)]))
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    (table,) = load_volume(tmp_path, None, Inline()).volume.voi_tables
    assert (table.first, table.count) == (3.0, 3)


def test_a_radiograph_with_a_table_uses_the_whole_range_of_grey(tmp_path: Path) -> None:
    # Stored numbers between 900 and 1300 of 4096: flat without the table.
    stored = np.linspace(900, 1300, 130).round().astype(np.uint16).reshape(10, 13)

    def radiograph(k: int, ds: FileDataset) -> None:
        put_pixels(ds, stored)
        ds.BitsStored, ds.HighBit = 12, 11
        del ds.RescaleSlope, ds.RescaleIntercept
        ds.VOILUTSequence = Sequence([lut([round(4095 * n / 400) for n in range(401)], 900)])

    write_ct(tmp_path, stored[None], axes=np.eye(3), change=radiograph)
    volume = load_volume(tmp_path, None, Inline()).volume
    shown = grey_slice(volume, SlicePlane.of(Plane.AXIAL, volume.geometry), 0, opening_window(volume))
    assert (int(shown.min()), int(shown.max())) == (0, 255)
