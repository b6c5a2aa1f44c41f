"""How the images of a DICOM file were made."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset

from medview.core.acquisition import Acquisition
from medview.io.dicom.attributes import first_item, number, text, texts

_LONGEST = 64
_NO_AGENT = ("no", "none", "n", "without", "0", "nein")

_GROUPS = {
    "SliceThickness": "PixelMeasuresSequence",
    "KVP": "CTXRayDetailsSequence",
    "XRayTubeCurrentInmA": "CTExposureSequence",
    "ExposureInmAs": "CTExposureSequence",
    "RepetitionTime": "MRTimingAndRelatedParametersSequence",
    "FlipAngle": "MRTimingAndRelatedParametersSequence",
    "EffectiveEchoTime": "MREchoSequence",
    "InversionTimes": "MRModifierSequence",
}
"""Where enhanced multi-frame objects keep what classic ones state at the top (PS3.3 C.7.6.16)."""


def acquisition_of(dataset: Dataset, modality: str) -> Acquisition:
    """Return how the first image of a parsed file was made. Nothing of it names a person."""
    shared = first_item(dataset, "SharedFunctionalGroupsSequence")
    own = first_item(dataset, "PerFrameFunctionalGroupsSequence")
    places = [dataset, *(group for group in (own, shared) if group is not None)]
    names = (text(dataset, key)[:_LONGEST] for key in ("ProtocolName", "SequenceName", "PulseSequenceName"))
    magnetic = modality == "MR"
    return Acquisition(
        protocol=" ".join(name for name in names if name),
        agent=_agent(dataset),
        kernel=_kernel(places),
        sequence=texts(dataset, "ScanningSequence") if magnetic else (),
        echo_ms=stated_number(places, "EchoTime", "EffectiveEchoTime") if magnetic else None,
        repetition_ms=stated_number(places, "RepetitionTime") if magnetic else None,
        inversion_ms=stated_number(places, "InversionTime", "InversionTimes") if magnetic else None,
    )


def stated_number(places: Sequence[Dataset], *keywords: str) -> float | None:
    """Return the first of some attributes that is stated, at the top or in a functional group."""
    for keyword in keywords:
        for place in places:
            found = number(place, keyword)
            group = first_item(place, _GROUPS[keyword]) if keyword in _GROUPS else None
            if found is None and group is not None:
                found = number(group, keyword)
            if found is not None:
                return found
    return None


def _agent(dataset: Dataset) -> str:
    agent = text(dataset, "ContrastBolusAgent")
    item = first_item(dataset, "ContrastBolusAgentSequence")
    if not agent and item is not None:
        agent = text(item, "CodeMeaning")
    return "" if agent.lower() in _NO_AGENT else agent[:_LONGEST]


def _kernel(places: Sequence[Dataset]) -> str:
    for place in places:
        inner = first_item(place, "CTReconstructionSequence")
        for one in (place, *(() if inner is None else (inner,))):
            if kernel := text(one, "ConvolutionKernel"):
                return kernel.split("\\")[0][:_LONGEST]
    return ""
