"""What each answer of a network begins with: a row of the parent's, or something sensible where there is none."""

from __future__ import annotations

from dataclasses import dataclass

from medview.ml.lineage.class_map import ClassMap
from medview.ml.outputs import ClassificationOutput, DetectionOutput, SegmentationOutput
from medview.ml.spec import ModelSpec

RARE = -4.6
"""Logarithm of one in a hundred: how probable a class is that is told by itself, before anything was learnt of it."""

RARER = -2.3
"""Logarithm of one in ten: how much rarer than background a class is that was background before. Rarer ones are learnt
later, and no sooner would more than a voxel in a thousand be said to be one."""


@dataclass(frozen=True, slots=True)
class Row:
    """One answer.

    Attributes
    ----------
    plus, minus : int or None
        The parent's answers it begins as, and less which.
    more : float or None
        Added to its bias; None, for an answer without any of the parent's, for the mean of the biases there are.
    """

    plus: int | None
    minus: int | None = None
    more: float | None = 0.0

    @property
    def new(self) -> bool:
        """Whether it is of a class the parent does not have; its kernels begin with a little noise."""
        return self.more != 0.0


def rows_of(parent: ModelSpec, spec: ModelSpec, classes: ClassMap) -> tuple[Row, ...]:
    """Return the rows of the head of ``spec`` in those of its parent's.

    A new class begins as background that is ten times rarer, so that hardly anything is said otherwise than before; where
    each class is told by itself, as something that is hardly ever there; of scores of whole pictures, with their mean.
    """
    before, now = parent.output, spec.output
    if isinstance(before, SegmentationOutput) and isinstance(now, SegmentationOutput):
        return _of_masks(before.activation == "softmax", now.activation == "softmax", classes)
    if isinstance(before, ClassificationOutput) and isinstance(now, ClassificationOutput):
        return tuple(Row(None, more=None) if one.old is None else Row(one.old) for one in classes.classes)
    if isinstance(before, DetectionOutput) and isinstance(now, DetectionOutput):
        return tuple(Row(None, more=RARE) if one.old is None else Row(one.old) for one in classes.classes)
    return tuple(Row(n) for n in range(parent.out_channels))


def _of_masks(was_softmax: bool, is_softmax: bool, classes: ClassMap) -> tuple[Row, ...]:
    """Where there was a background and is none any longer, a class is told from it by the difference of the two."""
    # Nothing makes one background of classes that were told each by itself.
    assert was_softmax or not is_softmax
    first = 1 if was_softmax else 0
    found = [Row(0)] if is_softmax else []
    minus = 0 if was_softmax and not is_softmax else None
    for one in classes.classes:
        if one.old is not None:
            found.append(Row(one.old + first, minus))
        elif is_softmax:
            found.append(Row(0, more=RARER))
        else:
            found.append(Row(None, more=RARE))
    return tuple(found)
