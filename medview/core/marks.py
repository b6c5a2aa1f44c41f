"""What a person says is finished in a case, so that what is not drawn there is known to be background."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Marks:
    """How far the labels of a case can be relied on.

    Attributes
    ----------
    done_slices : frozenset of int
        Slices k of the grid on which everything of the label set is drawn. Elsewhere a voxel without a label is unknown,
        not background.
    """

    done_slices: frozenset[int] = frozenset()

    def with_slice(self, k: int, *, done: bool) -> Marks:
        """Return the marks with slice ``k`` marked done, or not."""
        return Marks(self.done_slices | {k} if done else self.done_slices - {k})
