"""What is known of examples, as the loss and the figures want it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

HALF = 0.5


def truth_of(answers: Mapping[str, float], classes: Sequence[str], *, exclusive: bool) -> Floats | None:
    """Return how far each class holds, shape (classes,): 0 or 1, NaN where nobody said; None where nothing can be learnt.

    Of classes that exclude each other one has to be known to hold: said so, or the only one that is not ruled out.
    """
    said = np.asarray([answers.get(name, np.nan) for name in classes], dtype=np.float32)
    if not exclusive:
        return None if np.isnan(said).all() else np.where(np.isnan(said), said, (said >= HALF).astype(np.float32))
    holds = np.flatnonzero(said >= HALF)
    if not holds.size:
        holds = np.flatnonzero(np.isnan(said))
    if holds.size != 1:
        return None
    truth = np.zeros(len(classes), dtype=np.float32)
    truth[holds] = 1.0
    return truth


def class_weights(truths: Sequence[Floats], *, exclusive: bool, largest: float = 20.0) -> list[float]:
    """Return what makes rare classes count as much as common ones.

    Returns
    -------
    list of float
        Of classes that exclude each other the weight of each, 1 where all are as common; else how much more an example
        counts in which the class holds than one in which it does not.
    """
    said = np.stack(truths)
    holds = np.nansum(said, axis=0)
    known = (~np.isnan(said)).sum(axis=0)
    weights = (known / said.shape[1] if exclusive else known - holds) / np.maximum(holds, 1.0)
    return [round(float(w), 4) for w in np.clip(weights, 1.0 / largest, largest)]
