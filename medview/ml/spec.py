"""What a model pack says about itself: ``model.json`` as frozen values.

A pack is a folder or zip of data, never code::

    model.json   weights.safetensors   LICENSE   MODEL_CARD.md

``docs/model-packs.md`` explains every key, ``resources/schemas/model.schema.json`` is the JSON Schema, and
``resources/schemas/examples`` has a document for each task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from medview.ml.outputs import InteractiveOutput, Output, Range, SegmentationOutput

SCHEMA_VERSION = 2
"""Documents of version 1 are read as well: they use fewer keys."""

MODEL_FILE = "model.json"
WEIGHTS_FILE = "weights.safetensors"

Literal = str | int | float | bool | None | list["Literal"]
"""What a network's keyword argument may be."""

COLOUR_CHANNELS = ("red", "green", "blue")
"""Names of the channels of models that look at pictures in colour."""

Vector3 = tuple[float, float, float]
Shape3 = tuple[int, int, int]


class Task(StrEnum):
    """What a model gives."""

    SEGMENTATION = "segmentation"
    DETECTION = "detection"
    CLASSIFICATION = "classification"
    INTERACTIVE = "interactive"


class Crop(Enum):
    """What of the volume a model sees."""

    NONE = "none"
    NONZERO = "nonzero"
    """The box around everything that is not 0 in any channel."""
    BODY = "body"
    """The box around the patient, found by a threshold."""


class Interpolation(Enum):
    """How values are brought to the model's spacing."""

    LINEAR = "linear"
    CUBIC = "cubic"
    """Cubic splines; along an axis more than three times as coarse as the finest, the nearest slice (as nnU-Net)."""


class Grid(Enum):
    """How the model's grid lies over the input's."""

    EDGES = "edges"
    """Both cover the same extent; the model's spacing gives way a little."""
    CENTRES = "centres"
    """The first voxels have the same centre and the spacing is exact; values are taken at points, as MONAI does."""


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
class ChannelSpec:
    """One input channel of the network.

    Attributes
    ----------
    name : str
        What a person calls it: ``T1``, ``FLAIR``, ``PET``.
    modality : tuple of str
        DICOM modalities it may be; empty for any.
    unit : str
        Unit of the values the intensity steps start from; empty for numbers without one.
    words, not_words : tuple of str
        Lower case words of a series' description that speak for it being this channel, and against.
    """

    name: str
    modality: tuple[str, ...] = ()
    unit: str = ""
    intensity: tuple[Step, ...] = ()
    words: tuple[str, ...] = ()
    not_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InputChecks:
    """What the model's training images were like; a series outside is remarked on with numbers before Run.

    Attributes
    ----------
    spacing_kji_mm : tuple of Range or None
        Of the series in the model's axes.
    extent_kji_mm : tuple of Range or None
        Field of view in the model's axes.
    values : Range or None
        Where the middle 98 % of the values have to lie, in the first channel's unit.
    contrast : bool or None
        Whether contrast agent was given.
    kernels : tuple of str
        Reconstruction kernels (ConvolutionKernel).
    """

    spacing_kji_mm: tuple[Range, Range, Range] | None = None
    extent_kji_mm: tuple[Range, Range, Range] | None = None
    values: Range | None = None
    contrast: bool | None = None
    kernels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What the network wants to see.

    Attributes
    ----------
    channels : tuple of ChannelSpec
        In the network's order.
    spacing_kji_mm : tuple of float or None
        Along k, j, i after reorientation; 0 along k for that of the series; None for the grid as it is.
    shape_kji : tuple of int or None
        Fixed size for classification; None for any.
    orientation : str or None
        Letters of the patient directions in which k, j, i grow, e.g. ``SPL``; None for as stored.
    axes : tuple of int
        Without ``orientation``: which stored axis becomes k, j, i.
    dimensions : int
        3; or 2 for a network that sees one slice (N, channels, j, i) at a time.
    intensity_first : bool
        Whether the intensity steps see the series' own voxels (inside the crop), before resampling, and not the model's.
    body_part : tuple of str
        BodyPartExamined values it was made for; empty for any.
    grid : Grid
        How the grid of ``spacing_kji_mm`` lies over the input's.
    """

    channels: tuple[ChannelSpec, ...]
    spacing_kji_mm: Vector3 | None
    orientation: str | None
    shape_kji: Shape3 | None = None
    dimensions: int = 3
    crop: Crop = Crop.NONE
    interpolation: Interpolation = Interpolation.LINEAR
    axes: Shape3 = (0, 1, 2)
    intensity_first: bool = False
    body_part: tuple[str, ...] = ()
    checks: InputChecks = InputChecks()
    grid: Grid = Grid.EDGES

    @property
    def colour(self) -> bool:
        """Whether its channels are the parts of a picture in colour: one series has them all."""
        return tuple(channel.name for channel in self.channels) == COLOUR_CHANNELS

    @property
    def several(self) -> bool:
        """Whether it is given several series."""
        return len(self.channels) > 1 and not self.colour

    @property
    def modality(self) -> tuple[str, ...]:
        """DICOM modalities of all channels, each once; empty for any."""
        if not all(channel.modality for channel in self.channels):
            return ()
        return tuple(dict.fromkeys(m for channel in self.channels for m in channel.modality))

    @property
    def unit(self) -> str:
        """Unit of the first channel."""
        return self.channels[0].unit


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
    mirror_axes : tuple of int
        Axes (0 k, 1 j, 2 i) along which mirrored copies are looked at too; the answers are averaged.
    even : bool
        For ``gaussian``: whether all voxels of a tile count the same after all.
    pad : str
        For ``gaussian``: what stands around a volume smaller than a tile, ``zeros`` or ``edge``.
    spread : bool
        For ``gaussian``: tiles lie at even distances, at most the step apart, and their weight is largest at the voxel
        ``tile // 2`` (as nnU-Net); otherwise one step apart, the last pulled back, and largest in the middle (as MONAI).
    """

    tile_kji: Shape3
    overlap: float
    blend: Blend
    margin_kji: Shape3 = (0, 0, 0)
    mirror_axes: tuple[int, ...] = ()
    even: bool = False
    pad: str = "zeros"
    spread: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """What a person should know before trusting the model."""

    intended_use: str = ""
    training_data: str = ""
    limitations: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    training_set_sha256: str = ""


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
    ensemble : tuple of str
        Weights of the same network whose answers are averaged, ``weights.safetensors`` first.
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
    ensemble: tuple[str, ...] = (WEIGHTS_FILE,)
    document: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)

    @property
    def key(self) -> str:
        """``id@version``."""
        return f"{self.id}@{self.version}"

    @property
    def out_channels(self) -> int:
        """Channels the network has to return: labels (with background where one of them wins), or classes."""
        if isinstance(self.output, SegmentationOutput):
            return len(self.output.labels) + (1 if self.output.activation == "softmax" else 0)
        if isinstance(self.output, InteractiveOutput):
            return 2 if self.output.activation == "softmax" else 1
        return len(self.output.classes)

    @property
    def in_channels(self) -> int:
        """Channels the network is given."""
        prompts = self.output
        extra = len(prompts.prompts) + prompts.previous + prompts.grown if isinstance(prompts, InteractiveOutput) else 0
        return len(self.input.channels) + extra
