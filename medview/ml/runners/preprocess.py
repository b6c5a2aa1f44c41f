"""From a Volume to the numbers a network wants: turned, cropped, resampled, normalised; for training and prediction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from medview.core.box import Box
from medview.core.job import JobContext
from medview.core.volume import Volume
from medview.ml.runners.intensity import LOCAL, Masks, apply_steps
from medview.ml.runners.nonzero import crop_of, outlined
from medview.ml.runners.orientation import Orientation
from medview.ml.runners.resampling import AtPoints, Linear, Resampling, Splines, coarse_axis, nearest
from medview.ml.spec import ChannelSpec, Grid, InputSpec, Interpolation, Shape3, Vector3

CHUNK_VOXELS = 1 << 22
"""Voxels handled between two looks at Cancel."""

SAME_SPACING_MM = 1e-3
"""Spacings closer than this are the same: headers are rounded."""

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What a network sees.

    Attributes
    ----------
    values : Tensor of float32, shape (channels, k, j, i)
        In the model's axes and spacing.
    orientation : Orientation
        How the input was turned.
    turned_shape_kji : tuple of int
        The input's own shape in the model's axes.
    spacing_kji_mm : tuple of float
        True spacing of ``values``: the crop's extent divided by whole voxels.
    ratios_kji : tuple of float or None
        Model's voxels per input voxel where the grids start at the same centre (``Grid.CENTRES``); None where they cover
        the same extent.
    crop : Box
        The part of the turned input that ``values`` show; all of it when not given.
    coarse : int or None
        The axis along which slices are taken as they are, the nearest one; None where all are interpolated.
    """

    values: torch.Tensor
    orientation: Orientation
    turned_shape_kji: Shape3
    spacing_kji_mm: Vector3
    ratios_kji: Vector3 | None = None
    crop: Box = field(default=Box((0, 0, 0), (0, 0, 0)))
    coarse: int | None = None

    def __post_init__(self) -> None:
        if self.crop.empty:
            object.__setattr__(self, "crop", Box.whole(self.turned_shape_kji))

    @property
    def shape_kji(self) -> Shape3:
        """Shape of the model's grid."""
        _, k, j, i = self.values.shape
        return k, j, i


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """The part of a case that a model is shown, and the grid it gets there.

    Attributes
    ----------
    crop : Box
        Of the input, in the model's axes.
    shape_kji : tuple of int
        Of the model's grid over the crop.
    nonzero : ndarray of bool or None
        What of the crop is measured and not 0 in any channel, where a step asks for it.
    """

    orientation: Orientation
    crop: Box
    shape_kji: Shape3
    nonzero: BoolArray | None = None


def shown_of(volumes: Sequence[Volume], wanted: InputSpec, context: JobContext) -> Shown:
    """Return what of a case a model is shown; the arguments are those of ``prepare``.

    Raises
    ------
    CancelledError
        Between pieces of the volumes.
    """
    geometry = volumes[0].geometry
    orientation = Orientation.towards(geometry, wanted.orientation, wanted.axes)
    whole = Box.whole(orientation.turned_shape(geometry.shape_kji))
    channels = [_Channel(volume, orientation, whole).not_zero for volume in volumes]
    crop, nonzero = crop_of(whole.shape_kji, channels, wanted, context)
    shape = model_shape(crop.shape_kji, orientation.turned_numbers(geometry.spacing_kji_mm), wanted)
    return Shown(orientation, crop, shape, nonzero)


def prepare(
    volumes: Sequence[Volume],
    wanted: InputSpec,
    context: JobContext,
    device: torch.device | None = None,
    shown: Shown | None = None,
) -> Prepared:
    """Bring the volumes of one case to what a model wants.

    Parameters
    ----------
    volumes : sequence of Volume
        One per input channel, in the model's order, all on the grid of the first.
    device : torch.device, optional
        Where to compute and leave the result; the CPU when not given.
    shown : Shown, optional
        What ``shown_of`` returned for them, where it is known already.

    Raises
    ------
    CancelledError
        Between pieces of ``CHUNK_VOXELS``.
    """
    where = device or torch.device("cpu")
    shown = shown or shown_of(volumes, wanted, context)
    orientation, crop, shape = shown.orientation, shown.crop, shown.shape_kji
    spacing = orientation.turned_numbers(volumes[0].geometry.spacing_kji_mm)
    nominal = _nominal(spacing, wanted)
    ratios = _ratios(spacing, wanted)
    inside = None if shown.nonzero is None else outlined(shown.nonzero)
    with torch.inference_mode():
        values = torch.empty((len(volumes), *shape), device=where)
        for into, volume, channel in zip(values, volumes, wanted.channels, strict=True):
            context.raise_if_cancelled()
            way = _way(crop.shape_kji, shape, spacing, nominal, wanted, ratios)
            _fill(into, _Channel(volume, orientation, crop), channel, way, inside, context, first=wanted.intensity_first)
    turned = orientation.turned_shape(volumes[0].geometry.shape_kji)
    if ratios is not None and wanted.spacing_kji_mm is not None:
        return Prepared(values, orientation, turned, nominal, ratios, crop)
    # The other way about, from the model's spacing to the input's.
    coarse = coarse_axis(nominal, spacing) if wanted.interpolation is Interpolation.CUBIC else None
    k, j, i = (s * n / m for s, n, m in zip(spacing, crop.shape_kji, shape, strict=True))
    return Prepared(values, orientation, turned, (k, j, i), None, crop, coarse)


def model_shape(turned_kji: Shape3, spacing_kji_mm: Vector3, wanted: InputSpec) -> Shape3:
    """Return the shape of the model's grid for an input of this shape and spacing (both in the model's axes)."""
    if wanted.shape_kji is not None:
        k, j, i = wanted.shape_kji
        # A network of two dimensions sees every slice by itself.
        return (turned_kji[0] if wanted.dimensions == 2 else k), j, i
    if wanted.spacing_kji_mm is None:
        return turned_kji
    nominal = _nominal(spacing_kji_mm, wanted)
    if wanted.grid is Grid.CENTRES:
        ratios = _ratios(spacing_kji_mm, wanted) or (1.0, 1.0, 1.0)
        k, j, i = (max(1, round((n - 1) * ratio + 1.0)) for n, ratio in zip(turned_kji, ratios, strict=True))
        return k, j, i
    k, j, i = (max(1, round(n * have / want)) for n, have, want in zip(turned_kji, spacing_kji_mm, nominal, strict=True))
    return k, j, i


def _nominal(spacing_kji_mm: Vector3, wanted: InputSpec) -> Vector3:
    """Return the spacing the model asks for; that of the input where it asks for none."""
    k, j, i = (want or have for want, have in zip(wanted.spacing_kji_mm or (0.0,) * 3, spacing_kji_mm, strict=True))
    return k, j, i


def _ratios(spacing_kji_mm: Vector3, wanted: InputSpec) -> Vector3 | None:
    if wanted.grid is not Grid.CENTRES or wanted.spacing_kji_mm is None:
        return None
    k, j, i = (
        1.0 if abs(have - want) < SAME_SPACING_MM else have / want
        for have, want in zip(spacing_kji_mm, _nominal(spacing_kji_mm, wanted), strict=True)
    )
    return k, j, i


def _way(
    old: Shape3, new: Shape3, spacing: Vector3, nominal: Vector3, wanted: InputSpec, ratios: Vector3 | None
) -> Resampling:
    if ratios is not None:
        return AtPoints(new, ratios)
    if wanted.interpolation is Interpolation.CUBIC:
        return Splines(old, new, coarse_axis(spacing, nominal))
    return Linear(old, new)


class _Channel:
    """The values of one channel inside a crop, read slab by slab in the model's axes."""

    def __init__(self, volume: Volume, orientation: Orientation, crop: Box) -> None:
        self._volume = volume
        self._stored = orientation.turned(volume.voxels)[crop.slices]
        self._gaps = _has_gaps(volume)
        self._outside = _stand_in(volume) if self._gaps or volume.padding is not None else None
        self.shape_kji = crop.shape_kji

    def read(self, low: int, high: int) -> npt.NDArray[np.float32]:
        """Return the values of some slices: a copy, since steps work in place and voxels are nobody's to change."""
        part = self._stored[low:high]
        numbers = np.array(part, dtype=np.float32, order="C")
        if (out := self._not_measured(part)) is not None:
            numbers[out] = 0.0 if self._outside is None else self._outside
        if not self._volume.rescale.identity:
            numbers *= np.float32(self._volume.rescale.slope)
            numbers += np.float32(self._volume.rescale.intercept)
        return numbers

    def not_zero(self, low: int, high: int) -> BoolArray:
        """Return where some slices show something else than 0. Padding shows nothing, whatever takes its place."""
        found = np.asarray(self.read(low, high) != 0)
        if (out := self._not_measured(self._stored[low:high])) is not None:
            found &= ~out
        return found

    def seen(self, shape: Shape3, device: torch.device) -> torch.Tensor | None:
        """Return which voxels of a grid over the crop show something, for statistics; None where all do."""
        out = self._not_measured(self._stored)
        if out is None or not out.any() or out.all():
            return None
        return _nearest_mask(~out, shape, device)

    def _not_measured(self, stored: npt.NDArray[np.generic]) -> BoolArray | None:
        """Return where stored numbers mark places outside the field of view, or are none; None where there are no such."""
        if self._volume.padding is None and not self._gaps:
            return None
        out = self._volume.is_padding(stored)
        return out | ~np.isfinite(stored) if self._gaps else out


def _fill(
    into: torch.Tensor,
    channel: _Channel,
    described: ChannelSpec,
    way: Resampling,
    inside: BoolArray | None,
    context: JobContext,
    *,
    first: bool,
) -> None:
    """Fill ``into`` (k, j, i) with a channel; with ``first`` the steps see its own voxels, else the model's."""
    steps, device = described.intensity, into.device
    masked = any(step.op == "zscore_inside" for step in steps)
    local = all(step.op in LOCAL for step in steps)
    if first and not local:
        # Statistics need all of it at once.
        own = torch.empty(channel.shape_kji, device=device)
        for low, high in _pieces(channel.shape_kji, context):
            own[low:high] = torch.from_numpy(channel.read(low, high)).to(device)
        mask = torch.from_numpy(inside).to(device) if masked and inside is not None else None
        apply_steps(own, steps, Masks(channel.seen(channel.shape_kji, device), mask), context)
        _resample(into, channel.shape_kji, lambda low, high: own[low:high], way, context)
        return

    def read(low: int, high: int) -> torch.Tensor:
        slab = torch.from_numpy(channel.read(low, high)).to(device)
        if first:
            apply_steps(slab, steps, Masks(), context)
        return slab

    _resample(into, channel.shape_kji, read, way, context)
    if not first:
        shape = (into.shape[0], into.shape[1], into.shape[2])
        mask = _nearest_mask(inside, shape, device) if masked and inside is not None else None
        apply_steps(into, steps, Masks(channel.seen(shape, device), mask), context)


def _resample(
    into: torch.Tensor, old: Shape3, read: Callable[[int, int], torch.Tensor], way: Resampling, context: JobContext
) -> None:
    """Fill ``into`` (k, j, i): in-plane first, slab by slab, then along k, rows by rows."""
    shape = into.shape
    between = torch.empty((old[0], shape[1], shape[2]), device=into.device) if way.changes_k else into
    for low, high in _pieces(old, context):
        between[low:high] = way.in_plane(low, read(low, high))
    if between is not into:
        rows = max(1, CHUNK_VOXELS // (max(old[0], shape[0]) * shape[2]))
        for j in range(0, shape[1], rows):
            context.raise_if_cancelled()
            into[:, j : j + rows] = way.along_k(between[:, j : j + rows].flatten(1)).view(shape[0], -1, shape[2])
    way.finish(into)


def _pieces(shape: Shape3, context: JobContext) -> Iterator[tuple[int, int]]:
    """Yield slices from one to another, with a look at Cancel before each."""
    step = max(1, CHUNK_VOXELS // (shape[1] * shape[2]))
    for low in range(0, shape[0], step):
        context.raise_if_cancelled()
        yield low, min(low + step, shape[0])


def _nearest_mask(inside: BoolArray, shape: Shape3, device: torch.device) -> torch.Tensor:
    """Return what a mask says of the voxels of a grid over the same extent."""
    places = [nearest(have, n) for have, n in zip(inside.shape, shape, strict=True)]
    return torch.from_numpy(inside[np.ix_(*places)]).to(device)


def _has_gaps(volume: Volume) -> bool:
    """Whether some numbers of a picture are none, as where a map was divided by 0."""
    return np.issubdtype(volume.voxels.dtype, np.floating) and not all(np.isfinite(one).all() for one in volume.voxels)


def _stand_in(volume: Volume) -> float | None:
    """Return the stored number put in place of padding and of numbers that are none; None where there is nothing else.

    Both say that nothing was measured: left in, resampling would blend a number far from any tissue into what is around,
    and a single infinite one would be all that statistics see. The lowest number of the picture takes its place.
    """
    lowest = []
    for one in volume.voxels:
        measured = one[np.isfinite(one) & ~volume.is_padding(one)]
        if measured.size:
            lowest.append(float(measured.min()))
    return min(lowest, default=None)
