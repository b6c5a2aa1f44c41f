"""What the headers on disk say: patients, studies, series, and whether a series is a volume."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from medview.core.acquisition import Acquisition
from medview.core.geometry import Geometry
from medview.core.spacing import SpacingSource, UltrasoundRegion
from medview.core.suv import SuvScale
from medview.core.voi_table import VoiTable
from medview.core.volume import Rescale
from medview.core.window import Window


class Verdict(Enum):
    """How far the geometry of a series can be trusted."""

    VOLUME = "volume"
    STACK = "stack"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a verdict is what it is: a code from the documented list and a sentence for the person."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Frame:
    """One slice to decode: a file and a frame number in it (0 for single-frame objects).

    Attributes
    ----------
    path : str
        As found; never used to build another path.
    sop_instance_uid : str
    offset : int
        Byte offset of uncompressed pixels in the file, or -1 where they have to be decoded.
    raw_dtype : str
        numpy dtype, byte order included, of the pixels at ``offset``.
    bits_stored : int
        Low bits of each pixel at ``offset`` that hold the number; 0 for all.
    overlays : bool
        The file holds overlay planes (groups 60xx) for this slice.
    """

    path: str
    number: int = 0
    sop_instance_uid: str = ""
    offset: int = -1
    raw_dtype: str = ""
    bits_stored: int = 0
    overlays: bool = False


@dataclass(frozen=True, slots=True)
class VolumeEntry:
    """One geometry found in a series: shape, verdict, and the frames to decode in spatial order.

    Attributes
    ----------
    frames : tuple of Frame
        In k order; ``time_points`` blocks of ``shape_kji[0]`` for a 4-D series.
    dtype : str
        numpy name of the smallest dtype that holds the stored voxels; float32 where rescale differs between slices (the
        voxels are then the values and ``rescale`` is the identity).
    rescale, windows, voi_tables, inverted, padding, spacing_source, regions,
    patient_orientation, suv
        As in Volume.
    times_s : tuple of float
        When each time point began, in seconds from the first; empty where the headers do not say.
    frame_rate_hz : float
        How fast the file wants its frames to be played; 0 where it does not say.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...]
    geometry: Geometry | None
    shape_kji: tuple[int, int, int]
    frames: tuple[Frame, ...]
    spacing_kji_mm: tuple[float | None, float | None, float | None] = (None, None, None)
    unit: str = ""
    colour: bool = False
    dtype: str = "int16"
    time_points: int = 1
    rescale: Rescale = Rescale()
    windows: tuple[Window, ...] = ()
    voi_tables: tuple[VoiTable, ...] = ()
    inverted: bool = False
    padding: tuple[float, float] | None = None
    spacing_source: SpacingSource = SpacingSource.PATIENT
    regions: tuple[UltrasoundRegion, ...] = ()
    patient_orientation: tuple[str, str] | None = None
    suv: SuvScale | None = None
    times_s: tuple[float, ...] = ()
    frame_rate_hz: float = 0.0

    @property
    def size_bytes(self) -> int:
        """Memory the voxels take."""
        voxels = int(np.prod(self.shape_kji, dtype=np.int64)) * self.time_points
        return voxels * np.dtype(self.dtype).itemsize * (3 if self.colour else 1)

    @property
    def has_overlays(self) -> bool:
        """Whether any slice has overlay planes."""
        return any(frame.overlays for frame in self.frames)

    @property
    def dicom_paths(self) -> tuple[str, ...]:
        """Paths of the DICOM files behind the frames, each once, in k order; none for other formats."""
        return tuple(dict.fromkeys(frame.path for frame in self.frames if frame.sop_instance_uid))

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths of all files behind the frames, each once, in k order."""
        return tuple(dict.fromkeys(frame.path for frame in self.frames))


@dataclass(frozen=True, slots=True)
class Series:
    """One series of one study with the volumes found in it."""

    series_uid: str
    study_uid: str
    patient_id: str = ""
    patient_name: str = ""
    modality: str = ""
    description: str = ""
    study_description: str = ""
    study_date: str = ""
    body_part: str = ""
    acquisition: Acquisition = Acquisition()
    series_number: int | None = None
    instances: int = 0
    transfer_syntaxes: tuple[str, ...] = ()
    volumes: tuple[VolumeEntry, ...] = ()
    sop_class_uids: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    """Files of a series without images (SEG, SR, RTSTRUCT), so that they can be imported."""
    patient_issuer: str = ""
    """IssuerOfPatientID: the same number in two hospitals is two people."""
    patient_birth_date: str = ""

    @property
    def best(self) -> VolumeEntry | None:
        """The volume a person most likely means: the largest that is not refused."""
        usable = [v for v in self.volumes if v.verdict is not Verdict.REFUSED]
        return max(usable, key=lambda v: (v.verdict is Verdict.VOLUME, v.size_bytes), default=None)


@dataclass(frozen=True, slots=True)
class DamagedFile:
    """A file that could not be read, and why, in one sentence."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class ScanResult:
    """Everything a scan of a folder, file or zip found."""

    series: tuple[Series, ...] = ()
    damaged: tuple[DamagedFile, ...] = ()
    seen: int = 0
    dicom: int = 0
    ignored: dict[str, int] = field(default_factory=dict)
    """Files that are no images, counted by kind."""
