from __future__ import annotations

import numpy as np

from medview.core.annotations import BoxAnnotation
from medview.core.geometry import Geometry
from medview.core.plane import Plane, SlicePlane
from medview.core.volume import Rescale, Volume
from medview.core.window import Window
from medview.workspace.rendering import Overlay, grey_slice, render_slice

GEOMETRY = Geometry.from_spacing((4, 6, 9), (5.0, 1.0, 0.5))
WINDOW = Window.from_range(0.0, 100.0)


def volume(**parts: object) -> Volume:
    voxels = np.zeros((4, 6, 9), dtype=np.int16)
    voxels[2, 1, 7] = 100
    return Volume(voxels, GEOMETRY, **parts)


def brightest(picture: np.ndarray) -> tuple[float, float]:
    rows, columns = np.nonzero(picture[:, :, 0] == picture[:, :, 0].max())
    return (rows.mean() + 0.5) / picture.shape[0], (columns.mean() + 0.5) / picture.shape[1]


def test_pictures_have_the_proportions_of_the_patient() -> None:
    axial = SlicePlane.of(Plane.AXIAL, GEOMETRY)
    coronal = SlicePlane.of(Plane.CORONAL, GEOMETRY)
    assert render_slice(volume(), axial, 2, WINDOW).shape == (12, 9, 3)
    assert render_slice(volume(), coronal, 1, WINDOW).shape == (40, 9, 3)
    assert render_slice(volume(), coronal, 1, WINDOW, longest_px=200).shape == (200, 45, 3)


def test_the_bright_voxel_is_where_the_patient_has_it_in_every_plane() -> None:
    for plane, slice_index, expected in (
        (Plane.AXIAL, 2, (1.5 / 6, 7.5 / 9)),
        (Plane.CORONAL, 1, (1.5 / 4, 7.5 / 9)),  # head up: k = 2 of 4 is the second row
        (Plane.SAGITTAL, 7, (1.5 / 4, 1.5 / 6)),
    ):
        layout = SlicePlane.of(plane, GEOMETRY)
        picture = render_slice(volume(), layout, slice_index, WINDOW, longest_px=360)
        row, column = brightest(picture)
        assert abs(row - expected[0]) < 0.02, plane
        assert abs(column - expected[1]) < 0.02, plane


def test_monochrome1_shows_high_values_dark() -> None:
    layout = SlicePlane.of(Plane.AXIAL, GEOMETRY)
    picture = render_slice(volume(inverted=True), layout, 2, WINDOW)
    assert picture.max() == 255
    assert picture[2, 7, 0] < 255


def test_the_window_is_in_the_unit_of_the_values() -> None:
    layout = SlicePlane.of(Plane.AXIAL, GEOMETRY)
    picture = grey_slice(volume(rescale=Rescale(1.0, -1024.0)), layout, 2, Window.from_range(-1024.0, -924.0))
    assert picture[1, 7].tolist() == [255, 255, 255]
    assert np.count_nonzero(picture) == 3


def test_a_segment_has_a_full_outline_and_a_faint_fill_in_its_colour() -> None:
    layout = SlicePlane.of(Plane.AXIAL, GEOMETRY)
    mask = np.zeros((6, 9), dtype=bool)
    mask[1:5, 1:8] = True
    picture = render_slice(volume(), layout, 0, WINDOW, [Overlay(mask, (200, 100, 0))], longest_px=120)
    middle, outside = picture[60, 45], picture[2, 2]
    assert outside.tolist() == [0, 0, 0]
    assert 50 < middle[0] < 100
    assert (picture == (200, 100, 0)).all(axis=2).any()


def test_a_box_is_drawn_only_on_the_slices_it_cuts() -> None:
    layout = SlicePlane.of(Plane.AXIAL, GEOMETRY)
    box = BoxAnnotation.on_grid("b", "Nodule", GEOMETRY, (1, 1, 2), (3, 4, 7))
    drawn = [bool(render_slice(volume(), layout, k, WINDOW, boxes=[box], longest_px=240)[:, :, 2].any()) for k in range(4)]
    blank = [bool(render_slice(volume(), layout, k, WINDOW, longest_px=240)[:, :, 2].any()) for k in range(4)]
    assert drawn == [False, True, True, False]
    assert blank == [False, False, True, False]
