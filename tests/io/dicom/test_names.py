"""Names as they are shown, and names whose character set was declared wrongly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.dataset import FileDataset

from medview.core.job import Inline
from medview.core.study import Series
from medview.io.dicom.header import read_header
from medview.io.dicom.names import AS_DECLARED, CHARSETS, person_name, read_as, reread
from medview.io.dicom.scan import scan
from tests.helpers.dicom_series import asymmetric, ct_slice, write_ct

REAL = {
    "gb18030": "王^小东",
    "big5": "王^小東",
    "cp932": "山田^太郎",
    "euc_jp": "山田^太郎",
    "cp949": "김^희중",
    "iso8859_5": "Люкс^Иван",
    "cp1251": "Люкс^Иван",
    "koi8_r": "Люкс^Иван",
    "cp1253": "Διονυσίου^Άννα",
    "cp1250": "Dvořák^Antonín",
    "cp1254": "Şahin^Işıl",
    "cp1255": "שרון^דבורה",
    "cp1256": "قباني^لنزار",
    "tis_620": "สมชาย^ใจดี",
    "utf_8": "Müller^小東",
}


def write_name(path: Path, stored: bytes, declared: str | list[str] | None) -> str:
    """Write a file with these bytes as the name and return the name as it is read."""
    ds = ct_slice(asymmetric()[0], (0, 0, 0))
    placeholder = "N" * (len(stored) + len(stored) % 2)
    ds.PatientName = placeholder
    if declared is not None:
        ds.SpecificCharacterSet = declared
    ds.save_as(path, enforce_file_format=True)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(placeholder.encode(), stored.ljust(len(placeholder))))
    return read_header(str(path)).patient_name


def test_every_choice_of_the_menu_is_tested() -> None:
    assert {charset.key for charset in CHARSETS} == set(REAL)


@pytest.mark.parametrize("charset", REAL)
@pytest.mark.parametrize("declared", ["ISO_IR 100", None, "ISO_IR 192"])
def test_a_name_that_was_declared_wrongly_reads_right_once_the_person_says_how(
    tmp_path: Path, charset: str, declared: str | None
) -> None:
    name = write_name(tmp_path / "a.dcm", REAL[charset].encode(charset), declared)
    if (charset, declared) == ("utf_8", "ISO_IR 192"):
        assert name == REAL[charset]
    else:
        assert name != REAL[charset]
    assert reread(name, declared or "", charset) == REAL[charset]
    assert reread(name, "", charset) == REAL[charset]
    assert reread(name, declared or "", AS_DECLARED) == name


@pytest.mark.parametrize("declared", ["ISO_IR 101", "ISO_IR 144", "ISO_IR 126", "ISO_IR 148", "ISO_IR 166", "ISO_IR 13"])
def test_a_name_that_was_declared_in_another_script_reads_right_too(tmp_path: Path, declared: str) -> None:
    for charset in ("gb18030", "cp1251"):
        name = write_name(tmp_path / "a.dcm", REAL[charset].encode(charset), declared)
        assert reread(name, declared, charset) == REAL[charset]


def test_a_utf8_name_declared_chinese_reads_right(tmp_path: Path) -> None:
    name = write_name(tmp_path / "a.dcm", "王^小东".encode(), "GB18030")
    assert name != "王^小东"
    assert reread(name, "GB18030", "utf_8") == "王^小东"


def test_letters_that_end_in_a_byte_like_a_space_are_whole(tmp_path: Path) -> None:
    letter = b"\x81\xa0".decode("gb18030")
    name = write_name(tmp_path / "a.dcm", f"王^{letter}".encode("gb18030"), "ISO_IR 100")
    assert reread(name, "ISO_IR 100", "gb18030") == f"王^{letter}"


def test_a_name_that_was_cut_inside_a_letter_loses_that_letter_only() -> None:
    assert reread("王^小东".encode("gb18030")[:-1].decode("latin-1"), "ISO_IR 100", "gb18030") == "王^小"


def test_what_means_nothing_in_a_character_set_stays_as_declared() -> None:
    assert reread("Buc^Jérôme", "ISO_IR 100", "utf_8") == "Buc^Jérôme"
    assert reread("Doe^John", "", "gb18030") == "Doe^John"
    assert reread("", "", "gb18030") == ""


def test_a_series_is_read_anew_for_display_and_is_what_it_was(tmp_path: Path) -> None:
    wrong = "王^小东".encode("gb18030").decode("latin-1")
    series = Series("1.2", "1", "P1", wrong, "CT", "头".encode("gb18030").decode("latin-1"), series_number=3)
    shown = read_as(series, "gb18030")
    assert (shown.patient_name, shown.description, shown.patient_id) == ("王^小东", "头", "P1")
    assert replace(shown, patient_name=wrong, description=series.description) == series
    assert read_as(series, AS_DECLARED) is series


def test_two_patients_whose_names_cannot_be_read_as_declared_keep_two_names(tmp_path: Path) -> None:
    for number, name in enumerate(("王^小东", "李^大明"), start=1):
        stored = name.encode("gb18030")

        def patient(k: int, ds: FileDataset, stored: bytes = stored) -> None:
            ds.PatientID, ds.PatientName = "", "N" * len(stored)
            ds.SpecificCharacterSet = "ISO_IR 192"

        write_ct(tmp_path / str(number), series=f"2.25.{number}", change=patient)
        for file in (tmp_path / str(number)).iterdir():
            file.write_bytes(file.read_bytes().replace(b"N" * len(stored), stored))
    names = [series.patient_name for series in scan(tmp_path, Inline()).series]
    assert len(set(names)) == 2
    assert {reread(name, "ISO_IR 192", "gb18030") for name in names} == {"王^小东", "李^大明"}


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("Doe^John", "Doe, John"),
        ("Doe^John^Quentin^Dr.^III", "Doe, John Quentin"),
        ("Yamada^Tarou=山田^太郎", "Yamada, Tarou"),
        ("=山田^太郎", "山田, 太郎"),
        ("ANONYMOUS", "ANONYMOUS"),
        ("^^^", ""),
        ("", ""),
    ],
)
def test_person_names_read_like_names(stored: str, read: str) -> None:
    assert person_name(stored) == read
