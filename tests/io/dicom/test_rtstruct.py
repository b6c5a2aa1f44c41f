"""RT structure sets of others on series at any angle: what is read, where it lies, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import FileDataset

from medview.core.errors import GeometryError, MedViewError, ReadError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.segmentation import Code
from medview.core.volume import Volume
from medview.io.dicom import rtstruct
from medview.io.dicom.rtstruct import read_rtstruct
from medview.io.imported_labels import ImportedLabels, Target
from medview.io.label_files import is_label_file, read_labels
from medview.io.load import load_volume
from tests.helpers.dicom_series import ROOT, asymmetric, write_ct
from tests.helpers.structure_sets import Drawn, around, by_plastimatch, dice, mask_of, ring, structure_set

SHAPE = (7, 30, 43)


@pytest.fixture
def ct(tmp_path: Path) -> Volume:
    """An oblique series of 0.6 x 0.9 x 5 mm."""
    write_ct(tmp_path / "ct", asymmetric(SHAPE))
    return load_volume(tmp_path / "ct", None, Inline()).volume


def read(path: Path, volume: Volume, regions: Sequence[Drawn], *, decimals: int = 6, listed: bool = True) -> ImportedLabels:
    structure_set(volume, regions, decimals=decimals, listed=listed).save_as(path / "rt.dcm")
    return read_labels(path / "rt.dcm", volume)


def altered(path: Path, dataset: FileDataset) -> Path:
    dataset.save_as(path / "rt.dcm")
    return path / "rt.dcm"


def disc(volume: Volume, centre_ji: tuple[float, float], radius: float) -> np.ndarray:
    j, i = np.indices(volume.geometry.shape_kji[1:])
    return np.asarray((j - centre_ji[0]) ** 2 + (i - centre_ji[1]) ** 2 <= radius**2)


def test_regions_keep_their_names_colours_kinds_and_codes(ct: Volume, tmp_path: Path) -> None:
    regions = [
        Drawn("Left lung", [around((2, 3), (9, 20), ct, 2)], interpreted="ORGAN", colour=(1, 2, 3)),
        Drawn("", [around((2, 3), (4, 5), ct, 3)], colour=None, interpreted="nonsense"),
    ]
    dataset = structure_set(ct, regions)
    code = FileDataset("", {})
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "39607008", "SCT", "Lung"
    dataset.RTROIObservationsSequence[0].RTROIIdentificationCodeSequence = [code]
    path = altered(tmp_path, dataset)
    assert is_label_file(path)
    lung, other = read_labels(path, ct).segments
    assert (lung.name, lung.colour, lung.group) == ("Left lung", (1, 2, 3), "ORGAN")
    assert lung.code == Code("39607008", "SCT", "Lung")
    assert (other.name, other.group, other.code) == ("Region 2", "", None)


def test_a_ring_on_an_oblique_grid_keeps_its_hole_whether_keyhole_or_separate_contours(tmp_path: Path) -> None:
    write_ct(tmp_path / "ct", asymmetric((3, 120, 130)))
    volume = load_volume(tmp_path / "ct", None, Inline()).volume
    outer, inner = ring((60, 64), 55.3, volume, 1), ring((58, 66), 30.2, volume, 1)
    back = inner[::-1]
    keyhole = np.vstack([outer, outer[:1], back, back[:1], outer[:1]])
    wanted = np.pi * (55.3**2 - 30.2**2)
    for contours in ([outer, inner], [inner, outer], [keyhole]):
        mask = mask_of(read(tmp_path, volume, [Drawn("Ring", contours)]), "Ring")
        assert not mask[1, 58, 66]
        assert abs(mask.sum() - wanted) < 0.01 * wanted


def test_contours_through_the_centres_of_voxels_and_around_them_give_the_voxels_that_were_meant(
    ct: Volume, tmp_path: Path
) -> None:
    box = np.zeros(SHAPE, bool)
    box[2, 4:11, 6:25] = True
    through, around_them = around((4, 6), (10, 24), ct, 2), around((3.5, 5.5), (10.5, 24.5), ct, 2)
    for contour in (through, around_them):
        # Three decimals: what many planning systems write.
        np.testing.assert_array_equal(mask_of(read(tmp_path, ct, [Drawn("Box", [contour])], decimals=3), "Box"), box)
    found = mask_of(read(tmp_path, ct, [Drawn("Disc", [ring((14, 20), 10, ct, 4)])]), "Disc")
    assert dice(found[4], disc(ct, (14, 20), 10)) > 0.99
    assert np.abs(np.argwhere(found[4]).mean(axis=0) - (14, 20)).max() < 0.01


def test_every_contour_on_an_image_that_is_not_square_fills_its_mask(tmp_path: Path) -> None:
    write_ct(tmp_path / "ct", asymmetric((4, 10, 13)))
    volume = load_volume(tmp_path / "ct", None, Inline()).volume
    mask = mask_of(read(tmp_path, volume, [Drawn("All", [around((0, 0), (9, 12), volume, k) for k in range(4)])]), "All")
    assert mask.all()
    corner = mask_of(read(tmp_path, volume, [Drawn("One", [around((8.6, 11.6), (9.4, 12.4), volume, 3)])]), "One")
    assert np.argwhere(corner).tolist() == [[3, 9, 12]]


def test_an_empty_mask_is_never_called_a_success(ct: Volume, tmp_path: Path) -> None:
    between_centres = Drawn("Thin", [around((2.2, 3.2), (2.8, 3.8), ct, 2)])
    with pytest.raises(ReadError, match=r"nothing to draw on this series. Left out because no centre .* inside: Thin"):
        read(tmp_path, ct, [between_centres])
    found = read(tmp_path, ct, [between_centres, Drawn("Thick", [around((2, 3), (9, 20), ct, 2)])])
    assert [s.name for s in found.segments] == ["Thick"]
    assert found.notes == ("Left out because no centre of a voxel lies inside: Thin.",)


def test_a_region_without_contours_or_with_single_points_is_skipped_with_a_sentence_and_the_rest_is_read(
    ct: Volume, tmp_path: Path
) -> None:
    point = ct.geometry.point_lps_mm([(2, 5, 5)])
    regions = [
        Drawn("Nothing", None),
        Drawn("Isocentre", [point], kind="POINT"),
        Drawn("Wire", [around((2, 3), (9, 20), ct, 2)], kind="OPEN_PLANAR"),
        Drawn("Lung", [around((2, 3), (9, 20), ct, 2)]),
    ]
    found = read(tmp_path, ct, regions)
    assert [s.name for s in found.segments] == ["Lung"]
    assert found.notes == (
        "Left out because there is no contour: Nothing.",
        "Points and open lines are no regions and were left out: Isocentre, Wire.",
    )


def test_contours_of_two_points_or_of_numbers_that_are_none_are_left_out_and_counted(ct: Volume, tmp_path: Path) -> None:
    good = around((2, 3), (9, 20), ct, 2)
    dataset = structure_set(ct, [Drawn("Lung", [good, good[:2], good, good])])
    third, fourth = dataset.ROIContourSequence[0].ContourSequence[2:]
    third.ContourData = [*third.ContourData[:-1]]
    fourth.ContourData = ["1e999", *fourth.ContourData[1:]]
    found = read_labels(altered(tmp_path, dataset), ct)
    assert mask_of(found, "Lung").sum() == 8 * 18
    assert found.notes == ("Left out because they are damaged or have fewer than three points: 3 contours.",)


def test_contours_of_one_region_in_two_places_of_the_file_belong_together(ct: Volume, tmp_path: Path) -> None:
    dataset = structure_set(ct, [Drawn("Lung", [around((2, 3), (9, 20), ct, k)]) for k in (2, 3)])
    dataset.ROIContourSequence[1].ReferencedROINumber = 1
    found = read_labels(altered(tmp_path, dataset), ct)
    assert np.flatnonzero(mask_of(found, "Lung").any(axis=(1, 2))).tolist() == [2, 3]


def test_regions_that_overlap_stay_apart(ct: Volume, tmp_path: Path) -> None:
    regions = [Drawn(f"Region {n}", [around((2, 3 + n), (9, 20 + n), ct, 2)]) for n in range(1, 4)]
    found = read(tmp_path, ct, regions)
    for n in range(1, 4):
        assert np.argwhere(mask_of(found, f"Region {n}"))[[0, -1]].tolist() == [[2, 2, 3 + n], [2, 9, 20 + n]]
    assert len(found.layers) == 3


def test_contours_between_slices_go_onto_the_nearer_one_and_that_is_said(ct: Volume, tmp_path: Path) -> None:
    found = read(tmp_path, ct, [Drawn("Lung", [around((2, 3), (9, 20), ct, k) for k in (1.0, 2.3, 3.46)])])
    assert np.flatnonzero(mask_of(found, "Lung").any(axis=(1, 2))).tolist() == [1, 2, 3]
    assert found.notes == ("Between two slices, up to 2.3 mm from the nearer one, onto which they were put: 2 contours.",)


def test_contours_of_two_planes_that_come_onto_one_slice_cut_no_holes_into_each_other(ct: Volume, tmp_path: Path) -> None:
    contours = [around((2, 3), (20, 30), ct, 2), around((5, 6), (9, 20), ct, 2.2)]
    assert mask_of(read(tmp_path, ct, [Drawn("Lung", contours)]), "Lung").sum() == 19 * 28


def test_contours_drawn_denser_than_the_slices_cut_no_holes_into_each_other(ct: Volume, tmp_path: Path) -> None:
    # Every 0.2 mm on slices of 5 mm, each a little larger than the one before.
    dense = [around((5 - n / 10, 6), (20 + n / 10, 30), ct, 2 + n * 0.04) for n in range(-8, 9)]
    mask = mask_of(read(tmp_path, ct, [Drawn("Lung", dense)]), "Lung")
    assert mask[2].sum() == mask.sum() == 16 * 25
    # Rounded to a tenth of a millimetre, a hole lies in the plane of what it is cut into.
    holed = [around((4.5, 5.5), (20.5, 30.5), ct, 2), around((9.5, 10.5), (14.5, 20.5), ct, 2)]
    assert mask_of(read(tmp_path, ct, [Drawn("Lung", holed)], decimals=1), "Lung").sum() == 16 * 25 - 5 * 10


def test_contours_outside_of_the_series_or_across_its_slices_are_left_out_and_said(ct: Volume, tmp_path: Path) -> None:
    across = ct.geometry.point_lps_mm([(1, 2, 3), (1, 2, 20), (4, 9, 20), (4, 9, 3)])
    contours = [around((2, 3), (9, 20), ct, 2), across, around((2, 3), (9, 20), ct, 9), around((-9, 3), (9, 20), ct, 5)]
    found = read(tmp_path, ct, [Drawn("Lung", contours)])
    mask = mask_of(found, "Lung")
    assert np.flatnonzero(mask.any(axis=(1, 2))).tolist() == [2, 5]
    assert mask[5].sum() == 10 * 18
    assert found.notes == (
        "Outside of these images and left out: 1 contour.",
        "Across the slices and left out: 1 contour.",
        "Partly outside of these images and cut off there: 1 contour.",
    )
    with pytest.raises(GeometryError, match=r"nothing to draw on this series\. Outside of these images"):
        read(tmp_path, ct, [Drawn("Lung", contours[2:3])])


def test_gaps_of_a_region_drawn_on_every_second_slice_are_told_of(ct: Volume, tmp_path: Path) -> None:
    found = read(tmp_path, ct, [Drawn("Lung", [around((2, 3), (9, 20), ct, k) for k in (1, 3, 5)])])
    assert found.notes == ("Drawn on some of the slices only, with gaps to be filled between slices: Lung.",)


def test_overlaps_in_part_within_one_region_are_told_of(ct: Volume, tmp_path: Path) -> None:
    contours = [around((2, 3), (9, 20), ct, 2), around((5, 15), (14, 30), ct, 2)]
    found = read(tmp_path, ct, [Drawn("Lung", contours)])
    assert found.notes == ("Contours overlap in part, and where two do is taken for a hole: Lung.",)
    assert read(tmp_path, ct, [Drawn("Lung", contours, kind="CLOSEDPLANAR_XOR")]).notes == ()


def test_contours_are_placed_by_position_and_a_wrong_image_is_told_of(ct: Volume, tmp_path: Path) -> None:
    contour = around((2, 3), (9, 20), ct, 2)
    found = read(tmp_path, ct, [Drawn("Lung", [contour], images=[ct.sop_instance_uids[4]])])
    assert np.flatnonzero(mask_of(found, "Lung").any(axis=(1, 2))).tolist() == [2]
    assert found.notes == ("Placed by position and not by the image that is named: 1 contour.",)
    assert read(tmp_path, ct, [Drawn("Lung", [contour], images=[ct.sop_instance_uids[2]])]).notes == ()


def test_no_contour_of_an_oblique_series_is_lost_because_its_z_is_not_constant(ct: Volume, tmp_path: Path) -> None:
    contours = [around((2, 3), (9, 20), ct, k) for k in range(7)]
    assert min(np.ptp(contour[:, 2]) for contour in contours) > 1.0
    assert mask_of(read(tmp_path, ct, [Drawn("Lung", contours)], decimals=2), "Lung").sum() == 7 * 8 * 18


def test_a_tilted_series_is_filled_along_its_slices(tmp_path: Path) -> None:
    axes = np.eye(3)
    write_ct(tmp_path / "ct", asymmetric(SHAPE), axes=axes, step_lps_mm=(0.0, 1.8, 5.0))
    volume = load_volume(tmp_path / "ct", None, Inline()).volume
    assert volume.geometry.sheared
    contours = [around((2, 3), (9, 20), volume, k) for k in range(7)]
    mask = mask_of(read(tmp_path, volume, [Drawn("Lung", contours)]), "Lung")
    assert mask[:, 2:10, 3:21].all()
    assert mask.sum() == 7 * 8 * 18


def test_regions_of_another_frame_of_reference_are_refused_or_left_out(ct: Volume, tmp_path: Path) -> None:
    contour = around((2, 3), (9, 20), ct, 2)
    foreign = Drawn("Elsewhere", [contour], frame=f"{ROOT}.99")
    with pytest.raises(GeometryError, match="belongs to another examination"):
        read(tmp_path, ct, [foreign], listed=False)
    found = read(tmp_path, ct, [foreign, Drawn("Here", [contour], images=ct.sop_instance_uids[2:3])], listed=False)
    assert [s.name for s in found.segments] == ["Here"]
    assert found.notes == ("In another frame of reference and left out: Elsewhere.",)


def test_a_made_up_frame_of_reference_is_overruled_by_the_images_that_are_named(ct: Volume, tmp_path: Path) -> None:
    found = read(tmp_path, ct, [Drawn("Lung", [around((2, 3), (9, 20), ct, 2)], frame=f"{ROOT}.99")])
    assert mask_of(found, "Lung").sum() == 8 * 18
    assert "states another frame of reference than the images it names" in found.notes[0]


def test_contours_drawn_on_another_series_of_the_frame_are_placed_and_that_is_said(ct: Volume, tmp_path: Path) -> None:
    dataset = structure_set(ct, [Drawn("Lung", [around((2, 3), (9, 20), ct, 2)])])
    write_ct(tmp_path / "thin", asymmetric(SHAPE), series=f"{ROOT}.77")
    thin = load_volume(tmp_path / "thin", None, Inline()).volume
    found = read_labels(altered(tmp_path, dataset), thin)
    assert mask_of(found, "Lung").sum() == 8 * 18
    assert found.notes == ("rt.dcm was drawn on other images of this frame of reference; it is placed by its position.",)
    dataset.StudyInstanceUID = f"{ROOT}.88"
    with pytest.raises(GeometryError, match="belongs to another study"):
        read_labels(altered(tmp_path, dataset), thin)
    # On the very images it names, the study is what these say.
    assert read_labels(altered(tmp_path, dataset), ct).segments


def test_without_frames_of_reference_only_the_images_count(ct: Volume, tmp_path: Path) -> None:
    here = Volume(
        ct.voxels,
        Geometry(ct.geometry.shape_kji, ct.geometry.affine_lps),
        series_uid=ct.series_uid,
        study_uid=ct.study_uid,
        sop_instance_uids=ct.sop_instance_uids,
    )
    contour = around((2, 3), (9, 20), ct, 2)
    assert mask_of(read(tmp_path, here, [Drawn("Lung", [contour])]), "Lung").sum() == 8 * 18
    unnamed = structure_set(here, [Drawn("Lung", [contour])], listed=False)
    assert "does not say which images" in read_labels(altered(tmp_path, unnamed), here).notes[0]
    unnamed.StudyInstanceUID = f"{ROOT}.88"
    with pytest.raises(GeometryError, match="belongs to another study"):
        read_labels(altered(tmp_path, unnamed), here)
    other = structure_set(here, [Drawn("Lung", [contour])])
    series = other.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    series.SeriesInstanceUID, series.ContourImageSequence = f"{ROOT}.78", []
    with pytest.raises(GeometryError, match="was drawn on another series"):
        read_labels(altered(tmp_path, other), here)


def test_without_a_series_or_with_one_that_has_no_positions_there_is_nowhere_to_draw(ct: Volume, tmp_path: Path) -> None:
    path = altered(tmp_path, structure_set(ct, [Drawn("Lung", [around((2, 3), (9, 20), ct, 2)])]))
    with pytest.raises(GeometryError, match="holds outlines and no voxels; name the series"):
        read_labels(path)
    stack = Geometry(ct.geometry.shape_kji, ct.geometry.affine_lps, calibration=Calibration.IN_PLANE)
    with pytest.raises(GeometryError, match="states no positions"):
        read_rtstruct(path, Target(stack))


def test_a_file_that_is_no_structure_set_says_so(ct: Volume, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="is no RT structure set"):
        read_rtstruct(next((tmp_path / "ct").iterdir()), ct)


def test_more_regions_than_anybody_draws_are_refused(ct: Volume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtstruct, "MOST_REGIONS", 2)
    with pytest.raises(ReadError, match="has 3 regions, more than 2"):
        read(tmp_path, ct, [Drawn(f"{n}", None) for n in range(3)])


def test_numbers_no_patient_is_as_large_as_cost_nothing(ct: Volume, tmp_path: Path) -> None:
    huge = np.array([(-1e15, -1e15, 0), (1e15, -1e15, 0), (1e15, 1e15, 0), (-1e15, 1e15, 0)])
    found = read(tmp_path, ct, [Drawn("Lung", [huge, around((2, 3), (9, 20), ct, 2)])], decimals=0)
    assert found.notes == ("Outside of these images and left out: 1 contour.",)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "voxels", "said"),
    [
        ("rt.dcm", {"ROI-1": 1443}, "states another frame of reference than the images it names"),
        (
            "invalid_reference_rt.dcm",
            {"ROI-1": 4976, "ROI-2": 3697, "ROI-3": 4519, "ROI-4": 6954},
            "Outside of these images and left out: 4 contours.",
        ),
        (
            "non_existent_reference_rt.dcm",
            {"ROI-1": 4976, "ROI-2": 3697, "ROI-3": 4519, "ROI-4": 6954},
            "Outside of these images and left out: 4 contours.",
        ),
    ],
)
def test_structure_sets_of_a_planning_system_lie_on_their_images(
    test_data: Path, tmp_path: Path, name: str, voxels: dict[str, int], said: str
) -> None:
    folder = test_data / "rtstruct-rt-utils" / "tests" / "mock_data"
    for number in (1, 2):
        (tmp_path / f"ct_{number}.dcm").symlink_to(folder / f"ct_{number}.dcm")
    volume = load_volume(tmp_path, None, Inline()).volume
    found = read_labels(folder / name, volume)
    assert {s.name: int(mask_of(found, s.name).sum()) for s in found.segments} == voxels
    assert len(found.notes) == 1
    assert said in found.notes[0]


@pytest.mark.data
def test_plastimatch_finds_the_same_voxels_in_the_structure_set_of_a_planning_system(
    test_data: Path, tmp_path: Path
) -> None:
    folder = test_data / "rtstruct-rt-utils" / "tests" / "mock_data"
    (tmp_path / "ct").mkdir()
    for number in (1, 2):
        (tmp_path / "ct" / f"{number}.dcm").write_bytes((folder / f"ct_{number}.dcm").read_bytes())
    volume = load_volume(tmp_path / "ct", None, Inline()).volume
    theirs = by_plastimatch(folder / "invalid_reference_rt.dcm", tmp_path / "ct", tmp_path / "masks")
    found = read_labels(folder / "invalid_reference_rt.dcm", volume)
    assert len(found.segments) == 4
    for segment in found.segments:
        np.testing.assert_array_equal(theirs[segment.name], mask_of(found, segment.name))


@pytest.mark.data
def test_a_structure_set_on_one_slice_of_its_series_draws_that_slice_and_says_what_lies_elsewhere(test_data: Path) -> None:
    folder = test_data / "rt-dicompyler" / "tests" / "testdata" / "example_data"
    volume = load_volume(folder / "ct.0.dcm", None, Inline()).volume
    found = read_labels(folder / "rtss.dcm", volume)
    assert [(s.name, s.group) for s in found.segments] == [("BODY", "EXTERNAL")]
    assert found.segments[0].code == Code("C44.9", "ICD-O-2", "Skin, NOS")
    assert "Left out because there is no contour: Areola." in found.notes
    assert any(note.startswith("Outside of these images and left out: ") for note in found.notes)


@pytest.mark.data
def test_a_structure_set_without_references_is_refused_in_a_sentence(test_data: Path, ct: Volume) -> None:
    sample = test_data / "pydicom-testfiles" / "src" / "pydicom" / "data" / "test_files" / "rtstruct.dcm"
    with pytest.raises(MedViewError) as refusal:
        read_labels(sample, ct)
    assert refusal.value.sentence.endswith(".")
    assert "\n" not in refusal.value.sentence
