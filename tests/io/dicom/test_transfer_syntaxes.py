"""Every transfer syntax gives the numbers that went in; rows 62, 63 and 69 of the known failures."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK
from PIL import Image

from medview.core.errors import ReadError, RefusedError
from medview.io.dicom.codestream import CodestreamSize, jpeg2000_size
from medview.io.dicom.decoders import DECODERS
from medview.io.dicom.header import read_header
from medview.io.dicom.pixels import read_frame
from tests.helpers import encoders
from tests.helpers.encoders import (
    ENCODERS,
    GREY,
    NATIVE,
    RGB8,
    RGB16,
    Kind,
    jpeg,
    picture,
    psnr_db,
    write_compressed,
    write_native,
)

WITHOUT_START_MARK = (encoders.ENCAPSULATED, encoders.DEFLATED_FRAMES, encoders.RLE)


def frame(path: Path, number: int = 0) -> npt.NDArray[Any]:
    return read_frame(str(path), number)[0]


@pytest.mark.parametrize("kind", GREY, ids=str)
@pytest.mark.parametrize("syntax", [*NATIVE[2:], NATIVE[0], *ENCODERS])
def test_a_lossless_syntax_gives_the_numbers_of_its_uncompressed_twin(tmp_path: Path, syntax: str, kind: Kind) -> None:
    frames = [picture(kind, seed=seed) for seed in range(2)]
    twin = write_native(tmp_path / "twin.dcm", frames, kind)
    write = write_native if syntax in NATIVE else write_compressed
    path = write(tmp_path / "a.dcm", frames, kind, syntax)
    for number, stored in enumerate(frames):
        read = frame(path, number)
        assert read.dtype == stored.dtype
        np.testing.assert_array_equal(read, stored)
        np.testing.assert_array_equal(read, frame(twin, number))


@pytest.mark.parametrize("frames", [1, 300])
@pytest.mark.parametrize(
    ("syntax", "title"),
    [
        ("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level"),
        ("1.2.840.10008.1.2.4.102.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1"),
        ("1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile / Level 5.1"),
    ],
)
def test_video_is_called_video_however_many_frames_its_one_stream_holds(
    tmp_path: Path, syntax: str, title: str, frames: int
) -> None:
    path = write_compressed(tmp_path / "a.dcm", [picture(RGB8)], RGB8, syntax, [b"stream"], NumberOfFrames=frames)
    with pytest.raises(RefusedError) as caught:
        read_header(str(path))
    assert caught.value.sentence == (
        f"a.dcm is video ({title}), which MedView does not read; convert it to single images first."
    )


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("kind", [RGB8, RGB16], ids=str)
@pytest.mark.parametrize("syntax", NATIVE)
def test_uncompressed_colour_is_the_same_by_pixel_and_by_plane(
    tmp_path: Path, syntax: str, kind: Kind, planar: int
) -> None:
    frames = [picture(kind, seed=seed) for seed in range(2)]
    path = write_native(tmp_path / "a.dcm", frames, kind, syntax, PlanarConfiguration=planar)
    for number, stored in enumerate(frames):
        np.testing.assert_array_equal(frame(path, number), stored >> (kind.stored - 8))


@pytest.mark.parametrize("kind", [RGB8, RGB16], ids=str)
@pytest.mark.parametrize("syntax", ENCODERS)
def test_lossless_colour_gives_the_colours_of_its_uncompressed_twin(tmp_path: Path, syntax: str, kind: Kind) -> None:
    stored = picture(kind)
    # The reversible colour transform of the JPEG 2000 family is part of the codestream.
    photometric = "YBR_RCT" if DECODERS[syntax].library.endswith("(OpenJPEG)") else "RGB"
    path = write_compressed(tmp_path / "a.dcm", [stored], kind, syntax, PhotometricInterpretation=photometric)
    np.testing.assert_array_equal(frame(path), stored >> (kind.stored - 8))


@pytest.mark.parametrize("syntax", [encoders.ENCAPSULATED, encoders.DEFLATED_FRAMES])
def test_colour_planes_in_frames_of_their_own_are_put_together(tmp_path: Path, syntax: str) -> None:
    stored = picture(RGB8)
    raw = encoders.plain(stored, RGB8, planar=1)
    codestream = encoders.deflated(raw) if syntax == encoders.DEFLATED_FRAMES else raw
    path = write_compressed(tmp_path / "a.dcm", [stored], RGB8, syntax, [codestream], PlanarConfiguration=1)
    np.testing.assert_array_equal(frame(path), stored)


def test_a_reversible_image_without_colour_transform_keeps_its_colours(tmp_path: Path) -> None:
    stored = picture(RGB8)
    codestream = imagecodecs.jpeg2k_encode(stored, level=0, reversible=True, codecformat="J2K", mct=False)
    path = write_compressed(tmp_path / "a.dcm", [stored], RGB8, encoders.J2K_LOSSLESS, [codestream])
    np.testing.assert_array_equal(frame(path), stored)


@pytest.mark.parametrize(
    "syntax", [encoders.EXPLICIT, *(uid for uid in ENCODERS if not DECODERS[uid].library.endswith("(OpenJPEG)"))]
)
def test_luminance_and_chrominance_become_the_same_colours_in_every_syntax(tmp_path: Path, syntax: str) -> None:
    rgb = picture(RGB8).astype(np.float64)
    weights = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    ybr = np.rint(rgb @ weights.T + [0, 128, 128]).clip(0, 255).astype(np.uint8)
    write = write_native if syntax in NATIVE else write_compressed
    path = write(tmp_path / "a.dcm", [ybr], RGB8, syntax, PhotometricInterpretation="YBR_FULL")
    assert np.abs(frame(path) - rgb).max() <= 2


@pytest.mark.parametrize("kind", [Kind(8, 8), Kind(16, 16)], ids=str)
@pytest.mark.parametrize("syntax", [encoders.EXPLICIT, *ENCODERS])
def test_indices_of_a_palette_become_its_colours_in_every_lossless_syntax(tmp_path: Path, syntax: str, kind: Kind) -> None:
    entries = np.random.default_rng(1).integers(0, 65536, (3, 200)).astype(np.uint16)
    indices = picture(kind) % np.array(250, kind.dtype)
    palette: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for name, values in zip(("Red", "Green", "Blue"), entries, strict=True):
        palette[f"{name}PaletteColorLookupTableDescriptor"] = [200, 0, 16]
        palette[f"{name}PaletteColorLookupTableData"] = values.astype("<u2").tobytes()
    write = write_native if syntax in NATIVE else write_compressed
    path = write(tmp_path / "a.dcm", [indices], kind, syntax, **palette)
    # An index beyond the table takes its last colour.
    np.testing.assert_array_equal(frame(path), (entries.T >> 8)[np.minimum(indices, 199)])


@pytest.mark.parametrize("restart_rows", [0, 1, 5])
@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("kind", [*GREY, RGB8], ids=str)
def test_lossless_jpeg_is_read_with_every_predictor_with_and_without_restarts(
    tmp_path: Path, kind: Kind, predictor: int, restart_rows: int
) -> None:
    stored = picture(kind, (23, 31))
    # Differences of every size, the largest included.
    stored.reshape(-1)[40:44] = [stored.min(), stored.max()] * 2
    codestream = encoders.lossless_jpeg(stored, kind, predictor, restart_rows)
    path = write_compressed(tmp_path / "a.dcm", [stored], kind, encoders.LOSSLESS, [codestream])
    np.testing.assert_array_equal(frame(path), stored)


@pytest.mark.parametrize(("table", "fragments"), [("none", 1), ("none", 3), ("basic", 1), ("basic", 3), ("extended", 1)])
@pytest.mark.parametrize("syntax", ENCODERS)
def test_frames_are_told_apart_by_any_offset_table_or_by_how_they_begin(
    tmp_path: Path, syntax: str, fragments: int, table: str
) -> None:
    kind = Kind(12, 16)
    frames = [picture(kind, seed=seed) for seed in range(3)]
    path = write_compressed(tmp_path / "a.dcm", frames, kind, syntax, table=table, fragments=fragments)
    if table == "none" and fragments > 1 and syntax in WITHOUT_START_MARK:
        with pytest.raises(ReadError, match=r"a\.dcm is damaged: its frames cannot be told apart"):
            frame(path, 1)
        return
    for number in (2, 0, 1):
        np.testing.assert_array_equal(frame(path, number), frames[number])


@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("syntax", [encoders.JPEG_LS, encoders.LOSSLESS, encoders.J2K, encoders.XL])
def test_an_image_without_even_an_empty_offset_table_is_read(tmp_path: Path, syntax: str, fragments: int) -> None:
    kind = Kind(12, 16)
    path = write_compressed(tmp_path / "a.dcm", [picture(kind)], kind, syntax, table="none", fragments=fragments)
    raw = path.read_bytes()
    empty = b"\xfe\xff\x00\xe0\0\0\0\0"
    assert raw.count(empty) == 1
    path.write_bytes(raw.replace(empty, b""))
    np.testing.assert_array_equal(frame(path), picture(kind))


def test_single_bits_are_read_from_frames_that_do_not_begin_on_a_byte(tmp_path: Path) -> None:
    bits = np.random.default_rng(0).integers(0, 2, (3, 5, 7)).astype(np.uint8)
    ds = encoders.described(list(bits), Kind(8, 8), encoders.EXPLICIT, {"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0})
    ds.PixelData = np.packbits(bits.ravel(), bitorder="little").tobytes()
    ds["PixelData"].VR = "OB"
    path = encoders.save(tmp_path / "a.dcm", ds)
    for number, stored in enumerate(bits):
        np.testing.assert_array_equal(frame(path, number), stored)
    for syntax in (encoders.ENCAPSULATED, encoders.DEFLATED_FRAMES):
        packed = [np.packbits(one.ravel(), bitorder="little").tobytes() for one in bits]
        streams = [encoders.deflated(raw) for raw in packed] if syntax == encoders.DEFLATED_FRAMES else packed
        path = write_compressed(
            tmp_path / "a.dcm", list(bits), Kind(8, 8), syntax, streams, BitsAllocated=1, BitsStored=1, HighBit=0
        )
        for number, stored in enumerate(bits):
            np.testing.assert_array_equal(frame(path, number), stored)


@pytest.mark.parametrize(
    ("syntax", "kind", "encode", "at_least_db"),
    [
        (encoders.BASELINE, Kind(8, 8), jpeg, 45),
        (encoders.EXTENDED, Kind(8, 8), jpeg, 45),
        (encoders.EXTENDED, Kind(12, 16), lambda a: jpeg(a, bitspersample=12), 65),
        (encoders.NEAR_LOSSLESS, Kind(12, 16), lambda a: imagecodecs.jpegls_encode(a, level=3), 65),
        (encoders.J2K, Kind(12, 16, True), lambda a: _irreversible(a, 70, 12), 65),
        (encoders.J2K, Kind(16, 16), lambda a: _irreversible(a, 70, 16), 65),
        (encoders.HTJ2K, Kind(12, 16, True), lambda a: imagecodecs.htj2k_encode(a, 0.0005, reversible=False), 50),
        (encoders.XL, Kind(12, 16), lambda a: imagecodecs.jpegxl_encode(a, distance=0.3, bitspersample=12), 45),
    ],
    ids=["baseline", "extended-8", "extended-12", "near-lossless", "j2k-12s", "j2k-16u", "htj2k-12s", "xl-12"],
)  # fmt: skip
def test_lossy_grey_stays_close_to_its_source(
    tmp_path: Path, syntax: str, kind: Kind, encode: Any, at_least_db: float
) -> None:
    stored = picture(kind)
    codestream = bytes(encode(stored))
    path = write_compressed(tmp_path / "a.dcm", [stored], kind, syntax, [codestream])
    read = frame(path)
    assert read.dtype == stored.dtype
    assert psnr_db(read, stored, (1 << kind.stored) - 1) > at_least_db


def _irreversible(image: npt.NDArray[Any], level: int, bits: int) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(image, level=level, reversible=False, codecformat="J2K", bitspersample=bits))


@pytest.mark.parametrize("near", [1, 2, 3, 7])
def test_near_lossless_is_off_by_no_more_than_it_says(tmp_path: Path, near: int) -> None:
    stored = picture(Kind(12, 16))
    codestream = bytes(imagecodecs.jpegls_encode(stored, level=near))
    path = write_compressed(tmp_path / "a.dcm", [stored], Kind(12, 16), encoders.NEAR_LOSSLESS, [codestream])
    difference = np.abs(frame(path).astype(int) - stored)
    assert 0 < difference.max() <= near


def _progressive(image: npt.NDArray[Any]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=98, progressive=True, subsampling=0)
    return file.getvalue()


@pytest.mark.parametrize(
    ("syntax", "photometric", "encode", "at_least_db"),
    [
        (encoders.BASELINE, "YBR_FULL", lambda a: jpeg(a, subsampling="444"), 42),
        (encoders.BASELINE, "YBR_FULL_422", lambda a: jpeg(a, subsampling="422"), 38),
        (encoders.BASELINE, "YBR_FULL_422", lambda a: jpeg(a, subsampling="420"), 36),
        (encoders.BASELINE, "RGB", lambda a: jpeg(a, outcolorspace="rgb"), 42),
        (encoders.PROGRESSIVE, "YBR_FULL", _progressive, 42),
        (encoders.J2K, "YBR_ICT", lambda a: _irreversible(a, 70, 8), 45),
        (encoders.HTJ2K, "YBR_ICT", lambda a: imagecodecs.htj2k_encode(a, 0.0005, reversible=False), 45),
        (encoders.XL_JPEG, "YBR_FULL", lambda a: imagecodecs.jpegxl_encode_jpeg(jpeg(a, subsampling="444")), 42),
        (encoders.XL, "RGB", lambda a: imagecodecs.jpegxl_encode(a, distance=0.3), 38),
    ],
    ids=["444", "422", "420", "rgb", "progressive", "j2k", "htj2k", "xl-jpeg", "xl"],
)  # fmt: skip
def test_lossy_colour_stays_close_to_its_source(
    tmp_path: Path, syntax: str, photometric: str, encode: Any, at_least_db: float
) -> None:
    stored = picture(RGB8)
    path = write_compressed(
        tmp_path / "a.dcm", [stored], RGB8, syntax, [bytes(encode(stored))], PhotometricInterpretation=photometric
    )
    assert psnr_db(frame(path), stored, 255) > at_least_db


def test_the_irreversible_colour_transform_is_within_two_levels(tmp_path: Path) -> None:
    stored = picture(RGB8)
    codestream = _irreversible(stored, 80, 8)
    assert jpeg2000_size(codestream) == CodestreamSize(37, 53, 3, 8, lossy=True)
    path = write_compressed(
        tmp_path / "a.dcm", [stored], RGB8, encoders.J2K, [codestream], PhotometricInterpretation="YBR_ICT"
    )
    assert np.abs(frame(path).astype(int) - stored).max() <= 2


def test_a_recompressed_jpeg_shows_what_the_jpeg_showed(tmp_path: Path) -> None:
    image = picture(Kind(8, 8))
    codestream = jpeg(image, 90)
    write_compressed(tmp_path / "before.dcm", [image], Kind(8, 8), encoders.BASELINE, [codestream])
    again = bytes(imagecodecs.jpegxl_encode_jpeg(codestream))
    write_compressed(tmp_path / "after.dcm", [image], Kind(8, 8), encoders.XL_JPEG, [again])
    assert np.abs(frame(tmp_path / "after.dcm").astype(int) - frame(tmp_path / "before.dcm")).max() <= 2


@pytest.mark.data
@pytest.mark.parametrize("name", ["JPEG-lossy.dcm", "JPGExtended.dcm"])
def test_twelve_bit_extended_jpeg_reads_as_simpleitk_says(test_data: Path, name: str) -> None:
    path = next((test_data / "pydicom-testfiles").rglob(name))
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    theirs = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path), imageIO="GDCMImageIO"))[0]
    np.testing.assert_array_equal(frame(path), theirs)
