"""What is known to go wrong between label arrays and DICOM SEG: positions, numbers, bits, probabilities, copied values."""

from __future__ import annotations

import logging
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset
from pydicom.tag import Tag

from medview.core.box import Box
from medview.core.errors import GeometryError, ReadError, WriteError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.pixel_hash import pixels_sha256
from medview.core.segmentation import Segment, Segmentation
from medview.core.volume import Volume
from medview.io.dicom.pixel_mark import put_pixel_mark
from medview.io.dicom.seg import read_seg, write_seg
from medview.io.imported_labels import ImportedLabels
from medview.io.label_files import read_labels
from medview.io.load import LoadedVolume, load_volume
from tests.helpers.dciodvfy import errors
from tests.helpers.dicom_series import asymmetric, write_ct
from tests.helpers.seg_objects import altered_seg, one_segment, paths_of

HIGHDICOM = Path("seg-highdicom") / "data" / "test_files"


@pytest.fixture
def ct(tmp_path: Path) -> LoadedVolume:
    write_ct(tmp_path / "ct")
    return load_volume(tmp_path / "ct", None, Inline())


def mask_of(read: ImportedLabels, number: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    segment = read.segments[number]
    return np.asarray(read.layers[segment.layer_id] == segment.value)


@pytest.mark.data
@pytest.mark.parametrize("folder", [None, "ct-head-tiny-93", "mr-sag-hfs", "enhanced-ct-2frames"])
def test_every_frame_of_a_seg_lies_on_its_slice_within_a_tenth_of_a_micrometre(
    ct: LoadedVolume, tmp_path: Path, request: pytest.FixtureRequest, folder: str | None
) -> None:
    if folder is not None:
        ct = load_volume(request.getfixturevalue("test_data") / folder, None, Inline())
    geometry = ct.volume.geometry
    segmentation = Segmentation(geometry, segments=[Segment("a", "Blob", (86, 180, 233), 0, 1)])
    segmentation.layer(0).voxels[:, 1, 2] = 1
    write_seg(tmp_path / "labels.dcm", segmentation, paths_of(ct))
    seg = highdicom.seg.segread(tmp_path / "labels.dcm")
    shared = seg.SharedFunctionalGroupsSequence[0]
    orientation = shared.PlaneOrientationSequence[0].ImageOrientationPatient
    np.testing.assert_allclose(np.reshape(orientation, (2, 3)), geometry.directions_kji[[2, 1]], atol=1e-4)
    spacing = shared.PixelMeasuresSequence[0].PixelSpacing
    np.testing.assert_allclose(spacing, geometry.spacing_kji_mm[1:], rtol=1e-6)
    found = [group.PlanePositionSequence[0].ImagePositionPatient for group in seg.PerFrameFunctionalGroupsSequence]
    wanted = geometry.point_lps_mm([(k, 0, 0) for k in range(geometry.shape_kji[0])])
    order = np.argsort(np.asarray(found, dtype=float) @ geometry.affine_lps[:3, 0])
    np.testing.assert_allclose(np.asarray(found, dtype=float)[order], wanted, atol=1e-4)


def test_frames_that_name_one_slice_and_lie_on_another_are_placed_by_position_and_that_is_said(
    ct: LoadedVolume, tmp_path: Path
) -> None:
    def swapped(seg: FileDataset) -> None:
        first, second = (
            seg.PerFrameFunctionalGroupsSequence[n].DerivationImageSequence[0].SourceImageSequence[0] for n in (0, 1)
        )
        uids = first.ReferencedSOPInstanceUID, second.ReferencedSOPInstanceUID
        second.ReferencedSOPInstanceUID, first.ReferencedSOPInstanceUID = uids

    segmentation = altered_seg(tmp_path / "labels.dcm", ct, swapped)
    read = read_seg(tmp_path / "labels.dcm", ct.volume)
    np.testing.assert_array_equal(mask_of(read), segmentation.layer(0).voxels == 1)
    assert read.notes == (
        "2 frames name another slice than the position in labels.dcm says; all are placed by their position.",
    )


def test_frames_that_say_they_do_not_lie_on_the_named_pixels_are_placed_by_position(
    ct: LoadedVolume, tmp_path: Path
) -> None:
    def resampled(seg: FileDataset) -> None:
        uid = seg.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0]
        for group in seg.PerFrameFunctionalGroupsSequence:
            source = group.DerivationImageSequence[0].SourceImageSequence[0]
            source.ReferencedSOPInstanceUID = uid.ReferencedSOPInstanceUID
            source.SpatialLocationsPreserved = "NO"

    segmentation = altered_seg(tmp_path / "labels.dcm", ct, resampled)
    read = read_seg(tmp_path / "labels.dcm", ct.volume)
    np.testing.assert_array_equal(mask_of(read), segmentation.layer(0).voxels == 1)
    assert read.notes == ()


def test_a_seg_resampled_to_another_grid_is_not_laid_on_the_slices_it_names(ct: LoadedVolume, tmp_path: Path) -> None:
    def between(seg: FileDataset) -> None:
        for group in seg.PerFrameFunctionalGroupsSequence:
            position = np.asarray(group.PlanePositionSequence[0].ImagePositionPatient, dtype=float)
            half = position + ct.volume.geometry.affine_lps[:3, 0] / 2
            group.PlanePositionSequence[0].ImagePositionPatient = [f"{v:.10g}" for v in half]

    segmentation = altered_seg(tmp_path / "labels.dcm", ct, between)
    with pytest.raises(GeometryError, match=r"labels\.dcm does not lie on the grid of this series"):
        read_seg(tmp_path / "labels.dcm", ct.volume)
    alone = read_seg(tmp_path / "labels.dcm")
    assert mask_of(alone).sum() == segmentation.layer(0).voxels.sum()
    moved = alone.geometry.point_lps_mm(np.argwhere(mask_of(alone))).mean(axis=0)
    drawn = ct.volume.geometry.point_lps_mm(np.argwhere(segmentation.layer(0).voxels)).mean(axis=0)
    np.testing.assert_allclose(moved - drawn, ct.volume.geometry.affine_lps[:3, 0] / 2, atol=1e-3)


def test_a_seg_that_claims_a_grid_larger_than_the_memory_is_refused(ct: LoadedVolume, tmp_path: Path) -> None:
    def huge(seg: FileDataset) -> None:
        shape = (10**12, *ct.volume.geometry.shape_kji[1:])
        put_pixel_mark(seg, "a" * 64, Geometry(shape, ct.volume.geometry.affine_lps))

    altered_seg(tmp_path / "labels.dcm", ct, huge)
    with pytest.raises(ReadError, match=r"labels\.dcm claims to hold .* GB, more than this computer has memory for"):
        read_seg(tmp_path / "labels.dcm")


def test_a_seg_whose_plane_is_not_that_of_the_images_is_refused(ct: LoadedVolume, tmp_path: Path) -> None:
    def tilted(seg: FileDataset) -> None:
        plane = seg.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
        axes = np.reshape(np.asarray(plane.ImageOrientationPatient, dtype=float), (2, 3))
        normal = np.cross(axes[0], axes[1])
        turned = [axes[0], axes[1] * np.cos(0.1) + normal * np.sin(0.1)]
        plane.ImageOrientationPatient = [f"{v:.10g}" for v in np.ravel(turned)]

    altered_seg(tmp_path / "labels.dcm", ct, tilted)
    with pytest.raises(GeometryError, match="does not lie on the grid"):
        read_seg(tmp_path / "labels.dcm", ct.volume)


def test_a_seg_that_reaches_outside_the_images_is_refused_and_never_cropped(ct: LoadedVolume, tmp_path: Path) -> None:
    segmentation = one_segment(ct)
    write_seg(tmp_path / "labels.dcm", segmentation, paths_of(ct))
    grid = ct.volume.geometry
    for box in (Box((0, 0, 0), (4, 10, 13)), Box((0, 0, 0), (7, 9, 13)), Box((0, 0, 1), (7, 10, 13))):
        part = Volume(
            np.ascontiguousarray(ct.volume.voxels[box.slices]),
            grid.cropped(box),
            series_uid=ct.volume.series_uid,
            sop_instance_uids=ct.volume.sop_instance_uids[: box.shape_kji[0]],
        )
        with pytest.raises(GeometryError, match=r"labels\.dcm reaches outside this series"):
            read_seg(tmp_path / "labels.dcm", part)


def test_labels_on_slices_without_an_image_are_refused_and_never_cropped(ct: LoadedVolume, tmp_path: Path) -> None:
    target = tmp_path / "labels.dcm"
    missing = [path for path in paths_of(ct) if path.name != "0002.dcm"]
    with pytest.raises(GeometryError, match="labels on slices whose source images are missing"):
        write_seg(target, one_segment(ct), missing)
    assert not target.exists()


def test_labels_of_a_stack_become_no_seg(tmp_path: Path) -> None:
    write_ct(tmp_path / "ct", leave_out=[3])
    stack = load_volume(tmp_path / "ct", None, Inline())
    with pytest.raises(GeometryError, match="a SEG needs positions and the series is a stack; export NIfTI instead"):
        write_seg(tmp_path / "labels.dcm", one_segment(stack), paths_of(stack))
    assert not (tmp_path / "labels.dcm").exists()


def test_a_seg_smaller_than_the_images_keeps_its_place_and_every_voxel(ct: LoadedVolume, tmp_path: Path) -> None:
    part = Box((0, 1, 0), (7, 10, 12))
    grid = ct.volume.geometry
    write_ct(tmp_path / "part", asymmetric()[part.slices], origin_lps_mm=[float(v) for v in grid.point_lps_mm((0, 1, 0))])
    small = load_volume(tmp_path / "part", None, Inline())
    segmentation = one_segment(small)
    write_seg(tmp_path / "labels.dcm", segmentation, paths_of(small))
    read = read_seg(tmp_path / "labels.dcm", ct.volume)
    wanted = np.zeros(grid.shape_kji, bool)
    wanted[part.slices] = segmentation.layer(0).voxels == 1
    np.testing.assert_array_equal(mask_of(read), wanted)


def test_segments_numbered_with_gaps_are_read_and_written_from_one_on(ct: LoadedVolume, tmp_path: Path) -> None:
    def gapped(seg: FileDataset) -> None:
        seg.SegmentSequence[0].SegmentNumber = 7
        seg.SharedFunctionalGroupsSequence[0].SegmentIdentificationSequence[0].ReferencedSegmentNumber = 7

    segmentation = altered_seg(tmp_path / "gapped.dcm", ct, gapped)
    read = read_seg(tmp_path / "gapped.dcm", ct.volume)
    np.testing.assert_array_equal(mask_of(read), segmentation.layer(0).voxels == 1)
    drawn = Segmentation(ct.volume.geometry)
    drawn.segments = [Segment(f"s{v}", f"Part {v}", (1, 2, 3), 0, v) for v in (9, 4, 200)]
    drawn.layer(0).voxels[1, 1, 1:4] = (9, 4, 200)
    write_seg(tmp_path / "labels.dcm", drawn, paths_of(ct))
    seg = highdicom.seg.segread(tmp_path / "labels.dcm")
    assert [item.SegmentNumber for item in seg.SegmentSequence] == [1, 2, 3]
    assert [item.SegmentLabel for item in seg.SegmentSequence] == ["Part 9", "Part 4", "Part 200"]
    assert errors(tmp_path / "labels.dcm") == []
    back = read_seg(tmp_path / "labels.dcm", ct.volume)
    assert [np.argwhere(mask_of(back, n)).tolist() for n in range(3)] == [[[1, 1, 1]], [[1, 1, 2]], [[1, 1, 3]]]


@pytest.mark.data
def test_overlapping_segments_of_others_stay_apart_with_every_voxel(test_data: Path) -> None:
    path = test_data / HIGHDICOM / "seg_image_ct_binary_overlap.dcm"
    seg = highdicom.seg.segread(path)
    numbers = np.array(
        [g.SegmentIdentificationSequence[0].ReferencedSegmentNumber for g in seg.PerFrameFunctionalGroupsSequence]
    )
    wanted = [int(seg.pixel_array[numbers == item.SegmentNumber].sum()) for item in seg.SegmentSequence]
    read = read_seg(path)
    assert [int(mask_of(read, n).sum()) for n in range(len(read.segments))] == wanted == [64, 16]
    assert (mask_of(read, 0) & mask_of(read, 1)).any()


@pytest.mark.parametrize("shape", [(3, 23, 38), (3, 5, 7), (2, 3, 3)])
def test_frames_whose_bits_do_not_fill_whole_bytes_are_exact(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    write_ct(tmp_path / "ct", asymmetric(shape))
    loaded = load_volume(tmp_path / "ct", None, Inline())
    segmentation = Segmentation(loaded.volume.geometry, segments=[Segment("a", "Noise", (86, 180, 233), 0, 1)])
    segmentation.layer(0).voxels[...] = np.random.default_rng(1).integers(0, 2, shape)
    write_seg(tmp_path / "labels.dcm", segmentation, paths_of(loaded))
    np.testing.assert_array_equal(
        mask_of(read_seg(tmp_path / "labels.dcm", loaded.volume)), segmentation.layer(0).voxels == 1
    )
    theirs = highdicom.seg.segread(tmp_path / "labels.dcm").get_volume(combine_segments=False).flip_spatial(0)
    np.testing.assert_array_equal(theirs.array[..., 0], segmentation.layer(0).voxels)


@pytest.mark.data
@pytest.mark.parametrize("kind", ["control_labelmap", "control_labelmap_palette_color", "dots"])
def test_segmentations_of_microscope_slides_are_named_as_not_read(test_data: Path, kind: str) -> None:
    name = f"seg_image_sm_{kind}.dcm"
    with pytest.raises(ReadError, match=rf"{name} was made on a microscope slide, which MedView does not read\."):
        read_seg(test_data / HIGHDICOM / name)


def raw(keyword: str, value: bytes) -> RawDataElement:
    tag = Tag(tag_for_keyword(keyword) or 0)
    padded = value + b" " * (len(value) % 2)
    return RawDataElement(tag, dictionary_VR(tag), len(padded), padded, 0, False, True)


INVALID = {
    "PatientAge": b"45",
    "PatientSex": b"male",
    "PatientBirthDate": b"19991399",
    "PatientWeight": b"80,5 kg",
    "PatientID": b"1" * 80,
    "StudyID": b"a study of great length",
    "StudyDate": b"2026-01-02",
    "StudyTime": b"noon",
    "StudyDescription": b"d" * 90,
    "AccessionNumber": b"a" * 40,
    "ReferringPhysicianName": b"R" * 100,
    "MedicalAlerts": b"bell\x07",
    "PregnancyStatus": b"x",
}


def with_values(folder: Path, values: dict[str, bytes], charset: str = "") -> LoadedVolume:
    def change(k: int, dataset: FileDataset) -> None:
        for keyword, value in values.items():
            dataset[tag_for_keyword(keyword)] = raw(keyword, value)
        if charset:
            dataset.SpecificCharacterSet = charset

    write_ct(folder, change=change)
    return load_volume(folder, None, Inline())


@pytest.mark.parametrize("keywords", [*([one] for one in INVALID), list(INVALID)], ids=[*INVALID, "all"])
def test_invalid_values_of_the_source_are_not_repeated_and_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, keywords: list[str]
) -> None:
    loaded = with_values(tmp_path / "ct", {keyword: INVALID[keyword] for keyword in keywords})
    with caplog.at_level(logging.WARNING):
        (note,) = write_seg(tmp_path / "labels.dcm", one_segment(loaded), paths_of(loaded))
    assert errors(tmp_path / "labels.dcm") == []
    named = ", ".join(sorted(keywords))
    assert note == f"Left out because the source images hold values the standard does not allow: {named}."
    seg = pydicom.dcmread(tmp_path / "labels.dcm")
    assert not any(seg.get(keyword) for keyword in keywords)
    told = note + caplog.text
    assert not any(INVALID[keyword].decode() in told for keyword in keywords if len(INVALID[keyword]) > 4)
    np.testing.assert_array_equal(
        mask_of(read_seg(tmp_path / "labels.dcm", loaded.volume)), one_segment(loaded).layer(0).voxels == 1
    )


@pytest.mark.parametrize(
    ("charset", "name", "kept"),
    [
        ("ISO_IR 100", "Müller^Jürgen".encode("latin-1"), "Müller^Jürgen"),
        ("ISO_IR 144", "Люкceмбypг".encode("iso8859-5"), "Люкceмбypг"),
        ("ISO_IR 192", "Müller^Jürgen".encode("latin-1"), ""),
    ],
)
def test_names_in_another_alphabet_are_kept_and_badly_encoded_ones_are_left_out(
    tmp_path: Path, charset: str, name: bytes, kept: str
) -> None:
    stand_in = b"@" * len(name)
    with_values(tmp_path / "ct", {"PatientName": stand_in}, charset)
    for file in (tmp_path / "ct").iterdir():
        file.write_bytes(file.read_bytes().replace(stand_in, name))
    loaded = load_volume(tmp_path / "ct", None, Inline())
    segmentation = one_segment(loaded)
    segmentation.segments = [Segment("a", "Печень 肝", (86, 180, 233), 0, 1)]
    notes = write_seg(tmp_path / "labels.dcm", segmentation, paths_of(loaded))
    seg = pydicom.dcmread(tmp_path / "labels.dcm")
    assert str(seg.PatientName) == kept
    assert bool(notes) is not bool(kept)
    assert seg.SegmentSequence[0].SegmentLabel == "Печень 肝"
    assert read_seg(tmp_path / "labels.dcm", loaded.volume).segments[0].name == "Печень 肝"
    assert errors(tmp_path / "labels.dcm") == []


def test_a_source_whose_study_uid_is_invalid_is_refused(tmp_path: Path) -> None:
    loaded = with_values(tmp_path / "ct", {"StudyInstanceUID": b"1.2.three"})
    with pytest.raises(WriteError, match="the StudyInstanceUID of the source images is invalid; export NIfTI instead"):
        write_seg(tmp_path / "labels.dcm", one_segment(loaded), paths_of(loaded))
    assert not (tmp_path / "labels.dcm").exists()


def test_a_seg_points_at_the_time_point_that_was_drawn_on_and_is_refused_on_another(tmp_path: Path) -> None:
    for time in range(2):

        def in_time(k: int, ds: FileDataset, time: int = time) -> None:
            ds.TemporalPositionIdentifier = time + 1
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ds.SOPInstanceUID}.{time}"

        # The later time point has the names that sort first.
        write_ct(tmp_path / "ct" / str(1 - time), asymmetric() + time, change=in_time)
    loaded = load_volume(tmp_path / "ct", None, Inline())
    drawn_on = loaded.volume.sop_instance_uids
    write_seg(tmp_path / "labels.dcm", one_segment(loaded), paths_of(loaded), instances=drawn_on)
    seg = pydicom.dcmread(tmp_path / "labels.dcm")
    named = {item.ReferencedSOPInstanceUID for item in seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence}
    assert named <= set(drawn_on)
    assert len(named) == 3
    later = Volume(
        asymmetric() + 1,
        loaded.volume.geometry,
        series_uid=loaded.volume.series_uid,
        sop_instance_uids=tuple(uid[:-1] + "1" for uid in drawn_on),
    )
    with pytest.raises(GeometryError, match=r"labels\.dcm was made on other images of this series"):
        read_seg(tmp_path / "labels.dcm", later)


def test_a_seg_that_names_no_images_is_read_and_that_is_said(ct: LoadedVolume, tmp_path: Path) -> None:
    def nameless(seg: FileDataset) -> None:
        del seg.ReferencedSeriesSequence
        for group in seg.PerFrameFunctionalGroupsSequence:
            del group.DerivationImageSequence

    altered_seg(tmp_path / "labels.dcm", ct, nameless)
    (note,) = read_seg(tmp_path / "labels.dcm", ct.volume).notes
    assert note == "labels.dcm does not say which images it was made on; only its place in the patient was compared."


def test_the_pixels_and_grid_a_seg_was_made_on_travel_with_it(ct: LoadedVolume, tmp_path: Path) -> None:
    pixels = pixels_sha256(ct.volume)
    write_seg(tmp_path / "labels.dcm", one_segment(ct), paths_of(ct), pixels_sha256=pixels)
    assert errors(tmp_path / "labels.dcm") == []
    read = read_labels(tmp_path / "labels.dcm", ct.volume)
    assert read.pixels_sha256 == pixels
    assert read.drawn_on is not None
    assert read.drawn_on.same_grid(ct.volume.geometry, 1e-9)
    mirrored = np.array(ct.volume.geometry.affine_lps)
    mirrored[:3, 3] = ct.volume.geometry.point_lps_mm((0, 0, ct.volume.geometry.shape_kji[2] - 1))
    mirrored[:3, 2] *= -1
    shape, frame = ct.volume.geometry.shape_kji, ct.volume.geometry.frame_of_reference_uid
    other = Volume(ct.volume.voxels, Geometry(shape, mirrored, frame), series_uid=ct.volume.series_uid)
    with pytest.raises(GeometryError, match="these images lay elsewhere in the patient"):
        read_labels(tmp_path / "labels.dcm", other)


def test_a_source_whose_identity_was_removed_without_a_word_on_how_makes_a_valid_seg(tmp_path: Path) -> None:
    def anonymous(k: int, ds: FileDataset) -> None:
        ds.PatientIdentityRemoved = "YES"

    write_ct(tmp_path / "ct", change=anonymous)
    loaded = load_volume(tmp_path / "ct", None, Inline())
    write_seg(tmp_path / "labels.dcm", one_segment(loaded), paths_of(loaded))
    assert errors(tmp_path / "labels.dcm") == []
