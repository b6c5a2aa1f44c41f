"""What is said about the values of a series: rows 47, 49 and 78 of the table of known failures."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import FileDataset

from medview.core.job import Inline
from medview.core.study import VolumeEntry
from medview.io.dicom.reasons import Code, ReasonKind, kind_of_reason
from medview.io.dicom.scan import scan
from tests.helpers.dicom_series import write_ct


def entries(path: Path) -> list[VolumeEntry]:
    return [entry for series in scan(path, Inline()).series for entry in series.volumes]


def codes(entry: VolumeEntry) -> set[str]:
    return {reason.code for reason in entry.reasons}


def test_a_private_second_scaling_is_told_and_the_standard_one_is_used(tmp_path: Path) -> None:
    def philips(k: int, ds: FileDataset) -> None:
        ds.Modality = "MR"
        ds.private_block(0x2005, "Philips MR Imaging DD 001", create=True).add_new(0x0E, "FL", 0.0025)

    write_ct(tmp_path, change=philips)
    (entry,) = entries(tmp_path)
    assert codes(entry) == {"PRIVATE_SCALING"}
    assert entry.rescale.intercept == -1024.0
    assert kind_of_reason("PRIVATE_SCALING") is ReasonKind.FOUND


@pytest.mark.data
def test_real_enhanced_philips_series_tell_their_second_scaling(test_data: Path) -> None:
    folder = test_data / "mr-enhanced" / "tests" / "data" / "philips_enhanced"
    found = [entry for kind in ("fmri", "dti") for entry in entries(folder / kind / "001")]
    assert found
    assert all("PRIVATE_SCALING" in codes(entry) for entry in found)


def test_scaling_that_differs_per_slice_is_told(tmp_path: Path) -> None:
    def varies(k: int, ds: FileDataset) -> None:
        ds.RescaleSlope = str(1 + k / 8)

    write_ct(tmp_path, change=varies)
    (entry,) = entries(tmp_path)
    assert codes(entry) == {"SCALING_VARIES"}


def test_a_misspelt_character_set_is_told_as_an_assumption(tmp_path: Path) -> None:
    def misspelt(k: int, ds: FileDataset) -> None:
        ds.SpecificCharacterSet = "ISO_IR 192"

    write_ct(tmp_path, change=misspelt)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes().replace(b"ISO_IR 192", b"ISO_IR_192"))
    (entry,) = entries(tmp_path)
    assert codes(entry) == {"CHARSET_MISSPELT"}
    assert kind_of_reason("CHARSET_MISSPELT") is ReasonKind.ASSUMED


def test_every_code_is_found_assumed_or_wrong_and_a_sound_series_has_none(tmp_path: Path) -> None:
    kinds = {code: kind_of_reason(code) for code in Code}
    assert set(kinds.values()) == set(ReasonKind)
    write_ct(tmp_path)
    (entry,) = entries(tmp_path)
    assert entry.reasons == ()
