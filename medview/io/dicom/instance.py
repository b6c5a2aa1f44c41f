"""What grouping and assembly need to know of one DICOM file: plain values that travel between processes."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.acquisition import Acquisition
from medview.core.spacing import UltrasoundRegion
from medview.core.suv import SuvScale
from medview.core.voi_table import VoiTable
from medview.core.volume import Rescale
from medview.core.window import Window

Triple = tuple[float, float, float]
Six = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class FrameInfo:
    """One frame of one file.

    Attributes
    ----------
    position_lps_mm : tuple of float or None
        Centre of the first voxel, ImagePositionPatient.
    orientation : tuple of float or None
        ImageOrientationPatient: direction of growing column index, then of growing row index.
    spacing_ji_mm : tuple of float or None
        Distance between rows, then between columns.
    spacing_source : str
        Attribute the spacing came from; a key of ``plane.SPACING_SOURCES``.
    rescale : Rescale or None
        None when the file states none.
    keys : tuple of (str, tuple)
        What may tell apart frames at one position (time, echo, b-value), best first.
    """

    number: int = 0
    position_lps_mm: Triple | None = None
    orientation: Six | None = None
    spacing_ji_mm: tuple[float, float] | None = None
    spacing_source: str = ""
    thickness_mm: float | None = None
    stack_id: str = ""
    rescale: Rescale | None = None
    rescale_type: str = ""
    windows: tuple[Window, ...] = ()
    voi_tables: tuple[VoiTable, ...] = ()
    keys: tuple[tuple[str, tuple[object, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """How the numbers of one file are stored.

    Attributes
    ----------
    kind : str
        ``int``, ``float32`` or ``float64``; empty for a file without pixels.
    offset : int
        Byte offset of uncompressed pixels in the file, or -1 where they have to be decoded.
    lut : bool
        A Modality LUT Sequence replaces rescale.
    """

    kind: str = ""
    rows: int = 0
    columns: int = 0
    samples: int = 1
    photometric: str = "MONOCHROME2"
    bits_allocated: int = 16
    bits_stored: int = 16
    high_bit: int = 15
    signed: bool = False
    planar: int = 0
    offset: int = -1
    raw_dtype: str = ""
    lut: bool = False
    grid: tuple[int, int] = (1, 1)
    """Tiles down and across when each image is a mosaic; ``rows`` and ``columns`` are then those of a tile."""

    @property
    def readable(self) -> bool:
        """Whether numbers stored like this are read. A file without pixels is a damaged slice: the others decide."""
        if self.kind == "":
            return True
        if self.samples == 3:
            return self.bits_allocated in (8, 16)
        return self.samples == 1 and self.bits_allocated in (1, 8, 16, 32, 64)

    @property
    def colour(self) -> bool:
        """Whether decoding gives RGB."""
        return self.samples == 3 or self.photometric == "PALETTE COLOR"


@dataclass(frozen=True, slots=True)
class Instance:
    """One DICOM file.

    Attributes
    ----------
    problem : str
        Why its pixels cannot be whole, in one sentence; empty when nothing is known against them.
    localiser : bool
        A scout image, by ImageType.
    padding : tuple of float or None
        Lowest and highest stored number outside the field of view.
    suv : SuvScale or None
        For PET.
    regions : tuple of UltrasoundRegion
    patient_orientation : tuple of str
        Letters that growing columns and rows point to, by (0020,0020); empty where it states none.
    frame_rate_hz : float
        0 where the file states none.
    volume_interval_s : float
        From one volume to the next where each repetition images a whole volume (echo planar MR); 0 elsewhere.
    overlays : bool
        The file has overlay planes.
    private_scaling : bool
        The scanner states a second, private scaling.
    mended_charset : str
        Misspelt name of a character set that was understood all the same.
    """

    path: str
    sop_class_uid: str
    sop_instance_uid: str
    series_uid: str
    study_uid: str
    patient_id: str = ""
    patient_name: str = ""
    patient_issuer: str = ""
    patient_birth_date: str = ""
    modality: str = ""
    description: str = ""
    study_description: str = ""
    study_date: str = ""
    body_part: str = ""
    acquisition: Acquisition = Acquisition()
    series_number: int | None = None
    instance_number: int | None = None
    frame_of_reference_uid: str = ""
    transfer_syntax: str = ""
    image: bool = False
    localiser: bool = False
    mosaic: bool = False
    pixels: PixelFormat = PixelFormat()
    inverted: bool = False
    padding: tuple[float, float] | None = None
    suv: SuvScale | None = None
    regions: tuple[UltrasoundRegion, ...] = ()
    patient_orientation: tuple[str, str] = ("", "")
    frame_rate_hz: float = 0.0
    volume_interval_s: float = 0.0
    overlays: bool = False
    private_scaling: bool = False
    mended_charset: str = ""
    unit: str = ""
    problem: str = ""
    more_pixels: bool = False
    """The pixel data holds at least one image more than the header declares."""
    frames: tuple[FrameInfo, ...] = ()
