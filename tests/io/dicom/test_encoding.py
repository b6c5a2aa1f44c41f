"""Rows 76 to 91 of the table of known failures: texts, encodings, damaged structure, files among others."""

from __future__ import annotations

import shutil
import struct
import time
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from medview.core.errors import ReadError, RefusedError
from medview.core.job import Inline
from medview.core.study import Verdict
from medview.io.dicom.attributes import items, text, texts
from medview.io.dicom.guard import MAX_NESTING
from medview.io.dicom.header import parse, read_header
from medview.io.dicom.pixels import read_frame
from medview.io.dicom.scan import look_at, scan
from medview.io.load import load_volume
from tests.helpers.dicom_series import asymmetric, ct_slice, write_ct
from tests.helpers.timing import allowed_s

NAMES = {
    "chrArab.dcm": "قباني^لنزار",
    "chrFren.dcm": "Buc^Jérôme",
    "chrFrenMulti.dcm": "Buc^Jérôme",
    "chrGerm.dcm": "Äneas^Rüdiger",
    "chrGreek.dcm": "Διονυσιος",
    "chrH31.dcm": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "chrH32.dcm": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    "chrHbrw.dcm": "שרון^דבורה",
    "chrI2.dcm": "Hong^Gildong=洪^吉洞=홍^길동",
    "chrJapMulti.dcm": "やまだ^たろう",
    "chrJapMultiExplicitIR6.dcm": "やまだ^たろう",
    "chrKoreanMulti.dcm": "김희중",
    "chrRuss.dcm": "Люкceмбypг",
    "chrX1.dcm": "Wang^XiaoDong=王^小東=",
    "chrX2.dcm": "Wang^XiaoDong=王^小东=",
}


@pytest.mark.data
@pytest.mark.parametrize("name", NAMES)
def test_names_in_every_character_set_are_read(test_data: Path, name: str) -> None:
    (path,) = (test_data / "pydicom-testfiles").rglob(name)
    found = read_header(str(path)).patient_name
    assert found.rstrip("=") == NAMES[name].rstrip("=")


@pytest.mark.data
def test_no_file_of_character_sets_is_left_out(test_data: Path) -> None:
    (folder,) = (test_data / "pydicom-testfiles").rglob("charset_files")
    tested = {*NAMES, "chrSQEncoding.dcm", "chrSQEncoding1.dcm"}
    assert {path.name for path in folder.glob("*.dcm")} == tested
    listed = [line.split()[0] for line in (folder / "FileInfo.txt").read_text().splitlines() if line.startswith("chr")]
    assert set(listed) <= tested


@pytest.mark.data
@pytest.mark.parametrize(
    "name", ["chrFrenMulti.dcm", "chrJapMulti.dcm", "chrJapMultiExplicitIR6.dcm", "chrKoreanMulti.dcm"]
)
def test_each_of_several_names_is_read(test_data: Path, name: str) -> None:
    (path,) = (test_data / "pydicom-testfiles").rglob(name)
    dataset = pydicom.dcmread(path)
    assert texts(dataset, "OtherPatientNames") == (NAMES[name], NAMES[name])


@pytest.mark.data
@pytest.mark.parametrize("name", ["chrSQEncoding.dcm", "chrSQEncoding1.dcm"])
def test_names_in_sequences_have_the_character_set_of_the_item_or_of_what_it_is_in(test_data: Path, name: str) -> None:
    (path,) = (test_data / "pydicom-testfiles").rglob(name)
    with path.open("rb") as file:
        dataset, _ = parse(file, name, stop_before_pixels=True)
    (item,) = items(dataset, "RequestedProcedureCodeSequence")
    assert text(item, "PatientName") == "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"


@pytest.mark.parametrize(
    ("declared", "codec", "name"),
    [
        ("GB18030", "gb18030", "王^小东"),
        ("GB18030", "gb18030", "㐀𠀀^龥"),
        ("GBK", "gbk", "王^小東"),
        ("ISO_IR 192", "utf-8", "𠀀^Müller"),
        (["", "ISO 2022 IR 149"], "", "Hong^Gildong=洪^吉洞=홍^길동"),
        (["ISO 2022 IR 6", "ISO 2022 IR 87"], "", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["ISO 2022 IR 100", "ISO 2022 IR 126", "ISO 2022 IR 144"], "", "Buc^Jérôme=Διον=Люкс"),
    ],
)
def test_generated_names_come_back_alone_in_lists_and_in_sequences(
    tmp_path: Path, declared: str | list[str], codec: str, name: str
) -> None:
    ds = ct_slice(asymmetric()[0], (0, 0, 0))
    ds.SpecificCharacterSet = declared
    ds.PatientName = name
    ds.OtherPatientNames = [name, "Plain^Name", name]
    ds.StudyDescription = name.replace("=", " ").strip()
    inner = Dataset()
    inner.PatientName = name
    ds.ReferencedPatientPhotoSequence = Sequence([inner])
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    if codec:
        assert name.encode(codec) in (tmp_path / "a.dcm").read_bytes()
    with (tmp_path / "a.dcm").open("rb") as file:
        dataset, _ = parse(file, "a.dcm", stop_before_pixels=True)
    whole = name.rstrip("=")
    assert text(dataset, "PatientName") == whole
    assert texts(dataset, "OtherPatientNames") == (whole, "Plain^Name", whole)
    assert text(dataset, "StudyDescription") == name.replace("=", " ").strip()
    assert text(items(dataset, "ReferencedPatientPhotoSequence")[0], "PatientName") == whole


@pytest.mark.parametrize("declared", [["", "ISO 2022 IR 58"], ["ISO 2022 IR 100", "ISO 2022 IR 58"], "ISO_IR 100", None])
def test_the_chinese_code_extension_leaves_no_escape_sequence_in_the_name(
    tmp_path: Path, declared: str | list[str] | None
) -> None:
    # The example of PS3.5 Annex K.2. Escape sequences say themselves what follows, declared or not.
    stored = b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab="
    ds = ct_slice(asymmetric()[0], (0, 0, 0))
    ds.PatientName = "N" * len(stored)
    if declared is not None:
        ds.SpecificCharacterSet = declared
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    (tmp_path / "a.dcm").write_bytes((tmp_path / "a.dcm").read_bytes().replace(b"N" * len(stored), stored))
    assert read_header(str(tmp_path / "a.dcm")).patient_name == "Zhang^XiaoDong=张^小东"


@pytest.mark.parametrize("declared", ["ISO_IR 192", "GB18030", "ISO_IR 13", ["", "ISO 2022 IR 87"], "NO SUCH SET"])
def test_bytes_that_mean_nothing_as_declared_are_read_without_loss_and_without_a_warning(
    tmp_path: Path, declared: str | list[str]
) -> None:
    ds = ct_slice(asymmetric()[0], (0, 0, 0))
    ds.PatientName, ds.SpecificCharacterSet = "NNNNNNNN", declared
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    raw = (tmp_path / "a.dcm").read_bytes()
    names = set()
    for stored in (b"\xff\xfe^\x80\x81\xa0\xfd ", b"\xff\xfe^\x80\x81\xa0\xfc "):
        (tmp_path / "a.dcm").write_bytes(raw.replace(b"NNNNNNNN", stored))
        names.add(read_header(str(tmp_path / "a.dcm")).patient_name)
    assert len(names) == 2


@pytest.mark.parametrize("charset", ["ISO IR 192", "ISO_IR_192", "ISO-IR 192", "ISO_IR 192"])
def test_a_misspelt_character_set_is_understood(tmp_path: Path, charset: str) -> None:
    ds = ct_slice(asymmetric()[0], (0, 0, 0))
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.PatientName = "Müller^Jörg"
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    raw = (tmp_path / "a.dcm").read_bytes()
    (tmp_path / "a.dcm").write_bytes(raw.replace(b"ISO_IR 192", charset.encode()))
    assert read_header(str(tmp_path / "a.dcm")).patient_name == "Müller^Jörg"


def test_two_patients_whose_names_cannot_be_read_stay_two(tmp_path: Path) -> None:
    for number in (1, 2):

        def patient(k: int, ds: FileDataset, number: int = number) -> None:
            ds.PatientID, ds.PatientName = f"P{number}", "????"

        write_ct(tmp_path / str(number), series=f"2.25.{number}", change=patient)
    found = scan(tmp_path, Inline()).series
    assert [(s.patient_id, s.patient_name) for s in found] == [("P1", "????"), ("P2", "????")]


def test_a_file_without_preamble_is_known_by_its_content(tmp_path: Path) -> None:
    write_ct(tmp_path / "with")
    (tmp_path / "bare").mkdir()
    for path in (tmp_path / "with").iterdir():
        (tmp_path / "bare" / path.name).write_bytes(path.read_bytes()[132:])
    loaded = load_volume(tmp_path / "bare", None, Inline())
    assert loaded.entry.verdict is Verdict.VOLUME
    np.testing.assert_array_equal(loaded.volume.voxels, asymmetric())


def test_a_data_set_alone_is_known_by_its_content(tmp_path: Path) -> None:
    for syntax, name in ((ImplicitVRLittleEndian, "implicit"), (ExplicitVRBigEndian, "big")):
        ds = ct_slice(asymmetric()[2], (0, 0, 0))
        if syntax is ExplicitVRBigEndian:
            ds.PixelData = asymmetric()[2].astype(">i2").tobytes()
            ds["PixelData"].VR = "OW"
        implicit = syntax.is_implicit_VR
        pydicom.dcmwrite(
            tmp_path / name,
            Dataset(ds),
            implicit_vr=implicit,
            little_endian=syntax.is_little_endian,
            enforce_file_format=False,
        )
        np.testing.assert_array_equal(read_frame(str(tmp_path / name), 0)[0], asymmetric()[2])


def test_a_body_that_is_implicit_though_explicit_was_declared_is_read(tmp_path: Path) -> None:
    ds = ct_slice(asymmetric()[2], (0, 0, 0))
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    raw = (tmp_path / "a.dcm").read_bytes()
    # 1.2.840.10008.1.2 and 1.2.840.10008.1.2.1 with the length in between.
    declared = raw.replace(b"UI\x12\x001.2.840.10008.1.2\x00", b"UI\x14\x001.2.840.10008.1.2.1\x00", 1)
    assert declared != raw
    length = struct.unpack_from("<I", declared, 140)[0]
    declared = declared[:140] + struct.pack("<I", length + 2) + declared[144:]
    (tmp_path / "a.dcm").write_bytes(declared)
    np.testing.assert_array_equal(read_frame(str(tmp_path / "a.dcm"), 0)[0], asymmetric()[2])


def nested(depth: int) -> Dataset:
    inner = Dataset()
    inner.CodeValue = "end"
    for _ in range(depth):
        outer = Dataset()
        outer.ConceptNameCodeSequence = Sequence([inner])
        inner = outer
    return inner


@pytest.mark.parametrize("undefined", [False, True])
def test_nesting_ends_at_a_limit_far_below_what_breaks_parsers(tmp_path: Path, undefined: bool) -> None:
    for depth, accepted in ((MAX_NESTING - 4, True), (MAX_NESTING + 4, False)):
        ds = ct_slice(asymmetric()[0], (0, 0, 0))
        ds.ContentSequence = Sequence([nested(depth)])
        if undefined:
            level: Dataset | None = ds.ContentSequence[0]
            ds["ContentSequence"].is_undefined_length = True
            while level is not None and "ConceptNameCodeSequence" in level:
                level.is_undefined_length_sequence_item = True
                level["ConceptNameCodeSequence"].is_undefined_length = True
                level = level.ConceptNameCodeSequence[0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
        if accepted:
            assert read_header(str(tmp_path / "a.dcm")).image
        else:
            with pytest.raises(RefusedError, match="nests more than 64 sequences"):
                read_header(str(tmp_path / "a.dcm"))


def test_a_length_beyond_the_end_of_the_file_is_refused_at_once(tmp_path: Path) -> None:
    ds = ct_slice(asymmetric()[0], (0, 0, 0))
    ds.StudyDescription = "0123456789"
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    raw = (tmp_path / "a.dcm").read_bytes()
    for claimed in (b"LT\x00\x00", b"UT\x00\x00\xff\xff\xff\x7f", b"OB\x00\x00\x20\x20\x20\x20"):
        claimed = claimed[:2] + b"\xff\xff" if claimed[:2] == b"LT" else claimed
        damaged = raw.replace(b"LO\x0a\x000123456789", claimed + b"0123456789", 1)
        (tmp_path / "a.dcm").write_bytes(damaged)
        began = time.monotonic()
        with pytest.raises(ReadError, match="ends early or declares more data than it holds"):
            read_header(str(tmp_path / "a.dcm"))
        assert time.monotonic() - began < allowed_s(1.0)


@pytest.mark.parametrize(
    ("keyword", "value"), [("Rows", 65535), ("NumberOfFrames", 2_000_000_000), ("SamplesPerPixel", 60000)]
)
def test_a_matrix_no_memory_holds_is_refused_at_once(tmp_path: Path, keyword: str, value: int) -> None:
    ds = ct_slice(asymmetric()[0], (0, 0, 0))
    ds.Columns = 65535 if keyword == "Rows" else ds.Columns
    ds.BitsAllocated = 64 if keyword == "Rows" else 16
    setattr(ds, keyword, value)
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    began = time.monotonic()
    # At once, or when pixels are wanted that the header is known to lack.
    with pytest.raises(ReadError, match=r"it was not opened|pixels end early"):
        read_frame(str(tmp_path / "a.dcm"), 0)
    assert time.monotonic() - began < allowed_s(1.0)


def test_large_private_blocks_and_unknown_sequences_change_nothing(tmp_path: Path) -> None:
    def private(k: int, ds: FileDataset) -> None:
        block = ds.private_block(0x0029, "SOMEBODY", create=True)
        block.add_new(0x10, "OB", b"\x00" * 300_000)
        block.add_new(0x11, "UN", b"\xfe\xff\x00\xe0\x10\x00\x00\x00" + b"x" * 16)

    truth = write_ct(tmp_path, change=private)
    loaded = load_volume(tmp_path, None, Inline())
    np.testing.assert_allclose(loaded.volume.geometry.affine_lps, truth, atol=1e-6)
    np.testing.assert_array_equal(loaded.volume.voxels, asymmetric())


def with_icon(path: Path, *fragments: bytes) -> bytes:
    """Write a slice with an icon of compressed pixels and return the file."""
    icon = Dataset()
    icon.Rows = icon.Columns = 32
    icon.SamplesPerPixel, icon.PhotometricInterpretation = 1, "MONOCHROME2"
    icon.BitsAllocated = icon.BitsStored = 8
    icon.HighBit, icon.PixelRepresentation = 7, 0
    icon.PixelData = encapsulate([*fragments])
    icon["PixelData"].VR, icon["PixelData"].is_undefined_length = "OB", True
    ds = ct_slice(asymmetric()[2], (0, 0, 0))
    ds.IconImageSequence = Sequence([icon])
    ds.save_as(path, enforce_file_format=True)
    return path.read_bytes()


def test_an_icon_of_compressed_pixels_is_no_damage(tmp_path: Path) -> None:
    # What looks like elements or delimiters inside of a fragment is none.
    with_icon(tmp_path / "a.dcm", b"\xff\xd8" + bytes(range(256)), b"\xfe\xff\xdd\xe0\x00\x00\x00\x00" * 3)
    found = scan(tmp_path, Inline())
    assert found.damaged == ()
    assert [series.best is not None for series in found.series] == [True]
    np.testing.assert_array_equal(read_frame(str(tmp_path / "a.dcm"), 0)[0], asymmetric()[2])


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (b"\xfe\xff\x00\xe0\x00\xff\xff\x7f", "ends early or declares more data than it holds"),
        (b"\xfe\xff\x00\xe0\xff\xff\xff\xff", "not made of fragments"),
        (b"\x08\x00\x05\x00\x08\x00\x00\x00", "not made of fragments"),
    ],
    ids=["beyond the end", "undefined length", "no item"],
)
def test_an_icon_whose_fragments_lead_astray_is_damaged(tmp_path: Path, changed: bytes, sentence: str) -> None:
    raw = with_icon(tmp_path / "a.dcm", b"icon bytes")
    honest = b"\xfe\xff\x00\xe0\x0a\x00\x00\x00icon bytes"
    assert raw.count(honest) == 1
    (tmp_path / "a.dcm").write_bytes(raw.replace(honest, changed + b"icon bytes"))
    with pytest.raises(ReadError, match=sentence):
        read_header(str(tmp_path / "a.dcm"))


def test_a_sequence_in_place_of_the_pixels_of_an_icon_is_walked_as_one(tmp_path: Path) -> None:
    icon = Dataset()
    icon.ContentSequence = Sequence([nested(MAX_NESTING)])
    icon["ContentSequence"].is_undefined_length = True
    ds = ct_slice(asymmetric()[0], (0, 0, 0))
    ds.IconImageSequence = Sequence([icon])
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    raw = (tmp_path / "a.dcm").read_bytes()
    as_pixels = raw.replace(b"\x40\x00\x30\xa7SQ\x00\x00\xff\xff\xff\xff", b"\xe0\x7f\x10\x00SQ\x00\x00\xff\xff\xff\xff")
    assert as_pixels != raw
    (tmp_path / "a.dcm").write_bytes(as_pixels)
    with pytest.raises(RefusedError, match="nests more than 64 sequences"):
        read_header(str(tmp_path / "a.dcm"))


@pytest.mark.data
def test_media_with_wrong_directories_are_read_by_their_files(test_data: Path, tmp_path: Path) -> None:
    (folder,) = (test_data / "pydicom-testfiles").rglob("dicomdirtests")
    found = scan(folder, Inline())
    assert found.ignored["DICOMDIR"] == 8
    assert found.damaged == ()
    assert found.dicom > 80
    assert scan(folder / "DICOMDIR", Inline()).dicom == found.dicom
    # The directory alone leads nowhere, whatever it points at.
    shutil.copy(folder / "DICOMDIR", tmp_path / "DICOMDIR")
    assert scan(tmp_path, Inline()).series == ()


@pytest.mark.data
@pytest.mark.parametrize(
    "name", ["badVR.dcm", "UN_sequence.dcm", "priv_SQ.dcm", "nested_priv_SQ.dcm", "no_meta_group_length.dcm"]
)
def test_odd_structure_brings_nothing_down(test_data: Path, name: str) -> None:
    (path,) = (test_data / "pydicom-testfiles").rglob(name)
    assert look_at(str(path))


def test_an_identifier_that_looks_like_a_path_builds_none(tmp_path: Path) -> None:
    def evil(k: int, ds: FileDataset) -> None:
        ds.SeriesInstanceUID = "../../../evil"

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_ct(tmp_path / "study", change=evil)
    before = sorted(tmp_path.rglob("*"))
    load_volume(tmp_path / "study", None, Inline())
    assert sorted(tmp_path.rglob("*")) == before
