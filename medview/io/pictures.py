"""PNG and JPEG pictures: one slice without millimetres."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from medview.core.errors import ReadError, RefusedError
from medview.core.geometry import Calibration, Geometry
from medview.core.study import Reason
from medview.io.dicom.reasons import Code
from medview.io.plain_header import PlainHeader
from medview.io.sources import name_of, open_source

MAX_PIXELS = 300_000_000
"""Largest picture; a scanned film has 30 million."""

_GREY = {"1": "uint8", "L": "uint8", "I;16": "uint16", "I;16B": "uint16", "I;16L": "uint16", "I": "int32", "F": "float32"}
"""Pillow's grey modes; every other mode becomes RGB."""


def read_header(path: str) -> PlainHeader:
    """Return size and dtype of a picture.

    Raises
    ------
    ReadError, RefusedError
        When it is damaged or too large.
    """
    with open_source(path) as file:
        picture = _open(file, name_of(path))
        columns, rows = picture.size
        grey = _GREY.get(picture.mode)
    geometry = Geometry.from_spacing((1, rows, columns), (1.0, 1.0, 1.0), calibration=Calibration.PIXELS)
    reason = Reason(Code.NO_SPACING, "A picture states no millimetres; distances are in pixels.")
    return PlainHeader(geometry, grey or "uint8", colour=grey is None, reasons=(reason,))


def read_voxels(path: str, time_point: int = 0) -> npt.NDArray[Any]:
    """Return the pixels of a picture, (1, rows, columns) or (1, rows, columns, 3).

    Raises
    ------
    ReadError
        When it ends early.
    """
    name = name_of(path)
    with open_source(path) as file:
        picture = _open(file, name)
        try:
            if picture.mode == "1":
                pixels = np.asarray(picture.convert("L"))
            elif picture.mode in _GREY:
                pixels = np.asarray(picture).astype(_GREY[picture.mode], copy=False)
            else:
                pixels = np.asarray(picture.convert("RGB"))
        except (OSError, ValueError, SyntaxError, IndexError) as error:
            raise ReadError(f"{name} is damaged: it ends early; copy it again.", detail=repr(error)) from error
    return pixels[None]


def read_label_map(path: str) -> npt.NDArray[Any]:
    """Return the numbers of a picture that is a label map, (1, rows, columns): those of its palette, or its grey levels.

    Raises
    ------
    ReadError
        When it ends early, or is in colours.
    """
    name = name_of(path)
    with open_source(path) as file:
        picture = _open(file, name)
        palette = picture.mode == "P"
        try:
            numbers = np.asarray(picture) if palette else None
        except (OSError, ValueError, SyntaxError, IndexError) as error:
            raise ReadError(f"{name} is damaged: it ends early; copy it again.", detail=repr(error)) from error
    if numbers is not None:
        return numbers[None]
    grey = as_grey(read_voxels(path))
    if grey.ndim == 4:
        raise ReadError(f"{name} is no label map: it is in colours; masks hold one number for each pixel.")
    return grey


def has_palette(path: str) -> bool:
    """Whether the numbers of a picture stand for colours of its own table. Raises ReadError, RefusedError."""
    with open_source(path) as file:
        return _open(file, name_of(path)).mode == "P"


def as_grey(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return (k, j, i) of colours (k, j, i, 3) that are all grey; anything else as it is."""
    if pixels.ndim != 4:
        return pixels
    first = pixels[..., 0]
    equal = np.array_equal(first, pixels[..., 1]) and np.array_equal(first, pixels[..., 2])
    return np.ascontiguousarray(first) if equal else pixels


def _open(file: Any, name: str) -> Image.Image:
    limit = Image.MAX_IMAGE_PIXELS
    # Pillow warns or raises by a limit of its own; ours is checked below, before anything is decoded.
    Image.MAX_IMAGE_PIXELS = None
    try:
        picture = Image.open(file, formats=("PNG", "JPEG"))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise ReadError(f"{name} is damaged: it cannot be read as a picture.", detail=repr(error)) from error
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    if picture.size[0] * picture.size[1] > MAX_PIXELS:
        raise RefusedError(f"{name} claims {picture.size[0]} x {picture.size[1]} pixels; it was not opened.")
    return picture
