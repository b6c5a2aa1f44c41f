"""What a model pack says about itself: ``model.json`` as frozen values.

A pack is a folder or zip of data, never code::

    model.json   weights.safetensors   LICENSE   MODEL_CARD.md

``resources/schemas/model.schema.json`` is the JSON Schema; ``resources/schemas/examples`` has a document for each task.
In short::

    {
      "schema_version": 1,
      "id": "phantom-organs-nodules",            lower case letters, digits, hyphens
      "name": "Organs and nodules (phantom)",
      "version": "1.0.0",
      "task": "segmentation",                    segmentation | detection | classification
      "summary": "Lungs, heart and nodules in chest CT phantoms.",
      "network": {"name": "unet3d", "kwargs": {"in_channels": 1, "classes": 4, "channels": [8, 16]}},
      "input": {
        "channels": ["CT"],                      one name per input channel
        "modality": ["CT"],                      DICOM modalities it may see; [] for any
        "dimensions": 3,
        "unit": "HU",                            unit of the values; "" for numbers without one
        "spacing_kji_mm": [2.5, 2.0, 2.0],       resampled to this; null: the grid as it is
        "shape_kji": null,                       classification only: resized to this, whatever the spacing
        "orientation": "SPL",                    k, j, i grow towards head, back, left; null: as stored
        "intensity": [                           in order, on values in ``unit``
          {"op": "clip", "low": -1000, "high": 400},
          {"op": "scale", "low": -1000, "high": 400}
        ]
      },
      "tiling": {"tile_kji": [96, 96, 96], "overlap": 0.5, "blend": "gaussian"},
      "output": {"labels": [{"value": 1, "name": "Lungs", "colour": [86, 180, 233],
                             "code": {"value": "39607008", "scheme": "SCT", "meaning": "Lung"}}]},
      "postprocess": [{"op": "remove_small", "min_mm3": 20}],
      "card": {"intended_use": "...", "training_data": "...", "limitations": "...", "metrics": {"dice lungs": 0.98}},
      "licence": "Apache-2.0",
      "notice": "Trained on phantoms; means nothing on patients.",
      "files": {"weights.safetensors": "<sha256>", "LICENSE": "<sha256>", "MODEL_CARD.md": "<sha256>"}
    }

Intensity steps: ``clip`` (low, high); ``scale`` maps low..high to 0..1 without clipping; ``shift_scale`` (subtract,
divide). ``zscore``, ``minmax`` (to 0..1) and ``quantile`` (low, high: fractions, mapped to 0..1) look at the whole volume.

Tiling ``blend``: ``gaussian`` overlaps tiles of exactly ``tile_kji``. ``valid`` cuts tiles freely and keeps only voxels
whose receptive field (``margin_kji`` voxels to each side) was inside, so that the result is that of the whole volume.
``whole`` is for networks that look at everything at once (normalisation over the volume). ``null`` for classification.

Outputs: segmentation as above, channel n of the logits being value n and channel 0 background; detection
``{"classes": [{"name", "colour"}], "score_threshold": 0.3, "nms_iou": 0.1, "max_boxes": 50}``; classification
``{"classes": ["absent", "present"], "activation": "softmax" | "sigmoid", "threshold": 0.5}``, one channel per class.

Postprocess: ``remove_small`` (min_mm3) and ``largest_component``, each for all labels or the listed ``values``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from medview.core.prediction import PredictedSegment

SCHEMA_VERSION = 1
MODEL_FILE = "model.json"
WEIGHTS_FILE = "weights.safetensors"

Literal = str | int | float | bool | None | list["Literal"]
"""What a network's keyword argument may be."""

Vector3 = tuple[float, float, float]
Shape3 = tuple[int, int, int]


class Task(StrEnum):
    """What a model gives."""

    SEGMENTATION = "segmentation"
    DETECTION = "detection"
    CLASSIFICATION = "classification"


class Blend(Enum):
    """How tiles become one volume."""

    GAUSSIAN = "gaussian"
    VALID = "valid"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """Name in the closed table of ``medview.ml.networks.table`` and literal keyword arguments."""

    name: str
    kwargs: Mapping[str, Literal]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a closed table (intensity, postprocess): name, numbers, and the label values it is for (none: all)."""

    op: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    values: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What the network wants to see.

    Attributes
    ----------
    channels : tuple of str
        Names of the input channels, in order.
    modality : tuple of str
        DICOM modalities; empty for any.
    unit : str
        Unit of the values the intensity steps start from.
    spacing_kji_mm : tuple of float or None
        Along k, j, i after reorientation; None for the grid as it is.
    shape_kji : tuple of int or None
        Fixed size for classification; None for any.
    orientation : str or None
        Letters of the patient directions in which k, j, i grow, e.g. ``SPL``; None for as stored.
    """

    channels: tuple[str, ...]
    modality: tuple[str, ...]
    unit: str
    spacing_kji_mm: Vector3 | None
    orientation: str | None
    intensity: tuple[Step, ...]
    shape_kji: Shape3 | None = None
    dimensions: int = 3


@dataclass(frozen=True, slots=True)
class Tiling:
    """How a volume is cut for the network.

    Attributes
    ----------
    tile_kji : tuple of int
        Exact tile for ``gaussian``; ignored by ``valid`` and ``whole``, whose tiles follow from the memory.
    overlap : float
        Fraction of a tile shared with its neighbour, for ``gaussian``.
    margin_kji : tuple of int
        Radius of the receptive field in voxels, for ``valid``.
    """

    tile_kji: Shape3
    overlap: float
    blend: Blend
    margin_kji: Shape3 = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class SegmentationOutput:
    """Labels 1 to n; channel n of the logits is value n, channel 0 background."""

    labels: tuple[PredictedSegment, ...]


@dataclass(frozen=True, slots=True)
class BoxClass:
    """One kind of box: name and RGB colour 0-255."""

    name: str
    colour: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class DetectionOutput:
    """Classes of boxes and how candidates are thinned out."""

    classes: tuple[BoxClass, ...]
    score_threshold: float
    nms_iou: float
    max_boxes: int


@dataclass(frozen=True, slots=True)
class ClassificationOutput:
    """One probability per class; ``threshold`` is the score from which the last class counts as present."""

    classes: tuple[str, ...]
    activation: str
    threshold: float


Output = SegmentationOutput | DetectionOutput | ClassificationOutput


@dataclass(frozen=True, slots=True)
class Card:
    """What a person should know before trusting the model."""

    intended_use: str = ""
    training_data: str = ""
    limitations: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Everything ``model.json`` says. Made by ``medview.ml.spec_reader.read_spec``.

    Attributes
    ----------
    id : str
        ``[a-z0-9-]+``; together with ``version`` it names the model. Never used to build a path.
    notice : str
        Shown wherever the model's results are.
    files : mapping of str to str
        SHA-256 in hexadecimal of every other file of the pack.
    document : mapping
        ``model.json`` as it was read, for showing it.
    """

    id: str
    name: str
    version: str
    task: Task
    summary: str
    network: NetworkSpec
    input: InputSpec
    tiling: Tiling | None
    output: Output
    postprocess: tuple[Step, ...]
    card: Card
    licence: str
    notice: str
    files: Mapping[str, str]
    document: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)

    @property
    def key(self) -> str:
        """``id@version``."""
        return f"{self.id}@{self.version}"

    @property
    def out_channels(self) -> int:
        """Channels the network has to return: labels with background, or classes."""
        if isinstance(self.output, SegmentationOutput):
            return len(self.output.labels) + 1
        return len(self.output.classes)
