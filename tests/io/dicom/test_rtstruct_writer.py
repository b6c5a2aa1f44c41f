"""Segments as RT structure sets: what comes back, what the standard's judge says, and what plastimatch makes of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import FileDataset
from scipy import ndimage

from medview.core.errors import CancelledError, GeometryError, WriteError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.segmentation import Code, LabelLayer, Segmentation
from medview.core.source import Source, SourceKind
from medview.core.study import Verdict
from medview.core.volume import Volume
from medview.io.dicom import contour_text, rtstruct_writer
from medview.io.dicom.contour_text import contour_texts
from medview.io.dicom.rtstruct import labels_of, read_rtstruct
from medview.io.dicom.rtstruct_writer import RESEARCH_USE, write_rtstruct
from medview.io.dicom.seg import read_seg
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.io.imported_labels import ImportedLabels, Target
from medview.io.label_files import read_labels
from medview.io.load import LoadedVolume, load_volume
from tests.helpers.dciodvfy import errors
from tests.helpers.dicom_series import ROOT, asymmetric, oblique, slightly_uneven, write_ct
from tests.helpers.enhanced import enhanced_ct
from tests.helpers.grids import EVERY_ORDER, turned_grid
from tests.helpers.structure_sets import Drawn, by_plastimatch, dice, mask_of, ring, segmentation_of, structure_set

SHAPE = (7, 40, 33)

Mask = npt.NDArray[np.bool_]


def complete(k: int, ds: FileDataset) -> None:
    """Give a slice what plastimatch asks for."""
    ds.StudyDate, ds.StudyTime, ds.StudyID = "20200101", "120000", "1"


@pytest.fixture
def ct(tmp_path: Path) -> LoadedVolume:
    write_ct(tmp_path / "ct", asymmetric(SHAPE), order=[3, 0, 6, 1, 5, 2, 4], change=complete)
    return load_volume(tmp_path / "ct", None, Inline())


def shapes(shape: tuple[int, int, int] = SHAPE) -> dict[str, Mask]:
    """Blobs that overlap, a box with a hole with an island, single voxels in corners, noise, the whole grid."""
    rng = np.random.default_rng(3)
    blobs = ndimage.gaussian_filter(rng.random(shape), (1, 2, 2))
    boxes = np.zeros(shape, bool)
    boxes[1:-1, 5:20, 5:20] = True
    boxes[2, 8:13, 9:15] = False
    boxes[2, 10, 11] = True
    single = np.zeros(shape, bool)
    single[0, 0, 0] = single[-1, -1, -1] = single[2, 7, 11] = True
    return {
        "Dark": blobs < np.quantile(blobs, 0.4),
        "Bright": blobs > np.quantile(blobs, 0.3),
        "Box": boxes,
        "Single": single,
        "Noise": rng.random(shape) < 0.4,
        "All": np.ones(shape, bool),
    }


def assert_same(segmentation: Segmentation, read: ImportedLabels) -> None:
    assert [s.name for s in read.segments] == [s.name for s in segmentation.segments]
    for segment in segmentation.segments:
        np.testing.assert_array_equal(mask_of(read, segment.name), segmentation.mask(segment))


def numbers_of(path: Path) -> list[list[str]]:
    """The numbers of every contour, as they stand in the file."""
    dataset = pydicom.dcmread(path)
    items = [item for roi in dataset.ROIContourSequence for item in roi.get("ContourSequence", [])]
    return [item.get_item("ContourData").value.decode("ascii").split("\\") for item in items]


def test_overlapping_holed_and_single_voxels_on_an_oblique_grid_come_back_voxel_for_voxel(
    ct: LoadedVolume, tmp_path: Path
) -> None:
    segmentation = segmentation_of(ct.volume, **shapes())
    assert write_rtstruct(tmp_path / "rt.dcm", segmentation, ct.entry.frames) == ()
    assert errors(tmp_path / "rt.dcm") == []
    read = read_labels(tmp_path / "rt.dcm", ct.volume)
    assert_same(segmentation, read)
    assert read.notes == ("Drawn on some of the slices only, with gaps to be filled between slices: Single.",)


def test_regions_on_a_slightly_uneven_volume_come_back_voxel_for_voxel(tmp_path: Path) -> None:
    write_ct(tmp_path / "ct", asymmetric(SHAPE), axes=np.eye(3), change=slightly_uneven)
    loaded = load_volume(tmp_path / "ct", None, Inline())
    assert loaded.entry.verdict is Verdict.VOLUME
    segmentation = segmentation_of(loaded.volume, **shapes())
    write_rtstruct(tmp_path / "rt.dcm", segmentation, loaded.entry.frames)
    assert_same(segmentation, read_labels(tmp_path / "rt.dcm", loaded.volume))


@pytest.mark.parametrize("axes", [np.eye(3), oblique()], ids=["axial", "oblique"])
def test_plastimatch_finds_the_same_voxels_holes_included(tmp_path: Path, axes: npt.NDArray[np.float64]) -> None:
    write_ct(tmp_path / "ct", asymmetric(SHAPE), axes=axes, change=complete)
    loaded = load_volume(tmp_path / "ct", None, Inline())
    segmentation = segmentation_of(loaded.volume, **shapes())
    write_rtstruct(tmp_path / "rt.dcm", segmentation, loaded.entry.frames)
    theirs = by_plastimatch(tmp_path / "rt.dcm", tmp_path / "ct", tmp_path / "masks")
    for segment in segmentation.segments:
        assert dice(theirs[segment.name], segmentation.mask(segment)) >= 0.99, segment.name
    assert not theirs["Box"][2, 9, 10]
    assert theirs["Box"][2, 10, 11]
    assert theirs["Single"].sum() == 3


def test_a_tilted_series_keeps_every_voxel(tmp_path: Path) -> None:
    write_ct(tmp_path / "ct", asymmetric(SHAPE), axes=np.eye(3), step_lps_mm=(0.0, 1.8, 5.0))
    loaded = load_volume(tmp_path / "ct", None, Inline())
    assert loaded.volume.geometry.sheared
    segmentation = segmentation_of(loaded.volume, **shapes())
    write_rtstruct(tmp_path / "rt.dcm", segmentation, loaded.entry.frames)
    assert_same(segmentation, read_labels(tmp_path / "rt.dcm", loaded.volume))


def test_a_ring_keeps_its_volume_both_ways(tmp_path: Path) -> None:
    """Contours of a ring in, a mask, contours of it out, and in again: within one per cent of the formula."""
    write_ct(tmp_path / "ct", asymmetric((3, 120, 130)))
    loaded = load_volume(tmp_path / "ct", None, Inline())
    contours = [ring((60, 64), 55.3, loaded.volume, 1), ring((58, 66), 30.2, loaded.volume, 1)]
    dataset = structure_set(loaded.volume, [Drawn("Ring", contours)])
    target = Target.of(loaded.volume)
    first = labels_of(dataset, target, "a")
    segmentation = segmentation_of(loaded.volume, Ring=mask_of(first, "Ring"))
    write_rtstruct(tmp_path / "rt.dcm", segmentation, loaded.entry.frames)
    wanted = np.pi * (55.3**2 - 30.2**2)
    again = mask_of(read_rtstruct(tmp_path / "rt.dcm", target), "Ring")
    assert abs(again.sum() - wanted) < 0.01 * wanted
    # What the contours themselves enclose, keyhole and all.
    (numbers,) = numbers_of(tmp_path / "rt.dcm")
    points = loaded.volume.geometry.index_kji(np.asarray(numbers, float).reshape(-1, 3))[:, 1:]
    j, i = points.T
    enclosed = abs(j @ np.roll(i, -1) - i @ np.roll(j, -1)) / 2
    assert abs(enclosed - wanted) < 0.01 * wanted


def test_contours_lie_where_the_voxels_lie_in_48_orders_of_axes_and_20_oblique_positions() -> None:
    rng = np.random.default_rng(4)
    mask = np.zeros((4, 9, 7), bool)
    mask[2, 3:5, 1:6] = True
    farthest = 0.0
    for axes in EVERY_ORDER.values():
        for _ in range(20):
            geometry = turned_grid(rng.normal(size=3), rng.uniform(0, 360), axes=axes, shape_kji=(4, 9, 7))
            segmentation = segmentation_of(Volume(np.zeros((4, 9, 7), np.uint8), geometry), Box=mask)
            ((contour,),) = contour_texts(segmentation, "rt.dcm", Inline())
            points = np.asarray(contour.value.split(b"\\")).astype(float).reshape(-1, 3)
            centre = geometry.point_lps_mm(np.argwhere(mask)).mean(axis=0)
            farthest = max(farthest, float(np.abs(points.mean(axis=0) - centre).max()))
    assert farthest < 1e-4


def test_a_blob_keeps_its_voxels_in_48_orders_of_axes_through_the_file(tmp_path: Path) -> None:
    blob = np.zeros((4, 5, 7), bool)
    blob[1, 3, 5:7] = blob[2, 3, 6] = blob[0, 0, 0] = True
    signs = itertools.product((-1.0, 1.0), repeat=3)
    for number, (order, sign) in enumerate(itertools.product(itertools.permutations(range(3)), signs)):
        axes = (np.eye(3)[list(order)] * np.asarray(sign)[:, None]) @ oblique(number)
        folder = tmp_path / str(number)
        write_ct(folder, asymmetric((4, 5, 7)), axes=axes)
        loaded = load_volume(folder, None, Inline())
        segmentation = segmentation_of(loaded.volume, Blob=blob)
        write_rtstruct(tmp_path / "rt.dcm", segmentation, loaded.entry.frames)
        assert_same(segmentation, read_labels(tmp_path / "rt.dcm", loaded.volume))


def test_long_contours_are_written_within_the_limits_of_their_numbers(tmp_path: Path) -> None:
    shape = (2, 60, 500)
    write_ct(tmp_path / "ct", asymmetric(shape), origin_lps_mm=(-12345.678901, 98765.4321, 1e-7))
    loaded = load_volume(tmp_path / "ct", None, Inline())
    comb = np.zeros(shape, bool)
    comb[1, :, ::2] = comb[1, 30, :] = True
    segmentation = segmentation_of(loaded.volume, Comb=comb)
    write_rtstruct(tmp_path / "rt.dcm", segmentation, loaded.entry.frames)
    values = numbers_of(tmp_path / "rt.dcm")
    assert len(values) > 1
    assert max(len(number) for value in values for number in value) <= 16
    dataset = pydicom.dcmread(tmp_path / "rt.dcm")
    raw = [item.get_item("ContourData") for item in dataset.ROIContourSequence[0].ContourSequence]
    assert {element.VR for element in raw} == {"DS"}
    assert 32_768 < max(element.length for element in raw) <= 65_534
    assert_same(segmentation, read_labels(tmp_path / "rt.dcm", loaded.volume))
    assert errors(tmp_path / "rt.dcm") == []


def test_fine_and_coarse_voxels_are_written_finely_enough() -> None:
    mask = np.zeros((2, 9, 7), bool)
    mask[1, 3:5, 1:6] = True
    for spacing in ((0.002, 0.0007, 0.0009), (30.0, 12.0, 9.0), (5.0, 0.6, 0.9)):
        geometry = turned_grid((1, 2, 3), 50, shape_kji=(2, 9, 7), spacing_kji_mm=spacing)
        segmentation = segmentation_of(Volume(np.zeros((2, 9, 7), np.uint8), geometry), Box=mask)
        ((contour,),) = contour_texts(segmentation, "rt.dcm", Inline())
        index = geometry.index_kji(np.asarray(contour.value.split(b"\\")).astype(float).reshape(-1, 3))
        assert np.abs(index * 2 - np.rint(index * 2)).max() < 1e-3


def test_who_made_a_region_its_kind_code_and_colour_travel_with_it(ct: LoadedVolume, tmp_path: Path) -> None:
    masks = shapes()
    segmentation = segmentation_of(ct.volume, Lung=masks["Bright"], Nodule=masks["Box"], Read=masks["Dark"])
    model = Source(SourceKind.MODEL, model_id="finder", model_version="1.2")
    lung, nodule, read = segmentation.segments
    segmentation.segments = [
        replace(lung, code=Code("39607008", "SCT", "Lung"), group="ORGAN", name="Lung \\ rechts äöü 肺\n"),
        replace(nodule, source=model, group="lesions"),
        replace(read, source=Source(SourceKind.IMPORT)),
    ]
    path = tmp_path / "rt.dcm"
    write_rtstruct(path, segmentation, ct.entry.frames, interpreter="Reader^One", pixels_sha256="a" * 64)
    assert errors(path) == []
    dataset = pydicom.dcmread(path)
    assert [r.ROIGenerationAlgorithm for r in dataset.StructureSetROISequence] == ["MANUAL", "AUTOMATIC", ""]
    assert [o.RTROIInterpretedType for o in dataset.RTROIObservationsSequence] == ["ORGAN", "", ""]
    assert {str(o.ROIInterpreter) for o in dataset.RTROIObservationsSequence} == {"Reader One"}
    assert dataset.StructureSetDescription == RESEARCH_USE
    assert abs(dataset.StructureSetROISequence[0].ROIVolume - masks["Bright"].sum() * 0.6 * 0.9 * 5 / 1000) < 1e-6
    back = read_rtstruct(path, ct.volume)
    assert [s.name for s in back.segments] == ["Lung   rechts äöü 肺", "Nodule", "Read"]
    assert [s.colour for s in back.segments] == [s.colour for s in segmentation.segments]
    assert (back.segments[0].code, back.segments[0].group) == (Code("39607008", "SCT", "Lung"), "ORGAN")
    assert (back.segments[1].source, back.segments[1].group) == (model, "")
    corrected = replace(segmentation.segments[1], source=model.by_hand())
    segmentation.segments = [corrected]
    write_rtstruct(path, segmentation, ct.entry.frames)
    assert read_rtstruct(path, ct.volume).segments[0].source == model.by_hand()


def test_every_contour_names_its_image_and_the_series_all_of_them(ct: LoadedVolume, tmp_path: Path) -> None:
    write_rtstruct(tmp_path / "rt.dcm", segmentation_of(ct.volume, Box=shapes()["Box"]), ct.entry.frames)
    dataset = pydicom.dcmread(tmp_path / "rt.dcm")
    (place,) = dataset.ReferencedFrameOfReferenceSequence
    (series,) = place.RTReferencedStudySequence[0].RTReferencedSeriesSequence
    assert [i.ReferencedSOPInstanceUID for i in series.ContourImageSequence] == list(ct.volume.sop_instance_uids)
    for item in dataset.ROIContourSequence[0].ContourSequence:
        k = ct.volume.geometry.index_kji([float(v) for v in item.ContourData[:3]])[0]
        assert item.ContourImageSequence[0].ReferencedSOPInstanceUID == ct.volume.sop_instance_uids[round(k)]


def test_contours_on_a_multi_frame_image_name_its_frames(tmp_path: Path) -> None:
    (tmp_path / "mf").mkdir()
    positions = [(1.5, -2.0, 5.0 * k) for k in range(4)]
    enhanced_ct(asymmetric((4, 10, 13)), positions, [(1, 0, 0, 0, 1, 0)] * 4).save_as(tmp_path / "mf" / "mf.dcm")
    loaded = load_volume(tmp_path / "mf", None, Inline())
    mask = np.zeros(loaded.volume.geometry.shape_kji, bool)
    mask[1:, 1:4, 2:5] = True
    segmentation = segmentation_of(loaded.volume, Box=mask)
    write_rtstruct(tmp_path / "rt.dcm", segmentation, loaded.entry.frames)
    assert errors(tmp_path / "rt.dcm") == []
    assert_same(segmentation, read_labels(tmp_path / "rt.dcm", loaded.volume))
    items = pydicom.dcmread(tmp_path / "rt.dcm").ROIContourSequence[0].ContourSequence
    numbers = [item.ContourImageSequence[0].ReferencedFrameNumber for item in items]
    assert numbers == [frame.number + 1 for frame in loaded.entry.frames[1:]]


def test_the_pixels_a_structure_set_was_made_on_travel_with_it(ct: LoadedVolume, tmp_path: Path) -> None:
    segmentation = segmentation_of(ct.volume, Box=shapes()["Box"])
    write_rtstruct(tmp_path / "rt.dcm", segmentation, ct.entry.frames, pixels_sha256="a" * 64)
    with pytest.raises(GeometryError, match=r"rt.dcm was made on other images than these"):
        read_labels(tmp_path / "rt.dcm", ct.volume)


def test_empty_segments_are_written_by_name_and_said(ct: LoadedVolume, tmp_path: Path) -> None:
    empty = np.zeros(SHAPE, bool)
    segmentation = segmentation_of(ct.volume, Box=shapes()["Box"], Absent=empty)
    notes = write_rtstruct(tmp_path / "rt.dcm", segmentation, ct.entry.frames)
    assert notes == ("Written by name only, since nothing is drawn in them: Absent.",)
    assert errors(tmp_path / "rt.dcm") == []
    assert [s.name for s in read_labels(tmp_path / "rt.dcm", ct.volume).segments] == ["Box"]
    write_rtstruct(tmp_path / "none.dcm", segmentation_of(ct.volume, Absent=empty), ct.entry.frames)
    assert errors(tmp_path / "none.dcm") == []


def test_no_structure_set_without_segments_positions_or_the_images(ct: LoadedVolume, tmp_path: Path) -> None:
    path = tmp_path / "rt.dcm"
    with pytest.raises(WriteError, match="there are no segments"):
        write_rtstruct(path, Segmentation(ct.volume.geometry), ct.entry.frames)
    segmentation = segmentation_of(ct.volume, Box=shapes()["Box"])
    with pytest.raises(GeometryError, match="points at the DICOM images"):
        write_rtstruct(path, segmentation, ct.entry.frames[:3])
    with pytest.raises(GeometryError, match="not those the labels were drawn on"):
        write_rtstruct(path, segmentation, ct.entry.frames[::-1])
    moved = Geometry(SHAPE, ct.volume.geometry.affine_lps, f"{ROOT}.99")
    with pytest.raises(GeometryError, match="not those the labels were drawn on"):
        write_rtstruct(path, Segmentation(moved, segmentation.layers, segmentation.segments), ct.entry.frames)
    write_ct(tmp_path / "stack", asymmetric(SHAPE), change=lambda k, ds: ds.__delitem__("ImagePositionPatient"))
    stack = load_volume(tmp_path / "stack", None, Inline())
    with pytest.raises(GeometryError, match="needs positions and the series is a stack"):
        write_rtstruct(path, segmentation_of(stack.volume, Box=shapes()["Box"]), stack.entry.frames)
    assert not path.exists()


def test_noise_in_more_pieces_than_any_reader_takes_is_refused(
    ct: LoadedVolume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contour_text, "MOST_CONTOURS", 50)
    with pytest.raises(WriteError, match="in more than 50 pieces; remove islands first"):
        write_rtstruct(tmp_path / "rt.dcm", segmentation_of(ct.volume, Noise=shapes()["Noise"]), ct.entry.frames)
    assert not (tmp_path / "rt.dcm").exists()


def test_a_file_that_does_not_read_back_the_same_never_takes_its_name(
    ct: LoadedVolume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rt.dcm").write_bytes(b"old")

    def shifted(*arguments: object) -> list[list[contour_text.ContourText]]:
        found = contour_texts(*arguments)  # type: ignore[arg-type]
        return [[replace(one, value=one.value.replace(b"1", b"2")) for one in own] for own in found]

    monkeypatch.setattr(rtstruct_writer, "contour_texts", shifted)
    with pytest.raises(WriteError, match="did not read back the same"):
        write_rtstruct(tmp_path / "rt.dcm", segmentation_of(ct.volume, Box=shapes()["Box"]), ct.entry.frames)
    assert (tmp_path / "rt.dcm").read_bytes() == b"old"
    assert {path.name for path in tmp_path.iterdir()} == {"ct", "rt.dcm"}


class CancelAfter(Inline):
    """Cancels once a fraction of the work is done."""

    def __init__(self, fraction: float) -> None:
        super().__init__()
        self.fraction = fraction
        self.reached = 0.0

    def progress(self, fraction: float, text: str) -> None:
        assert self.reached <= fraction <= 1.0
        self.reached = fraction
        if fraction >= self.fraction:
            self.cancel()


@pytest.mark.parametrize("fraction", [0.0, 0.2, 0.5, 0.7, 0.8])
def test_cancel_leaves_nothing_behind(ct: LoadedVolume, tmp_path: Path, fraction: float) -> None:
    masks = shapes()
    segmentation = segmentation_of(ct.volume, Box=masks["Box"], Single=masks["Single"], Dark=masks["Dark"])
    with pytest.raises(CancelledError):
        write_rtstruct(tmp_path / "rt.dcm", segmentation, ct.entry.frames, context=CancelAfter(fraction))
    assert {path.name for path in tmp_path.iterdir()} == {"ct"}


def test_invalid_values_of_the_source_are_not_repeated_and_are_named(tmp_path: Path) -> None:
    def odd(k: int, ds: FileDataset) -> None:
        ds.add_new("PatientBirthDate", "DA", "the sixties")
        ds.PatientSize = "1.7"

    write_ct(tmp_path / "ct", asymmetric(SHAPE), change=odd)
    loaded = load_volume(tmp_path / "ct", None, Inline())
    notes = write_rtstruct(tmp_path / "rt.dcm", segmentation_of(loaded.volume, Box=shapes()["Box"]), loaded.entry.frames)
    assert "PatientBirthDate" in notes[0]
    assert errors(tmp_path / "rt.dcm") == []
    dataset = pydicom.dcmread(tmp_path / "rt.dcm")
    assert (dataset.PatientID, dataset.PatientBirthDate, dataset.PatientSize) == ("P1", "", 1.7)


def _real_labels(test_data: Path) -> list[tuple[str, Callable[[], ImportedLabels]]]:
    dcmqi = test_data / "seg-dcmqi" / "data" / "segmentations"
    highdicom = test_data / "seg-highdicom" / "data" / "test_files"
    head = Geometry.from_spacing((98, 512, 512), (3, 1.074219, 1.074219), (-275, -524, 168.5593 - 97 * 3))
    planned = test_data / "rt-dicompyler" / "tests" / "testdata" / "example_data" / "rtss.dcm"
    framed = Geometry(head.shape_kji, head.affine_lps, "2.16.840.1.113662.2.12.0.3057.1241703565.36")
    segs = [dcmqi / n for n in ("liver.dcm", "23x38x3/seg/label.seg", "sparse-labelmap-ppv5.dcm")]
    segs += [highdicom / n for n in ("seg_image_ct_binary_overlap.dcm", "seg_image_ct_binary.dcm")]
    found: list[tuple[str, Callable[[], ImportedLabels]]] = [(p.name, lambda p=p: read_seg(p)) for p in segs]
    return [*found, ("rtss.dcm", lambda: read_rtstruct(planned, Target(framed)))]


@pytest.mark.data
def test_every_real_segmentation_and_structure_set_comes_back_voxel_for_voxel(test_data: Path, tmp_path: Path) -> None:
    for number, (name, labels_in) in enumerate(_real_labels(test_data)):
        labels = labels_in()
        folder = tmp_path / str(number)
        volume = Volume(np.zeros(labels.geometry.shape_kji, np.uint8), labels.geometry, modality="CT")
        write_series(folder, volume, SeriesIdentity("Phantom^Real", "R-1", seed=name), durable=False)
        loaded = load_volume(folder, None, Inline())
        layers = {n: LabelLayer.drawn(n, voxels) for n, voxels in labels.layers.items()}
        segmentation = Segmentation(loaded.volume.geometry, layers, list(labels.segments))
        write_rtstruct(tmp_path / "rt.dcm", segmentation, loaded.entry.frames)
        read = read_labels(tmp_path / "rt.dcm", loaded.volume)
        drawn = [s for s in segmentation.segments if segmentation.count(s)]
        assert [s.name for s in read.segments] == [s.name for s in drawn], name
        for segment, back in zip(drawn, read.segments, strict=True):
            np.testing.assert_array_equal(read.layers[back.layer_id] == back.value, segmentation.mask(segment))
        assert errors(tmp_path / "rt.dcm") == [], name


@pytest.mark.data
@pytest.mark.parametrize("name", ["rt.dcm", "invalid_reference_rt.dcm", "non_existent_reference_rt.dcm"])
def test_structure_sets_of_a_planning_system_are_written_again_with_the_same_voxels(
    test_data: Path, tmp_path: Path, name: str
) -> None:
    folder = test_data / "rtstruct-rt-utils" / "tests" / "mock_data"
    for number in (1, 2):
        (tmp_path / f"ct_{number}.dcm").symlink_to(folder / f"ct_{number}.dcm")
    loaded = load_volume(tmp_path, None, Inline())
    labels = read_labels(folder / name, loaded.volume)
    layers = {n: LabelLayer.drawn(n, voxels) for n, voxels in labels.layers.items()}
    segmentation = Segmentation(loaded.volume.geometry, layers, list(labels.segments))
    write_rtstruct(tmp_path / "again.dcm", segmentation, loaded.entry.frames)
    assert_same(segmentation, read_labels(tmp_path / "again.dcm", loaded.volume))
    assert errors(tmp_path / "again.dcm") == []
