"""What a PET header says about uptake: every input present and believable, or a reason why there is no SUV.

Nothing is assumed: no half-life from a table, no weight, no unit. Follows the order of checks of the QIBA FDG-PET profile
(2016), appendix G.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pydicom.dataset import Dataset

from medview.core.suv import (
    SuvKind,
    SuvScale,
    lean_mass_james_kg,
    lean_mass_janmahasatian_kg,
    surface_area_m2,
)
from medview.io.dicom.attributes import first_item, number, private_number, text, texts
from medview.io.dicom.moments import moment

GE_PET, PHILIPS_PET = "GEMS_PETD_01", "Philips PET Private Group"

WEIGHT_KG = (0.3, 650.0)
HEIGHT_M = (0.2, 2.8)
DOSE_BQ = (1e4, 1e11)
"""Doses outside were not written in becquerel: 370 is a dose in MBq."""
LONGEST_WAIT_S = 86_400.0
"""From injection to scan; tracers with half-lives of days are scanned the next day at most."""


class _RefusalError(Exception):
    """Why there is no standardised uptake, in one clause."""


def suv_of(dataset: Dataset) -> SuvScale | None:
    """Return the scale of one PET file; None for other modalities and for values that are uptake already."""
    units = text(dataset, "Units").upper()
    if text(dataset, "Modality") != "PT" or units in ("GML", "CM2ML"):
        return None
    try:
        return _scale(dataset, units)
    except _RefusalError as refusal:
        return SuvScale(problem=str(refusal))


def _scale(dataset: Dataset, units: str) -> SuvScale:
    if units == "CNTS":
        stated = private_number(dataset, 0x7053, PHILIPS_PET, 0x00)
        if stated is None or stated <= 0.0:
            raise _RefusalError("the values are counts and the scanner states no factor for them")
        return SuvScale(((SuvKind.BODY_WEIGHT, stated),), missing="the scanner states body weight only")
    if units != "BQML":
        why = f"the values are in {units}, not in Bq/mL" if units else "the header states no unit of the values"
        raise _RefusalError(why)
    corrected = set(texts(dataset, "CorrectedImage"))
    lacking = [name for code, name in (("ATTN", "attenuation"), ("DECY", "decay")) if code not in corrected]
    if lacking:
        raise _RefusalError(f"the values are not corrected for {' and '.join(lacking)}")
    weight_kg = _within(number(dataset, "PatientWeight"), WEIGHT_KG, "the patient's weight", "kg")
    dose_bq = _dose_at_reference(dataset)
    # Bq/mL over Bq/g: one millilitre is taken for one gram, as everywhere.
    found = [(SuvKind.BODY_WEIGHT, weight_kg * 1000.0 / dose_bq)]
    missing = ""
    try:
        height_m = _within(number(dataset, "PatientSize"), HEIGHT_M, "the patient's height", "m")
        found.append((SuvKind.SURFACE_AREA, surface_area_m2(weight_kg, height_m) * 1e4 / dose_bq))
        sex = text(dataset, "PatientSex").upper()
        if sex in ("M", "F"):
            male = sex == "M"
            for kind, mass in (
                (SuvKind.LEAN_MASS, lean_mass_james_kg(weight_kg, height_m, male=male)),
                (SuvKind.LEAN_MASS_JANMA, lean_mass_janmahasatian_kg(weight_kg, height_m, male=male)),
            ):
                if mass > 0.0:
                    found.append((kind, mass * 1000.0 / dose_bq))
        else:
            missing = "lean body mass needs the patient's sex, which the header does not state"
    except _RefusalError as refusal:
        missing = f"lean body mass and body surface are left out: {refusal}"
    return SuvScale(tuple(found), missing=missing)


def _dose_at_reference(dataset: Dataset) -> float:
    """Return the injected activity in Bq at the moment the values are corrected to."""
    drug = first_item(dataset, "RadiopharmaceuticalInformationSequence")
    if drug is None:
        raise _RefusalError("the header says nothing about the injection")
    dose_bq = _within(number(drug, "RadionuclideTotalDose"), DOSE_BQ, "the injected dose", "Bq")
    correction = text(dataset, "DecayCorrection").upper()
    if correction == "ADMIN":
        return dose_bq
    if correction != "START":
        raise _RefusalError("the header does not say to which moment decay was corrected")
    half_life_s = number(drug, "RadionuclideHalfLife")
    if half_life_s is None or half_life_s <= 0.0:
        raise _RefusalError("the header states no half-life")
    begun = _scan_start(dataset)
    injected = _injection(drug, begun)
    waited_s = (begun - injected).total_seconds()
    if not 0.0 <= waited_s <= LONGEST_WAIT_S:
        raise _RefusalError("the scan does not follow the injection within a day, by the times in the header")
    return float(dose_bq * 2.0 ** (-waited_s / half_life_s))


def _scan_start(dataset: Dataset) -> datetime:
    """Return the moment decay is corrected to: the start of the series, unless that was written when it was processed."""
    series = moment(text(dataset, "SeriesDate"), text(dataset, "SeriesTime"))
    acquired = moment(text(dataset, "AcquisitionDate"), text(dataset, "AcquisitionTime"))
    if series is not None and acquired is not None and series <= acquired:
        return series
    general_electric = _private_moment(dataset)
    if general_electric is not None:
        return general_electric
    if series is None or acquired is None:
        raise _RefusalError("the header does not say when the scan began")
    raise _RefusalError("the time of the series is later than that of its images, so the start of the scan is not known")


def _private_moment(dataset: Dataset) -> datetime | None:
    """Return the scan start GE writes beside a series that was processed later, (0009,xx0D)."""
    try:
        value = dataset.private_block(0x0009, GE_PET)[0x0D].value
    except (KeyError, ValueError, TypeError, AttributeError, NotImplementedError):
        return None
    stated = str(value.decode("ascii", "replace") if isinstance(value, bytes) else value).strip()
    return moment(stated[:8], stated[8:])


def _injection(drug: Dataset, begun: datetime) -> datetime:
    stated = text(drug, "RadiopharmaceuticalStartDateTime")
    if stated:
        injected = moment(stated[:8], stated[8:].split("+")[0].split("-")[0])
        if injected is not None:
            return injected
    injected = moment(begun.strftime("%Y%m%d"), text(drug, "RadiopharmaceuticalStartTime"))
    if injected is None:
        raise _RefusalError("the header does not say when the injection was given")
    # A time without a date: an injection later in the day than its scan was given before midnight.
    return injected - timedelta(days=1) if injected > begun else injected


def _within(value: float | None, limits: tuple[float, float], what: str, unit: str) -> float:
    if value is None:
        raise _RefusalError(f"the header does not state {what}")
    if not limits[0] <= value <= limits[1]:
        raise _RefusalError(f"{what} of {value:g} {unit} is not believable")
    return value
