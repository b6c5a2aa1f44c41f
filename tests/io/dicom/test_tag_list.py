"""All attributes of a file as rows: nested, private, long, binary, broken."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from medview.core.errors import ReadError
from medview.io.dicom.tag_list import MOST_LETTERS, MOST_ROWS, TagList, TagRow, list_tags
from medview.io.reader_pool import ReaderPool
from tests.helpers.dicom_series import asymmetric, write_ct
from tests.helpers.enhanced import enhanced_ct


@pytest.fixture
def slice_file(tmp_path: Path) -> Path:
    write_ct(tmp_path / "ct", asymmetric())
    return sorted((tmp_path / "ct").iterdir())[0]


def with_more(path: Path, **values: object) -> Dataset:
    ds = pydicom.dcmread(path)
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def row(tags: TagList, name: str) -> TagRow:
    return next(r for r in tags.rows if name in (r.name, r.keyword, r.tag))


def test_attributes_have_tag_keyword_name_and_value_and_the_meta_information_comes_first(slice_file: Path) -> None:
    tags = list_tags(str(slice_file))
    assert tags.rows[0].tag.startswith("(0002,")
    assert row(tags, "PatientName") == TagRow(0, "(0010,0010)", "PatientName", "Patient's Name", "PN", "Phantom^One")
    assert row(tags, "PixelSpacing").value == "0.6\\0.9"
    assert tags.file == slice_file.name
    assert tags.note == ""


def test_pixels_are_counted_and_never_read(slice_file: Path) -> None:
    pixels = list_tags(str(slice_file)).rows[-1]
    assert (pixels.tag, pixels.value) == ("(7FE0,0010)", f"binary, {10 * 13 * 2} bytes")


def test_sequences_hold_their_items_and_items_their_attributes(slice_file: Path) -> None:
    inner, outer = Dataset(), Dataset()
    inner.CodeValue, inner.CodeMeaning = "T-28000", "Lung"
    outer.AnatomicRegionSequence = Sequence([inner])
    with_more(slice_file, ReferencedStudySequence=Sequence([outer, Dataset()])).save_as(slice_file)
    rows = list_tags(str(slice_file)).rows
    at = next(n for n, r in enumerate(rows) if r.keyword == "ReferencedStudySequence")
    assert [(r.depth, r.name, r.value) for r in rows[at : at + 7]] == [
        (0, "Referenced Study Sequence", "2 items"),
        (1, "Item 1", ""),
        (2, "Anatomic Region Sequence", "1 item"),
        (3, "Item 1", ""),
        (4, "Code Value", "T-28000"),
        (4, "Code Meaning", "Lung"),
        (1, "Item 2", ""),
    ]


def test_private_attributes_name_their_creator(slice_file: Path) -> None:
    ds = pydicom.dcmread(slice_file)
    block = ds.private_block(0x0019, "ACME 1.0", create=True)
    block.add_new(0x01, "LO", "secret sauce")
    block.add_new(0x02, "UN", b"\x00\x01\x02\xff")
    block.add_new(0x03, "UN", b"plain text")
    known = ds.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    known.add_new(0x0C, "IS", "1000")
    ds.save_as(slice_file)
    tags = list_tags(str(slice_file))
    assert [r.value for r in tags.rows if r.name == "Private creator"] == ["ACME 1.0", "SIEMENS MR HEADER"]
    assert [r.value for r in tags.rows if r.name == "ACME 1.0: private"] == [
        "secret sauce",
        "binary, 4 bytes",
        "plain text",
    ]
    assert row(tags, "SIEMENS MR HEADER: B_value").value == "1000"


def test_long_values_are_shortened_and_say_so(slice_file: Path) -> None:
    with_more(slice_file, ImageComments="x" * 5000, LossyImageCompressionRatio=["1.5"] * 3000).save_as(slice_file)
    tags = list_tags(str(slice_file))
    comment, ratios = row(tags, "ImageComments"), row(tags, "LossyImageCompressionRatio")
    assert len(comment.value) == MOST_LETTERS + 2
    assert comment.shortened
    assert ratios.vr == "DS"
    assert ratios.value.startswith("1.5\\1.5")
    assert ratios.value.endswith("(3000 values)")
    assert not row(tags, "PatientID").shortened


def test_of_many_frames_only_the_item_of_this_one_is_listed(tmp_path: Path) -> None:
    stored = asymmetric()
    positions = [(1.0, 2.0, 5.0 * k) for k in range(len(stored))]
    ds = enhanced_ct(stored, positions, [(1.0, 0.0, 0.0, 0.0, 1.0, 0.0)] * len(stored))
    ds.save_as(tmp_path / "enhanced.dcm", enforce_file_format=True)
    tags = list_tags(str(tmp_path / "enhanced.dcm"), 4)
    at = next(n for n, r in enumerate(tags.rows) if r.keyword == "PerFrameFunctionalGroupsSequence")
    assert tags.rows[at].value == "7 items; only that of this image is listed"
    assert [r.name for r in tags.rows[at:] if r.depth == 1 and r.name.startswith("Item")] == ["Item 5"]
    positions = [r.value for r in tags.rows if r.keyword == "ImagePositionPatient"]
    expected = ds.PerFrameFunctionalGroupsSequence[4].PlanePositionSequence[0].ImagePositionPatient
    assert positions == ["\\".join(str(v) for v in expected)]


def test_a_list_without_end_is_cut_and_says_so(slice_file: Path) -> None:
    item = Dataset()
    item.CodeValue = "1"
    with_more(slice_file, ReferencedStudySequence=Sequence([item] * MOST_ROWS)).save_as(slice_file)
    tags = list_tags(str(slice_file))
    assert len(tags.rows) == MOST_ROWS
    assert tags.note == "Only the first 20000 attributes are listed."


def test_one_value_that_cannot_be_read_hides_no_other(slice_file: Path) -> None:
    raw = slice_file.read_bytes()
    # Four bytes of text where a number of two should stand.
    slice_file.write_bytes(raw.replace(b"\x28\x00\x00\x01US\x02\x00\x10\x00", b"\x28\x00\x00\x01FD\x02\x00\x10\x00"))
    tags = list_tags(str(slice_file))
    assert row(tags, "BitsAllocated").value.startswith("cannot be read")
    assert row(tags, "PatientID").value == "P1"


def test_a_file_that_is_no_dicom_or_gone_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear colleague, this is no image at all.")
    for name in ("letter.txt", "gone.dcm"):
        with pytest.raises(ReadError) as error:
            list_tags(str(tmp_path / name))
        assert name in error.value.sentence


def test_the_list_travels_from_a_reader_process(slice_file: Path) -> None:
    pool = ReaderPool(1)
    try:
        assert pool.call(list_tags, str(slice_file), 0) == list_tags(str(slice_file))
    finally:
        pool.close()


@pytest.mark.data
@pytest.mark.parametrize(
    "name",
    [
        "nested_priv_SQ.dcm",
        "priv_SQ.dcm",
        "rtplan.dcm",
        "chrH31.dcm",
        "JPEG2000.dcm",
        "image_dfl.dcm",
        "MR_small_bigendian.dcm",
    ],
)
def test_real_files_are_listed_whole(test_data: Path, name: str) -> None:
    path = next((test_data / "pydicom-testfiles").rglob(name), None)
    if path is None:
        pytest.skip(f"{name} is not among the real studies")
    tags = list_tags(str(path))
    truth = list(pydicom.dcmread(path, force=True).keys())
    listed = {r.tag for r in tags.rows if r.depth == 0}
    assert listed >= {f"({t.group:04X},{t.element:04X})" for t in truth if t.group < 0x7FE0}
    assert not any(r.value.startswith("cannot be read") for r in tags.rows)
