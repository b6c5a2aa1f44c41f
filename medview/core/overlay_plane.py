"""Graphics a file lays over its image: DICOM overlay planes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

GRAPHICS_COLOUR = (255, 224, 138)
"""Red, green and blue of what files draw over their own images; no segment has this colour."""


@dataclass(frozen=True, slots=True, eq=False)
class OverlayPlane:
    """One overlay of one slice, cut to the image.

    Attributes
    ----------
    packed : ndarray of uint8, shape (rows, ceil(columns / 8))
        Rows of bits, the first column in the highest bit (``numpy.packbits``).
    shape_ji : tuple of int
        Rows and columns of the slice.
    label : str
        What the file calls it, or empty.
    region : bool
        It outlines a region of interest rather than drawing or writing something.
    """

    packed: npt.NDArray[np.uint8]
    shape_ji: tuple[int, int]
    label: str = ""
    region: bool = False

    @classmethod
    def of(cls, mask: npt.NDArray[np.bool_], label: str = "", *, region: bool = False) -> OverlayPlane:
        """Return a plane from a mask, shape (rows, columns)."""
        rows, columns = mask.shape
        return cls(np.packbits(mask, axis=1), (rows, columns), label, region)

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Where something is drawn, shape (rows, columns)."""
        return np.unpackbits(self.packed, axis=1, count=self.shape_ji[1]).astype(np.bool_)
