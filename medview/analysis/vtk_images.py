"""Arrays of voxels as VTK images over the same memory."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_images: dict[int, tuple[weakref.ref[Any], Any]] = {}
"""VTK images over voxels in use, by the address of the array object; an entry goes with its array."""


def vtk_image(voxels: npt.NDArray[np.generic]) -> Any:
    """Return voxels as a VTK image over the same memory; a copy only where they do not lie in one piece."""
    key = id(voxels)
    known = _images.get(key)
    if known is not None and known[0]() is voxels:
        return known[1]
    image = _wrapped(voxels)
    _images[key] = (weakref.ref(voxels, _forgets(key)), image)
    return image


def _forgets(key: int) -> Callable[[object], None]:
    def forget(gone: object) -> None:
        entry = _images.get(key)
        if entry is not None and entry[0] is gone:
            del _images[key]

    return forget


@dataclass(frozen=True, slots=True)
class _Borrowed:
    """Memory of an array that outlives its image: the image goes with the array, see ``_images``."""

    __array_interface__: dict[str, Any]


def _wrapped(voxels: npt.NDArray[np.generic]) -> Any:
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData

    slices, rows, columns = voxels.shape[:3]
    native = np.ascontiguousarray(voxels, dtype=voxels.dtype.newbyteorder("="))
    if np.may_share_memory(native, voxels):
        # VTK would keep the array, and the array its image: neither would ever go.
        native = np.asarray(_Borrowed(native.__array_interface__))
    points = native.reshape(slices * rows * columns, *voxels.shape[3:])
    image = vtkImageData()
    image.SetDimensions(columns, rows, slices)
    image.GetPointData().SetScalars(numpy_to_vtk(points))
    return image
