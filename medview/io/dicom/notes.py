"""What has to be said about the millimetres and values of a group of slices, apart from where they lie."""

from __future__ import annotations

from collections.abc import Sequence

from medview.core.spacing import SpacingSource
from medview.core.study import Reason
from medview.core.suv import SuvScale
from medview.io.dicom.group import Slice
from medview.io.dicom.instance import FrameInfo
from medview.io.dicom.plane import SPACING_SOURCES
from medview.io.dicom.reasons import Code
from medview.io.dicom.stored import varying

SAME_UPTAKE = 1e-6
"""Relative difference of two factors to standardised uptake that is rounding."""


def notes_on(slices: Sequence[Slice]) -> tuple[Reason, ...]:
    """Return the notes on a group that shares class, matrix and spacing."""
    return (*_on_spacing(slices[0]), *_on_values(slices), *_on_texts(slices))


def has_millimetres(frame: FrameInfo) -> bool:
    """Whether the pixel size of a frame is one; an aspect ratio only tells its shape."""
    return frame.spacing_ji_mm is not None and SPACING_SOURCES[frame.spacing_source] is not SpacingSource.NONE


def suv_of_all(slices: Sequence[Slice]) -> SuvScale | None:
    """Return the scale to standardised uptake that all slices share; None where uptake is not the question."""
    found = [one.instance.suv for one in slices]
    first = found[0]
    if first is None or first.problem:
        return first
    for other in found[1:]:
        if other is None or other.problem:
            return other
        pairs = zip(first.factors, other.factors, strict=False)
        if len(first.factors) != len(other.factors) or any(
            kind is not same or abs(a - b) > SAME_UPTAKE * a for (kind, a), (same, b) in pairs
        ):
            return SuvScale(problem="the headers of its images disagree about dose, times or the patient")
    return first


def _on_spacing(one: Slice) -> tuple[Reason, ...]:
    regions = one.instance.regions
    if regions and SPACING_SOURCES[one.frame.spacing_source] in (SpacingSource.ULTRASOUND_REGION, SpacingSource.NONE):
        measured = sum(region.spacing_ji_mm is not None for region in regions)
        if measured:
            text = f"{measured} of {len(regions)} regions of the picture state a scale; millimetres hold inside each."
            return (Reason(Code.ULTRASOUND_REGIONS, text),)
    if not has_millimetres(one.frame):
        return (Reason(Code.NO_SPACING, "The images state no pixel size; distances are in pixels."),)
    source = SPACING_SOURCES[one.frame.spacing_source]
    told = _ON_SPACING.get(source)
    return (Reason(*told),) if told else ()


_ON_SPACING = {
    SpacingSource.DETECTOR: (Code.SPACING_AT_DETECTOR, "Millimetres are those at the detector; the patient is smaller."),
    SpacingSource.ESTIMATED: (Code.SPACING_ESTIMATED, "Millimetres come from an estimated magnification."),
    SpacingSource.FILM: (Code.SPACING_ON_FILM, "Millimetres are those on the scanned film."),
}


def _on_values(slices: Sequence[Slice]) -> tuple[Reason, ...]:
    found: list[Reason] = []
    suv = suv_of_all(slices)
    if suv is not None and suv.problem:
        found.append(Reason(Code.SUV_UNAVAILABLE, f"SUV is not offered: {suv.problem}."))
    if any(one.instance.private_scaling for one in slices):
        text = "The scanner states a second scaling of its own; the values shown are those of the standard one."
        found.append(Reason(Code.PRIVATE_SCALING, text))
    if not slices[0].instance.pixels.colour and varying(slices):
        text = "The scaling of the values differs from slice to slice; each slice has its own applied."
        found.append(Reason(Code.SCALING_VARIES, text))
    return tuple(found)


def _on_texts(slices: Sequence[Slice]) -> tuple[Reason, ...]:
    name = next((one.instance.mended_charset for one in slices if one.instance.mended_charset), "")
    text = f"The character set is misspelt ({name[:40]}); it was taken for the one meant."
    return (Reason(Code.CHARSET_MISSPELT, text),) if name else ()
