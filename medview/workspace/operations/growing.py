"""Showing what a model finds while it is still running."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.prediction import PredictedMask
from medview.workspace.open_case import OpenCase
from medview.workspace.unfinished import Unfinished


class Growing:
    """Puts the slabs of one run together in the view of its case, and takes them away at its end.

    Parameters
    ----------
    case : OpenCase
        Whose grid the slabs are on.
    """

    def __init__(self, case: OpenCase, run_id: str, title: str) -> None:
        self._case, self._run_id, self._title = case, run_id, title
        self._voxels: npt.NDArray[np.uint8] | None = None
        self._box: Box | None = None

    def add(self, part: object) -> None:
        """Show another slab; what is no mask is passed over."""
        if not isinstance(part, PredictedMask) or part.box.empty:
            return
        if self._voxels is None:
            self._voxels = np.zeros(self._case.volume.geometry.shape_kji, dtype=np.uint8)
        self._voxels[part.box.slices] = part.voxels
        self._box = part.box if self._box is None else Box.union_of([self._box, part.box])
        assert self._box is not None
        mask = PredictedMask(self._box, self._voxels[self._box.slices], part.segments)
        self._case.view.unfinished = Unfinished(self._run_id, self._title, mask)

    def end(self) -> None:
        """Take it away, unless another run shows something by now."""
        shown = self._case.view.unfinished
        if shown is not None and shown.run_id == self._run_id:
            self._case.view.unfinished = None
        self._voxels = None
