"""What is set once the network is trained: steps on its labels, where validation examples gain by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from medview.core.job import JobContext
from medview.ml.examples import UNKNOWN
from medview.ml.runners.finish import postprocess
from medview.ml.spec import Step
from medview.ml.training.segmentation.look import dice_of, masks_of
from medview.ml.training.segmentation.stored import Labels, StoredExample

WORTH_A_STEP = 0.001
"""Least gain of a class's mean Dice for which its labels are changed after the network."""

WORTH_MIRRORING = 0.003
"""Least gain of the mean Dice for which everything is looked at once more."""

LEAST_EXAMPLES = 5
"""With fewer validation examples a gain is chance."""

SMALL_SHARE = 0.5
"""What is removed as small is smaller than this share of the smallest true mask."""


def worthwhile_steps(
    found: Sequence[tuple[StoredExample, Labels]],
    classes: int,
    context: JobContext,
    before: Sequence[Step] = (),
    *,
    in_space: bool = True,
) -> tuple[Step, ...]:
    """Return the steps on labels that raise the Dice of validation examples, and lower it for fewer than it rises in.

    Parameters
    ----------
    found : sequence
        Validation examples and what the network says of them, class numbers (1, k, j, i).
    before : sequence of Step
        Those of a class stay where no other is better and they do not lower its mean Dice, as far as that is known.
    in_space : bool
        Whether voxels have a size in cubic millimetres.
    """
    of_class = []
    for number in range(1, classes + 1):
        own = [replace(step, values=(number,)) for step in before if not step.values or number in step.values]
        of_class.append(tuple(_of_class(found, number, own, context, in_space=in_space)))
    return _together(of_class)


def _together(of_class: Sequence[Sequence[Step]]) -> tuple[Step, ...]:
    """Return the steps of all classes, equal ones as one; those of a class stay in their order, and touch no other."""
    found: dict[tuple[int, str, tuple[tuple[str, float], ...]], Step] = {}
    for steps in of_class:
        for place, step in enumerate(steps):
            key = place, step.op, tuple(sorted(step.numbers.items()))
            found[key] = replace(step, values=(*found[key].values, *step.values)) if key in found else step
    return tuple(found[key] for key in sorted(found, key=lambda key: key[0]))


def _of_class(
    found: Sequence[tuple[StoredExample, Labels]],
    number: int,
    before: Sequence[Step],
    context: JobContext,
    *,
    in_space: bool,
) -> Iterator[Step]:
    known = [(one, labels) for one, labels in found if number not in one.open_classes]
    if len(known) < LEAST_EXAMPLES:
        yield from before
        return
    sizes = [int((np.asarray(one.labels()[0]) == number).sum()) * one.voxel_mm3 for one, _ in known]
    smallest = min((size for size in sizes if size > 0), default=0.0)
    candidates = [Step("largest_component", {}, (number,))]
    if smallest and in_space:
        candidates.append(Step("remove_small", {"min_mm3": round(SMALL_SHARE * smallest, 3)}, (number,)))
    best: tuple[float, Step] | None = None
    for step in candidates:
        gains = _gains(known, number, step, context)
        gain = float(np.mean(gains)) if gains else 0.0
        better, worse = sum(one > 0 for one in gains), sum(one < 0 for one in gains)
        if gain >= WORTH_A_STEP and better > worse and (best is None or gain > best[0]):
            best = gain, step
    if best is not None:
        yield best[1]
    else:
        yield from (step for step in before if sum(_gains(known, number, step, context)) >= 0)


def _gains(found: Sequence[tuple[StoredExample, Labels]], number: int, step: Step, context: JobContext) -> list[float]:
    """Return how much the Dice of a class rises in each example that shows it."""
    gains = []
    for one, labels in found:
        context.raise_if_cancelled()
        after = labels[0].copy()
        postprocess(after, (step,), one.voxel_mm3, context)
        truth = np.asarray(one.labels())
        # An empty answer where nothing is drawn is as good as can be.
        was, now = (
            1.0 if (value := dice_of(*masks_of(maps, truth, number, overlapping=False))) is None else value
            for maps in (labels, after[None])
        )
        if (truth[0] == UNKNOWN).all():
            continue
        gains.append(now - was)
    return gains
