"""A second series over the first: which, how strong, in which colours, and on what grounds it lies where it lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from medview.core.geometry import Calibration, Geometry
from medview.core.language import _
from medview.core.registration import Registration
from medview.core.study import Series
from medview.core.volume import Volume
from medview.workspace.colour_maps import GREY

UPTAKE_MODALITIES = ("PT", "NM")
OPENING_OPACITY = 0.5
OPACITY_STEP = 0.1


class Footing(Enum):
    """On what grounds a series may be laid over another."""

    SAME_FRAME = _("same frame of reference")
    REGISTERED = _("registered (rigid)")
    NONE = _("not registered")
    """Different or unknown frames: nothing is drawn."""


@dataclass(frozen=True, slots=True)
class Fusion:
    """One open series over another. Values only; at most one per base.

    Attributes
    ----------
    base_key, overlay_key : str
        Keys of the open cases below and above.
    opacity : float
        Of the upper one, 0 to 1.
    colour_map : str
        Of the upper one; a name of ``colour_maps``.
    registration : Registration or None
        From the overlay's frame of reference to the base's, where they are not the same.
    visible : bool
        Whether it is drawn; hidden it keeps its registration.
    registering : bool
        A job is looking for the registration.
    """

    base_key: str
    overlay_key: str
    opacity: float = OPENING_OPACITY
    colour_map: str = GREY
    registration: Registration | None = None
    visible: bool = True
    registering: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "opacity", min(1.0, max(0.0, self.opacity)))

    def footing(self, base: Geometry, overlay: Geometry) -> Footing:
        """Say on what grounds the overlay may be drawn over the base."""
        if self.registration is not None:
            return Footing.REGISTERED
        return Footing.SAME_FRAME if in_one_frame(base, overlay) else Footing.NONE

    def placed(self, base: Geometry, overlay: Geometry) -> Geometry | None:
        """Return the overlay's grid in the frame of the base; None where nobody knows where it lies."""
        footing = self.footing(base, overlay)
        if footing is Footing.NONE:
            return None
        return overlay if self.registration is None else self.registration.place(overlay)


Fusions = Mapping[str, Fusion]
"""By the key of the base."""


def in_one_frame(one: Geometry, other: Geometry) -> bool:
    """Whether both state the same frame of reference; one that is not stated is not the same as any."""
    return bool(one.frame_of_reference_uid) and one.frame_of_reference_uid == other.frame_of_reference_uid


def registration_between(
    found: Mapping[tuple[str, str], Registration], fixed: tuple[str, Geometry], moving: tuple[str, Geometry]
) -> Registration | None:
    """Return the registration of one case to another among those found in this session, in either direction, or None.

    Parameters
    ----------
    fixed, moving : tuple of str and Geometry
        Keys of the cases and their grids.
    """
    there, back = found.get((fixed[0], moving[0])), found.get((moving[0], fixed[0]))
    one = there or (back.inverse() if back is not None else None)
    frames = (fixed[1].frame_of_reference_uid, moving[1].frame_of_reference_uid)
    # Other files may have come under the same names meanwhile.
    return one if one is not None and (one.fixed_frame, one.moving_frame) == frames else None


def with_fusion(fusions: Fusions, fusion: Fusion) -> dict[str, Fusion]:
    """Return the fusions with this one in place of an earlier one of the same base."""
    return {**fusions, fusion.base_key: fusion}


def without_case(fusions: Fusions, key: str) -> dict[str, Fusion]:
    """Return the fusions that a case takes no part in."""
    return {base: one for base, one in fusions.items() if key not in (one.base_key, one.overlay_key)}


def same_patient(one: Series, other: Series) -> bool:
    """Whether the files of both name the same patient; files without a name may be of any."""
    mine, theirs = (one.patient_id, one.patient_name), (other.patient_id, other.patient_name)
    return mine == theirs or not any(mine) or not any(theirs)


def why_not(volume: Volume) -> str:
    """Return why a series can be neither below nor above another, or an empty text."""
    if volume.colour:
        return _("Series in colour cannot be fused; choose a grey one.")
    if volume.geometry.calibration is not Calibration.VOLUME or volume.patient_orientation is not None:
        return _("This series has no millimetres along all three axes, so nothing can be laid over it; choose a volume.")
    return ""


def opening_colour_map(volume: Volume) -> str:
    """Return the colours a series is first laid over another in."""
    return "pet" if volume.modality in UPTAKE_MODALITIES else "hot"
