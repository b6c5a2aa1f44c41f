"""What the training examples are like: grids, values inside the classes, voxels of each class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.errors import ModelError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import JobContext
from medview.core.volume import Volume
from medview.ml.examples import UNKNOWN, Example, ExampleSet
from medview.ml.runners.orientation import Orientation, letters_of
from medview.ml.spec import Shape3, Vector3

MOST_LOOKED_AT = 100
"""Examples whose voxels are looked at, evenly spread over the training examples; more while no class is seen in them."""

VALUES_PER_EXAMPLE = 10_000


@dataclass(frozen=True, slots=True)
class ChannelValues:
    """Of one channel: what it is, and its values where classes are drawn.

    Attributes
    ----------
    modality, unit : str
        Of all examples; empty where they differ.
    low, high : float
        0.5th and 99.5th percentile.
    """

    modality: str
    unit: str
    low: float
    high: float
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What the training examples have in common.

    Attributes
    ----------
    orientation : str or None
        Patient directions in which k, j, i grow in most of them; None where the files do not say.
    calibration : Calibration
        The least that holds for all.
    shapes_kji, spacings_kji_mm : tuple
        Of each that was looked at, turned to the orientation.
    channels : tuple of ChannelValues
    voxels : tuple of int
        Of each class, from 1.
    """

    orientation: str | None
    calibration: Calibration
    shapes_kji: tuple[Shape3, ...]
    spacings_kji_mm: tuple[Vector3, ...]
    channels: tuple[ChannelValues, ...]
    voxels: tuple[int, ...]

    def median_spacing(self) -> Vector3:
        """Return the median spacing along each axis in millimetres."""
        k, j, i = np.median(np.array(self.spacings_kji_mm), axis=0).tolist()
        return k, j, i


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What is kept of one example."""

    geometry: Geometry
    letters: str | None
    kinds: tuple[tuple[str, str], ...]
    values: tuple[npt.NDArray[np.float32], ...]
    voxels: npt.NDArray[np.int64]


def look_at(examples: ExampleSet, context: JobContext) -> Fingerprint:
    """Look at the training examples of a set.

    Raises
    ------
    ModelError
        Where there is nothing to learn from.
    MedViewError
        Where an example cannot be read.
    CancelledError
        Between examples.
    """
    training = examples.of_split("train")
    if not training:
        raise ModelError("There are no training examples with masks; label some cases and mark them as done.")
    looks: list[_Look] = []
    for some in _spread(len(training)):
        for n, place in enumerate(some):
            context.raise_if_cancelled()
            context.progress(n / len(some), "Looking at the training examples")
            looks.append(_look(training[place], len(examples.classes)))
        # Where hardly any shows a class, others are looked at than those first.
        if any(look.voxels.any() for look in looks):
            break
    voxels = np.sum([look.voxels for look in looks], axis=0)
    if not voxels.any():
        raise ModelError("No training example has a voxel of any class; draw what is to be learnt in some cases.")
    # The first of those that are equally frequent, as the examples are ordered.
    letters = Counter(look.letters for look in looks).most_common(1)[0][0]
    if any(look.letters is None for look in looks):
        letters = None
    turns = [Orientation.towards(look.geometry, letters) for look in looks]
    return Fingerprint(
        orientation=letters,
        calibration=max((look.geometry.calibration for look in looks), key=list(Calibration).index),
        shapes_kji=tuple(turn.turned_shape(look.geometry.shape_kji) for turn, look in zip(turns, looks, strict=True)),
        spacings_kji_mm=tuple(
            turn.turned_numbers(look.geometry.spacing_kji_mm) for turn, look in zip(turns, looks, strict=True)
        ),
        channels=tuple(_channel(looks, n) for n in range(len(examples.channels))),
        voxels=tuple(voxels.tolist()),
    )


def _spread(count: int) -> Iterator[list[int]]:
    """Yield places below ``count``, each once: evenly spread ones, then the others, spread over what is left."""
    first = np.unique(np.linspace(0, count - 1, min(count, MOST_LOOKED_AT)).round().astype(int)).tolist()
    yield first
    others = sorted(set(range(count)) - set(first))
    turns = -(-len(others) // MOST_LOOKED_AT)
    yield from (others[turn::turns] for turn in range(turns))


def _letters(volume: Volume) -> str | None:
    """Return the directions of the axes; None where the file does not say."""
    said = volume.geometry.calibration is Calibration.VOLUME and volume.patient_orientation is None
    return letters_of(volume.geometry) if said else None


def _look(example: Example, classes: int) -> _Look:
    volumes, layers = example.volumes(), example.truth().layers
    counts = np.zeros(classes, dtype=np.int64)
    inside = np.zeros(volumes[0].geometry.shape_kji, dtype=np.bool_)
    for layer in () if layers is None else layers:
        counts += np.bincount(layer.ravel(), minlength=256)[1 : classes + 1]
        inside |= (layer > 0) & (layer != UNKNOWN)
    values = []
    for volume in volumes:
        picked = volume.values_of(volume.voxels[inside])[~volume.is_padding(volume.voxels[inside])]
        picked = picked[np.isfinite(picked)]
        values.append(picked[:: max(1, len(picked) // VALUES_PER_EXAMPLE)])
    kinds = tuple((volume.modality, volume.unit) for volume in volumes)
    return _Look(volumes[0].geometry, _letters(volumes[0]), kinds, tuple(values), counts)


def _channel(looks: Sequence[_Look], n: int) -> ChannelValues:
    modality, unit = ({look.kinds[n][part] for look in looks} for part in (0, 1))
    values = np.concatenate([look.values[n] for look in looks]).astype(np.float64)
    if not len(values):
        raise ModelError("The training examples show nothing where classes are drawn; check the labels.")
    low, high = np.percentile(values, (0.5, 99.5)).tolist()
    return ChannelValues(
        modality.pop() if len(modality) == 1 else "",
        unit.pop() if len(unit) == 1 else "",
        low,
        high,
        float(values.mean()),
        float(values.std()),
    )
