"""Turning a grid's axes to the way a model wants to see them, and back."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry

LETTERS_LPS = {
    "L": (1.0, 0.0, 0.0),
    "R": (-1.0, 0.0, 0.0),
    "P": (0.0, 1.0, 0.0),
    "A": (0.0, -1.0, 0.0),
    "S": (0.0, 0.0, 1.0),
    "I": (0.0, 0.0, -1.0),
}

OPPOSITE = {"L": "R", "R": "L", "P": "A", "A": "P", "S": "I", "I": "S"}

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Orientation:
    """Which of the input's axes becomes the model's k, j, i, and which of those run backwards."""

    axes: tuple[int, int, int] = (0, 1, 2)
    flipped: tuple[bool, bool, bool] = (False, False, False)

    @classmethod
    def towards(cls, geometry: Geometry, letters: str | None, stored_axes: tuple[int, int, int] = (0, 1, 2)) -> Orientation:
        """Return the turn after which k, j, i grow as nearly as possible towards the patient directions of ``letters``.

        Where there are none, ``stored_axes`` says which stored axis becomes k, j, i.
        """
        if letters is None:
            return cls(stored_axes)
        along = np.asarray([LETTERS_LPS[letter] for letter in letters]) @ geometry.directions_kji.T
        axes = max(permutations(range(3)), key=lambda p: sum(abs(along[n, p[n]]) for n in range(3)))
        k, j, i = (bool(along[n, axes[n]] < 0) for n in range(3))
        return cls((axes[0], axes[1], axes[2]), (k, j, i))

    def turned(self, voxels: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """Return the view of a (k, j, i) array in the model's axes; writing into it writes into the array."""
        steps = tuple(slice(None, None, -1) if flip else slice(None) for flip in self.flipped)
        return voxels.transpose(self.axes)[steps]

    def turned_numbers(self, per_axis: tuple[float, float, float]) -> tuple[float, float, float]:
        """Return per-axis numbers (shape, spacing) of the input in the model's order."""
        k, j, i = (per_axis[axis] for axis in self.axes)
        return k, j, i

    def turned_shape(self, shape_kji: tuple[int, int, int]) -> tuple[int, int, int]:
        """Return the input's shape in the model's order."""
        k, j, i = (shape_kji[axis] for axis in self.axes)
        return k, j, i

    def turned_index(self, index_kji: tuple[int, int, int], shape_kji: tuple[int, int, int]) -> tuple[int, int, int]:
        """Return where a voxel of a grid of this shape is in the model's axes."""
        k, j, i = (
            shape_kji[axis] - 1 - index_kji[axis] if flip else index_kji[axis]
            for axis, flip in zip(self.axes, self.flipped, strict=True)
        )
        return k, j, i

    def box_back(
        self, low: npt.NDArray[np.float64], high: npt.NDArray[np.float64], shape_kji: tuple[int, int, int]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Turn a half-open box at voxel edges from the model's axes back to the input's, whose shape is given."""
        back_low, back_high = np.empty(3), np.empty(3)
        for n, axis in enumerate(self.axes):
            length = shape_kji[axis]
            ends = (length - high[n], length - low[n]) if self.flipped[n] else (low[n], high[n])
            back_low[axis], back_high[axis] = ends
        return back_low, back_high


def letters_of(geometry: Geometry) -> str:
    """Return the patient directions in which k, j, i grow, as near as the axes go; each axis has one of its own."""
    turn = Orientation.towards(geometry, "SPL")
    letters = [""] * 3
    for letter, axis, flipped in zip("SPL", turn.axes, turn.flipped, strict=True):
        letters[axis] = OPPOSITE[letter] if flipped else letter
    return "".join(letters)
