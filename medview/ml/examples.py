"""Labelled cases as training and evaluation see them: values and truths, no files, no torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from medview.core.volume import Volume
from medview.ml.spec import Task

UNKNOWN = 255
"""In class maps: nobody knows what this voxel is. It enters no loss and no figure."""

MOST_CLASSES = 254

_OF_SLICE = re.compile(r"_k\d{4,}$")


def slice_key(key: str, k: int) -> str:
    """Return the key of the example that is one slice of a case."""
    return f"{key}_k{k:04d}"


def case_key(key: str) -> str:
    """Return the key of the case that an example is, or is a slice of."""
    return _OF_SLICE.sub("", key)


class Trust(StrEnum):
    """Where the labels of an example come from."""

    HUMAN = "human"
    """Drawn, or looked at and left as they were, by a person who said that the case is done."""
    ACCEPTED = "accepted"
    """Made by a model and accepted by a person."""
    UNREVIEWED = "unreviewed"
    """Made by a model; nobody looked. Never in validation or test."""


@dataclass(frozen=True, slots=True)
class TrainingClass:
    """Something to learn; the first of a set is class 1.

    Attributes
    ----------
    colour : tuple of int
        Red, green, blue, 0 to 255.
    code : mapping of str to str or None
        As ``output.labels[].code`` of a model pack; None where nobody gave one.
    """

    name: str
    colour: tuple[int, int, int] = (220, 60, 60)
    code: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class TrueBox:
    """A box around one object.

    Attributes
    ----------
    number : int
        Its class, from 1.
    min_kji, max_kji : tuple of float
        On the grid of the first volume, half-open, at voxel edges: voxel n covers n to n + 1.
    difficult : bool
        Finding it is neither right nor wrong.
    """

    number: int
    min_kji: tuple[float, float, float]
    max_kji: tuple[float, float, float]
    difficult: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What people know of an example.

    Attributes
    ----------
    layers : ndarray of uint8, shape (layer, k, j, i), or None
        Class numbers on the grid of the first volume; 0 is background, ``UNKNOWN`` is neither. Classes that overlap lie
        in different layers. None where nothing is drawn by masks.
    open_classes : frozenset of int
        Classes nobody drew or ruled out: where a voxel says 0 it may still be one of them.
    boxes : tuple of TrueBox
    answers : mapping of str to float
        Classification: how far a class holds (0 or 1); those that nobody answered are not in it.
    """

    layers: npt.NDArray[np.uint8] | None = None
    open_classes: frozenset[int] = frozenset()
    boxes: tuple[TrueBox, ...] = ()
    answers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One case. Voxels and labels are loaded when they are asked for, and not kept.

    Attributes
    ----------
    key : str
        A pseudonym; of datasets of other programs the name of a file.
    patient : str
        A pseudonym; empty where nobody knows.
    split : str
        ``train``, ``val`` or ``test``.
    volumes : callable
        Returns its channels in order, all on the grid of the first. Raises MedViewError.
    truth : callable
        Returns what is known. Raises MedViewError.
    pixels_sha256 : str
        Of the stored voxels; the same picture under another name has the same.
    """

    key: str
    patient: str
    split: str
    volumes: Callable[[], tuple[Volume, ...]]
    truth: Callable[[], Truth]
    pixels_sha256: str = ""
    trust: Trust = Trust.HUMAN


LONGEST_LICENCE = 200
"""Characters of a licence that a pack holds."""
NO_LICENCE = "No licence is stated."


@dataclass(frozen=True, slots=True, eq=False)
class ExampleSet:
    """A labelled dataset for one task.

    Attributes
    ----------
    classes : tuple of TrainingClass
        Numbered from 1 in this order.
    channels : tuple of str
        What the volumes of an example show.
    by_patient : bool
        Whether splits go by patient; otherwise nobody knew the patients and they go by image.
    target : str
        Classification: what is learnt: a question, a label, or all labels.
    of_slices : bool
        Classification: answers are about slices, each of which is an example by itself.
    exclusive : bool
        Classification: exactly one class holds. Segmentation: no two classes overlap anywhere.
    splits_sha256, dataset_sha256 : str
        Of who is where, and of everything.
    """

    task: Task
    classes: tuple[TrainingClass, ...]
    channels: tuple[str, ...]
    examples: tuple[Example, ...]
    by_patient: bool = True
    exclusive: bool = True
    of_slices: bool = False
    splits_sha256: str = ""
    dataset_sha256: str = ""
    licence: str = ""
    warnings: tuple[str, ...] = ()
    target: str = ""

    @property
    def stated_licence(self) -> str:
        """What a pack that learns from it says of its licence."""
        return self.licence[:LONGEST_LICENCE] or NO_LICENCE

    def of_split(self, split: str) -> tuple[Example, ...]:
        """Return the examples of a split, in order."""
        return tuple(example for example in self.examples if example.split == split)
