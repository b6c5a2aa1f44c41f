"""From a Volume to the numbers a network wants: turned, resampled, normalised. Training and prediction share this."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from medview.core.job import JobContext
from medview.core.volume import Volume
from medview.ml.runners.orientation import Orientation
from medview.ml.spec import Grid, InputSpec, Shape3, Step, Vector3

CHUNK_VOXELS = 1 << 22
"""Voxels handled between two looks at Cancel."""

SAME_SPACING_MM = 1e-3
"""Spacings closer than this are the same: headers are rounded."""

SAMPLE_VOXELS = 1 << 24
"""torch.quantile takes no more values; larger volumes are thinned out regularly."""


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
        True spacing of ``values``: the input's extent divided by whole voxels.
    ratios_kji : tuple of float or None
        Model's voxels per input voxel where the grids start at the same centre (``Grid.CENTRES``); None where they cover
        the same extent.
    """

    values: torch.Tensor
    orientation: Orientation
    turned_shape_kji: Shape3
    spacing_kji_mm: Vector3
    ratios_kji: Vector3 | None = None

    @property
    def shape_kji(self) -> Shape3:
        """Shape of the model's grid."""
        _, k, j, i = self.values.shape
        return k, j, i


def prepare(
    volumes: Sequence[Volume], wanted: InputSpec, context: JobContext, device: torch.device | None = None
) -> Prepared:
    """Bring the volumes of one case to what a model wants.

    Parameters
    ----------
    volumes : sequence of Volume
        One per input channel, in the model's order, all on the grid of the first.
    device : torch.device, optional
        Where to compute and leave the result; the CPU when not given.

    Raises
    ------
    CancelledError
        Between pieces of ``CHUNK_VOXELS``.
    """
    where = device or torch.device("cpu")
    geometry = volumes[0].geometry
    orientation = Orientation.towards(geometry, wanted.orientation, wanted.axes)
    turned = orientation.turned_shape(geometry.shape_kji)
    spacing = orientation.turned_numbers(geometry.spacing_kji_mm)
    shape = model_shape(turned, spacing, wanted)
    ratios = _ratios(spacing, wanted)
    with torch.inference_mode():
        values = torch.empty((len(volumes), *shape), device=where)
        for into, volume, channel in zip(values, volumes, wanted.channels, strict=True):
            _resample(into, volume, orientation, turned, context, ratios)
            seen = _seen(volume, orientation, shape, where)
            for step in channel.intensity:
                context.raise_if_cancelled()
                INTENSITY[step.op](into, step, into if seen is None else into[seen])
    if ratios is not None and wanted.spacing_kji_mm is not None:
        return Prepared(values, orientation, turned, wanted.spacing_kji_mm, ratios)
    true_spacing = [s * n / m for s, n, m in zip(spacing, turned, shape, strict=True)]
    return Prepared(values, orientation, turned, (true_spacing[0], true_spacing[1], true_spacing[2]))


def model_shape(turned_kji: Shape3, spacing_kji_mm: Vector3, wanted: InputSpec) -> Shape3:
    """Return the shape of the model's grid for an input of this shape and spacing (both in the model's axes)."""
    if wanted.shape_kji is not None:
        k, j, i = wanted.shape_kji
        # A network of two dimensions sees every slice by itself.
        return (turned_kji[0] if wanted.dimensions == 2 else k), j, i
    if wanted.spacing_kji_mm is None:
        return turned_kji
    if wanted.grid is Grid.CENTRES:
        k, j, i = (
            max(1, round((n - 1) * have / want + 1.0))
            for n, have, want in zip(turned_kji, spacing_kji_mm, wanted.spacing_kji_mm, strict=True)
        )
        return k, j, i
    k, j, i = (
        max(1, round(n * have / want))
        for n, have, want in zip(turned_kji, spacing_kji_mm, wanted.spacing_kji_mm, strict=True)
    )
    return k, j, i


def _ratios(spacing_kji_mm: Vector3, wanted: InputSpec) -> Vector3 | None:
    if wanted.grid is not Grid.CENTRES or wanted.spacing_kji_mm is None:
        return None
    k, j, i = (
        1.0 if abs(have - want) < SAME_SPACING_MM else have / want
        for have, want in zip(spacing_kji_mm, wanted.spacing_kji_mm, strict=True)
    )
    return k, j, i


def _resample(
    into: torch.Tensor,
    volume: Volume,
    orientation: Orientation,
    turned: Shape3,
    context: JobContext,
    ratios_kji: Vector3 | None = None,
) -> None:
    """Fill ``into`` (k, j, i) with the values: in-plane first, slab by slab, then along k, rows by rows."""
    shape, device = into.shape, into.device
    stored = orientation.turned(volume.voxels)
    outside = _padding_stand_in(volume)
    slope, intercept = volume.rescale.slope, volume.rescale.intercept
    deep = shape[0] != turned[0] or (ratios_kji is not None and ratios_kji[0] != 1.0)
    between = torch.empty((turned[0], shape[1], shape[2]), device=device) if deep else into
    in_plane = None if ratios_kji is None else ratios_kji[1:]
    step = max(1, CHUNK_VOXELS // (turned[1] * turned[2]))
    for k in range(0, turned[0], step):
        context.raise_if_cancelled()
        # Always a copy: the steps below work in place, and the volume's voxels are nobody's to change.
        numbers = np.array(stored[k : k + step], dtype=np.float32, order="C")
        if outside is not None:
            numbers[volume.is_padding(stored[k : k + step])] = outside
        slab = torch.from_numpy(numbers).to(device)
        slab.nan_to_num_()
        if not volume.rescale.identity:
            slab.mul_(slope).add_(intercept)
        between[k : k + step] = _resized(slab[:, None], (shape[1], shape[2]), in_plane)[:, 0]
    if between is into:
        return
    rows = max(1, CHUNK_VOXELS // (max(turned[0], shape[0]) * shape[2]))
    for j in range(0, shape[1], rows):
        context.raise_if_cancelled()
        part = between[:, j : j + rows].flatten(1)
        along = None if ratios_kji is None else (ratios_kji[0], 1.0)
        stretched = _resized(part[None, None], (shape[0], part.shape[1]), along)[0, 0]
        into[:, j : j + rows] = stretched.view(shape[0], -1, shape[2])


def _padding_stand_in(volume: Volume) -> float | None:
    """Return the stored number put in place of padding; None where there is none.

    Padding says that nothing was measured: left in, resampling would blend a number far from any tissue into the border.
    The lowest number of the picture takes its place.
    """
    if volume.padding is None:
        return None
    lowest = [float(one[~out].min()) for one in volume.voxels if not (out := volume.is_padding(one)).all()]
    return min(lowest, default=None)


def _seen(volume: Volume, orientation: Orientation, shape: Shape3, device: torch.device) -> torch.Tensor | None:
    """Return which voxels of the model's grid show something, for statistics; None where all do."""
    if volume.padding is None:
        return None
    padded = volume.is_padding(orientation.turned(volume.voxels))
    if not padded.any() or padded.all():
        return None
    nearest = [((np.arange(n) + 0.5) * have / n).astype(np.intp) for n, have in zip(shape, padded.shape, strict=True)]
    return torch.from_numpy(~padded[np.ix_(*nearest)]).to(device)


def _resized(planes: torch.Tensor, size: tuple[int, int], ratios: tuple[float, float] | None = None) -> torch.Tensor:
    """Resize (n, 1, rows, columns) linearly, edges aligned; coarser grids average instead of skipping voxels.

    With ``ratios`` (new voxels per old one) the first centres are aligned, and values are taken at points.
    """
    if ratios is not None:
        return _sampled(_sampled(planes, 2, size[0], ratios[0]), 3, size[1], ratios[1])
    if tuple(planes.shape[2:]) == size:
        return planes
    return functional.interpolate(planes, size, mode="bilinear", align_corners=False, antialias=True)


def _sampled(planes: torch.Tensor, axis: int, size: int, ratio: float) -> torch.Tensor:
    """Return the values along one axis at ``size`` points ``1 / ratio`` voxels apart, the first at the first voxel."""
    if ratio == 1.0:
        return planes
    place = (torch.arange(size, dtype=torch.float64, device=planes.device) / ratio).clamp_(max=planes.shape[axis] - 1)
    below = place.long()
    share = (place - below).to(planes.dtype).view([-1 if a == axis else 1 for a in range(4)])
    above = (below + 1).clamp_(max=planes.shape[axis] - 1)
    return torch.lerp(planes.index_select(axis, below), planes.index_select(axis, above), share)


def _clip(values: torch.Tensor, step: Step, _seen: torch.Tensor) -> None:
    values.clamp_(step.numbers["low"], step.numbers["high"])


def _scale(values: torch.Tensor, step: Step, _seen: torch.Tensor) -> None:
    _to_unit(values, step.numbers["low"], step.numbers["high"])


def _shift_scale(values: torch.Tensor, step: Step, _seen: torch.Tensor) -> None:
    values.sub_(step.numbers["subtract"]).div_(step.numbers["divide"])


def _zscore(values: torch.Tensor, _step: Step, seen: torch.Tensor) -> None:
    spread, mean = torch.std_mean(seen, correction=0)
    values.sub_(float(mean)).div_(max(float(spread), 1e-8))


def _zscore_nonzero(values: torch.Tensor, _step: Step, _seen: torch.Tensor) -> None:
    """Count only what is not 0, and leave 0 as it is: the air of stripped brains says nothing about tissue."""
    there = values != 0
    if there.any():
        spread, mean = torch.std_mean(values[there], correction=0)
        values.sub_(float(mean)).div_(max(float(spread), 1e-8)).masked_fill_(~there, 0.0)


def _minmax(values: torch.Tensor, _step: Step, seen: torch.Tensor) -> None:
    low, high = torch.aminmax(seen)
    _to_unit(values, float(low), float(high))


def _quantile(values: torch.Tensor, step: Step, seen: torch.Tensor) -> None:
    flat = seen.flatten()
    flat = flat[:: math.ceil(flat.numel() / SAMPLE_VOXELS)]
    fractions = torch.tensor([step.numbers["low"], step.numbers["high"]], device=values.device)
    low, high = torch.quantile(flat, fractions).tolist()
    _to_unit(values, low, high)


def _to_unit(values: torch.Tensor, low: float, high: float) -> None:
    values.sub_(low).div_(high - low if high > low else 1.0)


INTENSITY: Mapping[str, Callable[[torch.Tensor, Step, torch.Tensor], None]] = {
    "clip": _clip,
    "scale": _scale,
    "shift_scale": _shift_scale,
    "zscore": _zscore,
    "zscore_nonzero": _zscore_nonzero,
    "minmax": _minmax,
    "quantile": _quantile,
}
"""In-place steps on the values of the model's grid; the last argument holds those that statistics count."""
