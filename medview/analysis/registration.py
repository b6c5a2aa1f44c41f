"""Rigid registration of two volumes by mutual information."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from medview.core.errors import CancelledError, GeometryError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import JobContext
from medview.core.registration import Registration
from medview.core.volume import Volume

COARSE_MM = 2.5
"""Voxels are averaged until they are about this large: finer ones cost time and find no better place."""

LEAST_OVERLAP = 0.2
"""Part of the smaller volume that has to lie inside the other."""

LEAST_EXTENT = 4
"""Voxels along every axis below which there is no gradient to follow."""

LEAST_METRIC = 0.05
"""Mutual information (nats) below which the two pictures have next to nothing in common."""

DOUBTFUL_METRIC = 0.15
DOUBTFUL_OVERLAP = 0.5

_BINS = 32
_SAMPLES = 40_000
_SEED = 20
_ITERATIONS = 150
_ROUNDS = 20
_USUAL_ROUNDS = 5
_NEAR_PART = 0.3
"""Part of the whole time that the first approach takes."""


def register_rigidly(fixed: Volume, moving: Volume, context: JobContext) -> Registration:
    """Find the turn and shift that lay ``moving`` over ``fixed``.

    Mattes mutual information over random samples with a fixed seed, on copies averaged to about 2.5 mm: a gradient descent
    on coarser copies, then Powell's line searches. Started from whichever fits best of the places as stated, the middles of
    the grids and the middles of brightness. The same volumes give the same result to a hundredth of a millimetre: sums over
    threads differ in their last digits.

    Parameters
    ----------
    fixed, moving : Volume
        Grey volumes with millimetres along all axes.

    Returns
    -------
    Registration
        From the frame of ``moving`` to that of ``fixed``.

    Raises
    ------
    GeometryError
        Where a volume is in colour, has no millimetres or is too thin, or where too little of both overlaps or agrees.
    CancelledError
        After Cancel.
    """
    began = time.monotonic()
    for volume in (fixed, moving):
        _refuse_unplaced(volume)
    context.progress(0.0, "Preparing both series")
    fixed_image, moving_image = coarse_image(fixed), coarse_image(moving)
    context.raise_if_cancelled()
    transform = _best_start(fixed_image, moving_image)
    levels = _levels(fixed_image, moving_image)
    near = _method(fixed_image)
    near.SetOptimizerAsRegularStepGradientDescent(
        learningRate=2.0,
        minStep=1e-3,
        numberOfIterations=_ITERATIONS,
        relaxationFactor=0.6,
        gradientMagnitudeTolerance=1e-8,
    )
    near.SetShrinkFactorsPerLevel(levels)
    near.SetSmoothingSigmasPerLevel([level / 2.0 for level in levels])
    near.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    _execute(near, fixed_image, moving_image, transform, _Part(context, 0.0, _NEAR_PART, _ITERATIONS, len(levels)))
    # Heads and trunks are nearly round: along their turns the slope is too gentle for a descent, not for line searches.
    exact = _method(fixed_image)
    exact.SetOptimizerAsPowell(
        numberOfIterations=_ROUNDS, maximumLineIterations=30, stepLength=1.0, stepTolerance=1e-3, valueTolerance=1e-6
    )
    _execute(exact, fixed_image, moving_image, transform, _Part(context, _NEAR_PART, 1.0, _USUAL_ROUNDS, 1))
    to_moving = _matrix(transform)
    inside = part_inside(fixed.geometry, moving.geometry, to_moving)
    samples = inside * min(_SAMPLES, fixed_image.GetNumberOfPixels())
    metric = -float(exact.GetMetricValue()) - chance(samples)
    sizes = [float(np.prod(v.geometry.shape_kji)) * v.geometry.voxel_volume_mm3 for v in (fixed, moving)]
    overlap = min(1.0, inside * sizes[0] / min(sizes))
    if overlap < LEAST_OVERLAP or not metric > LEAST_METRIC:
        raise _no_match()
    return Registration(
        fixed.geometry.frame_of_reference_uid,
        moving.geometry.frame_of_reference_uid,
        _inverted(to_moving),
        metric,
        overlap,
        time.monotonic() - began,
        _quality(metric, overlap),
    )


def coarse_image(volume: Volume) -> sitk.Image:
    """Return a float32 copy with voxels of about COARSE_MM, from zero at the darkest; padding is as dark as the darkest."""
    geometry = volume.geometry
    shrink = [max(1, min(n // LEAST_EXTENT, round(COARSE_MM / mm))) for n, mm in _sizes(geometry)]
    stored = volume.voxels
    part: npt.NDArray[np.float32] = _block_means(volume, stored, (shrink[0], shrink[1], shrink[2]))
    low, high = np.percentile(part, (0.5, 99.8))
    part = np.clip(part, low, max(high, low + 1e-6)) - np.float32(low)
    image = sitk.GetImageFromArray(np.ascontiguousarray(part, dtype=np.float32))
    # The middle of a block lies half a block minus half a voxel after its first voxel's.
    origin = geometry.point_lps_mm([(n - 1) / 2.0 for n in shrink])
    spacing = [mm * n for mm, n in zip(geometry.spacing_kji_mm, shrink, strict=True)]
    image.SetOrigin([float(n) for n in origin])
    image.SetSpacing([float(mm) for mm in reversed(spacing)])
    image.SetDirection([float(n) for n in geometry.directions_kji[::-1].T.ravel()])
    return image


def part_inside(fixed: Geometry, moving: Geometry, to_moving: npt.NDArray[np.float64]) -> float:
    """Return which part (0 to 1) of the fixed volume lies inside the moving one.

    Parameters
    ----------
    to_moving : ndarray, shape (4, 4)
        Maps LPS millimetres of the fixed frame to those of the moving one.
    """
    ends = [np.linspace(-0.5, n - 0.5, 25)[:-1] + n / 48.0 for n in fixed.shape_kji]
    places = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
    there = fixed.point_lps_mm(places) @ to_moving[:3, :3].T + to_moving[:3, 3]
    index = moving.index_kji(there)
    return float(np.all((index >= -0.5) & (index < np.asarray(moving.shape_kji) - 0.5), axis=1).mean())


def chance(samples: float) -> float:
    """Return the mutual information (nats) that this many samples of unrelated pictures show by chance: few show much."""
    return (_BINS - 1) ** 2 / (2.0 * max(samples, 1.0))


def _sizes(geometry: Geometry) -> list[tuple[int, float]]:
    return list(zip(geometry.shape_kji, geometry.spacing_kji_mm, strict=True))


def _refuse_unplaced(volume: Volume) -> None:
    what = volume.description or volume.modality or "series"
    geometry = volume.geometry
    if volume.colour:
        raise GeometryError(f"The {what} is in colour; choose a grey series to register.")
    if geometry.calibration is not Calibration.VOLUME or volume.patient_orientation is not None:
        raise GeometryError(f"The {what} has no millimetres along all three axes; choose a series that is a volume.")
    if min(geometry.shape_kji) < LEAST_EXTENT:
        raise GeometryError(f"The {what} has fewer than {LEAST_EXTENT} slices; choose a series with more to register.")


def _block_means(
    volume: Volume, stored: npt.NDArray[np.generic], shrink_kji: tuple[int, int, int]
) -> npt.NDArray[np.float32]:
    dk, dj, di = shrink_kji
    nk, nj, ni = (n // d for n, d in zip(stored.shape[:3], shrink_kji, strict=True))
    out = np.empty((nk, nj, ni), dtype=np.float32)
    seen = volume.seen_values((slice(None, None, max(1, stored.shape[0] // 16)),))
    darkest = np.float32(seen.min()) if seen.size else np.float32(0.0)
    for k in range(nk):
        region = (slice(k * dk, (k + 1) * dk), slice(0, nj * dj), slice(0, ni * di))
        values = volume.values(region)
        nothing = ~np.isfinite(values) | volume.is_padding(stored[region])
        if nothing.any():
            values = np.where(nothing, darkest, values)
        out[k] = values.reshape(dk, nj, dj, ni, di).mean(axis=(0, 2, 4))
    return out


def _method(fixed: sitk.Image) -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=_BINS)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(min(1.0, _SAMPLES / fixed.GetNumberOfPixels()), seed=_SEED)
    # Slopes are wanted at the samples only.
    method.MetricUseFixedImageGradientFilterOff()
    method.MetricUseMovingImageGradientFilterOff()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerScalesFromPhysicalShift()
    return method


def _best_start(fixed: sitk.Image, moving: sitk.Image) -> sitk.Euler3DTransform:
    method = _method(fixed)
    kinds = sitk.CenteredTransformInitializerFilter
    starts = [_as_stated(fixed)]
    for kind in (kinds.GEOMETRY, kinds.MOMENTS):
        centred = sitk.CenteredTransformInitializer(fixed, moving, sitk.Euler3DTransform(), kind)
        starts.append(sitk.Euler3DTransform(centred))
    found: list[tuple[float, sitk.Euler3DTransform]] = []
    for start in starts:
        method.SetInitialTransform(start)
        try:
            found.append((float(method.MetricEvaluate(fixed, moving)), start))
        except RuntimeError:
            # Nothing of the two lies over one another from there.
            continue
    if not found:
        raise _no_match()
    return min(found, key=lambda pair: pair[0])[1]


def _as_stated(fixed: sitk.Image) -> sitk.Euler3DTransform:
    start = sitk.Euler3DTransform()
    start.SetCenter(fixed.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2.0 for n in fixed.GetSize()]))
    return start


def _levels(fixed: sitk.Image, moving: sitk.Image) -> list[int]:
    """Return by how much both are shrunk at each level; no axis may become too short for a gradient."""
    shortest = min(*fixed.GetSize(), *moving.GetSize())
    return [level for level in (4, 2) if shortest // level >= 2 * LEAST_EXTENT] or [1]


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the work, as told to whoever waits."""

    context: JobContext
    begin: float
    end: float
    iterations: int
    levels: int

    def tell(self, level: int, iteration: int) -> None:
        done = (level + min(1.0, iteration / self.iterations)) / self.levels
        self.context.progress(self.begin + (self.end - self.begin) * done, "Laying one series over the other")


def _execute(
    method: sitk.ImageRegistrationMethod,
    fixed: sitk.Image,
    moving: sitk.Image,
    transform: sitk.Euler3DTransform,
    part: _Part,
) -> None:
    """Improve ``transform`` in place; tell of each iteration, and stop at the next one after Cancel."""
    context = part.context
    context.raise_if_cancelled()

    def on_iteration() -> None:
        try:
            context.raise_if_cancelled()
        except CancelledError:
            # An error must not travel through the library; every level ends at its next iteration.
            method.StopRegistration()
            return
        part.tell(method.GetCurrentLevel(), method.GetOptimizerIteration())

    method.SetInitialTransform(transform, inPlace=True)
    method.AddCommand(sitk.sitkIterationEvent, on_iteration)
    try:
        method.Execute(fixed, moving)
    except RuntimeError as error:
        context.raise_if_cancelled()
        raise _no_match() from error
    context.raise_if_cancelled()


def _matrix(transform: sitk.Euler3DTransform) -> npt.NDArray[np.float64]:
    """Return a transform about a centre as a homogeneous matrix."""
    turn = np.asarray(transform.GetMatrix(), dtype=np.float64).reshape(3, 3)
    centre, shift = np.asarray(transform.GetCenter()), np.asarray(transform.GetTranslation())
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = shift + centre - turn @ centre
    return matrix


def _inverted(rigid: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[:3, :3] = rigid[:3, :3].T
    matrix[:3, 3] = -rigid[:3, :3].T @ rigid[:3, 3]
    return matrix


def _quality(metric: float, overlap: float) -> str:
    told = f"{100 * overlap:.0f} % of the smaller series overlap, mutual information {metric:.2f}"
    if metric < DOUBTFUL_METRIC or overlap < DOUBTFUL_OVERLAP:
        return f"Doubtful: {told}. Compare edges in all three planes before use."
    return f"{told}. Compare edges in all three planes."


def _no_match() -> GeometryError:
    return GeometryError(
        "The two series could not be registered: too little of one lies inside the other or looks alike; "
        "choose series of the same part of the body."
    )
