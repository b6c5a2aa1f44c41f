"""Which pixels an object was made on and where they lay, in private elements: UIDs do not tell altered copies apart."""

from __future__ import annotations

import json

import numpy as np
from pydicom.dataset import Dataset

from medview.core.geometry import Geometry
from medview.core.pixel_hash import is_pixels_sha256

GROUP = 0x0071
CREATOR = "MEDVIEW"
PIXELS = 0x01
"""A value of ``core.pixel_hash.pixels_sha256``."""
GRID = 0x02
"""JSON: shape (k, j, i) and the 16 numbers of affine_lps."""


def put_pixel_mark(dataset: Dataset, pixels: str, geometry: Geometry) -> None:
    """Write the hash of the pixels and their grid into a data set."""
    block = dataset.private_block(GROUP, CREATOR, create=True)
    block.add_new(PIXELS, "UT", pixels)
    block.add_new(GRID, "UT", json.dumps([geometry.shape_kji, geometry.affine_lps.ravel().tolist()]))


def pixel_mark(dataset: Dataset) -> tuple[str, Geometry | None]:
    """Return the hash of the pixels and their grid; empty and None when a data set carries none that is understood."""
    pixels = _text(dataset, PIXELS)
    if not is_pixels_sha256(pixels):
        return "", None
    try:
        shape, affine = json.loads(_text(dataset, GRID))
        k, j, i = (int(n) for n in shape)
        return pixels, Geometry((k, j, i), np.asarray(affine, dtype=np.float64).reshape(4, 4))
    except (ValueError, TypeError, RecursionError, OverflowError):
        return pixels, None


def _text(dataset: Dataset, element: int) -> str:
    try:
        value = dataset.private_block(GROUP, CREATOR)[element].value
    except (KeyError, ValueError, TypeError, NotImplementedError, AttributeError):
        return ""
    # In implicit VR the type of a private element is not known.
    return (bytes(value).decode("ascii", "replace") if isinstance(value, bytes) else str(value)).strip("\x00 ")
