"""The voxels of one series and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.acquisition import Acquisition
from medview.core.geometry import Calibration, Geometry
from medview.core.spacing import PixelScale, SpacingSource, UltrasoundRegion
from medview.core.suv import SuvScale
from medview.core.voi_table import VoiTable
from medview.core.window import Window


@dataclass(frozen=True, slots=True)
class Rescale:
    """``value = stored * slope + intercept`` (Modality LUT, PS3.3 C.11.1)."""

    slope: float = 1.0
    intercept: float = 0.0

    @property
    def identity(self) -> bool:
        """Whether stored voxels are the values."""
        return self.slope == 1.0 and self.intercept == 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Voxels with geometry, modality and unit. Never edited.

    Attributes
    ----------
    voxels : ndarray, shape (k, j, i) or (k, j, i, 3)
        Stored numbers in the smallest dtype that holds them; read-only. Three components are RGB 0-255.
        ``values`` is the only way to the unit.
    unit : str
        Unit of ``values``: ``HU``, ``SUV``, or empty for numbers without one.
    sop_instance_uids : tuple of str
        One per k for classic DICOM, one for a multi-frame object, empty for other files.
    windows : tuple of Window
        The file's own windows, best first.
    inverted : bool
        MONOCHROME1: low values are shown white.
    voi_tables : tuple of VoiTable
        The file's own display tables; where there are any they are how it wants to be seen.
    padding : tuple of float or None
        Lowest and highest stored number that mark voxels outside the field of view.
    spacing_source : SpacingSource
        What the millimetres inside a slice are true of.
    regions : tuple of UltrasoundRegion
        Parts of an ultrasound picture with scales of their own.
    patient_orientation : tuple of str, or None
        None where the directions of the grid are those of the patient. Otherwise the grid's directions mean nothing, and
        these are the letters that growing columns and rows point to, empty where the file does not say.
    suv : SuvScale or None
        For PET: the way from the values to standardised uptake, or why there is none. None for other modalities.
    acquisition : Acquisition
        How the images were made, as far as the headers say.
    """

    voxels: npt.NDArray[np.generic]
    geometry: Geometry
    modality: str = ""
    unit: str = ""
    rescale: Rescale = Rescale()
    series_uid: str = ""
    study_uid: str = ""
    sop_instance_uids: tuple[str, ...] = ()
    description: str = ""
    body_part: str = ""
    windows: tuple[Window, ...] = ()
    inverted: bool = False
    voi_tables: tuple[VoiTable, ...] = ()
    padding: tuple[float, float] | None = None
    spacing_source: SpacingSource = SpacingSource.PATIENT
    regions: tuple[UltrasoundRegion, ...] = ()
    patient_orientation: tuple[str, str] | None = None
    suv: SuvScale | None = None
    acquisition: Acquisition = Acquisition()

    def __post_init__(self) -> None:
        if self.voxels.shape[:3] != self.geometry.shape_kji:
            raise ValueError(f"voxels of shape {self.voxels.shape} do not fill a grid of {self.geometry.shape_kji}")
        if self.voxels.ndim not in (3, 4) or (self.voxels.ndim == 4 and self.voxels.shape[3] != 3):
            raise ValueError(f"voxels have to be (k, j, i) or (k, j, i, 3), not {self.voxels.shape}")
        view = self.voxels.view()
        view.setflags(write=False)
        object.__setattr__(self, "voxels", view)

    @property
    def colour(self) -> bool:
        """Whether the voxels are RGB."""
        return self.voxels.ndim == 4

    @property
    def pixel_scale(self) -> PixelScale:
        """How lengths inside a slice are told."""
        return pixel_scale(self.geometry, self.spacing_source, self.regions)

    def values(self, region: tuple[slice | int, ...] = ()) -> npt.NDArray[np.float32]:
        """Return the values of a region in ``unit`` as float32.

        Parameters
        ----------
        region : tuple of slice or int
            Index into (k, j, i); empty for the whole volume.
        """
        return self.values_of(self.voxels[region] if region else self.voxels)

    def values_of(self, stored: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """Return what stored numbers of this volume, any shape, are in ``unit``, as float32."""
        values = np.asarray(stored, dtype=np.float32)
        if self.rescale.identity or self.colour:
            return values
        return np.asarray(values * np.float32(self.rescale.slope) + np.float32(self.rescale.intercept), dtype=np.float32)

    def is_padding(self, stored: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
        """Say of stored numbers, any shape, which mark places outside the field of view."""
        if self.padding is None or self.colour:
            return np.zeros(stored.shape[:3] if self.colour else stored.shape, dtype=np.bool_)
        low, high = self.padding
        numbers: npt.NDArray[Any] = stored
        return np.asarray((numbers >= low) & (numbers <= high))

    def seen_values(self, region: tuple[slice | int, ...] = ()) -> npt.NDArray[np.float32]:
        """Return the values of a region that belong to the picture, flat: padding and numbers that are none left out."""
        stored = self.voxels[region] if region else self.voxels
        values = self.values(region)
        seen = np.isfinite(values)
        if self.padding is not None and not self.colour:
            seen &= ~self.is_padding(stored)
        return np.asarray(values[seen])


def pixel_scale(geometry: Geometry | None, source: SpacingSource, regions: tuple[UltrasoundRegion, ...] = ()) -> PixelScale:
    """Return how lengths inside the slices of a grid are told."""
    if geometry is None or geometry.calibration is Calibration.PIXELS:
        return PixelScale(source, None, regions)
    _, dj, di = geometry.spacing_kji_mm
    return PixelScale(source, (dj, di), regions)
