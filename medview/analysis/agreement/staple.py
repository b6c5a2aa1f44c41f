"""What several readers most probably meant, weighing each by how it performs (STAPLE)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

_MOST_ROUNDS = 500


def staple(masks: Sequence[Mask]) -> tuple[Mask, list[tuple[float, float]]]:
    """Return the voxels that are more probable than not, and the sensitivity and specificity of each mask beside them.

    Estimated together by expectation and maximisation (Warfield, Zou and Wells 2004), by SimpleITK. How probable a voxel is
    before anybody looked, and the specificities with it, depend on how much background is looked at: here it is the box
    that is given and one voxel around it. Masks that are all empty, or all the same, are what they are.

    Parameters
    ----------
    masks : sequence of ndarray of bool, shape (k, j, i)
        One or more, all of the smallest box that holds every voxel of them.
    """
    first = masks[0]
    if all(np.array_equal(mask, first) for mask in masks):
        return first.copy(), [(1.0, 1.0)] * len(masks)
    import SimpleITK as sitk  # late: the window imports this module at start

    judge = sitk.STAPLEImageFilter()
    judge.SetForegroundValue(1.0)
    judge.SetMaximumIterations(_MOST_ROUNDS)
    # Without a voxel of background, as where masks fill the grid, specificity would be 0 over 0.
    images = [sitk.GetImageFromArray(np.pad(mask, 1).astype(np.uint8)) for mask in masks]
    probable = judge.Execute(images)  # the view below does not keep it
    held = sitk.GetArrayViewFromImage(probable)[1:-1, 1:-1, 1:-1] > 0.5
    rates = [(float(a), float(b)) for a, b in zip(judge.GetSensitivity(), judge.GetSpecificity(), strict=True)]
    return held, rates
