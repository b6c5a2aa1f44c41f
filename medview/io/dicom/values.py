"""What stored numbers mean: rescale, windows, polarity, padding, unit."""

from __future__ import annotations

from pydicom.dataset import Dataset

from medview.core.volume import Rescale
from medview.core.window import Window, WindowFunction
from medview.io.dicom.attributes import number, numbers, text, texts
from medview.io.dicom.instance import FrameInfo, PixelFormat


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


def padding_of(dataset: Dataset, pixels: PixelFormat) -> float | None:
    """Return the stored number of voxels outside the field of view, or None."""
    value = number(dataset, "PixelPaddingValue")
    if value is None:
        return None
    if pixels.signed and pixels.bits_allocated <= 32 and value >= 1 << (pixels.bits_allocated - 1):
        # Written as US where it should be SS.
        value -= 1 << pixels.bits_allocated
    return value


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
