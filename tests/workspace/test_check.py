from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset

from medview.core.job import Inline
from medview.core.study import Reason, Series, VolumeEntry
from medview.io.dicom.reasons import Code, ReasonKind
from medview.io.dicom.scan import scan
from medview.workspace.check import Finding, check, notable, of_kind, why_no_volume
from tests.helpers.dicom_series import asymmetric, write_ct
from tests.helpers.pet import make_pet


def series_of(folder: Path) -> tuple[Series, VolumeEntry]:
    (series,) = scan(folder, Inline()).series
    return series, series.volumes[0]


def texts(findings: tuple[Finding, ...], kind: ReasonKind) -> list[str]:
    return [finding.text for finding in of_kind(findings, kind)]


def test_a_sound_series_has_findings_and_nothing_assumed_or_wrong(tmp_path: Path) -> None:
    # Noise of a micrometre is no finding.
    noise = np.random.default_rng(0).uniform(-1e-3, 1e-3, 7)

    def rounded(k: int, ds: FileDataset) -> None:
        x, y, z = ds.ImagePositionPatient
        ds.ImagePositionPatient = [x, y, float(z) + float(noise[k])]

    write_ct(tmp_path, axes=np.eye(3), change=rounded)
    found = check(*series_of(tmp_path))
    assert texts(found, ReasonKind.ASSUMED) == texts(found, ReasonKind.WRONG) == []
    assert notable(series_of(tmp_path)[1]) == 0
    said = texts(found, ReasonKind.FOUND)
    assert said[0] == "7 CT images of 13 \u00d7 10 pixels."
    assert said[1].startswith("Voxels of 0.9 \u00d7 0.6 \u00d7 5 mm; columns run to L, rows to P, slices to H")
    assert "A pixel measures 0.9 \u00d7 0.6 mm in the patient (PixelSpacing)." in said
    assert "Values are in HU: stored \u2212 1024." in said
    assert said[-1] == "Stored as Explicit VR Little Endian."


def test_a_missing_slice_is_wrong_and_the_gap_is_named(tmp_path: Path) -> None:
    write_ct(tmp_path, leave_out=[3])
    (wrong,) = texts(check(*series_of(tmp_path)), ReasonKind.WRONG)
    assert "1 slice is missing between slices 3 and 4" in wrong


def test_slices_that_could_not_be_decoded_replace_the_count_of_the_scan(tmp_path: Path) -> None:
    write_ct(tmp_path)
    bad = tmp_path / "0002.dcm"
    bad.write_bytes(bad.read_bytes()[:-60])
    series, entry = series_of(tmp_path)
    before = texts(check(series, entry), ReasonKind.WRONG)
    after = texts(check(series, entry, ["Slice 3: it ends early."]), ReasonKind.WRONG)
    assert before == ["1 slice is damaged; the others are shown."]
    assert after == ["Slice 3: it ends early."]


def test_a_pet_says_which_uptake_it_offers(tmp_path: Path) -> None:
    write_ct(tmp_path, asymmetric((3, 10, 13)), change=lambda k, ds: make_pet(ds))
    said = " ".join(texts(check(*series_of(tmp_path)), ReasonKind.FOUND))
    assert "Standardised uptake is offered: SUVbw, SUVbsa, SUVlbm, SUVlbm (Janmahasatian)." in said
    assert "Values are in Bq/mL: stored \u00d7 2.5." in said


def test_a_picture_without_millimetres_says_that_lengths_are_in_pixels(tmp_path: Path) -> None:
    def flat(k: int, ds: FileDataset) -> None:
        del ds.PixelSpacing, ds.ImagePositionPatient

    write_ct(tmp_path, asymmetric((1, 10, 13)), change=flat)
    found = check(*series_of(tmp_path))
    assert "Lengths are in pixels." in texts(found, ReasonKind.FOUND)
    assert any("no pixel size" in text for text in texts(found, ReasonKind.WRONG))


def test_what_keeps_a_series_from_being_a_volume_is_told_whatever_else_is_known_about_it(tmp_path: Path) -> None:
    write_ct(tmp_path)
    _, entry = series_of(tmp_path)
    beside = Reason(Code.ULTRASOUND_REGIONS, "Millimetres hold inside regions.")
    cause = Reason(Code.NO_POSITION, "The images state no position.")
    assert why_no_volume(replace(entry, reasons=(beside, cause))) == "The images state no position."
    assert why_no_volume(replace(entry, reasons=(beside,))) == "Millimetres hold inside regions."
    assert why_no_volume(replace(entry, reasons=())) == "The distance between its slices is not known."
