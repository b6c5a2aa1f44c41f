"""What the headers of a series say that nothing is computed from: words for a person who looks at the pictures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Headings:
    """Facts about the images of a series; empty or None where the files do not say, or do not agree.

    Attributes
    ----------
    birth_date, sex : str
        Of the patient, as in the files: ``19580312``, ``F``.
    acquired : str
        When the first of the images was acquired, else when the series was: ``HHMMSS``.
    thickness_mm : float or None
        How thick the slices are, which is not how far apart.
    technique : tuple of str
        How the images were made, in words with units: ``120 kV``, ``TR 500 ms``.
    lossy : bool or None
        Whether pixels were changed by compression at any time; None where the files do not say.
    lossy_ratio : float or None
        How much smaller compression made them.
    """

    birth_date: str = ""
    sex: str = ""
    acquired: str = ""
    thickness_mm: float | None = None
    technique: tuple[str, ...] = ()
    lossy: bool | None = None
    lossy_ratio: float | None = None
