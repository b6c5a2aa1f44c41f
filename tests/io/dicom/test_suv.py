"""Standardised uptake: right to the last digit, or not offered and why (row 51 of the table of known failures)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import FileDataset

from medview.core.job import Inline
from medview.core.suv import SuvKind, lean_mass_james_kg, lean_mass_janmahasatian_kg, surface_area_m2
from medview.io.load import LoadedVolume, load_volume
from tests.helpers.dicom_series import asymmetric, write_ct
from tests.helpers.pet import DOSE_BQ, HALF_LIFE_S, WAITED_S, WEIGHT_KG, drug_of, make_pet

Change = Callable[[FileDataset], None]

DECAYED_BQ = DOSE_BQ * 0.5 ** (WAITED_S / HALF_LIFE_S)


def pet(folder: Path, change: Change | None = None, *, only_k: int | None = None) -> LoadedVolume:
    def made(k: int, ds: FileDataset) -> None:
        make_pet(ds)
        if change is not None and only_k in (None, k):
            change(ds)

    write_ct(folder, asymmetric((3, 10, 13)), change=made)
    return load_volume(folder, None, Inline())


def test_values_stay_becquerel_and_body_weight_uptake_is_one_factor_away(tmp_path: Path) -> None:
    volume = pet(tmp_path).volume
    assert volume.unit == "Bq/mL"
    np.testing.assert_allclose(volume.values(), asymmetric((3, 10, 13)) * 2.5, rtol=1e-6)
    assert volume.suv is not None
    factor = volume.suv.factor(SuvKind.BODY_WEIGHT)
    assert factor == pytest.approx(WEIGHT_KG * 1000.0 / DECAYED_BQ, rel=1e-9)
    # The activity all of the dose would have, spread evenly over the body, is an uptake of one.
    assert factor is not None
    assert DECAYED_BQ / (WEIGHT_KG * 1000.0) * factor == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("male", [True, False])
def test_lean_mass_and_surface_follow_their_formulae(tmp_path: Path, male: bool) -> None:
    def sex(ds: FileDataset) -> None:
        ds.PatientSex = "M" if male else "F"

    suv = pet(tmp_path, sex).volume.suv
    assert suv is not None
    james = 1.10 * 80 - 128 * (80 / 175) ** 2 if male else 1.07 * 80 - 148 * (80 / 175) ** 2
    bmi = 80 / 1.75**2
    janma = 9270 * 80 / (6680 + 216 * bmi) if male else 9270 * 80 / (8780 + 244 * bmi)
    surface_cm2 = 71.84 * 80**0.425 * 175**0.725
    assert suv.factor(SuvKind.LEAN_MASS) == pytest.approx(james * 1000 / DECAYED_BQ, rel=1e-9)
    assert suv.factor(SuvKind.LEAN_MASS_JANMA) == pytest.approx(janma * 1000 / DECAYED_BQ, rel=1e-9)
    assert suv.factor(SuvKind.SURFACE_AREA) == pytest.approx(surface_cm2 / DECAYED_BQ, rel=1e-9)


def test_formulae_agree_with_published_examples() -> None:
    # 70 kg, 1.70 m: worked through by hand from the papers' coefficients.
    assert lean_mass_james_kg(70, 1.70, male=True) == pytest.approx(55.2976, abs=1e-3)
    assert lean_mass_janmahasatian_kg(70, 1.70, male=False) == pytest.approx(44.1728, abs=1e-3)
    assert surface_area_m2(70, 1.70) == pytest.approx(1.8097, abs=1e-3)


def test_a_dose_given_for_the_moment_of_injection_is_not_decayed(tmp_path: Path) -> None:
    def admin(ds: FileDataset) -> None:
        ds.DecayCorrection = "ADMIN"

    suv = pet(tmp_path, admin).volume.suv
    assert suv is not None
    assert suv.factor(SuvKind.BODY_WEIGHT) == pytest.approx(WEIGHT_KG * 1000.0 / DOSE_BQ, rel=1e-9)


def test_an_injection_before_midnight_belongs_to_the_day_before(tmp_path: Path) -> None:
    def late(ds: FileDataset) -> None:
        ds.SeriesTime = ds.AcquisitionTime = "003000"
        drug_of(ds).RadiopharmaceuticalStartTime = "233000"

    suv = pet(tmp_path, late).volume.suv
    assert suv is not None
    assert suv.factor(SuvKind.BODY_WEIGHT) == pytest.approx(WEIGHT_KG * 1000.0 / DECAYED_BQ, rel=1e-9)


def test_a_full_date_of_injection_wins_over_the_time_alone(tmp_path: Path) -> None:
    def dated(ds: FileDataset) -> None:
        drug_of(ds).RadiopharmaceuticalStartDateTime = "20260301120000.000000+0100"
        drug_of(ds).RadiopharmaceuticalStartTime = "090000"

    suv = pet(tmp_path, dated).volume.suv
    assert suv is not None
    assert suv.factor(SuvKind.BODY_WEIGHT) == pytest.approx(WEIGHT_KG * 1000.0 / DECAYED_BQ, rel=1e-9)


def test_a_series_processed_later_takes_the_scan_start_its_scanner_wrote(tmp_path: Path) -> None:
    def processed(ds: FileDataset) -> None:
        ds.SeriesTime = "170000"
        block = ds.private_block(0x0009, "GEMS_PETD_01", create=True)
        block.add_new(0x0D, "DT", "20260301130000.00")

    suv = pet(tmp_path, processed).volume.suv
    assert suv is not None
    assert suv.factor(SuvKind.BODY_WEIGHT) == pytest.approx(WEIGHT_KG * 1000.0 / DECAYED_BQ, rel=1e-9)


def _set(**values: object) -> Change:
    def change(ds: FileDataset) -> None:
        for keyword, value in values.items():
            setattr(ds, keyword, value)

    return change


def _drug(**values: object) -> Change:
    def change(ds: FileDataset) -> None:
        for keyword, value in values.items():
            setattr(drug_of(ds), keyword, value)

    return change


def _without(keyword: str) -> Change:
    def change(ds: FileDataset) -> None:
        delattr(ds, keyword)

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_set(Units="PROPCNTS"), "the values are in PROPCNTS, not in Bq/mL"),
        (_set(Units="CNTS"), "the values are counts"),
        (_set(Units=""), "states no unit"),
        (_set(CorrectedImage=["DECY"]), "not corrected for attenuation"),
        (_set(CorrectedImage=["ATTN"]), "not corrected for decay"),
        (_set(DecayCorrection="NONE"), "to which moment decay was corrected"),
        (_without("PatientWeight"), "does not state the patient's weight"),
        (_set(PatientWeight="0"), "the patient's weight of 0 kg is not believable"),
        (_set(PatientWeight="80000"), "not believable"),
        (_without("RadiopharmaceuticalInformationSequence"), "nothing about the injection"),
        (_drug(RadionuclideTotalDose="0"), "the injected dose of 0 Bq"),
        (_drug(RadionuclideTotalDose="370"), "the injected dose of 370 Bq is not believable"),
        (_drug(RadionuclideTotalDose=""), "does not state the injected dose"),
        (_drug(RadionuclideHalfLife=""), "states no half-life"),
        (_drug(RadionuclideHalfLife="-1"), "states no half-life"),
        (_drug(RadiopharmaceuticalStartTime=""), "when the injection was given"),
        (_drug(RadiopharmaceuticalStartDateTime="20260226120000"), "does not follow the injection within a day"),
        (_set(SeriesTime="170000"), "later than that of its images"),
        (_without("SeriesTime"), "does not say when the scan began"),
    ],
)
def test_uptake_with_an_input_missing_or_unbelievable_is_not_offered_and_says_why(
    tmp_path: Path, change: Change, why: str
) -> None:
    loaded = pet(tmp_path, change)
    assert loaded.volume.suv is not None
    assert loaded.volume.suv.factors == ()
    (reason,) = (r for r in loaded.entry.reasons if r.code == "SUV_UNAVAILABLE")
    assert reason.text.startswith("SUV is not offered: ")
    assert why in reason.text


def test_slices_that_disagree_about_the_dose_offer_no_uptake(tmp_path: Path) -> None:
    loaded = pet(tmp_path, _drug(RadionuclideTotalDose="3.8e8"), only_k=1)
    assert loaded.volume.suv is not None
    assert loaded.volume.suv.factors == ()
    assert "disagree" in loaded.volume.suv.problem


@pytest.mark.parametrize("change", [_without("PatientSize"), _set(PatientSize="175")])
def test_without_a_believable_height_only_body_weight_is_offered(tmp_path: Path, change: Change) -> None:
    suv = pet(tmp_path, change).volume.suv
    assert suv is not None
    assert [kind for kind, _ in suv.factors] == [SuvKind.BODY_WEIGHT]
    assert "lean body mass and body surface are left out" in suv.missing


def test_without_the_sex_there_is_no_lean_mass(tmp_path: Path) -> None:
    suv = pet(tmp_path, _set(PatientSex="O")).volume.suv
    assert suv is not None
    assert {kind for kind, _ in suv.factors} == {SuvKind.BODY_WEIGHT, SuvKind.SURFACE_AREA}


def test_counts_with_the_factor_of_their_scanner_are_uptake_by_body_weight(tmp_path: Path) -> None:
    def philips(ds: FileDataset) -> None:
        ds.Units = "CNTS"
        ds.private_block(0x7053, "Philips PET Private Group", create=True).add_new(0x00, "DS", "0.000512")

    volume = pet(tmp_path, philips).volume
    assert volume.suv is not None
    assert volume.suv.factors == ((SuvKind.BODY_WEIGHT, 0.000512),)


def test_values_that_are_uptake_already_say_so(tmp_path: Path) -> None:
    volume = pet(tmp_path, _set(Units="GML")).volume
    assert (volume.unit, volume.suv) == ("SUV", None)


def test_other_modalities_know_nothing_of_uptake(tmp_path: Path) -> None:
    write_ct(tmp_path)
    loaded = load_volume(tmp_path, None, Inline())
    assert loaded.volume.suv is None
    assert loaded.entry.reasons == ()
