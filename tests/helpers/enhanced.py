"""Enhanced multi-frame objects made to order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import EnhancedCTImageStorage, ExplicitVRLittleEndian

from tests.helpers.dicom_series import ROOT, SPACING_JI_MM, put_pixels


def one(**values: Any) -> Items:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return Items([item])


def enhanced_ct(
    frames: npt.NDArray[Any],
    positions: Sequence[Sequence[float]],
    orientations: Sequence[Sequence[float]],
    *,
    rescale: Sequence[tuple[float, float]] | tuple[float, float] | None = (1.0, -1024.0),
) -> FileDataset:
    """An enhanced CT; one pair of ``rescale`` goes into the shared groups, a list of them into the frames."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    meta.MediaStorageSOPInstanceUID = f"{ROOT}.500"
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = EnhancedCTImageStorage, f"{ROOT}.500"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = f"{ROOT}.1", f"{ROOT}.501", f"{ROOT}.3"
    ds.Modality, ds.PatientID, ds.InstanceNumber = "CT", "P1", 1
    put_pixels(ds, frames[0])
    ds.NumberOfFrames = len(frames)
    ds.PixelData = frames.astype("<i2").tobytes()
    shared = Dataset()
    shared.PixelMeasuresSequence = one(PixelSpacing=list(SPACING_JI_MM), SliceThickness="5")
    pairs = list(rescale) if isinstance(rescale, list) else None
    if rescale is not None and pairs is None:
        slope, intercept = rescale
        shared.PixelValueTransformationSequence = one(RescaleSlope=slope, RescaleIntercept=intercept, RescaleType="HU")
    ds.SharedFunctionalGroupsSequence = Items([shared])
    groups = []
    for number, (position, orientation) in enumerate(zip(positions, orientations, strict=True)):
        group = Dataset()
        group.PlanePositionSequence = one(ImagePositionPatient=[float(f"{v:.10g}") for v in position])
        group.PlaneOrientationSequence = one(ImageOrientationPatient=[float(f"{v:.10g}") for v in orientation])
        if pairs is not None:
            slope, intercept = pairs[number]
            group.PixelValueTransformationSequence = one(RescaleSlope=slope, RescaleIntercept=intercept, RescaleType="HU")
        groups.append(group)
    ds.PerFrameFunctionalGroupsSequence = Items(groups)
    return ds
