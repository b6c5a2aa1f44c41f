"""Headings of a DICOM file: who, how and how thick, without its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from pydicom.dataset import Dataset

from medview.core.headings import Headings
from medview.io.dicom.acquisition import stated_number
from medview.io.dicom.attributes import first_item, items, numbers, quiet, text, texts
from medview.io.dicom.header import parse
from medview.io.dicom.syntaxes import ALWAYS_LOSSY
from medview.io.sources import name_of, open_source

_SEQUENCES = {"SE": "SE", "IR": "IR", "GR": "GRE", "EP": "EPI", "RM": ""}
"""Scanning Sequence (0018,0020) in the words of a reader."""


def read_headings(path: str, frame: int = 0) -> Headings:
    """Return the headings of one frame of a DICOM file.

    Raises
    ------
    ReadError, RefusedError
        When it is damaged before its pixels, or refused.
    """
    with open_source(path) as file:
        dataset, layout = parse(file, name_of(path), stop_before_pixels=True)
        with quiet():
            return headings_of(dataset, frame, layout.transfer_syntax)


def headings_of(dataset: Dataset, frame: int = 0, transfer_syntax: str = "") -> Headings:
    """Return the headings of one frame of a parsed file."""
    own = _nth_item(dataset, "PerFrameFunctionalGroupsSequence", frame)
    places = [dataset, *(g for g in (own, first_item(dataset, "SharedFunctionalGroupsSequence")) if g is not None)]
    stated = text(dataset, "LossyImageCompression")
    lossy = True if transfer_syntax in ALWAYS_LOSSY or stated == "01" else False if stated == "00" else None
    ratios = numbers(dataset, "LossyImageCompressionRatio")
    moment = next((m for m in map(text, [dataset] * 3, ("AcquisitionTime", "SeriesTime", "StudyTime")) if m), "")
    return Headings(
        birth_date=text(dataset, "PatientBirthDate"),
        sex=text(dataset, "PatientSex").upper(),
        acquired=moment[:6] if moment[:6].isdigit() else "",
        thickness_mm=stated_number(places, "SliceThickness"),
        technique=_technique(dataset, places),
        lossy=lossy,
        # One ratio for each time it was compressed.
        lossy_ratio=prod(ratios) if lossy and ratios and min(ratios) > 0 else None,
    )


def agreed(found: Sequence[Headings]) -> Headings:
    """Return what holds for all images that were looked at.

    What differs from image to image is left out; compression counts when any image was compressed, the time is the
    earliest.
    """
    if not found:
        return Headings()
    first = found[0]
    same = [words for words in first.technique if all(words in one.technique for one in found)]
    lossy = [one.lossy for one in found]
    times = sorted(one.acquired for one in found if one.acquired)

    def alike(name: str) -> bool:
        return len({getattr(one, name) for one in found}) == 1

    return Headings(
        birth_date=first.birth_date if alike("birth_date") else "",
        sex=first.sex if alike("sex") else "",
        acquired=times[0] if times else "",
        thickness_mm=first.thickness_mm if alike("thickness_mm") else None,
        technique=tuple(same),
        lossy=True if True in lossy else None if None in lossy else False,
        lossy_ratio=first.lossy_ratio if alike("lossy_ratio") else None,
    )


def _technique(dataset: Dataset, places: Sequence[Dataset]) -> tuple[str, ...]:
    modality = text(dataset, "Modality").upper()
    if modality == "MR":
        return _magnetic(dataset, places)
    words = []
    volts_kv = stated_number(places, "KVP")
    current_ma = stated_number(places, "XRayTubeCurrent", "XRayTubeCurrentInmA")
    exposure_mas = stated_number(places, "Exposure", "ExposureInmAs")
    if volts_kv:
        words.append(f"{volts_kv:g} kV")
    if current_ma:
        words.append(f"{current_ma:.0f} mA")
    if exposure_mas and not current_ma:
        words.append(f"{exposure_mas:.3g} mAs")
    if modality == "CT" and (kernel := text(dataset, "ConvolutionKernel")):
        words.append(kernel.split("\\")[0])
    return tuple(words)


def _magnetic(dataset: Dataset, places: Sequence[Dataset]) -> tuple[str, ...]:
    kinds = [_SEQUENCES.get(kind, kind) for kind in texts(dataset, "ScanningSequence")]
    name = text(dataset, "SequenceName") or text(dataset, "PulseSequenceName") or " ".join(kind for kind in kinds if kind)
    words = [name] if name else []
    for letters, keywords, unit in (
        ("TR", ("RepetitionTime",), " ms"),
        ("TE", ("EchoTime", "EffectiveEchoTime"), " ms"),
        ("TI", ("InversionTime", "InversionTimes"), " ms"),
        ("FA", ("FlipAngle",), "\u00b0"),
    ):
        value = stated_number(places, *keywords)
        if value:
            words.append(f"{letters} {_plain(value)}{unit}")
    tesla = stated_number(places, "MagneticFieldStrength")
    if tesla and tesla < 30:
        words.append(f"{tesla:.3g} T")
    return tuple(words)


def _plain(value: float) -> str:
    """Return a number with about three digits and never with an exponent."""
    return f"{value:.0f}" if abs(value) >= 100.0 else f"{value:.3g}"


def _nth_item(dataset: Dataset, keyword: str, index: int) -> Dataset | None:
    found = items(dataset, keyword)
    return found[index] if 0 <= index < len(found) else None
