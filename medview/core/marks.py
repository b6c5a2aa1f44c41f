"""What a person says is finished in a case, so that what is not drawn there is known to be background."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Marks:
    """How far the labels of a case can be relied on.

    Attributes
    ----------
    done_slices : frozenset of int
        Slices k of the grid on which everything of the label set is drawn. Elsewhere a voxel without a label is unknown,
        not background.
    done_across : frozenset of (int, int)
        The same for slices across the other two axes of the grid: array axis (1 = j, 2 = i) and index.
    """

    done_slices: frozenset[int] = frozenset()
    done_across: frozenset[tuple[int, int]] = frozenset()

    def with_slice(self, index: int, *, done: bool, axis: int = 0) -> Marks:
        """Return the marks with the slice ``index`` across an array axis marked done, or not."""
        if axis == 0:
            return replace(self, done_slices=self.done_slices | {index} if done else self.done_slices - {index})
        one = {(axis, index)}
        return replace(self, done_across=self.done_across | one if done else self.done_across - one)

    def is_done(self, index: int, axis: int = 0) -> bool:
        """Whether the slice ``index`` across an array axis is marked done."""
        return index in self.done_slices if axis == 0 else (axis, index) in self.done_across

    def done(self, axis: int) -> tuple[int, ...]:
        """Return the slices across an array axis that are marked done, in order."""
        if axis == 0:
            return tuple(sorted(self.done_slices))
        return tuple(sorted(index for of_axis, index in self.done_across if of_axis == axis))

    def known(self, shape_kji: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
        """Return which voxels of a grid lie on a slice that is done, whichever way it runs, shape (k, j, i)."""
        found = np.zeros(shape_kji, dtype=np.bool_)
        for axis in range(3):
            selector: list[slice | list[int]] = [slice(None)] * 3
            selector[axis] = list(self.done(axis))
            found[tuple(selector)] = True
        return found
