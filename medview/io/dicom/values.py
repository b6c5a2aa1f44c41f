"""What stored numbers mean: rescale, windows, polarity, padding, unit."""

from __future__ import annotations

from pydicom.dataset import Dataset

from medview.core.volume import Rescale
from medview.core.window import Window, WindowFunction
from medview.io.dicom.attributes import integer, items, number, numbers, private_items, private_number, text, texts
from medview.io.dicom.instance import FrameInfo, PixelFormat

OVERLAY_GROUPS = range(0x6000, 0x6020, 2)
PHILIPS_MR, PHILIPS_MR_FRAME = "Philips MR Imaging DD 001", "Philips MR Imaging DD 005"


def rescale_of(dataset: Dataset) -> Rescale | None:
    """Return RescaleSlope and RescaleIntercept of a data set or functional group, or None when it states none.

    A slope of zero would make every voxel the same; it is taken as not stated.
    """
    slope, intercept = number(dataset, "RescaleSlope"), number(dataset, "RescaleIntercept")
    if slope is None and intercept is None:
        scaling = number(dataset, "DoseGridScaling")
        return Rescale(scaling, 0.0) if scaling else None
    if slope is None or slope == 0.0:
        slope = 1.0
    return Rescale(slope, intercept if intercept is not None else 0.0)


def windows_of(dataset: Dataset) -> tuple[Window, ...]:
    """Return the windows of a data set or functional group; unusable ones are left out."""
    centers, widths = numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")
    names = texts(dataset, "WindowCenterWidthExplanation")
    stated = text(dataset, "VOILUTFunction").upper()
    function = WindowFunction(stated) if stated in {f.value for f in WindowFunction} else WindowFunction.LINEAR
    smallest = 1.0 if function is WindowFunction.LINEAR else 0.0
    found = []
    for index, (center, width) in enumerate(zip(centers, widths, strict=False)):
        if width < smallest or width <= 0.0:
            continue
        found.append(Window(center, width, function, names[index] if index < len(names) else ""))
    return tuple(found)


def inverted_of(dataset: Dataset) -> bool:
    """Whether low values are shown white."""
    shape = text(dataset, "PresentationLUTShape").upper()
    monochrome1 = text(dataset, "PhotometricInterpretation").upper() == "MONOCHROME1"
    # INVERSE is how MONOCHROME1 is spelt in the newer objects; together they say one thing, not two.
    return shape == "INVERSE" or (monochrome1 and shape != "IDENTITY")


def padding_of(dataset: Dataset, pixels: PixelFormat) -> tuple[float, float] | None:
    """Return the lowest and highest stored number of voxels outside the field of view, or None (PS3.3 C.7.5.1.1.2)."""
    if pixels.kind != "int":
        keyword = "FloatPixelPaddingValue" if pixels.kind == "float32" else "DoubleFloatPixelPaddingValue"
        limit_keyword = keyword.replace("Value", "RangeLimit")
    else:
        keyword, limit_keyword = "PixelPaddingValue", "PixelPaddingRangeLimit"
    value = _padding_number(dataset, keyword, pixels)
    if value is None:
        return None
    limit = _padding_number(dataset, limit_keyword, pixels)
    return (value, value) if limit is None else (min(value, limit), max(value, limit))


def _padding_number(dataset: Dataset, keyword: str, pixels: PixelFormat) -> float | None:
    value = number(dataset, keyword)
    if value is None or pixels.kind != "int":
        return value
    if pixels.signed and pixels.bits_allocated <= 32 and value >= 1 << (pixels.bits_allocated - 1):
        # Written as US where it should be SS.
        value -= 1 << pixels.bits_allocated
    return value


def frame_rate_of(dataset: Dataset) -> float:
    """Return frames per second a multi-frame file wants to be played at, 0 where it does not say (PS3.3 C.7.6.5)."""
    for keyword in ("RecommendedDisplayFrameRate", "CineRate"):
        rate = number(dataset, keyword)
        if rate is not None and rate > 0:
            return rate
    frame_ms = number(dataset, "FrameTime")
    return 1000.0 / frame_ms if frame_ms is not None and frame_ms > 0 else 0.0


def volume_interval_of(dataset: Dataset) -> float:
    """Return seconds from one volume to the next of an echo planar MR series: its repetition time; 0 for all others.

    Only there does each repetition image the whole volume; elsewhere it is the time between two lines of k-space.
    """
    if "EP" not in texts(dataset, "ScanningSequence"):
        return 0.0
    repetition_ms = number(dataset, "RepetitionTime")
    return repetition_ms / 1000.0 if repetition_ms is not None and repetition_ms > 0.0 else 0.0


def has_overlays(dataset: Dataset) -> bool:
    """Whether a data set states overlay planes. They stand before the pixels, so that a header knows of them."""
    return any(integer(dataset, group << 16 | 0x0010) > 0 for group in OVERLAY_GROUPS)


def private_scaling_of(dataset: Dataset) -> bool:
    """Whether a Philips MR states a second scaling, to comparable intensities, beside the standard one.

    The values here are the displayed ones, the standard's; other tools prefer the other.
    """
    slope = private_number(dataset, 0x2005, PHILIPS_MR, 0x0E)
    if slope is None:
        frames = items(dataset, "PerFrameFunctionalGroupsSequence")
        for item in private_items(frames[0], 0x2005, PHILIPS_MR_FRAME, 0x0F) if frames else ():
            slope = private_number(item, 0x2005, PHILIPS_MR, 0x0E)
    return slope is not None and slope not in (0.0, 1.0)


def unit_of(dataset: Dataset, modality: str, frames: tuple[FrameInfo, ...], pixels: PixelFormat) -> str:
    """Return the unit rescaled values have; empty where the file does not say enough."""
    stated = frames[0].rescale_type if frames else ""
    if modality == "PT":
        return {"BQML": "Bq/mL", "CNTS": "counts", "GML": "SUV"}.get(text(dataset, "Units").upper(), "")
    if modality == "RTDOSE":
        return {"GY": "Gy"}.get(text(dataset, "DoseUnits").upper(), "")
    if modality == "CT" and frames and frames[0].rescale is not None and not pixels.lut:
        return "HU" if stated in ("", "HU") else ""
    return "HU" if stated == "HU" and frames and frames[0].rescale is not None else ""
