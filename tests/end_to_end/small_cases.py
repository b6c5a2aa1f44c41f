"""Three small cases of three patients as DICOM: a CT, an MR that lies at an angle, a radiograph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation, MRImageStorage

from medview.core.geometry import Geometry
from medview.core.volume import Rescale, Volume
from medview.io.dicom.write_series import SeriesIdentity, write_series
from tests.helpers.grids import turned_grid

SHAPE_KJI = (12, 64, 60)
SECRETS = ("Zeisig", "Wilhelmine", "PID-5561", "20210304")
"""What must not come out of a project."""


def write_cases(folder: Path) -> tuple[Path, Path, Path]:
    """Write the series, each into a folder of its own, and return the folders."""
    ct, mr, dx = folder / "1-ct", folder / "2-mr", folder / "3-dx"
    straight = Geometry.from_spacing(SHAPE_KJI, (4.0, 1.5, 1.25), (-37.0, -48.0, -210.0))
    turned = turned_grid((1, 2, 3), 9.0, shape_kji=SHAPE_KJI, spacing_kji_mm=(3.5, 1.2, 1.4))
    _write(ct, Volume(_voxels(1, 1000, 60), straight, modality="CT", unit="HU", rescale=Rescale(1.0, -1024.0)), 1)
    _write(mr, Volume(_voxels(2, 300, 250), Geometry(SHAPE_KJI, turned.affine_lps), modality="MR"), 2)
    for path in mr.iterdir():
        _rewrite_as_mr(path)
    flat = Geometry.from_spacing((1, 64, 60), (1.0, 1.5, 1.5), (0.0, 0.0, 0.0))
    _write(dx, Volume(_voxels(3, 2000, 900)[:1], flat, modality="DX"), 3)
    for path in dx.iterdir():
        _rewrite_as_radiograph(path)
    return ct, mr, dx


def _voxels(seed: int, level: int, height: int) -> npt.NDArray[np.int16]:
    """Return a bright ball beside the middle, in noise."""
    k, j, i = np.indices(SHAPE_KJI).astype(float)
    away = ((k - 6) / 3) ** 2 + ((j - 30) / 9) ** 2 + ((i - 34) / 9) ** 2
    noise = np.random.default_rng(seed).normal(0, level / 100, SHAPE_KJI)
    return np.asarray(level + height * (away < 1) + noise, dtype=np.int16)


def _write(folder: Path, volume: Volume, number: int) -> None:
    identity = SeriesIdentity(
        f"Zeisig^Wilhelmine {number}",
        f"PID-5561-{number}",
        study_date="20210304",
        series_description=("", "Abdomen", "Brain T1", "Chest PA")[number],
        seed=f"two-readers-{number}",
    )
    write_series(folder, volume, identity, durable=False)


def _rewrite_as_mr(path: Path) -> None:
    dataset = pydicom.dcmread(path)
    dataset.Modality = "MR"
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = MRImageStorage
    dataset.ScanningSequence, dataset.SequenceVariant, dataset.ScanOptions = "GR", "SP", ""
    dataset.MRAcquisitionType, dataset.RepetitionTime, dataset.EchoTime, dataset.EchoTrainLength = "3D", "9.7", "4.0", 1
    del dataset.KVP, dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType
    dataset.save_as(path)


def _rewrite_as_radiograph(path: Path) -> None:
    """A projection has no place in the patient: how far apart its pixels are on the detector is all it says."""
    dataset = pydicom.dcmread(path)
    dataset.Modality = "DX"
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID(DigitalXRayImageStorageForPresentation)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    dataset.PresentationIntentType, dataset.PixelIntensityRelationship = "FOR PRESENTATION", "LOG"
    dataset.PixelIntensityRelationshipSign, dataset.PresentationLUTShape = 1, "IDENTITY"
    dataset.ViewPosition, dataset.BodyPartExamined, dataset.ImagerPixelSpacing = "PA", "CHEST", dataset.PixelSpacing
    for keyword in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "FrameOfReferenceUID",
        "PositionReferenceIndicator",
        "PixelSpacing",
        "SliceThickness",
        "RescaleType",
    ):
        if keyword in dataset:
            delattr(dataset, keyword)
    dataset.save_as(path)
