"""Pictures in colour as the channels models look at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.volume import Volume
from medview.io.pictures import as_grey
from medview.ml.predict import colour_parts
from medview.ml.spec import COLOUR_CHANNELS


def grey_channels(volume: Volume, count: int) -> tuple[Volume, ...]:
    """Return a volume as ``count`` (1 or 3) grey ones that share its memory where they can.

    Colours with one channel wanted become their luminance (ITU-R BT.601), unless their three parts are equal; grey with
    three wanted stands three times.
    """
    if count == len(COLOUR_CHANNELS):
        return colour_parts(volume)
    if not volume.colour:
        return (volume,)
    grey = as_grey(volume.voxels)
    return (replace(volume, voxels=grey if grey.ndim == 3 else _luminance(grey)),)


def _luminance(pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    weights = np.array([0.299, 0.587, 0.114], dtype=np.float32)
    return np.stack([np.rint(plane.astype(np.float32) @ weights).astype(np.uint8) for plane in pixels])
