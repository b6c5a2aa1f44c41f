"""A second series over the first: values, grounds, and labels of one series on the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from medview.analysis.reslice import sample_voxels
from medview.core.axes import Axes
from medview.core.box import Box
from medview.core.case_labels import CaseLabels
from medview.core.changes import Command
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.label_patch import LabelPatch
from medview.core.oblique import layout_of
from medview.core.plane import Plane, SlicePlane
from medview.core.registration import Registration
from medview.core.slab import Slab, SlabMode
from medview.core.study import Series, Verdict, VolumeEntry
from medview.core.volume import Volume
from medview.core.window import Window
from medview.io.dicom.scan import scan
from medview.io.load import load_volume
from medview.io.reader_pool import InlinePool
from medview.workspace.actions import action
from medview.workspace.colour_maps import GREY, palette
from medview.workspace.foreign_labels import foreign_labels
from medview.workspace.fusion import Footing, Fusion
from medview.workspace.fusion_picture import fusion_rgba, refined, refinement, slab_grid
from medview.workspace.load_state import LoadState
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import fusion as fusing
from medview.workspace.operations.labels import add_segment
from medview.workspace.view_state import CaseView
from medview.workspace.workspace import Workspace
from tests.helpers.moved import itk_image, moved, rigid
from tests.workspace.conftest import oblique_geometry

FRAME = "1.2.3"


def pet_geometry(frame: str = FRAME) -> Geometry:
    """Return a coarse grid over the middle of ``oblique_geometry``, turned otherwise and not reaching its ends."""
    base = oblique_geometry()
    middle = base.point_lps_mm((np.array(base.shape_kji) - 1) / 2)
    turn = rigid((6.0, -11.0, 25.0), (0.0, 0.0, 0.0), np.zeros(3))[:3, :3]
    axes = turn @ np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]], dtype=float)
    affine = np.eye(4)
    affine[:3, :3] = axes * np.array([4.0, 2.1, 1.7])
    shape = (9, 7, 8)
    affine[:3, 3] = middle - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Geometry(shape, affine, frame)


def case_of(volume: Volume, uid: str, patient: str = "") -> OpenCase:
    grid = volume.geometry
    load = LoadState(grid.shape_kji[0])
    load.mark_all_ready()
    k, j, i = (n // 2 for n in grid.shape_kji)
    return OpenCase(
        Series(uid, "1.2.3.3", modality=volume.modality, patient_id=patient),
        VolumeEntry(Verdict.VOLUME, (), grid, grid.shape_kji, ()),
        replace(volume, series_uid=uid),
        load,
        CaseLabels.empty(grid),
        CaseView((k, j, i), Window.from_range(0.0, 1000.0)),
    )


def pet_case(frame: str = FRAME, uid: str = "1.2.3.5", patient: str = "") -> OpenCase:
    """Return an overlay whose every voxel has a number of its own."""
    grid = pet_geometry(frame)
    voxels = np.random.default_rng(3).integers(0, 1000, grid.shape_kji).astype(np.int16)
    return case_of(Volume(voxels, grid, modality="PT", unit="Bq/mL"), uid, patient)


@pytest.fixture
def pet(workspace: Workspace, case: OpenCase) -> OpenCase:
    """An overlay open beside ``case``, which is shown."""
    other = pet_case()
    workspace.add_case(other)
    workspace.show(case.key)
    return other


def expected_values(base: Geometry, overlay: Volume) -> tuple[np.ndarray, np.ndarray]:
    """Return what SimpleITK finds of the overlay at the base's voxels, and where it has to."""
    wanted = itk_image(Volume(np.zeros(base.shape_kji, np.uint8), base))
    values = sitk.GetArrayFromImage(sitk.Resample(itk_image(overlay), wanted, sitk.Transform(), sitk.sitkLinear, -9999.0))
    index = overlay.geometry.index_kji(base.point_lps_mm(np.stack(np.indices(base.shape_kji), axis=-1)))
    within = np.all((index >= 0) & (index <= np.array(overlay.geometry.shape_kji) - 1), axis=-1)
    return values, within


@pytest.mark.parametrize("plane", list(Plane))
def test_fused_values_are_those_simpleitk_resamples(case: OpenCase, plane: Plane) -> None:
    pet = pet_case()
    fusion = Fusion(case.key, pet.key, opacity=1.0, colour_map=GREY)
    values, within = expected_values(case.volume.geometry, pet.volume)
    layout = SlicePlane.of(plane, case.volume.geometry)
    seen = 0
    for index in range(layout.count(case.volume.geometry)):
        shown = fusion_rgba(fusion, case, pet, layout.grid(case.volume.geometry, index))
        assert shown is not None
        inside = layout.extract(within, index)
        levels = pet.view.window.levels(layout.extract(values, index)).astype(int)
        assert np.abs(shown[..., 0].astype(int) - levels)[inside].max(initial=0) <= 1
        assert (shown[..., 3][inside] == 255).all()
        seen += int(inside.sum())
    assert seen > 300


def test_nothing_is_drawn_outside_the_upper_series_nor_below_its_window(case: OpenCase) -> None:
    pet = pet_case()
    pet.view.window = Window.from_range(500.0, 1000.0)
    layout = SlicePlane.of(Plane.AXIAL, case.volume.geometry)
    grid = layout.grid(case.volume.geometry, 6)
    shown = fusion_rgba(Fusion(case.key, pet.key, 0.5, "hot"), case, pet, grid)
    assert shown is not None
    values, within = expected_values(case.volume.geometry, pet.volume)
    inside, value = layout.extract(within, 6), layout.extract(values, 6)
    index = pet.volume.geometry.index_kji(
        case.volume.geometry.point_lps_mm(np.stack(np.indices(case.volume.geometry.shape_kji), -1))
    )
    outside = layout.extract(
        ~np.all((index >= -0.51) & (index <= np.array(pet.volume.geometry.shape_kji) - 0.49), axis=-1), 6
    )
    assert outside.any()
    assert (shown[outside] == 0).all()
    assert (shown[inside & (value < 498)] == 0).all()
    bright = inside & (value > 520)
    assert (shown[bright][:, 3] == 128).all()
    level = pet.view.window.levels(value)[bright]
    expected = np.rint(palette("hot")[level] * 0.5).astype(int)
    assert np.abs(shown[bright][:, :3].astype(int) - expected).max() <= 4


def test_a_refined_picture_covers_the_same_area_and_keeps_voxels_that_are_finer_than_the_base(case: OpenCase) -> None:
    layout = SlicePlane.of(Plane.CORONAL, case.volume.geometry)
    grid = slab_grid(layout, case.volume.geometry, 10, Slab())
    parts = refinement(grid, 1.7)
    assert parts == (3, 1)
    fine = refined(grid, parts)
    assert fine.shape == (grid.shape[0] * 3, grid.shape[1])
    np.testing.assert_allclose(fine.point_lps_mm(1, 0), grid.point_lps_mm(0, 0))
    np.testing.assert_allclose(fine.point_lps_mm(-0.5, -0.5), grid.point_lps_mm(-0.5, -0.5))
    huge = replace(grid, shape=(4000, 4000))
    assert refinement(huge, 0.1) == (1, 1)


def test_an_upper_series_lies_right_on_planes_at_an_angle(case: OpenCase) -> None:
    pet = pet_case()
    geometry = case.volume.geometry
    layout = layout_of(Plane.AXIAL, Axes().turned((1.0, 0.4, 0.0), 0.5), geometry)
    grid = slab_grid(layout, geometry, 0.0, Slab())
    shown = fusion_rgba(Fusion(case.key, pet.key, 1.0, GREY), case, pet, grid)
    assert shown is not None
    row, column = (n // 2 for n in grid.shape)
    value = itk_image(pet.volume).EvaluateAtPhysicalPoint(grid.point_lps_mm(row, column).tolist(), sitk.sitkLinear)
    assert abs(int(shown[row, column, 0]) - int(pet.view.window.levels(np.array(value)))) <= 1


def test_a_slab_of_an_even_number_of_slices_is_fused_around_its_own_middle(case: OpenCase) -> None:
    layout = SlicePlane.of(Plane.AXIAL, case.volume.geometry)
    even = slab_grid(layout, case.volume.geometry, 4, Slab(SlabMode.MAXIMUM, 10.0))
    np.testing.assert_allclose(even.corner_lps_mm, layout.grid(case.volume.geometry, 4.5).corner_lps_mm)


def test_series_of_one_frame_are_fused_at_once(workspace: Workspace, case: OpenCase, pet: OpenCase) -> None:
    said: list[str] = []
    workspace.message.connect(lambda message: said.append(message.text))
    action("fusion.toggle").run(workspace)
    assert fusing.footing_of(workspace, case) is Footing.SAME_FRAME
    assert said == []
    fusion = workspace.bench.fusions[case.key]
    assert (fusion.overlay_key, fusion.colour_map) == (pet.key, "pet")


@pytest.mark.parametrize("frame", ["9.9.9", ""])
def test_series_of_different_or_unknown_frames_are_not_drawn_before_they_are_registered(
    workspace: Workspace, case: OpenCase, frame: str
) -> None:
    pet = pet_case(frame)
    workspace.add_case(pet)
    workspace.show(case.key)
    said: list[str] = []
    workspace.message.connect(lambda message: said.append(message.text))
    assert fusing.fuse(workspace, case, pet)
    assert fusing.footing_of(workspace, case) is Footing.NONE
    assert "register" in said[0]
    grid = SlicePlane.of(Plane.AXIAL, case.volume.geometry).grid(case.volume.geometry, 6)
    assert fusion_rgba(workspace.bench.fusions[case.key], case, pet, grid) is None


def test_a_registration_brings_the_upper_series_to_its_place(workspace: Workspace, case: OpenCase) -> None:
    matrix = rigid((0.0, 0.0, 20.0), (40.0, -30.0, 10.0), np.zeros(3))
    away = pet_case()
    elsewhere = Registration("9.9.9", FRAME, matrix).place(away.volume.geometry)
    pet = case_of(replace(away.volume, geometry=elsewhere), "1.2.3.5")
    fusion = Fusion(case.key, pet.key, 1.0, GREY)
    grid = SlicePlane.of(Plane.AXIAL, case.volume.geometry).grid(case.volume.geometry, 6)
    registered = replace(fusion, registration=Registration("9.9.9", FRAME, matrix).inverse())
    assert registered.footing(case.volume.geometry, pet.volume.geometry) is Footing.REGISTERED
    there = fusion_rgba(registered, case, pet, grid)
    at_home = fusion_rgba(fusion, case, away, grid)
    assert there is not None
    assert at_home is not None
    assert np.abs(there.astype(int) - at_home.astype(int)).max() <= 1


@pytest.mark.data
def test_two_series_are_registered_in_a_job_and_the_person_is_told(workspace: Workspace, test_data: Path) -> None:
    head = load_volume(test_data / "ct-head-tiny-93", None, Inline()).volume
    fixed = case_of(head, "7.1")
    turned, matrix = moved(head, (4.0, -3.0, 5.0), (9.0, -12.0, 6.0))
    moving = case_of(turned, "7.2")
    for one in (moving, fixed):
        workspace.add_case(one)
    said: list[str] = []
    workspace.message.connect(lambda message: said.append(message.text))
    fusing.fuse(workspace, fixed, moving)
    fusing.register(workspace, fixed)
    fusion = workspace.bench.fusions[fixed.key]
    assert fusing.footing_of(workspace, fixed) is Footing.REGISTERED
    assert "mutual information" in said[-1]
    placed = fusion.placed(head.geometry, turned.geometry)
    assert placed is not None
    truth = np.linalg.inv(matrix) @ turned.geometry.affine_lps
    np.testing.assert_allclose(placed.affine_lps[:3, 3], truth[:3, 3], atol=1.0)
    fusing.swap(workspace, fixed)
    assert workspace.active is moving
    assert fusing.footing_of(workspace, moving) is Footing.REGISTERED
    assert list(workspace.bench.fusions) == [moving.key]
    jobs = len(workspace.runner.jobs)  # type: ignore[attr-defined]  # an InlineRunner
    fusing.end(workspace, moving)
    # Either way round, and after one of them was closed.
    assert fusing.fuse(workspace, fixed, moving)
    again = workspace.bench.fusions[fixed.key]
    assert again.registration is fusion.registration
    assert "registered before" in said[-1]
    workspace.close_case(moving.key)
    workspace.add_case(case_of(turned, "7.2"))
    assert fusing.fuse(workspace, workspace.cases["7.2"], fixed)
    assert fusing.footing_of(workspace, workspace.cases["7.2"]) is Footing.REGISTERED
    assert len(workspace.runner.jobs) == jobs  # type: ignore[attr-defined]  # an InlineRunner


def test_a_registration_outlives_its_fusion_and_is_not_used_for_other_frames(workspace: Workspace, case: OpenCase) -> None:
    pet = pet_case("9.9.9")
    workspace.add_case(pet)
    known = Registration(FRAME, "9.9.9", rigid((0.0, 0.0, 20.0), (4.0, -3.0, 1.0), np.zeros(3)), note="90 % overlap.")
    workspace.registrations[case.key, pet.key] = known
    said: list[str] = []
    workspace.message.connect(lambda message: said.append(message.text))
    for _ in range(2):
        assert fusing.fuse(workspace, case, pet)
        assert fusing.footing_of(workspace, case) is Footing.REGISTERED
        assert said[-1] == "The two series lie as they were registered before. 90 % overlap."
        fusing.end(workspace, case)
    workspace.close_case(pet.key)
    other = pet_case("8.8.8")
    workspace.add_case(other)
    assert fusing.fuse(workspace, case, other)
    assert fusing.footing_of(workspace, case) is Footing.NONE


def test_a_registration_that_finds_nothing_leaves_the_series_apart(workspace: Workspace, case: OpenCase) -> None:
    pet = pet_case("9.9.9")
    workspace.add_case(pet)
    said: list[str] = []
    workspace.message.connect(lambda message: said.append(message.text))
    fusing.fuse(workspace, case, pet)
    fusing.register(workspace, case)
    fusion = workspace.bench.fusions[case.key]
    assert (fusion.registration, fusion.registering) == (None, False)
    assert "could not be registered" in said[-1]


def test_closing_either_series_ends_the_fusion(workspace: Workspace, case: OpenCase, pet: OpenCase) -> None:
    fusing.fuse(workspace, case, pet)
    workspace.close_case(pet.key)
    assert workspace.bench.fusions == {}
    again = pet_case()
    workspace.add_case(again)
    fusing.fuse(workspace, case, again)
    workspace.close_case(case.key)
    assert workspace.bench.fusions == {}


def test_series_of_another_patient_in_colour_or_without_millimetres_are_refused(
    workspace: Workspace, case: OpenCase
) -> None:
    colour = case_of(Volume(np.zeros((2, 3, 4, 3), np.uint8), Geometry.from_spacing((2, 3, 4), (1, 1, 1))), "8.1")
    flat = Geometry.from_spacing((2, 3, 4), (1, 1, 1), calibration=Calibration.IN_PLANE)
    stack = case_of(Volume(np.zeros((2, 3, 4), np.uint8), flat), "8.2")
    named = pet_case(uid="8.3", patient="somebody")
    other = pet_case(uid="8.4", patient="somebody else")
    said: list[str] = []
    workspace.message.connect(lambda message: said.append(message.text))
    for one in (colour, stack, named, other):
        workspace.add_case(one)
    assert not fusing.fuse(workspace, case, colour)
    assert not fusing.fuse(workspace, case, stack)
    assert not fusing.fuse(workspace, named, other)
    assert not fusing.fuse(workspace, case, case)
    assert ["colour" in said[0], "millimetres" in said[1], "two patients" in said[2], "itself" in said[3]] == [True] * 4
    assert workspace.bench.fusions == {}
    assert fusing.open_candidates(workspace, named) == [case]


def test_keys_make_the_upper_series_stronger_fainter_and_hide_it(
    workspace: Workspace, case: OpenCase, pet: OpenCase
) -> None:
    fusing.fuse(workspace, case, pet)
    for name in ("fusion.more", "fusion.more", "fusion.less"):
        action(name).run(workspace)
    assert workspace.bench.fusions[case.key].opacity == pytest.approx(0.6)
    for _ in range(9):
        action("fusion.less").run(workspace)
    assert workspace.bench.fusions[case.key].opacity == 0.0
    action("fusion.toggle").run(workspace)
    assert not workspace.bench.fusions[case.key].visible
    action("fusion.off").run(workspace)
    assert not action("fusion.more").enabled(workspace)


def paint_box(case: OpenCase, box: Box) -> None:
    segment = add_segment(case, "Lesion")
    assert segment is not None
    layer = case.labels.segmentation.layer(segment.layer_id)
    patch = LabelPatch.between(layer, box, np.full(box.shape_kji, segment.value, np.uint8))
    assert patch is not None
    case.do(Command("Brush", (patch,)))


def test_labels_of_a_series_in_the_same_frame_are_offered_to_the_other_one(
    workspace: Workspace, case: OpenCase, pet: OpenCase
) -> None:
    assert foreign_labels(workspace.bench, workspace.cases, case) == []
    paint_box(pet, Box((2, 3, 1), (4, 6, 5)))
    (found,) = foreign_labels(workspace.bench, workspace.cases, case)
    assert found.case is pet
    assert [s.name for s in found.visible_segments(0)] == ["Lesion"]
    assert foreign_labels(workspace.bench, workspace.cases, pet) == []
    action("view.foreign_labels").run(workspace)
    assert foreign_labels(workspace.bench, workspace.cases, case) == []


def test_labels_of_another_frame_follow_the_registration_and_nothing_else(workspace: Workspace, case: OpenCase) -> None:
    pet = pet_case("9.9.9")
    workspace.add_case(pet)
    paint_box(pet, Box((2, 3, 1), (4, 6, 5)))
    assert foreign_labels(workspace.bench, workspace.cases, case) == []
    fusing.fuse(workspace, case, pet)
    assert foreign_labels(workspace.bench, workspace.cases, case) == []
    matrix = rigid((0.0, 0.0, 20.0), (4.0, -3.0, 1.0), np.zeros(3))
    fusing.change(workspace, case, lambda now: replace(now, registration=Registration(FRAME, "9.9.9", matrix)))
    (found,) = foreign_labels(workspace.bench, workspace.cases, case)
    np.testing.assert_allclose(found.placed.affine_lps, matrix @ pet.volume.geometry.affine_lps)
    paint_box(case, Box((2, 3, 1), (4, 6, 5)))
    (back,) = foreign_labels(workspace.bench, workspace.cases, pet)
    np.testing.assert_allclose(back.placed.affine_lps, np.linalg.inv(matrix) @ case.volume.geometry.affine_lps, atol=1e-9)


@pytest.mark.data
def test_labels_of_t1_lie_at_the_same_place_in_the_patient_on_the_hippocampus_crop(
    workspace: Workspace, test_data: Path
) -> None:

    place = test_data / "mr-brain-t1-t1c-t2-flair"
    uids = {s.description: s.series_uid for s in scan(place, Inline(), InlinePool()).series}
    t1, flair, crop = (
        case_of(load_volume(place, uids[name], Inline()).volume, name) for name in ("T1pre_reg", "FLAIR_reg", "HippoCrop")
    )
    for one in (t1, flair, crop):
        workspace.add_case(one)
    target = crop.volume.geometry.point_lps_mm((20, 25, 17))
    at = np.rint(t1.volume.geometry.index_kji(target)).astype(int)
    k, j, i = (int(n) for n in at)
    paint_box(t1, Box((k - 1, j - 6, i - 6), (k + 2, j + 7, i + 7)))
    for shown in (flair, crop):
        (found,) = foreign_labels(workspace.bench, workspace.cases, shown)
        geometry = shown.volume.geometry
        index = np.rint(geometry.index_kji(target)).astype(int)
        layout = SlicePlane.of(Plane.AXIAL, geometry)
        normal = int(index[layout.normal_axis])
        cut = sample_voxels(t1.labels.segmentation.layer(0).voxels, found.placed, layout.grid(geometry, normal))
        rows, columns = np.nonzero(cut)
        drawn = geometry.point_lps_mm(
            np.array([layout.index_kji(geometry, normal, r, c) for r, c in zip(rows, columns, strict=True)])
        )
        # The middle of what is drawn and that of the painted box, along the rows and columns of T1.
        middle = t1.volume.geometry.index_kji(drawn.mean(axis=0))
        np.testing.assert_allclose(middle[1:], at[1:], atol=1.0)
