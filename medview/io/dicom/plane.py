"""Position, orientation and pixel spacing of one frame."""

from __future__ import annotations

from pydicom.dataset import Dataset

from medview.core.spacing import SpacingSource, UltrasoundRegion
from medview.io.dicom.attributes import first_item, items, number, numbers, text
from medview.io.dicom.instance import FrameInfo, Six, Triple

SMALLEST_MM, LARGEST_MM, FARTHEST_MM = 1e-4, 1e4, 1e6
"""Pixels of a microscope and of nothing known, and positions: numbers outside are damage, not geometry."""

PROJECTIONS = frozenset({"CR", "DX", "IO", "MG", "PX", "RF", "RG", "XA"})
"""Modalities whose rays spread between patient and detector."""

CENTIMETRES = 3.0
"""PhysicalUnitsXDirection of an ultrasound region whose pixels measure length."""

MOST_REGIONS = 64

SPACING_SOURCES: dict[str, SpacingSource] = {
    "PixelSpacing": SpacingSource.PATIENT,
    "PixelSpacingCalibrationType": SpacingSource.CALIBRATED,
    "ImagerPixelSpacing": SpacingSource.DETECTOR,
    "EstimatedRadiographicMagnificationFactor": SpacingSource.ESTIMATED,
    "NominalScannedPixelSpacing": SpacingSource.FILM,
    "SequenceOfUltrasoundRegions": SpacingSource.ULTRASOUND_REGION,
    "PixelAspectRatio": SpacingSource.NONE,
    "": SpacingSource.NONE,
}
"""Attribute that decided the pixel size -> what its millimetres are true of."""


def frame_plane(dataset: Dataset) -> FrameInfo:
    """Return the geometry a classic data set states, each part None where it is absent or unusable."""
    spacing, source = _spacing(dataset)
    return FrameInfo(
        position_lps_mm=triple(numbers(dataset, "ImagePositionPatient")),
        orientation=six(numbers(dataset, "ImageOrientationPatient")),
        spacing_ji_mm=spacing,
        spacing_source=source,
        thickness_mm=positive(number(dataset, "SliceThickness")),
    )


def _spacing(dataset: Dataset) -> tuple[tuple[float, float] | None, str]:
    spacing = pair(numbers(dataset, "PixelSpacing"))
    detector = pair(numbers(dataset, "ImagerPixelSpacing"))
    if spacing and text(dataset, "Modality") not in PROJECTIONS:
        return spacing, "PixelSpacing"
    # A projection whose PixelSpacing merely repeats the detector's has not been calibrated (PS3.3 10.7.1.3).
    stated = bool(text(dataset, "PixelSpacingCalibrationType"))
    if spacing and (stated or spacing != detector):
        return spacing, "PixelSpacingCalibrationType" if stated or detector else "PixelSpacing"
    if detector:
        magnification = number(dataset, "EstimatedRadiographicMagnificationFactor")
        if magnification and magnification >= 1.0:
            patient = pair((detector[0] / magnification, detector[1] / magnification))
            return patient, "EstimatedRadiographicMagnificationFactor"
        return detector, "ImagerPixelSpacing"
    scanned = pair(numbers(dataset, "NominalScannedPixelSpacing"))
    if scanned:
        return scanned, "NominalScannedPixelSpacing"
    region = _ultrasound_spacing(dataset)
    if region:
        return region, "SequenceOfUltrasoundRegions"
    aspect = pair(numbers(dataset, "PixelAspectRatio"))
    # Only the shape of a pixel is known; the size is counted in columns.
    shape = pair((aspect[0] / aspect[1], 1.0)) if aspect else None
    return (shape, "PixelAspectRatio") if shape else (None, "")


def _ultrasound_spacing(dataset: Dataset) -> tuple[float, float] | None:
    """Return the spacing when all regions that measure length both ways agree on it; it shapes the picture."""
    found = {region.spacing_ji_mm for region in ultrasound_regions(dataset) if region.spacing_ji_mm is not None}
    return found.pop() if len(found) == 1 else None


def ultrasound_regions(dataset: Dataset) -> tuple[UltrasoundRegion, ...]:
    """Return the regions of an ultrasound picture with the scale of each (PS3.3 C.8.5.5); all with a place."""
    found: list[UltrasoundRegion] = []
    for item in items(dataset, "SequenceOfUltrasoundRegions")[:MOST_REGIONS]:
        corners = [number(item, f"RegionLocation{corner}") for corner in ("MinY0", "MinX0", "MaxY1", "MaxX1")]
        if any(corner is None for corner in corners):
            continue
        top, left, bottom, right = (int(corner or 0) for corner in corners)
        units = number(item, "PhysicalUnitsXDirection"), number(item, "PhysicalUnitsYDirection")
        across, down = number(item, "PhysicalDeltaX"), number(item, "PhysicalDeltaY")
        measured = units == (CENTIMETRES, CENTIMETRES) and across and down
        # Deltas are negative where the scale runs against the pixels.
        spacing = pair((abs(down or 0.0) * 10.0, abs(across or 0.0) * 10.0)) if measured else None
        found.append(UltrasoundRegion((top, left), (bottom, right), spacing))
    return tuple(found)


def group_plane(shared: Dataset | None, own: Dataset | None, fallback: FrameInfo) -> FrameInfo:
    """Return the geometry of a frame of an enhanced object: its own functional groups, then the shared ones.

    Parameters
    ----------
    fallback : FrameInfo
        What the top level of the data set states.
    """

    def find(sequence: str) -> Dataset | None:
        for group in (own, shared):
            item = first_item(group, sequence) if group is not None else None
            if item is not None:
                return item
        return None

    position = find("PlanePositionSequence")
    orientation = find("PlaneOrientationSequence")
    measures = find("PixelMeasuresSequence")
    content = find("FrameContentSequence")
    spacing = pair(numbers(measures, "PixelSpacing")) if measures is not None else None
    return FrameInfo(
        position_lps_mm=triple(numbers(position, "ImagePositionPatient")) if position is not None else None,
        orientation=six(numbers(orientation, "ImageOrientationPatient")) if orientation is not None else None,
        spacing_ji_mm=spacing or fallback.spacing_ji_mm,
        spacing_source="PixelSpacing" if spacing else fallback.spacing_source,
        thickness_mm=positive(number(measures, "SliceThickness")) if measures is not None else fallback.thickness_mm,
        stack_id=text(content, "StackID") if content is not None else "",
    )


def triple(values: tuple[float, ...]) -> Triple | None:
    """Return three millimetres, or None when there are not exactly three or one lies outside any scanner."""
    return (values[0], values[1], values[2]) if len(values) == 3 and max(map(abs, values)) < FARTHEST_MM else None


def six(values: tuple[float, ...]) -> Six | None:
    """Return six numbers, or None when there are not exactly six."""
    return (values[0], values[1], values[2], values[3], values[4], values[5]) if len(values) == 6 else None


def pair(values: tuple[float, ...]) -> tuple[float, float] | None:
    """Return two millimetres a pixel may measure, or None."""
    return (values[0], values[1]) if len(values) == 2 and SMALLEST_MM <= min(values) <= max(values) < LARGEST_MM else None


def positive(value: float | None) -> float | None:
    """Return millimetres a slice may be thick, or None."""
    return value if value is not None and SMALLEST_MM <= value < LARGEST_MM else None
