"""Overlay planes: shown where they lie, never in the numbers, never worth the image (rows 55 and 56)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import FileDataset

from medview.core.job import Inline
from medview.core.overlay_plane import OverlayPlane
from medview.io.dicom.overlays import read_overlays
from medview.io.dicom.pixels import read_frame
from medview.io.dicom.scan import scan
from medview.io.load import load_volume
from tests.helpers.dicom_series import asymmetric, ct_slice, put_pixels, write_ct

Mask = npt.NDArray[np.bool_]


def drawing(rows: int = 10, columns: int = 13) -> Mask:
    """Marks that no flip and no transpose leaves alone."""
    mask = np.zeros((rows, columns), dtype=np.bool_)
    mask[0, -1] = mask[2, 1:6] = mask[-1, 3] = True
    return mask


def put_overlay(ds: FileDataset, bits: Mask, group: int = 0x6000, origin: tuple[int, int] = (1, 1), **more: Any) -> None:
    """Add an overlay of its own bits; ``bits`` is (rows, columns) or (frames, rows, columns)."""
    rows, columns = bits.shape[-2:]
    ds.add_new(group << 16 | 0x0010, "US", rows)
    ds.add_new(group << 16 | 0x0011, "US", columns)
    if bits.ndim == 3:
        ds.add_new(group << 16 | 0x0015, "IS", str(len(bits)))
        ds.add_new(group << 16 | 0x0051, "US", more.pop("first_frame", 1))
    ds.add_new(group << 16 | 0x0040, "CS", more.pop("kind", "G"))
    ds.add_new(group << 16 | 0x0050, "SS", list(origin))
    ds.add_new(group << 16 | 0x0100, "US", 1)
    ds.add_new(group << 16 | 0x0102, "US", 0)
    ds.add_new(group << 16 | 0x1500, "LO", more.pop("label", ""))
    packed = np.packbits(bits.reshape(-1), bitorder="little").tobytes()
    ds.add_new(group << 16 | 0x3000, "OW", packed + b"\0" * (len(packed) % 2))


def saved(path: Path, ds: FileDataset) -> str:
    ds.save_as(path, enforce_file_format=True)
    return str(path)


def test_an_overlay_of_its_own_bits_is_read_where_it_lies(tmp_path: Path) -> None:
    ds = ct_slice(asymmetric()[0], (0, 0, 0))
    put_overlay(ds, drawing(), label="Ruler")
    put_overlay(ds, ~drawing(), group=0x6002, kind="R")
    first, second = read_overlays(saved(tmp_path / "a.dcm", ds), 0)
    np.testing.assert_array_equal(first.mask, drawing())
    np.testing.assert_array_equal(second.mask, ~drawing())
    assert (first.label, first.region, second.region) == ("Ruler", False, True)


def test_an_overlay_in_the_high_bits_is_shown_and_leaves_the_numbers_alone(tmp_path: Path) -> None:
    numbers = (asymmetric()[0] % 2048).astype(np.uint16)
    ds = ct_slice(numbers, (0, 0, 0))
    put_pixels(ds, numbers | drawing().astype(np.uint16) << 13)
    ds.BitsStored, ds.HighBit = 12, 11
    ds.add_new(0x60000010, "US", 10)
    ds.add_new(0x60000011, "US", 13)
    ds.add_new(0x60000100, "US", 16)
    ds.add_new(0x60000102, "US", 13)
    path = saved(tmp_path / "a.dcm", ds)
    (overlay,) = read_overlays(path, 0)
    np.testing.assert_array_equal(overlay.mask, drawing())
    np.testing.assert_array_equal(read_frame(path, 0)[0], numbers)


@pytest.mark.parametrize(
    ("origin", "size"),
    [((-2, -4), (10, 13)), ((5, 9), (10, 13)), ((1, 1), (30, 40)), ((3, 4), (2, 5)), ((-90, 1), (10, 13))],
)
def test_an_overlay_that_reaches_beyond_the_image_is_cut(
    tmp_path: Path, origin: tuple[int, int], size: tuple[int, int]
) -> None:
    bits = np.random.default_rng(1).random(size) < 0.5
    ds = ct_slice(asymmetric()[0], (0, 0, 0))
    put_overlay(ds, bits, origin=origin)
    # On a canvas with room on all sides the image is a window.
    canvas = np.zeros((200, 200), dtype=np.bool_)
    canvas[99 + origin[0] : 99 + origin[0] + size[0], 99 + origin[1] : 99 + origin[1] + size[1]] = bits
    wanted = canvas[100:110, 100:113]
    found = read_overlays(saved(tmp_path / "a.dcm", ds), 0)
    assert len(found) == bool(wanted.any())
    for overlay in found:
        np.testing.assert_array_equal(overlay.mask, wanted)


def test_each_frame_has_the_frame_of_the_overlay_that_belongs_to_it(tmp_path: Path) -> None:
    ds = ct_slice(asymmetric()[0], (0, 0, 0))
    ds.NumberOfFrames, ds.PixelData = 4, asymmetric((4, 10, 13)).astype("<i2").tobytes()
    bits = np.stack([drawing(), ~drawing()])
    put_overlay(ds, bits, first_frame=2)
    path = saved(tmp_path / "a.dcm", ds)
    assert read_overlays(path, 0) == ()
    assert read_overlays(path, 3) == ()
    for number in (1, 2):
        np.testing.assert_array_equal(read_overlays(path, number)[0].mask, bits[number - 1])


@pytest.mark.parametrize("damage", ["short data", "no rows", "huge", "bit inside the number", "origin is text"])
def test_a_damaged_overlay_is_left_out_and_the_image_is_read(tmp_path: Path, damage: str) -> None:
    ds = ct_slice(asymmetric()[0], (0, 0, 0))
    put_overlay(ds, drawing())
    if damage == "short data":
        ds[0x60003000].value = b"\xff\xff"
    elif damage == "no rows":
        del ds[0x60000010]
    elif damage == "huge":
        ds[0x60000010].value = ds[0x60000011].value = 65535
    elif damage == "bit inside the number":
        del ds[0x60003000]
        ds[0x60000102].value = 4
    else:
        ds.add_new(0x60000050, "LO", "here")
    path = saved(tmp_path / "a.dcm", ds)
    found = read_overlays(path, 0)
    assert len(found) == (damage == "origin is text")
    np.testing.assert_array_equal(read_frame(path, 0)[0], asymmetric()[0])


def test_the_scan_knows_which_slices_bring_graphics(tmp_path: Path) -> None:
    def third(k: int, ds: FileDataset) -> None:
        if k == 2:
            put_overlay(ds, drawing())

    write_ct(tmp_path, change=third)
    ((entry,),) = (series.volumes for series in scan(tmp_path, Inline()).series)
    assert [frame.overlays for frame in entry.frames] == [k == 2 for k in range(7)]
    np.testing.assert_array_equal(load_volume(tmp_path, None, Inline()).volume.voxels, asymmetric())


def test_a_packed_plane_gives_back_its_marks_for_any_width() -> None:
    for columns in (1, 7, 8, 9, 64):
        mask = np.random.default_rng(columns).random((5, columns)) < 0.5
        np.testing.assert_array_equal(OverlayPlane.of(mask).mask, mask)


@pytest.mark.data
def test_a_real_overlay_is_what_pydicom_reads(test_data: Path) -> None:
    (path,) = (test_data / "pydicom-testfiles").rglob("examples_overlay.dcm")
    ds = pydicom.dcmread(path)
    (overlay,) = read_overlays(str(path), 0)
    theirs = ds.overlay_array(0x6000)
    assert theirs.shape == (300, 484)
    assert list(ds[0x60000050].value) == [1, 1]
    wanted = np.zeros((ds.Rows, ds.Columns), dtype=np.bool_)
    wanted[: theirs.shape[0], : theirs.shape[1]] = theirs[: ds.Rows, : ds.Columns]
    np.testing.assert_array_equal(overlay.mask, wanted)
