"""What a model gives, by task: the ``output`` of a ``model.json`` as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

from medview.core.prediction import PredictedSegment

Range = tuple[float, float]
"""Lowest and highest value, both included."""


class Carried(Enum):
    """What is brought from the model's grid back to the input's."""

    LOGITS = "logits"
    PROBABILITIES = "probabilities"
    LABELS = "labels"
    """The nearest voxel's label; nothing is interpolated."""


@dataclass(frozen=True, slots=True)
class SegmentationOutput:
    """Labels 1 to n.

    Attributes
    ----------
    activation : str
        ``softmax``: channel n of the logits is value n, channel 0 background, and the largest wins. ``sigmoid``: channel
        n - 1 is value n, present where its probability is above one half.
    overlapping : bool
        For ``sigmoid``: whether segments may share voxels (each stays whole); otherwise later ones are painted over
        earlier ones, as nnU-Net does with regions.
    carried : Carried
        What is brought to the input's grid.
    """

    labels: tuple[PredictedSegment, ...]
    activation: str = "softmax"
    overlapping: bool = False
    carried: Carried = Carried.LOGITS


@dataclass(frozen=True, slots=True)
class BoxClass:
    """One kind of box: name and RGB colour 0-255."""

    name: str
    colour: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class DetectionOutput:
    """Classes of boxes and how candidates are thinned out.

    Attributes
    ----------
    join_slices : bool
        For networks of two dimensions: boxes of neighbouring slices that lie over one another become one box.
    """

    classes: tuple[BoxClass, ...]
    score_threshold: float
    nms_iou: float
    max_boxes: int
    join_slices: bool = False


class Summary(StrEnum):
    """How scores of slices become one of the series."""

    LARGEST = "max"
    MEAN = "mean"


class Subject(StrEnum):
    """What one answer of a classifier is about."""

    STUDY = "study"
    SERIES = "series"
    SLICE = "slice"


@dataclass(frozen=True, slots=True)
class ClassificationOutput:
    """One probability per class.

    Attributes
    ----------
    activation : str
        ``softmax`` or ``sigmoid``.
    threshold : float
        Score from which the last class counts as present.
    subject : Subject
    scale, shift : float
        Calibration: the activation is taken of ``logit * scale + shift`` (Platt; temperature is ``1 / scale``).
    abstain : Range or None
        Scores between the two are answered with "not sure".
    summary : Summary
        Of a network of two dimensions: how the scores of the slices become one of the series.
    """

    classes: tuple[str, ...]
    activation: str
    threshold: float
    subject: Subject = Subject.SERIES
    scale: float = 1.0
    shift: float = 0.0
    abstain: Range | None = None
    summary: Summary = Summary.LARGEST


PROMPT_KINDS = ("point", "box", "scribble", "lasso")


@dataclass(frozen=True, slots=True)
class PromptChannel:
    """One input channel that holds prompts of one kind and sign."""

    kind: str
    positive: bool


@dataclass(frozen=True, slots=True)
class InteractiveOutput:
    """One object, from prompts. After the image's channels the network sees the previous mask, what was grown, the prompts.

    Attributes
    ----------
    previous : bool
        Whether the first channel after the image's is the mask so far.
    grown : bool
        Whether the next channel is what growing without a model makes of the first prompt alone, where that is a positive
        point or scribble; nothing otherwise.
    prompts : tuple of PromptChannel
        The channels after it, in order; two kinds never share one.
    radius_voxels : float
        Points are drawn as balls of this radius in the model's grid, scribbles as tubes.
    decay : float
        Each later prompt makes the earlier ones count this much less; 1 for not.
    activation : str
        ``softmax`` over background and object, or ``sigmoid`` of one channel.
    """

    prompts: tuple[PromptChannel, ...]
    previous: bool = True
    radius_voxels: float = 4.0
    decay: float = 1.0
    activation: str = "softmax"
    grown: bool = False


Output = SegmentationOutput | DetectionOutput | ClassificationOutput | InteractiveOutput
