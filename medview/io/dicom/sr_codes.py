"""The codes of structured reports, and the numbers they stand for.

Quantities of a volume (Hounsfield units, uptake, signal) are coded as TID 300 asks: what was measured, and the derivation
(mean, standard deviation, minimum, maximum) as its modifier. What no public dictionary holds is in a scheme of our own.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

OWN_SCHEME = "99MEDVIEW"
OWN_SCHEME_NAME = "MedView"

LENGTH = Code("410668003", "SCT", "Length")
LONG_AXIS = Code("103339001", "SCT", "Long axis")
SHORT_AXIS = Code("103340004", "SCT", "Short axis")
ANGLE = Code("1483009", "SCT", "Angle")
COBB_ANGLE = Code("285285000", "SCT", "Cobb angle")
AREA = Code("42798000", "SCT", "Area")
MEAN = Code("373098007", "SCT", "Mean")
DEVIATION = Code("386136009", "SCT", "Standard Deviation")
MINIMUM = Code("255605001", "SCT", "Minimum")
MAXIMUM = Code("56851009", "SCT", "Maximum")
ATTENUATION = Code("112031", "DCM", "Attenuation Coefficient")
MR_SIGNAL = Code("110852", "DCM", "MR signal intensity")
UPTAKE = Code("126400", "DCM", "Standardized Uptake Value")
UPTAKE_BODY_WEIGHT = Code("126401", "DCM", "SUVbw")
ACTIVITY = Code("ACTIVITY", OWN_SCHEME, "Activity concentration")
PIXEL_VALUE = Code("VALUE", OWN_SCHEME, "Pixel value")
PIXEL_COUNT = Code("PIXELS", OWN_SCHEME, "Number of pixels")
LABEL = Code("LABEL", OWN_SCHEME, "Label")

FINDING = codes.DCM.Finding
COMMENT = codes.DCM.Comment
MEASUREMENT_GROUP = codes.DCM.MeasurementGroup
IMAGING_MEASUREMENTS = codes.DCM.ImagingMeasurements

NO_UNIT = Code("1", "UCUM", "no units")
PIXELS = Code("{pixels}", "UCUM", "pixels")
SQUARE_PIXELS = Code("{square_pixels}", "UCUM", "square pixels")

_SQUARED = "\u00b2"
_SUV_PREFIX = "SUVbw"

_FIGURES = {
    "length": LENGTH,
    "long axis": LONG_AXIS,
    "short axis": SHORT_AXIS,
    "angle": ANGLE,
    "Cobb angle": COBB_ANGLE,
    "area": AREA,
    "voxels": PIXEL_COUNT,
}
_DERIVED = {"mean": MEAN, "SD": DEVIATION, "min": MINIMUM, "max": MAXIMUM}

_UNITS = {
    "mm": codes.UCUM.Millimeter,
    f"mm{_SQUARED}": codes.UCUM.SquareMillimeter,
    "px": PIXELS,
    f"px{_SQUARED}": SQUARE_PIXELS,
    "\u00b0": codes.UCUM.Degree,
    "HU": codes.UCUM.HounsfieldUnit,
    "Bq/mL": codes.UCUM.BecquerelsPerMilliliter,
    "g/mL": codes.UCUM.StandardizedUptakeValueBodyWeight,
    "SUV": Code("g/ml", "UCUM", "g/ml"),
    "counts": Code("{counts}", "UCUM", "counts"),
    "Gy": Code("Gy", "UCUM", "gray"),
    "": NO_UNIT,
}

_OF_UNIT = {"HU": ATTENUATION, "Bq/mL": ACTIVITY, "SUV": UPTAKE}

_OLD = {
    "G-D7FE": LENGTH,
    "G-A185": LONG_AXIS,
    "G-A186": SHORT_AXIS,
    "G-A166": AREA,
    "G-A16A": AREA,
    "R-00317": MEAN,
    "R-10047": DEVIATION,
    "R-404FB": MINIMUM,
    "G-A437": MAXIMUM,
}
"""Codes of the SNOMED-RT that earlier reports use."""

_ALSO = {
    ("110859", "DCM"): ANGLE,
    ("131184002", "SCT"): AREA,
    ("121202", "DCM"): AREA,
    ("113061", "DCM"): DEVIATION,
}
"""Other codes for the same."""

_VALUES = frozenset((c.value, c.scheme_designator) for c in (ATTENUATION, MR_SIGNAL, UPTAKE, ACTIVITY, PIXEL_VALUE))

_READ_UNITS = {
    "mm": ("mm", 1.0),
    "cm": ("mm", 10.0),
    "m": ("mm", 1000.0),
    "um": ("mm", 0.001),
    "mm2": (f"mm{_SQUARED}", 1.0),
    "cm2": (f"mm{_SQUARED}", 100.0),
    "deg": ("\u00b0", 1.0),
    "{pixels}": ("px", 1.0),
    "{square_pixels}": (f"px{_SQUARED}", 1.0),
    "[hnsf'U]": ("HU", 1.0),
    "Bq/ml": ("Bq/mL", 1.0),
    "g/ml{SUVbw}": ("g/mL", 1.0),
    "g/ml": ("SUV", 1.0),
    "{counts}": ("counts", 1.0),
    "Gy": ("Gy", 1.0),
    "1": ("", 1.0),
}


@dataclass(frozen=True, slots=True)
class Stated:
    """One number of a report.

    Attributes
    ----------
    name : str
        As the measurements call it: ``length``, ``long axis``, ``SUVbw mean`` ...
    unit : str
        ``mm``, ``mm at detector``, ``px``, ``HU`` ...; what follows the first space says what the millimetres are true of.
    """

    name: str
    value: float
    unit: str

    @property
    def bare_unit(self) -> str:
        """The unit without what its millimetres are true of."""
        return self.unit.partition(" ")[0]

    @property
    def true_of(self) -> str:
        """What the millimetres are true of, e.g. ``at detector``; empty where they are the patient's."""
        return self.unit.partition(" ")[2]


@dataclass(frozen=True, slots=True)
class Coded:
    """How a number is written: what it is, its derivation where it has one, its unit."""

    concept: Code
    derivation: Code | None
    unit: Code


def coded(stated: Stated, modality: str = "") -> Coded:
    """Return the codes of a number measured on images of a modality."""
    unit = _UNITS.get(stated.bare_unit) or Code("{other}", "UCUM", stated.unit[:64])
    if stated.name in _FIGURES:
        return Coded(_FIGURES[stated.name], None, unit)
    uptake = stated.name.startswith(_SUV_PREFIX)
    derivation = _DERIVED.get(stated.name.removeprefix(_SUV_PREFIX).strip())
    if uptake:
        return Coded(UPTAKE_BODY_WEIGHT, derivation, unit)
    concept = _OF_UNIT.get(stated.bare_unit) or (MR_SIGNAL if modality == "MR" else PIXEL_VALUE)
    return Coded(concept, derivation, unit)


def current(value: str, scheme: str) -> tuple[str, str]:
    """Return a code as today's dictionaries have it: value and scheme."""
    known = _OLD.get(value) if scheme in ("SRT", "SNM3", "99SDM") else _ALSO.get((value, scheme))
    return (known.value, known.scheme_designator) if known is not None else (value, scheme)


def named(concept: tuple[str, str], derivation: tuple[str, str] | None, unit: str, value: float) -> Stated | None:
    """Return what a coded number says, or None when it is nothing MedView measures.

    Parameters
    ----------
    concept, derivation : tuple of str
        Value and scheme.
    unit : str
        UCUM.
    """
    known = _READ_UNITS.get(unit)
    if known is None:
        return None
    own, factor = known
    concept = current(*concept)
    part = _name_of(_DERIVED, current(*derivation)) if derivation is not None else ""
    if part is None:
        return None
    if (name := _name_of(_FIGURES | _DERIVED, concept)) is not None and not part:
        return Stated(name, value * factor, own)
    if concept == (UPTAKE_BODY_WEIGHT.value, UPTAKE_BODY_WEIGHT.scheme_designator):
        return Stated(f"{_SUV_PREFIX} {part}".rstrip(), value * factor, "g/mL")
    return Stated(part or "value", value * factor, own) if concept in _VALUES else None


def _name_of(table: dict[str, Code], code: tuple[str, str]) -> str | None:
    return next((name for name, c in table.items() if (c.value, c.scheme_designator) == code), None)


_PROCEDURES = {
    "CT": codes.LN.CTUnspecifiedBodyRegion,
    "MR": codes.LN.MRIUnspecifiedBodyRegion,
    "PT": codes.LN.PETUnspecifiedBodyRegion,
    "NM": codes.LN.NMUnspecifiedBodyRegion,
    "CR": codes.LN.XRUnspecifiedBodyRegion,
    "DX": codes.LN.XRUnspecifiedBodyRegion,
}


def procedure(modality: str) -> Code:
    """Return which procedure images of a modality come from."""
    found: Code = _PROCEDURES.get(modality, codes.SCT.ImagingProcedure)
    return found
