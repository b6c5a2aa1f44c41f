"""What is not 0 in any channel: stripped brains and cut-out fields of view are boxes of tissue in much of nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cc3d
import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.job import JobContext
from medview.ml.spec import Crop, InputSpec, Shape3

CHUNK_VOXELS = 1 << 22
"""Voxels looked at between two looks at Cancel."""

BoolArray = npt.NDArray[np.bool_]
NotZero = Callable[[int, int], BoolArray]
"""Says what of a channel is not 0 in slices from one to another, in the model's axes."""


def crop_of(
    shape_kji: Shape3, channels: Sequence[NotZero], wanted: InputSpec, context: JobContext
) -> tuple[Box, BoolArray | None]:
    """Return the part of the input that a model is shown, in its axes, and inside it what is not 0 in any channel.

    The mask is only there where the model's steps or its crop ask for it.

    Raises
    ------
    CancelledError
        Between pieces of ``CHUNK_VOXELS``.
    """
    whole = Box.whole(shape_kji)
    masked = any(step.op == "zscore_inside" for channel in wanted.channels for step in channel.intensity)
    if wanted.crop is not Crop.NONZERO and not masked:
        return whole, None
    found = np.zeros(shape_kji, dtype=np.bool_)
    step = max(1, CHUNK_VOXELS // (shape_kji[1] * shape_kji[2]))
    for not_zero in channels:
        for k in range(0, shape_kji[0], step):
            context.raise_if_cancelled()
            found[k : k + step] |= not_zero(k, min(k + step, shape_kji[0]))
    # A volume of nothing but 0 is looked at as it is.
    box = (Box.around(found) or whole) if wanted.crop is Crop.NONZERO else whole
    return box, found[box.slices] if masked else None


def outlined(nonzero: BoolArray) -> BoolArray:
    """Return a mask (k, j, i) with its holes: what of the rest does not reach the faces by faces of voxels."""
    if nonzero.all():
        return nonzero
    parts = cc3d.connected_components(~nonzero, connectivity=6)
    faces = [np.unique(parts.take(end, axis)) for axis in range(3) for end in (0, -1)]
    inside = np.ones(int(parts.max()) + 1, dtype=np.bool_)
    inside[np.unique(np.concatenate(faces))] = False
    inside[0] = True
    return np.asarray(inside[parts])
