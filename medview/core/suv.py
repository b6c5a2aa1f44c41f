"""Standardised uptake values: activity concentration over injected activity per body measure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class SuvKind(Enum):
    """What uptake is related to. Values are the terms of SUV Type (0054,1006)."""

    BODY_WEIGHT = "BW"
    LEAN_MASS = "LBMJAMES128"
    """Lean body mass by James with the factor 128."""
    LEAN_MASS_JANMA = "LBMJANMA"
    """Lean body mass by Janmahasatian."""
    SURFACE_AREA = "BSA"
    """Body surface by Du Bois."""

    @property
    def title(self) -> str:
        """How the value is named beside a number."""
        return {"BW": "SUVbw", "LBMJAMES128": "SUVlbm", "LBMJANMA": "SUVlbm (Janmahasatian)", "BSA": "SUVbsa"}[self.value]

    @property
    def unit(self) -> str:
        """Unit of the number."""
        return "cm\u00b2/mL" if self is SuvKind.SURFACE_AREA else "g/mL"


@dataclass(frozen=True, slots=True)
class SuvScale:
    """Factors from the values of a PET volume (Bq/mL) to standardised uptake.

    Attributes
    ----------
    factors : tuple of (SuvKind, float)
        ``SUV = value * factor``; kinds whose inputs are missing are left out.
    problem : str
        Why there is none, in one clause; empty where there is at least body weight.
    missing : str
        Why some kinds are left out, or empty.
    """

    factors: tuple[tuple[SuvKind, float], ...] = ()
    problem: str = ""
    missing: str = ""

    def factor(self, kind: SuvKind) -> float | None:
        """Return the factor of a kind, or None when its inputs are not all there."""
        return dict(self.factors).get(kind)


def lean_mass_james_kg(weight_kg: float, height_m: float, *, male: bool) -> float:
    """Return lean body mass by James (1976) in kg, with 128 and 148 (PS3.16, 126405)."""
    height_cm = height_m * 100.0
    linear, quadratic = (1.10, 128.0) if male else (1.07, 148.0)
    return linear * weight_kg - quadratic * (weight_kg / height_cm) ** 2


def lean_mass_janmahasatian_kg(weight_kg: float, height_m: float, *, male: bool) -> float:
    """Return lean body mass by Janmahasatian et al. (2005) in kg."""
    body_mass_index = weight_kg / height_m**2
    base, slope = (6680.0, 216.0) if male else (8780.0, 244.0)
    return 9270.0 * weight_kg / (base + slope * body_mass_index)


def surface_area_m2(weight_kg: float, height_m: float) -> float:
    """Return body surface by Du Bois and Du Bois (1916) in square metres."""
    return float(0.007184 * weight_kg**0.425 * (height_m * 100.0) ** 0.725)
