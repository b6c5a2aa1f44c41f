"""Why a verdict is what it is: the one list of codes, and the sentences a person reads."""

from __future__ import annotations

from enum import Enum, StrEnum


class Code(StrEnum):
    """Codes of ``Reason``. Documented in docs/verdicts.md; codes are added, never renamed."""

    TILT = "TILT"
    """The slices are shifted against each other (gantry tilt); the grid is sheared to match."""
    UNEVEN_SPACING = "UNEVEN_SPACING"
    """The distance between slices varies."""
    MISSING_SLICE = "MISSING_SLICE"
    """Gaps are whole multiples of the usual distance."""
    SLICES_OUT_OF_LINE = "SLICES_OUT_OF_LINE"
    """Slices are shifted sideways by varying amounts."""
    NO_POSITION = "NO_POSITION"
    """The file states no position or orientation in the patient."""
    NO_SPACING = "NO_SPACING"
    """The file states no pixel size."""
    BAD_ORIENTATION = "BAD_ORIENTATION"
    """Row and column directions are not at right angles or not of length one."""
    ORIENTATION_ROUNDED = "ORIENTATION_ROUNDED"
    """Directions were slightly off and have been straightened."""
    DUPLICATE_POSITION = "DUPLICATE_POSITION"
    """Several images lie at one position and nothing tells them apart evenly."""
    DUPLICATE_FILE = "DUPLICATE_FILE"
    """The same image was found more than once and is shown once."""
    DUPLICATE_UID = "DUPLICATE_UID"
    """Different images claim to be the same one; all are shown."""
    TIME_POINTS = "TIME_POINTS"
    """Every position holds several images: a series in time, echo or b-value."""
    TIME_BY_INSTANCE_NUMBER = "TIME_BY_INSTANCE_NUMBER"
    """Nothing but the instance number, or the file, tells the images at one position apart."""
    INCOMPLETE_TIME_POINT = "INCOMPLETE_TIME_POINT"
    """Images of a time point that lacks others are left out of the volume and shown apart."""
    SINGLE_SLICE = "SINGLE_SLICE"
    """One slice; its thickness stands for the spacing."""
    SPACING_AT_DETECTOR = "SPACING_AT_DETECTOR"
    """Millimetres are those at the detector, not in the patient."""
    SPACING_ESTIMATED = "SPACING_ESTIMATED"
    """Millimetres come from an estimated magnification."""
    SPACING_ON_FILM = "SPACING_ON_FILM"
    """Millimetres are those on the scanned film."""
    ULTRASOUND_REGIONS = "ULTRASOUND_REGIONS"
    """Parts of the picture have scales of their own; millimetres hold inside each of them."""
    MIXED_SIZE = "MIXED_SIZE"
    """The series holds images of different sizes; each size is shown apart."""
    MIXED_SPACING = "MIXED_SPACING"
    """The series holds images with different pixel sizes; each is shown apart."""
    MIXED_ORIENTATION = "MIXED_ORIENTATION"
    """The series holds images of different orientations; each is shown apart."""
    MIXED_FRAME_OF_REFERENCE = "MIXED_FRAME_OF_REFERENCE"
    """The series holds images of different frames of reference; each is shown apart."""
    MIXED_CLASS = "MIXED_CLASS"
    """The series holds different kinds of objects; each is shown apart."""
    LOCALISER = "LOCALISER"
    """A scout image."""
    MOSAIC = "MOSAIC"
    """Slices are tiled in one image (Siemens, UIH)."""
    EXCESS_PIXELS = "EXCESS_PIXELS"
    """A file holds more images than it declares."""
    NO_UID = "NO_UID"
    """The files lack a series UID and were put together by what else they say."""
    DAMAGED_SLICE = "DAMAGED_SLICE"
    """The pixels of some slices are known to be incomplete."""
    UNSUPPORTED_PIXELS = "UNSUPPORTED_PIXELS"
    """Pixels are stored in a way MedView does not read."""
    AFFINES_DISAGREE = "AFFINES_DISAGREE"
    """Two placements in one file contradict each other."""
    SUV_UNAVAILABLE = "SUV_UNAVAILABLE"
    """Standardised uptake cannot be worked out from what the header states."""
    PRIVATE_SCALING = "PRIVATE_SCALING"
    """The scanner states a second scaling of its own; the values are those of the standard one."""
    SCALING_VARIES = "SCALING_VARIES"
    """Rescale differs from slice to slice; each slice has its own applied."""
    CHARSET_MISSPELT = "CHARSET_MISSPELT"
    """The character set is misspelt and was understood all the same."""


class ReasonKind(Enum):
    """What a reason tells about a series."""

    FOUND = "found"
    """So it is; nothing was guessed and nothing is broken."""
    ASSUMED = "assumed"
    """The files leave it open, or state it badly, and this was taken for true."""
    WRONG = "wrong"
    """Something is broken, missing or contradicts itself."""


_ASSUMED = frozenset(
    {
        Code.ORIENTATION_ROUNDED,
        Code.TIME_BY_INSTANCE_NUMBER,
        Code.SINGLE_SLICE,
        Code.SPACING_AT_DETECTOR,
        Code.SPACING_ESTIMATED,
        Code.SPACING_ON_FILM,
        Code.NO_UID,
        Code.CHARSET_MISSPELT,
    }
)
_WRONG = frozenset(
    {
        Code.UNEVEN_SPACING,
        Code.MISSING_SLICE,
        Code.SLICES_OUT_OF_LINE,
        Code.NO_POSITION,
        Code.NO_SPACING,
        Code.BAD_ORIENTATION,
        Code.DUPLICATE_POSITION,
        Code.DUPLICATE_UID,
        Code.INCOMPLETE_TIME_POINT,
        Code.EXCESS_PIXELS,
        Code.DAMAGED_SLICE,
        Code.UNSUPPORTED_PIXELS,
        Code.AFFINES_DISAGREE,
    }
)


def kind_of_reason(code: str) -> ReasonKind:
    """Return what a code tells; what is neither guessed nor broken was found."""
    if code in _ASSUMED:
        return ReasonKind.ASSUMED
    return ReasonKind.WRONG if code in _WRONG else ReasonKind.FOUND
