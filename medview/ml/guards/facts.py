"""What an example is like, in a few numbers: everything the guards look at is gathered in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medview.core.geometry import Calibration, Geometry
from medview.core.job import JobContext
from medview.core.volume import Volume
from medview.ml.examples import Example, ExampleSet, Trust, Truth, case_key
from medview.ml.guards.same_picture import picture_sha256
from medview.ml.spec import Task

_SAMPLE = 1 << 18
"""Voxels that speak for the values of a volume."""

_LETTERS = (("L", "R"), ("P", "A"), ("S", "I"))


@dataclass(frozen=True, slots=True)
class ExampleFacts:
    """One example.

    Attributes
    ----------
    shape_kji : tuple of int
        Of its first channel, as all below.
    spacing_kji_mm : tuple of float or None
        None where there are no millimetres along all axes.
    orientation : str
        The patient directions that k, j and i come nearest to, e.g. ``SPL``; empty where there are none.
    values : tuple of float
        1st, 50th and 99th percentile.
    pixels_sha256, picture_sha256 : tuple of str
        Of every channel: of the stored voxels, and of what they show.
    amounts : tuple of int
        What there is of each class: voxels, boxes, or 1 where it holds.
    known : tuple of bool
        Whether each class was looked for.
    """

    key: str
    patient: str
    split: str
    trust: Trust
    modality: str
    unit: str
    shape_kji: tuple[int, int, int]
    spacing_kji_mm: tuple[float, float, float] | None
    orientation: str
    values: tuple[float, float, float]
    pixels_sha256: tuple[str, ...]
    picture_sha256: tuple[str, ...]
    amounts: tuple[int, ...]
    known: tuple[bool, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing is labelled in it."""
        return not any(self.amounts)

    @property
    def group(self) -> str:
        """Its patient; where nobody knows, the case it is of stands for one."""
        return self.patient or f" {case_key(self.key)}"


def facts_of(examples: ExampleSet, context: JobContext) -> tuple[ExampleFacts, ...]:
    """Look at every example once, one in memory at a time. Raises MedViewError where one cannot be read."""
    found = []
    for number, example in enumerate(examples.examples):
        context.raise_if_cancelled()
        context.progress(number / len(examples.examples), f"Looking at case {number + 1} of {len(examples.examples)}")
        found.append(_facts(example, examples))
    return tuple(found)


def _facts(example: Example, examples: ExampleSet) -> ExampleFacts:
    volumes, truth = example.volumes(), example.truth()
    first = volumes[0]
    amounts, known = amounts_of(truth, examples)
    return ExampleFacts(
        key=example.key,
        patient=example.patient,
        split=example.split,
        trust=example.trust,
        modality=first.modality,
        unit=first.unit,
        shape_kji=first.geometry.shape_kji,
        spacing_kji_mm=first.geometry.spacing_kji_mm if first.geometry.calibration is Calibration.VOLUME else None,
        orientation=orientation_of(first.geometry),
        values=values_of(first),
        pixels_sha256=(example.pixels_sha256,) if example.pixels_sha256 else (),
        picture_sha256=tuple(sha256 for volume in volumes if (sha256 := picture_sha256(volume))),
        amounts=amounts,
        known=known,
    )


def amounts_of(truth: Truth, examples: ExampleSet) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Return how much there is of each class, and whether it was looked for."""
    numbers = range(1, len(examples.classes) + 1)
    known = [number not in truth.open_classes for number in numbers]
    amounts = [0] * len(examples.classes)
    if examples.task is Task.CLASSIFICATION:
        amounts = [int(truth.answers.get(one.name, 0.0) >= 0.5) for one in examples.classes]
        decided = examples.exclusive and any(amounts)
        known = [decided or one.name in truth.answers for one in examples.classes]
    elif examples.task is Task.DETECTION:
        # Those too difficult to be asked for are not learnt from.
        for box in (one for one in truth.boxes if not one.difficult):
            amounts[box.number - 1] += 1
    elif truth.layers is not None:
        for layer in truth.layers:
            counts = np.bincount(np.ravel(layer), minlength=256)
            amounts = [amount + int(counts[number]) for amount, number in zip(amounts, numbers, strict=True)]
    return tuple(amounts), tuple(known)


def orientation_of(geometry: Geometry) -> str:
    """Return the letters of the patient directions that k, j, i come nearest to; empty where the grid has none."""
    if geometry.calibration is not Calibration.VOLUME:
        return ""
    directions = geometry.directions_kji
    axes = [int(np.abs(row).argmax()) for row in directions]
    return "".join(_LETTERS[axis][int(row[axis] < 0)] for axis, row in zip(axes, directions, strict=True))


def values_of(volume: Volume) -> tuple[float, float, float]:
    """Return the 1st, 50th and 99th percentile of the values that belong to the picture."""
    step = max(1, round((volume.voxels.size / _SAMPLE) ** (1 / 3)))
    region: Sequence[slice] = [slice(None, None, min(step, n)) for n in volume.geometry.shape_kji]
    seen = volume.seen_values(tuple(region))
    if not seen.size:
        return 0.0, 0.0, 0.0
    low, middle, high = np.percentile(seen, (1, 50, 99))
    return float(low), float(middle), float(high)
