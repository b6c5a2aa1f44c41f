"""The voxels of one series and what they mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
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
    padding_value : float or None
        Stored number that marks voxels outside the field of view.
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
    padding_value: float | None = None

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

    def values(self, region: tuple[slice | int, ...] = ()) -> npt.NDArray[np.float32]:
        """Return the values of a region in ``unit`` as float32.

        Parameters
        ----------
        region : tuple of slice or int
            Index into (k, j, i); empty for the whole volume.
        """
        stored = self.voxels[region] if region else self.voxels
        values = np.asarray(stored, dtype=np.float32)
        if self.rescale.identity or self.colour:
            return values
        return np.asarray(values * np.float32(self.rescale.slope) + np.float32(self.rescale.intercept), dtype=np.float32)
