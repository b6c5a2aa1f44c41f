"""What training pictures are like: sizes, spacings, values. Plans are made from it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.errors import ModelError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import JobContext
from medview.core.volume import Volume
from medview.ml.examples import Example
from medview.ml.outputs import Range
from medview.ml.runners.orientation import Orientation, letters_of
from medview.ml.spec import ChannelSpec, InputChecks, Step, Vector3

MOST_LOOKED_AT = 400
"""Pictures whose voxels are read for the statistics, evenly spread over the examples."""

LEAST_SLICES = 5
"""Volumes of fewer slices are looked at slice by slice."""

VOXELS_EACH = 20_000

BYTES: Range = (0.0, 255.0)
"""All that a whole number of eight bits can be."""

NO_VOLUMES = (
    "The recipe, or the model that is gone on with, looks at volumes, and not all training images have millimetres along "
    "every axis; take one that looks at slices."
)

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChannelSurvey:
    """The values of one channel.

    Attributes
    ----------
    modality : tuple of str
        All that occur; empty where a picture states none.
    low, high : float
        The middle 99 % of the values lie between.
    mean, deviation : float
        Of the values between ``low`` and ``high``.
    bytes_only : bool
        Whether all pictures hold whole numbers 0 to 255 without a unit: then a number means the same in all of them.
    """

    name: str
    modality: tuple[str, ...]
    unit: str
    low: float
    high: float
    mean: float
    deviation: float
    bytes_only: bool

    @property
    def known_values(self) -> Range | None:
        """Between what values of later pictures lie if they mean the same; None where values mean something in one picture.

        Of numbers that are taken as they are a picture of more bits holds others, and a model would answer all the same.
        """
        if self.bytes_only:
            return BYTES
        return (self.low, self.high) if self.unit else None

    def spec(self) -> ChannelSpec:
        """Return the channel as a pack describes it, with the steps that bring its values to about -2 to 2."""
        shift = Step("shift_scale", {"subtract": round(self.mean, 4), "divide": round(max(self.deviation, 1e-3), 4)})
        if self.bytes_only:
            steps: tuple[Step, ...] = (shift,)
        elif self.unit:
            high = max(self.high, self.low + 1e-3)
            steps = (Step("clip", {"low": round(self.low, 3), "high": round(high, 3)}), shift)
        else:
            steps = (Step("zscore"),)
        return ChannelSpec(self.name, self.modality, self.unit, steps)


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What a set of pictures is like; arrays have a row per picture that was looked at, in the model's axes k, j, i.

    Attributes
    ----------
    orientation : str or None
        The patient directions most pictures grow to, for volumes; None for pictures of one slice.
    geometries : mapping of str to Geometry
        Of the pictures that were looked at, by key.
    """

    shapes_kji: npt.NDArray[np.int64]
    spacings_kji_mm: Doubles
    channels: tuple[ChannelSurvey, ...]
    orientation: str | None
    calibrated: bool
    geometries: Mapping[str, Geometry]

    @property
    def flat(self) -> bool:
        """Whether every picture is a single slice."""
        return bool((self.shapes_kji[:, 0] == 1).all())

    def dimensions(self, wanted: int) -> int:
        """Return 2 or 3: what a recipe wants, or where it leaves it (0) what the pictures are good for.

        Raises
        ------
        ModelError
            Where volumes are wanted and these are none.
        """
        if wanted == 3 and not self.calibrated:
            raise ModelError(NO_VOLUMES)
        thin = float(np.median(self.shapes_kji[:, 0])) < LEAST_SLICES
        return wanted or (2 if thin or not self.calibrated else 3)

    def median_shape_kji(self) -> Vector3:
        """Return the median of the shapes, axis by axis."""
        k, j, i = np.median(self.shapes_kji, axis=0).tolist()
        return k, j, i

    def checks(self) -> InputChecks:
        """Return what later pictures are compared with: spacing of volumes with millimetres, values that mean the same."""
        values = self.channels[0].known_values
        if self.flat or not self.calibrated:
            return InputChecks(values=values)
        low, high = self.spacings_kji_mm.min(axis=0), self.spacings_kji_mm.max(axis=0)
        k, j, i = ((round(float(a) * 0.9, 4), round(float(b) * 1.1, 4)) for a, b in zip(low, high, strict=True))
        return InputChecks(spacing_kji_mm=(k, j, i), values=values)


def survey(examples: Sequence[Example], channels: Sequence[str], context: JobContext) -> Survey:
    """Look at training pictures.

    Raises
    ------
    ModelError
        Where there are none, or they have another number of channels than ``channels``.
    MedViewError
        What reading them raises.
    CancelledError
    """
    if not examples:
        raise ModelError("There is nothing to train on: no reviewed case lies in the training split.")
    chosen = [examples[n] for n in np.unique(np.linspace(0, len(examples) - 1, MOST_LOOKED_AT).round().astype(int))]
    rows: list[tuple[Geometry, list[_Seen]]] = []
    for n, example in enumerate(chosen):
        context.raise_if_cancelled()
        context.progress(n / len(chosen), "Looking at the training pictures")
        volumes = example.volumes()
        if len(volumes) != len(channels):
            raise ModelError(f"Case {example.key} has {len(volumes)} channels where the others have {len(channels)}.")
        rows.append((volumes[0].geometry, [_Seen.of(volume) for volume in volumes]))
    geometries = [geometry for geometry, _ in rows]
    deep = any(geometry.shape_kji[0] > 1 for geometry in geometries)
    calibrated = all(geometry.calibration is Calibration.VOLUME for geometry in geometries)
    letters = Counter(map(letters_of, geometries)).most_common(1)[0][0] if deep and calibrated else None
    turns = [Orientation.towards(geometry, letters) for geometry in geometries]
    pairs = list(zip(turns, geometries, strict=True))
    return Survey(
        np.asarray([turn.turned_shape(geometry.shape_kji) for turn, geometry in pairs], dtype=np.int64),
        np.asarray([turn.turned_numbers(geometry.spacing_kji_mm) for turn, geometry in pairs]),
        tuple(_channel(name, [seen[n] for _, seen in rows]) for n, name in enumerate(channels)),
        letters,
        calibrated,
        {example.key: geometry for example, geometry in zip(chosen, geometries, strict=True)},
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What is kept of one volume."""

    modality: str
    unit: str
    values: npt.NDArray[np.float32]
    bytes_only: bool

    @classmethod
    def of(cls, volume: Volume) -> _Seen:
        stored = volume.voxels.reshape(-1)
        stride = max(1, stored.size // VOXELS_EACH)
        # With a factor of the rows' length in it some columns only are looked at, at worst the first one, in air.
        while math.gcd(stride, math.prod(volume.voxels.shape[2:])) > 1:
            stride += 1
        some = stored[::stride]
        values = volume.values_of(some)[~volume.is_padding(some)]
        values = values[np.isfinite(values)]
        plain = not volume.unit and volume.rescale.identity and volume.voxels.dtype == np.uint8
        return cls(volume.modality, volume.unit, values, plain)


def _channel(name: str, seen: Sequence[_Seen]) -> ChannelSurvey:
    values = np.concatenate([one.values for one in seen])
    values = values if values.size else np.zeros(1, dtype=np.float32)
    low, high = (float(v) for v in np.percentile(values, [0.5, 99.5]))
    between = np.clip(values, low, high).astype(np.float64)
    modalities = {one.modality for one in seen}
    units = {one.unit for one in seen}
    return ChannelSurvey(
        name,
        () if "" in modalities else tuple(sorted(modalities)),
        units.pop() if len(units) == 1 else "",
        low,
        high,
        float(between.mean()),
        float(between.std()),
        all(one.bytes_only for one in seen),
    )
