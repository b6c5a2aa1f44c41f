"""A volume to a DICOM CT series, for the demo study and tests."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian
from pydicom.valuerep import DSfloat

import medview
from medview.core.atomic import replacing, write_error
from medview.core.errors import WriteError
from medview.core.volume import Volume

IMPLEMENTATION_UID = "2.25.160519254129126178290316547463712086161"
"""Names MedView as the writer of a file."""

_NAMESPACE = uuid.UUID("6f1c9d55-3f0e-4d52-9f0a-5a1c1b6f7b11")


@dataclass(frozen=True, slots=True)
class SeriesIdentity:
    """Whose series it says it is. All UIDs follow from ``seed``: the same seed gives the same files.

    Attributes
    ----------
    study_date : str
        YYYYMMDD.
    patient_sex : str
        M, F, O or empty.
    """

    patient_name: str
    patient_id: str
    study_date: str = "20260101"
    study_description: str = ""
    series_description: str = ""
    seed: str = "0"
    patient_sex: str = "O"
    series_number: int = 1


def write_series(folder: Path, volume: Volume, identity: SeriesIdentity, *, durable: bool = True) -> list[Path]:
    """Write one CT file per slice and return them in k order.

    Parameters
    ----------
    volume : Volume
        Stored voxels of at most 16 bits, grey; the grid may be oblique or sheared.
    durable : bool
        Wait for the disk with every file; False for a series that can be made again.

    Raises
    ------
    WriteError, DiskFullError
        When the volume cannot be a CT series or the folder cannot be written.
    """
    if volume.colour or volume.voxels.dtype not in (np.int16, np.uint16, np.int8, np.uint8):
        raise WriteError("The volume was not written: a CT series holds grey numbers of at most 16 bits.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder / "series", error) from error
    paths = []
    for k in range(volume.geometry.shape_kji[0]):
        dataset = _slice(volume, identity, k)
        path = folder / f"slice-{k + 1:04d}.dcm"
        with replacing(path, durable=durable) as file:
            dataset.save_as(file, enforce_file_format=True)
        paths.append(path)
    return paths


def made_uid(*parts: object) -> str:
    """Return a UID under 2.25 that is always the same for the same parts."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, '/'.join(str(part) for part in parts)).int}"


def _slice(volume: Volume, identity: SeriesIdentity, k: int) -> FileDataset:
    uid = UID(made_uid(identity.seed, "image", k))
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
    meta.ImplementationVersionName = f"MEDVIEW_{medview.__version__}"[:16]
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\x00" * 128)
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, uid
    _identify(ds, identity, volume.body_part)
    _place(ds, volume, identity, k)
    _fill(ds, volume, k)
    return ds


def _identify(ds: FileDataset, identity: SeriesIdentity, body_part: str) -> None:
    ds.PatientName, ds.PatientID = identity.patient_name, identity.patient_id
    ds.PatientBirthDate, ds.PatientSex = "", identity.patient_sex
    ds.StudyInstanceUID = made_uid(identity.seed, "study")
    ds.StudyDate = ds.SeriesDate = ds.ContentDate = ds.AcquisitionDate = identity.study_date
    ds.StudyTime = ds.SeriesTime = ds.ContentTime = ds.AcquisitionTime = "120000"
    ds.AccessionNumber, ds.ReferringPhysicianName, ds.StudyID = "", "", "1"
    ds.StudyDescription = identity.study_description[:64]
    ds.Modality = "CT"
    ds.SeriesInstanceUID = made_uid(identity.seed, "series", identity.series_number)
    ds.SeriesNumber = identity.series_number
    ds.SeriesDescription = identity.series_description[:64]
    ds.Manufacturer, ds.ManufacturerModelName, ds.SoftwareVersions = "MedView", "Phantom", medview.__version__
    ds.PatientPosition = "HFS"
    if body_part:
        ds.BodyPartExamined = body_part
    else:
        ds.Laterality = ""


def _place(ds: FileDataset, volume: Volume, identity: SeriesIdentity, k: int) -> None:
    geometry = volume.geometry
    directions = geometry.directions_kji
    _, dj, di = geometry.spacing_kji_mm
    position = geometry.point_lps_mm((k, 0, 0))
    ds.FrameOfReferenceUID = geometry.frame_of_reference_uid or made_uid(identity.seed, "frame")
    ds.PositionReferenceIndicator = ""
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.AcquisitionNumber, ds.InstanceNumber = 1, k + 1
    ds.ImagePositionPatient = [_decimal(v) for v in position]
    ds.ImageOrientationPatient = [_decimal(v) for v in (*directions[2], *directions[1])]
    ds.PixelSpacing = [_decimal(dj), _decimal(di)]
    normal = np.cross(directions[2], directions[1])
    ds.SliceThickness = _decimal(abs(float(geometry.affine_lps[:3, 0] @ normal)))
    ds.KVP = "120"


def _fill(ds: FileDataset, volume: Volume, k: int) -> None:
    stored = np.ascontiguousarray(volume.voxels[k])
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = stored.shape
    signed = stored.dtype.kind == "i"
    stored = stored.astype("<i2" if signed else "<u2")
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, int(signed)
    ds.RescaleIntercept, ds.RescaleSlope = _decimal(volume.rescale.intercept), _decimal(volume.rescale.slope)
    ds.RescaleType = "HU"
    if volume.windows:
        ds.WindowCenter = [_decimal(w.center) for w in volume.windows]
        ds.WindowWidth = [_decimal(w.width) for w in volume.windows]
    ds.PixelData = stored.tobytes()
    ds["PixelData"].VR = "OW"


def _decimal(value: float) -> DSfloat:
    """Return a decimal string of at most 16 characters."""
    return DSfloat(float(value) + 0.0, auto_format=True)
