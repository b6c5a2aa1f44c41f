"""Values of a picture, a little smoothed, in units of their noise, so that an edge means the same on every picture."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from medview.core.job import JobContext
from medview.core.language import _
from medview.core.volume import Volume
from medview.edit.seed_forest import GREY_PER_NOISE, Grey

Values = npt.NDArray[np.float32]
_Piece = tuple[slice, slice]
"""Slices and rows."""

_WIDTH_VOXELS = 0.7
"""Of the Gaussian, in voxels of the finest direction; coarser directions are smoothed by as many millimetres."""
_MOST_GREY = 16383
"""So that no difference of two leaves 16 bits."""
_PIECE_VOXELS = 1 << 19
"""Smoothed in one go: a tenth of a second."""
_PIECE_SLICES = 16
_SAMPLES = 6
_CALM_STEPS = 5
_CALM_NOISES = 3.7


def grey_of(volume: Volume, context: JobContext, *, calm: bool = False, share: tuple[float, float] = (0.0, 1.0)) -> Grey:
    """Return the values of a volume in units of noise / ``GREY_PER_NOISE``.

    Parameters
    ----------
    calm : bool
        Smooth within what edges enclose (Perona and Malik 1990), for pictures with much noise.
    share : tuple of float
        Progress at the beginning and at the end.

    Raises
    ------
    CancelledError
        When the person pressed Cancel.
    """
    shape = volume.geometry.shape_kji
    grey = np.empty(shape, dtype=np.int16)
    pieces = list(_pieces(shape))
    first_noise = 0.0
    samples = [pieces[n] for n in np.unique(np.linspace(0, len(pieces) - 1, _SAMPLES).round().astype(int))]
    noise, middle = _noise(_each_smoothed(volume, samples, 0.0, context))
    if calm:
        first_noise = noise
        noise, middle = _noise(_each_smoothed(volume, samples, first_noise, context))
    for n, piece in enumerate(pieces):
        context.raise_if_cancelled()
        context.progress(share[0] + (share[1] - share[0]) * n / len(pieces), _("Looking for edges"))
        values = _smoothed(volume, piece, first_noise, context)
        values -= np.float32(middle)
        values *= np.float32(GREY_PER_NOISE / noise)
        grey[piece] = np.clip(np.rint(values, out=values), -_MOST_GREY, _MOST_GREY, out=values)
    return grey


def _each_smoothed(volume: Volume, pieces: list[_Piece], calm_noise: float, context: JobContext) -> list[Values]:
    found = []
    for piece in pieces:
        context.raise_if_cancelled()
        found.append(_smoothed(volume, piece, calm_noise, context))
    return found


def _smoothed(volume: Volume, piece: _Piece, calm_noise: float, context: JobContext) -> Values:
    """Return the smoothed values of a piece; what lies around it is looked at too, so that there are no seams."""
    from scipy import ndimage

    finest = min(volume.geometry.spacing_kji_mm)
    widths = [_WIDTH_VOXELS * finest / mm for mm in volume.geometry.spacing_kji_mm]
    around = 2 + (_CALM_STEPS if calm_noise else 0)
    starts = [max(0, part.start - around) for part in piece]
    values = volume.values(tuple(slice(n, part.stop + around) for n, part in zip(starts, piece, strict=True)))
    if not np.isfinite(values).all():
        values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    for axis, width in enumerate(widths):
        if width > 0.25 and values.shape[axis] > 1:
            values = ndimage.correlate1d(values, _gauss(width), axis, mode="nearest")
    if calm_noise:
        values = _calmed(values, np.float32(_CALM_NOISES * calm_noise), volume.geometry.spacing_kji_mm, context)
    k, j = (slice(part.start - n, part.stop - n) for n, part in zip(starts, piece, strict=True))
    return np.array(values[k, j])


def _gauss(width: float) -> npt.NDArray[np.float64]:
    weights = np.exp(-0.5 * (np.arange(-2, 3) / width) ** 2)
    return np.asarray(weights / weights.sum())


def _calmed(values: Values, edge: np.float32, spacing_kji_mm: tuple[float, float, float], context: JobContext) -> Values:
    """Let neighbours become like each other, the less the more they differ."""
    finest = min(spacing_kji_mm)
    values = values.copy()
    for _step in range(_CALM_STEPS):
        context.raise_if_cancelled()
        flow = np.zeros_like(values)
        for axis, mm in enumerate(spacing_kji_mm):
            if values.shape[axis] < 2:
                continue
            difference = np.diff(values, axis=axis)
            difference *= np.exp(-((difference / edge) ** 2)) * np.float32((finest / mm) ** 2)
            before = (slice(None),) * axis + (slice(0, -1),)
            after = (slice(None),) * axis + (slice(1, None),)
            flow[before] += difference
            flow[after] -= difference
        values += flow * np.float32(1 / 7)
    return values


def _noise(samples: list[Values]) -> tuple[float, float]:
    """Return how much neighbours in a slice typically differ, and a value in the midst.

    Pictures with large parts of one single value have less noise than the few differences in them say.
    """
    differences = np.concatenate([np.abs(np.diff(one, axis=axis)).ravel()[::3] for one in samples for axis in (1, 2)])
    values = np.concatenate([one.ravel()[::7] for one in samples])
    low, middle, high = (float(n) for n in np.percentile(values, (1, 50, 99)))
    real = differences[differences > 0]
    if not real.size:
        return 1.0, middle
    noise = 1.4826 * float(np.median(real))
    if real.size < differences.size / 2:
        noise = min(noise, max((high - low) / 100, float(real.min())))
    return noise, middle


def _pieces(shape_kji: tuple[int, int, int]) -> Iterator[_Piece]:
    k, j, i = shape_kji
    rows = max(16, _PIECE_VOXELS // (_PIECE_SLICES * i))
    for slices in range(0, k, _PIECE_SLICES):
        for row in range(0, j, rows):
            yield slice(slices, min(k, slices + _PIECE_SLICES)), slice(row, min(j, row + rows))
