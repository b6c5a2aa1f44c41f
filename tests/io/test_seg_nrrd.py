from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import nrrd as judge
import numpy as np
import pytest
import SimpleITK

from medview.core.errors import GeometryError, MedViewError, ReadError, RefusedError, WriteError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.pixel_hash import pixels_sha256
from medview.core.segmentation import Code, LabelLayer, Segment, Segmentation, SegmentRole, SegmentStatus
from medview.core.source import Source, SourceKind
from medview.core.volume import Volume
from medview.io.dicom.scan import scan
from medview.io.imported_labels import ImportedLabels
from medview.io.label_files import is_label_file, read_labels
from medview.io.seg_nrrd_write import write_seg_nrrd
from tests.helpers.grids import EVERY_ORDER, turned_grid

SHAPE = (4, 23, 38)
GRID = Geometry(SHAPE, turned_grid(degrees=35.0, shape_kji=SHAPE).affine_lps)


def drawn(geometry: Geometry = GRID, layers: int = 2) -> Segmentation:
    """Return holes, a single voxel, a group, an unsure one and one that overlaps others."""
    first = np.zeros(geometry.shape_kji, dtype=np.uint8)
    first[1:3, 3:12, 5:20] = 3
    first[1:3, 6:8, 8:11] = 0
    first[3, 22, 37] = 200
    second = np.zeros(geometry.shape_kji, dtype=np.uint8)
    second[0:3, 4:10, 2:9] = 3
    model = Source(SourceKind.MODEL, "lung-net", "1.2", "ab" * 32, corrected=True)
    segments = [
        Segment("a", "Lunge, rechts: µ", (12, 200, 7), 0, 3, Code("39607008", "SCT", "Lung"), status=SegmentStatus.DONE),
        Segment("b", "Nodule 1", (255, 0, 128), 0, 200, source=model, group="Nodule"),
        Segment("c", "Gone", (1, 2, 3), 0, 7, absent=True),
    ]
    held = {0: LabelLayer.drawn(0, first)}
    if layers == 2:
        segments.append(Segment("d", "Unsure", (9, 9, 9), 5, 3, role=SegmentRole.IGNORE))
        held[5] = LabelLayer.drawn(5, second)
    return Segmentation(geometry, held, segments)


def masks(labels: ImportedLabels) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    return {s.name: labels.layers[s.layer_id] == s.value for s in labels.segments}


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("order", ["xyz", "zYx", "yzX", "XZY"])
def test_segments_come_back_voxel_for_voxel_with_all_that_is_said_of_them(tmp_path: Path, order: str, layers: int) -> None:
    grid = turned_grid(degrees=20.0, axes=EVERY_ORDER[order], shape_kji=SHAPE)
    segmentation = drawn(Geometry(SHAPE, grid.affine_lps), layers)
    path = tmp_path / "a.seg.nrrd"
    write_seg_nrrd(path, segmentation)
    assert is_label_file(path)
    volume = Volume(np.zeros(SHAPE, np.int16), segmentation.geometry)
    for back in (read_labels(path), read_labels(path, volume)):
        assert back.geometry.same_grid(segmentation.geometry, 1e-9)
        found = masks(back)
        for old, new in zip(segmentation.segments, back.segments, strict=True):
            np.testing.assert_array_equal(found[old.name], segmentation.mask(old))
            kept = replace(new, segment_id=old.segment_id, layer_id=old.layer_id, value=old.value)
            origin = old.source if old.source.kind is SourceKind.MODEL else Source(SourceKind.IMPORT)
            assert kept == replace(old, source=origin)
    assert [file.name for file in tmp_path.iterdir()] == ["a.seg.nrrd"]


@pytest.mark.parametrize("layers", [1, 2])
def test_pynrrd_and_simpleitk_read_the_same_voxels_and_fields(tmp_path: Path, layers: int) -> None:
    segmentation = drawn(layers=layers)
    path = tmp_path / "a.seg.nrrd"
    write_seg_nrrd(path, segmentation)
    data, header = judge.read(str(path), index_order="C")
    image = SimpleITK.ReadImage(str(path))
    array = SimpleITK.GetArrayFromImage(image)
    for n, segment in enumerate(segmentation.segments):
        layer, value = int(header[f"Segment{n}_Layer"]), int(header[f"Segment{n}_LabelValue"])
        mask = segmentation.mask(segment)
        np.testing.assert_array_equal((data if layers == 1 else data[..., layer]) == value, mask)
        np.testing.assert_array_equal((array if layers == 1 else array[..., layer]) == value, mask)
        i0, i1, j0, j1, k0, k1 = (int(word) for word in header[f"Segment{n}_Extent"].split())
        assert mask[k0 : k1 + 1, j0 : j1 + 1, i0 : i1 + 1].sum() == mask.sum()
        if mask.any():
            assert all(mask[k].any() for k in (k0, k1))
            assert all(mask[:, :, i].any() for i in (i0, i1))
    # pynrrd passes over letters beyond ASCII.
    assert header["Segment1_Name"] == "Nodule 1"
    assert image.GetMetaData("Segment0_Name") == "Lunge, rechts: µ"
    assert "SCT^39607008^Lung" in header["Segment0_Tags"]
    assert image.GetMetaData("Segment1_ID") == "b"
    k, j, i = (n - 1 for n in SHAPE)
    np.testing.assert_allclose(
        segmentation.geometry.point_lps_mm((k, j, i)), image.TransformIndexToPhysicalPoint((i, j, k)), atol=1e-9
    )


def test_a_scan_finds_labels_to_be_imported_and_no_picture(tmp_path: Path) -> None:
    write_seg_nrrd(tmp_path / "a.seg.nrrd", drawn())
    result = scan(tmp_path, Inline())
    assert not result.damaged
    (series,) = result.series
    assert (series.modality, series.volumes, series.paths) == ("SEG", (), (str(tmp_path / "a.seg.nrrd"),))


@pytest.mark.data
def test_real_segmentations_come_back_voxel_for_voxel(test_data: Path, tmp_path: Path) -> None:
    found = [
        *(test_data / "seg-dcmqi").rglob("*.dcm"),
        *(test_data / "seg-highdicom").rglob("*.dcm"),
        *(test_data / "seg-dcmqi" / "data" / "segmentations").rglob("*.nrrd"),
        *(test_data / "nrrd-image-label").rglob("*label*.nrrd"),
    ]
    count = 0
    for source in found:
        try:
            labels = read_labels(source)
        except MedViewError:
            continue
        if not labels.segments or labels.geometry.sheared:
            continue
        layers = {n: LabelLayer.drawn(n, voxels) for n, voxels in labels.layers.items()}
        segmentation = Segmentation(labels.geometry, layers, list(labels.segments))
        path = tmp_path / f"{count}.seg.nrrd"
        write_seg_nrrd(path, segmentation)
        back = read_labels(path)
        assert back.geometry.same_grid(labels.geometry, 1e-6), source
        assert [(s.name, s.colour, s.code) for s in back.segments] == [(s.name, s.colour, s.code) for s in labels.segments]
        for before, after in zip(labels.segments, back.segments, strict=True):
            same = np.array_equal(segmentation.mask(before), back.layers[after.layer_id] == after.value)
            assert same, (source, before.name)
        count += 1
    assert count >= 15


def foreign(path: Path, data: np.ndarray, geometry: Geometry, pairs: dict[str, str], **fields: object) -> Path:  # type: ignore[type-arg]
    """Write as Slicer does, by pynrrd: axes i, j, k, and the list of layers first."""
    directions = geometry.affine_lps[:3, 2::-1].T
    header: dict[str, object] = {
        "type": "uint8",
        "space": "left-posterior-superior",
        "kinds": (["list"] if data.ndim == 4 else []) + ["domain"] * 3,
        "space directions": np.vstack([np.full((data.ndim - 3, 3), np.nan), directions]),
        "space origin": geometry.affine_lps[:3, 3],
        **pairs,
        **fields,
    }
    judge.write(str(path), data, header, index_order="F")
    return path


def test_a_grid_cut_out_of_that_of_the_images_is_put_where_it_lay(tmp_path: Path) -> None:
    whole = drawn(layers=1)
    labels = whole.layers[0].voxels
    cut = labels[1:, 2:15, 3:]
    affine = np.array(GRID.affine_lps)
    affine[:3, 3] = GRID.point_lps_mm((1, 2, 3))
    pairs = {
        "Segment0_ID": "Segment_1",
        "Segment0_Name": "Lung",
        "Segment0_LabelValue": "3",
        "Segment0_Layer": "0",
        "Segment0_Color": "0.5 0.25 1",
        "Segmentation_ReferenceImageExtentOffset": "3 2 1",
    }
    path = foreign(tmp_path / "a.seg.nrrd", cut.transpose(2, 1, 0), Geometry(cut.shape, affine), pairs)
    back = read_labels(path, Volume(np.zeros(SHAPE, np.int16), GRID))
    np.testing.assert_array_equal(masks(back)["Lung"], labels == 3)
    assert back.segments[0].colour == (128, 64, 255)
    small = Volume(np.zeros((4, 23, 10), np.int16), Geometry((4, 23, 10), GRID.affine_lps))
    with pytest.raises(GeometryError, match="reaches outside this series"):
        read_labels(path, small)
    moved = np.array(GRID.affine_lps)
    moved[:3, 3] += 0.4 * moved[:3, 2]
    with pytest.raises(GeometryError, match="another grid"):
        read_labels(path, Volume(np.zeros(SHAPE, np.int16), Geometry(SHAPE, moved)))


def test_voxels_that_no_segment_names_are_told(tmp_path: Path) -> None:
    labels = drawn(layers=1).layers[0].voxels
    pairs = {"Segment0_ID": "x", "Segment0_LabelValue": "3", "Segment0_Layer": "0"}
    path = foreign(tmp_path / "a.seg.nrrd", labels.transpose(2, 1, 0), GRID, pairs)
    back = read_labels(path)
    assert back.segments[0].name == "Segment 1"
    assert any("1 voxel belongs to no segment" in note for note in back.notes)


def test_files_of_older_versions_have_a_layer_for_every_segment(tmp_path: Path) -> None:
    layers = np.stack([drawn().layers[n].voxels > 0 for n in (0, 5)]).astype(np.uint8)
    pairs = {f"Segment{n}_{key}": f"{key} {n}" for n in range(2) for key in ("ID", "Name")}
    path = foreign(tmp_path / "old.seg.nrrd", layers.transpose(0, 3, 2, 1), GRID, pairs)
    found = masks(read_labels(path))
    np.testing.assert_array_equal(found["Name 0"], layers[0] > 0)
    np.testing.assert_array_equal(found["Name 1"], layers[1] > 0)


@pytest.mark.parametrize("encoding", ["raw", "bzip2", "gzip"])
def test_wide_numbers_in_another_byte_order_and_another_space_are_read(tmp_path: Path, encoding: str) -> None:
    labels = (drawn(layers=1).layers[0].voxels == 3).astype(">u2") * 4660
    ras = np.array(GRID.affine_lps)
    ras[:2] *= -1
    pairs = {"Segment0_ID": "x", "Segment0_LabelValue": "4660", "Segment0_Layer": "0", "Segment0_Name": "Lung"}
    path = tmp_path / "a.seg.nrrd"
    fields = {"type": "uint16", "space": "right-anterior-superior", "encoding": encoding, "endian": "big"}
    foreign(path, labels.transpose(2, 1, 0), Geometry(SHAPE, ras), pairs, **fields)
    back = read_labels(path, Volume(np.zeros(SHAPE, np.int16), GRID))
    np.testing.assert_array_equal(masks(back)["Lung"], labels > 0)


def test_three_hundred_segments_in_one_layer_are_kept_apart(tmp_path: Path) -> None:
    numbers = np.arange(1, 1 + 4 * 23 * 38).reshape(SHAPE).astype(np.uint16)
    numbers[numbers > 300] = 0
    pairs = {f"Segment{n}_{key}": str(n + 1) for n in range(300) for key in ("ID", "Name", "LabelValue")}
    path = foreign(tmp_path / "a.seg.nrrd", numbers.transpose(2, 1, 0), GRID, pairs, type="uint16")
    found = masks(read_labels(path))
    assert len(found) == 300
    assert all(np.array_equal(mask, numbers == int(name)) for name, mask in found.items())


def test_labels_that_know_their_pixels_are_refused_on_others(tmp_path: Path) -> None:
    volume = Volume(np.random.default_rng(0).integers(0, 99, SHAPE).astype(np.int16), GRID)
    path = tmp_path / "a.seg.nrrd"
    write_seg_nrrd(path, drawn(), pixels_sha256(volume))
    assert not read_labels(path, volume).notes
    other = Volume(np.array(volume.voxels)[::-1], GRID)
    with pytest.raises(GeometryError, match="made on other images"):
        read_labels(path, other)


def test_what_nrrd_cannot_hold_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.seg.nrrd"
    with pytest.raises(WriteError, match="tilted"):
        write_seg_nrrd(path, drawn(turned_grid(shear=0.3, shape_kji=SHAPE)))
    with pytest.raises(WriteError, match="state no"):
        write_seg_nrrd(path, drawn(turned_grid(shape_kji=SHAPE, calibration=Calibration.IN_PLANE)))
    with pytest.raises(WriteError, match="no segments"):
        write_seg_nrrd(path, Segmentation(GRID))
    assert not list(tmp_path.iterdir())


HEAD = (
    "NRRD0004\ntype: uint8\ndimension: 3\nspace: left-posterior-superior\nsizes: 38 23 4\n"
    "space directions: (1,0,0) (0,1,0) (0,0,1)\nkinds: domain domain domain\nencoding: gzip\nspace origin: (0,0,0)\n"
    "Segment0_ID:=x\nSegment0_LabelValue:=1\nSegment0_Layer:=0\n"
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sizes: 38 23 4", "sizes: 100000 100000 100000"),
        ("sizes: 38 23 4", "sizes: 38 23 -4"),
        ("sizes: 38 23 4", "sizes: 38 23"),
        ("type: uint8", "type: block"),
        ("type: uint8", "type: float"),
        ("(1,0,0)", "(0,0,0)"),
        ("(1,0,0)", "(nan,0,0)"),
        ("(1,0,0)", "(1,0)"),
        ("left-posterior-superior", "scanner-xyz"),
        ("encoding: gzip", "encoding: hex"),
        ("encoding: gzip", "encoding: gzip\ndata file: /etc/passwd"),
        ("encoding: gzip", "encoding: gzip\nbyte skip: -1"),
        ("Layer:=0", "Layer:=7"),
        ("Layer:=0", "Layer:=x"),
        ("Segment0_Layer:=0", "Segment0_Layer:=0\nSegment1_ID:=y\nSegment1_LabelValue:=1"),
        ("encoding: gzip", "no field"),
    ],
)
def test_damaged_headers_are_told_in_a_sentence(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "a.seg.nrrd"
    path.write_bytes(HEAD.replace(old, new).encode() + b"\n" + gzip.compress(bytes(38 * 23 * 4 * 8)))
    with pytest.raises(MedViewError, match=r"a\.seg\.nrrd"):
        read_labels(path)


def test_voxels_that_end_early_or_never_end_cost_no_more_than_they_should(tmp_path: Path) -> None:
    path = tmp_path / "a.seg.nrrd"
    path.write_bytes(HEAD.encode() + b"\n" + gzip.compress(bytes(100)))
    with pytest.raises(ReadError, match="ends early"):
        read_labels(path)
    path.write_bytes(HEAD.encode() + b"\n" + gzip.compress(bytes(200 << 20), compresslevel=1))
    assert not masks(read_labels(path))["Segment 1"].any()
    path.write_bytes(HEAD.encode() + b"\nno gzip at all")
    with pytest.raises(ReadError, match="cannot be unpacked"):
        read_labels(path)
    path.write_bytes(HEAD.encode() + b"x:=" + bytes(9 << 20))
    with pytest.raises(RefusedError, match="header of more than"):
        read_labels(path)
