"""PET series whose every number for uptake is known."""

from __future__ import annotations

from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence
from pydicom.uid import PositronEmissionTomographyImageStorage

HALF_LIFE_S = 6586.2
DOSE_BQ = 3.7e8
WEIGHT_KG = 80.0
HEIGHT_M = 1.75
WAITED_S = 3600.0
"""Injected at 12:00:00, scanned from 13:00:00."""


def make_pet(ds: FileDataset) -> None:
    """Turn a CT slice into a PET slice that states everything uptake needs."""
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = PositronEmissionTomographyImageStorage
    ds.Modality, ds.Units = "PT", "BQML"
    ds.CorrectedImage = ["NORM", "DTIM", "ATTN", "SCAT", "DECY"]
    ds.DecayCorrection = "START"
    ds.PatientWeight, ds.PatientSize, ds.PatientSex = str(WEIGHT_KG), str(HEIGHT_M), "M"
    ds.SeriesDate = ds.AcquisitionDate = "20260301"
    ds.SeriesTime, ds.AcquisitionTime = "130000", "130000.00"
    drug = Dataset()
    drug.RadionuclideTotalDose = str(DOSE_BQ)
    drug.RadionuclideHalfLife = str(HALF_LIFE_S)
    drug.RadiopharmaceuticalStartTime = "120000.000000"
    ds.RadiopharmaceuticalInformationSequence = Sequence([drug])
    ds.RescaleSlope, ds.RescaleIntercept = "2.5", "0"


def drug_of(ds: FileDataset) -> Dataset:
    """Return the injection."""
    found = ds.RadiopharmaceuticalInformationSequence[0]
    assert isinstance(found, Dataset)
    return found
