from __future__ import annotations

import resource
import shutil
from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.dataset import FileDataset

from medview.core.errors import DiskFullError, GeometryError, ReadError, WriteError
from medview.core.job import Inline
from medview.core.pixel_hash import pixels_sha256
from medview.core.segmentation import Code, Segment, Segmentation
from medview.core.source import Source, SourceKind
from medview.core.study import Verdict
from medview.io.dicom.scan import scan
from medview.io.dicom.seg import RESEARCH_USE, ImportedLabels, read_seg, write_seg
from medview.io.label_files import read_labels
from medview.io.load import LoadedVolume, load_volume
from tests.helpers.dciodvfy import errors
from tests.helpers.dicom_series import ROOT, asymmetric, slightly_uneven, write_ct


def drawn_on(loaded: LoadedVolume, seed: int = 0) -> Segmentation:
    """Two segments side by side and one that overlaps both, every voxel random."""
    rng = np.random.default_rng(seed)
    shape = loaded.volume.geometry.shape_kji
    segmentation = Segmentation(loaded.volume.geometry)
    model = Source(SourceKind.MODEL, model_id="finder", model_version="1.2")
    segmentation.segments = [
        Segment("a", "Lung", (86, 180, 233), 0, 1, Code("39607008", "SCT", "Lung")),
        Segment("b", "Nodule", (230, 159, 0), 0, 7, source=model),
        Segment("c", "Left half", (10, 20, 30), 1, 1),
    ]
    first = rng.choice(np.array([0, 1, 7], np.uint8), size=shape, p=[0.8, 0.1, 0.1])
    segmentation.layer(0).voxels[...] = first
    segmentation.layer(1).voxels[:, :, : shape[2] // 2] = 1
    return segmentation


def assert_same(segmentation: Segmentation, read: ImportedLabels) -> None:
    assert len(read.segments) == len(segmentation.segments)
    for mine, theirs in zip(segmentation.segments, read.segments, strict=True):
        assert theirs.name == mine.name
        np.testing.assert_array_equal(read.layers[theirs.layer_id] == theirs.value, segmentation.mask(mine))


@pytest.fixture
def oblique_ct(tmp_path: Path) -> LoadedVolume:
    write_ct(tmp_path / "ct", order=[3, 0, 6, 1, 5, 2, 4])
    return load_volume(tmp_path / "ct", None, Inline())


def paths_of(loaded: LoadedVolume) -> list[Path]:
    return [Path(p) for p in loaded.entry.dicom_paths]


def test_overlapping_segments_come_back_voxel_for_voxel_from_any_order_of_sources(
    oblique_ct: LoadedVolume, tmp_path: Path
) -> None:
    segmentation = drawn_on(oblique_ct)
    target = tmp_path / "labels.dcm"
    write_seg(target, segmentation, list(reversed(paths_of(oblique_ct))))
    assert errors(target) == []
    on_grid = read_seg(target, oblique_ct.volume)
    assert_same(segmentation, on_grid)
    alone = read_seg(target)
    assert_same(segmentation, alone)
    assert alone.geometry.same_grid(oblique_ct.volume.geometry)


def test_highdicom_reads_the_same_voxels_at_the_same_place(oblique_ct: LoadedVolume, tmp_path: Path) -> None:
    segmentation = drawn_on(oblique_ct)
    write_seg(tmp_path / "labels.dcm", segmentation, paths_of(oblique_ct))
    seg = highdicom.seg.segread(tmp_path / "labels.dcm")
    volume = seg.get_volume(combine_segments=False)
    # highdicom lets k run the other way.
    volume = volume.flip_spatial(0)
    np.testing.assert_allclose(volume.affine, segmentation.geometry.affine_lps, atol=1e-4)
    for number, segment in enumerate(segmentation.segments):
        np.testing.assert_array_equal(volume.array[..., number] == 1, segmentation.mask(segment))


def test_who_made_a_segment_its_code_and_colour_travel_with_it(oblique_ct: LoadedVolume, tmp_path: Path) -> None:
    target = tmp_path / "labels.dcm"
    write_seg(target, drawn_on(oblique_ct), paths_of(oblique_ct))
    seg = highdicom.seg.segread(target)
    assert [d.SegmentAlgorithmType for d in seg.SegmentSequence] == ["MANUAL", "AUTOMATIC", "MANUAL"]
    assert RESEARCH_USE in seg.ContentDescription
    lung, nodule, _ = read_seg(target, oblique_ct.volume).segments
    assert lung.code == Code("39607008", "SCT", "Lung")
    assert np.abs(np.subtract(lung.colour, (86, 180, 233))).max() <= 2
    assert (nodule.source.model_id, nodule.source.model_version) == ("finder", "1.2")
    drawn = drawn_on(oblique_ct)
    drawn.segments[1] = replace(drawn.segments[1], source=drawn.segments[1].source.by_hand())
    write_seg(target, drawn, paths_of(oblique_ct))
    assert highdicom.seg.segread(target).SegmentSequence[1].SegmentAlgorithmType == "SEMIAUTOMATIC"
    assert read_seg(target, oblique_ct.volume).segments[1].source == drawn.segments[1].source


def test_long_codes_come_back_and_long_meanings_are_cut_as_dicom_has_them(oblique_ct: LoadedVolume, tmp_path: Path) -> None:
    drawn = drawn_on(oblique_ct)
    long = Code("123456789012345678", "SCT", "structure of the posterior part of the upper lobe of the lung and its pleura")
    drawn.segments[0] = replace(drawn.segments[0], code=long)
    write_seg(tmp_path / "labels.dcm", drawn, paths_of(oblique_ct))
    assert errors(tmp_path / "labels.dcm") == []
    found = read_seg(tmp_path / "labels.dcm", oblique_ct.volume).segments[0].code
    assert found == Code(long.value, "SCT", long.meaning[:64].strip())


@pytest.mark.data
@pytest.mark.parametrize("folder", ["ct-head-tiny-93", "mr-sag-hfs", "enhanced-ct-2frames"])
def test_labels_on_real_series_classic_and_enhanced_survive(test_data: Path, tmp_path: Path, folder: str) -> None:
    loaded = load_volume(test_data / folder, None, Inline())
    segmentation = drawn_on(loaded)
    target = tmp_path / "labels.dcm"
    write_seg(target, segmentation, paths_of(loaded))
    assert_same(segmentation, read_seg(target, loaded.volume))
    assert errors(target) == []


@pytest.mark.data
def test_labels_on_a_tilted_series_keep_the_tilt(test_data: Path, tmp_path: Path) -> None:
    found = scan(test_data / "ct-bad-geometry", Inline())
    uid = next(s.series_uid for s in found.series if s.volumes[0].verdict is Verdict.VOLUME)
    loaded = load_volume(test_data / "ct-bad-geometry", uid, Inline())
    assert loaded.volume.geometry.sheared
    segmentation = drawn_on(loaded)
    write_seg(tmp_path / "labels.dcm", segmentation, paths_of(loaded))
    assert_same(segmentation, read_seg(tmp_path / "labels.dcm", loaded.volume))
    alone = read_seg(tmp_path / "labels.dcm")
    assert_same(segmentation, alone)
    assert alone.geometry.same_grid(loaded.volume.geometry)


def test_a_seg_of_another_series_is_refused(oblique_ct: LoadedVolume, tmp_path: Path) -> None:
    write_seg(tmp_path / "labels.dcm", drawn_on(oblique_ct), paths_of(oblique_ct))
    write_ct(tmp_path / "other", series=f"{ROOT}.77")
    other = load_volume(tmp_path / "other", None, Inline())
    with pytest.raises(GeometryError, match=r"labels.dcm was made on another series"):
        read_seg(tmp_path / "labels.dcm", other.volume)

    def moved(k: int, ds: object) -> None:
        ds.FrameOfReferenceUID = f"{ROOT}.99"  # type: ignore[attr-defined]

    write_ct(tmp_path / "frame", change=moved)
    elsewhere = load_volume(tmp_path / "frame", None, Inline())
    with pytest.raises(GeometryError, match="frame of reference"):
        read_seg(tmp_path / "labels.dcm", elsewhere.volume)
    with pytest.raises(GeometryError, match="another frame of reference"):
        write_seg(tmp_path / "wrong.dcm", drawn_on(oblique_ct), paths_of(elsewhere))
    assert not (tmp_path / "wrong.dcm").exists()


def test_frames_that_do_not_lie_on_the_grid_are_refused(oblique_ct: LoadedVolume, tmp_path: Path) -> None:
    write_seg(tmp_path / "labels.dcm", drawn_on(oblique_ct), paths_of(oblique_ct))
    write_ct(tmp_path / "shifted", asymmetric(), origin_lps_mm=(-30.0, 17.5, 42.25))
    shifted = load_volume(tmp_path / "shifted", None, Inline())
    with pytest.raises(GeometryError, match="does not lie on the grid"):
        read_seg(tmp_path / "labels.dcm", shifted.volume)


def test_a_seg_of_a_zipped_series_and_of_one_time_point_of_many(tmp_path: Path) -> None:
    for time in range(2):

        def in_time(k: int, ds: FileDataset, time: int = time) -> None:
            ds.TemporalPositionIdentifier = time + 1
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ds.SOPInstanceUID}.{time}"

        write_ct(tmp_path / "ct" / str(time), asymmetric() + time, change=in_time)
    shutil.make_archive(str(tmp_path / "ct"), "zip", tmp_path / "ct")
    loaded = load_volume(tmp_path / "ct.zip", None, Inline())
    assert loaded.entry.time_points == 2
    segmentation = drawn_on(loaded)
    write_seg(tmp_path / "labels.dcm", segmentation, paths_of(loaded), instances=loaded.volume.sop_instance_uids)
    assert_same(segmentation, read_seg(tmp_path / "labels.dcm", loaded.volume))
    assert errors(tmp_path / "labels.dcm") == []


@pytest.mark.parametrize("step_lps_mm", [(0.0, 0.0, 5.0), (0.0, 1.7, 4.7)], ids=["upright", "tilted"])
def test_labels_on_a_slightly_uneven_volume_survive(tmp_path: Path, step_lps_mm: tuple[float, float, float]) -> None:
    write_ct(tmp_path / "ct", axes=np.eye(3), step_lps_mm=step_lps_mm, change=slightly_uneven)
    loaded = load_volume(tmp_path / "ct", None, Inline())
    assert loaded.entry.verdict is Verdict.VOLUME
    segmentation = drawn_on(loaded)
    write_seg(tmp_path / "labels.dcm", segmentation, paths_of(loaded), pixels_sha256=pixels_sha256(loaded.volume))
    read = read_labels(tmp_path / "labels.dcm", loaded.volume)
    assert_same(segmentation, read)
    assert read.notes == ()
    seg = pydicom.dcmread(tmp_path / "labels.dcm")
    named = seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    assert {item.ReferencedSOPInstanceUID for item in named} == set(loaded.volume.sop_instance_uids)


def test_a_file_that_is_no_seg_says_so(oblique_ct: LoadedVolume) -> None:
    with pytest.raises(ReadError, match="is no DICOM segmentation"):
        read_seg(paths_of(oblique_ct)[0])


def test_a_folder_that_may_not_be_written_and_a_full_disk_leave_the_old_file(
    oblique_ct: LoadedVolume, tmp_path: Path
) -> None:
    with pytest.raises(WriteError, match="the folder gone is not there"):
        write_seg(tmp_path / "gone" / "labels.dcm", drawn_on(oblique_ct), paths_of(oblique_ct))
    target = tmp_path / "labels.dcm"
    target.write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, hard))
    try:
        with pytest.raises(DiskFullError, match="the disk is full"):
            write_seg(target, drawn_on(oblique_ct), paths_of(oblique_ct))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert target.read_bytes() == b"old"
    assert {path.name for path in tmp_path.iterdir()} == {"ct", "labels.dcm"}


@pytest.mark.data
@pytest.mark.parametrize(
    ("seg", "truth", "source"),
    [
        ("liver.dcm", "liver_seg.nrrd", "ct-3slice"),
        ("23x38x3/seg/label.seg", "23x38x3/nrrd/label.nrrd", "23x38x3/image"),
        ("sparse-labelmap-noppv.dcm", "sparse_labelmap_noppv_seg.nrrd", None),
        ("sparse-labelmap-ppv5.dcm", "sparse_labelmap_ppv5_seg.nrrd", None),
    ],
)
def test_segs_of_another_writer_equal_their_truth(test_data: Path, seg: str, truth: str, source: str | None) -> None:
    folder = test_data / "seg-dcmqi" / "data" / "segmentations"
    image = SimpleITK.ReadImage(str(folder / truth))
    reference = load_volume(folder / source, None, Inline()).volume if source else None
    read = read_seg(folder / seg, reference)
    first = read.geometry.point_lps_mm((0, 0, 0))
    index = image.TransformPhysicalPointToContinuousIndex([float(v) for v in first])
    array = SimpleITK.GetArrayFromImage(image)
    # 5 marks what no frame covers in one of the files.
    wanted = array == np.setdiff1d(array, [0, 5]).max()
    if source:
        np.testing.assert_allclose(index, (0, 0, 0), atol=1e-2)
    (segment,) = read.segments
    mask = read.layers[segment.layer_id] == segment.value
    assert mask.sum() == wanted.sum()
    ours = read.geometry.point_lps_mm(np.argwhere(mask)).mean(axis=0)
    theirs = np.mean(
        [image.TransformIndexToPhysicalPoint([int(i), int(j), int(k)]) for k, j, i in np.argwhere(wanted)], axis=0
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-2)


@pytest.mark.data
def test_probabilities_are_refused_until_a_person_says_where_to_cut(test_data: Path) -> None:
    path = test_data / "seg-highdicom" / "data" / "test_files" / "seg_image_ct_true_fractional.dcm"
    with pytest.raises(ReadError, match="holds probabilities"):
        read_seg(path)
    seg = highdicom.seg.segread(path)
    stored = seg.pixel_array / seg.MaximumFractionalValue
    counts = [int((s.layers[x.layer_id] == x.value).sum()) for s in [read_seg(path, threshold=0.5)] for x in s.segments]
    assert sum(counts) == int((stored >= 0.5).sum())


@pytest.mark.data
def test_a_label_map_with_a_palette_is_read_as_one_without(test_data: Path, tmp_path: Path) -> None:
    plain = test_data / "seg-dcmqi" / "data" / "segmentations" / "sparse-labelmap-noppv.dcm"
    dataset = pydicom.dcmread(plain)
    entries = 256 if dataset.BitsAllocated == 8 else 1024
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    for number, name in enumerate(("Red", "Green", "Blue")):
        dataset.add_new(f"{name}PaletteColorLookupTableDescriptor", "US", [entries, 0, 16])
        values = (np.arange(entries) * (97 + number) % 65536).astype("<u2")
        setattr(dataset, f"{name}PaletteColorLookupTableData", values.tobytes())
    dataset.save_as(tmp_path / "coloured.dcm")
    wanted, found = read_seg(plain, None), read_seg(tmp_path / "coloured.dcm", None)
    assert [one.name for one in found.segments] == [one.name for one in wanted.segments]
    assert found.layers.keys() == wanted.layers.keys()
    for layer_id, voxels in wanted.layers.items():
        np.testing.assert_array_equal(found.layers[layer_id], voxels)
