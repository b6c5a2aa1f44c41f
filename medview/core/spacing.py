"""Where the size of a pixel comes from, and what a distance across pixels may be called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class SpacingSource(Enum):
    """What the millimetres between pixels are true of. The value is the word of the command line's JSON."""

    PATIENT = "patient"
    """The patient: a cross-section, or a projection whose PixelSpacing nothing casts doubt on."""
    CALIBRATED = "calibrated"
    """The patient, by an object of known size in the picture (PS3.3 10.7.1.3)."""
    DETECTOR = "detector"
    """The front of the detector; what lies before it is smaller (ImagerPixelSpacing)."""
    ESTIMATED = "estimated"
    """The patient, by a magnification that the equipment estimated."""
    FILM = "film"
    """The film that was scanned."""
    ULTRASOUND_REGION = "ultrasound region"
    """The regions of an ultrasound picture, each with its own scale."""
    FILE = "file"
    """What the header of a NIfTI or NRRD file says."""
    NONE = "none"
    """Nothing: distances are counted in pixels."""


_NOTES = {
    SpacingSource.CALIBRATED: "calibrated",
    SpacingSource.DETECTOR: "at detector",
    SpacingSource.ESTIMATED: "estimated",
    SpacingSource.FILM: "on film",
}

NO_SPACING = "the images state no pixel size"
OUTSIDE_REGIONS = "it leaves the region whose scale is known"
ACROSS_STACK = "the distance between slices is not known"


@dataclass(frozen=True, slots=True)
class UltrasoundRegion:
    """A rectangle of an ultrasound picture with a scale of its own (PS3.3 C.8.5.5).

    Attributes
    ----------
    min_ji, max_ji : tuple of int
        First and last row and column, both inside.
    spacing_ji_mm : tuple of float or None
        None where the axes do not both measure length (M-mode, Doppler).
    """

    min_ji: tuple[int, int]
    max_ji: tuple[int, int]
    spacing_ji_mm: tuple[float, float] | None

    def holds(self, row: float, column: float) -> bool:
        """Whether a position, integers being pixel centres, lies inside."""
        (top, left), (bottom, right) = self.min_ji, self.max_ji
        return top - 0.5 <= row <= bottom + 0.5 and left - 0.5 <= column <= right + 0.5


@dataclass(frozen=True, slots=True)
class Scale:
    """How long a step from pixel to pixel is, and what to write beside it.

    Attributes
    ----------
    spacing_ji_mm : tuple of float or None
        None: lengths are in pixels.
    note : str
        Belongs behind every number in millimetres, e.g. ``at detector``; empty where they are the patient's.
    reason : str
        Why there are no millimetres, or empty.
    """

    spacing_ji_mm: tuple[float, float] | None
    note: str = ""
    reason: str = ""

    @property
    def unit(self) -> str:
        """Unit of a length: ``mm``, ``mm at detector``, or ``px``."""
        return "px" if self.spacing_ji_mm is None else f"mm {self.note}".rstrip()


@dataclass(frozen=True, slots=True)
class PixelScale:
    """The pixel size of the slices of a volume, with its source.

    Attributes
    ----------
    source : SpacingSource
    spacing_ji_mm : tuple of float or None
        Distance between rows, then columns; None where there is none that holds for the whole slice.
    regions : tuple of UltrasoundRegion
    """

    source: SpacingSource = SpacingSource.PATIENT
    spacing_ji_mm: tuple[float, float] | None = None
    regions: tuple[UltrasoundRegion, ...] = ()

    @property
    def note(self) -> str:
        """What stands behind a number in millimetres; empty where they are the patient's."""
        return _NOTES.get(self.source, "")

    def along(self, points_ji: Sequence[tuple[float, float]]) -> Scale:
        """Return the scale for a line or outline inside one slice.

        Parameters
        ----------
        points_ji : sequence of (row, column)
            Its corners; straight between them. In an ultrasound picture all have to lie in one region, which then holds
            the whole line, for regions are rectangles.
        """
        if self.regions:
            found = {r.spacing_ji_mm for r in self.regions if all(r.holds(row, column) for row, column in points_ji)}
            if len(found) == 1 and (spacing := found.pop()) is not None:
                return Scale(spacing)
            return Scale(None, reason=OUTSIDE_REGIONS)
        if self.source is SpacingSource.NONE or self.spacing_ji_mm is None:
            return Scale(None, reason=NO_SPACING)
        return Scale(self.spacing_ji_mm, self.note)
