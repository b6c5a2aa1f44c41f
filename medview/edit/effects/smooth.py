"""Smoothing: rough outlines, crumbs and gaps of a segment are evened out, by millimetres."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.segmentation import Segment, Segmentation, SegmentRole
from medview.edit.effects.distance import grown, shrunk
from medview.edit.effects.effect import Effect, Given, Mask, OfMap, Result, box_around
from medview.edit.effects.settings import Choice, Number, Option, Values, When, number
from medview.edit.effects.slabs import by_slabs, nothing

_TRUNCATE = 4.0
"""Standard deviations after which a Gaussian counts as nothing."""

_BY_KERNEL = When("way", ("median", "open", "close"))
_BY_SIGMA = When("way", ("gaussian", "joint"))


def region(labels: Segmentation, segment: Segment | None, values: Values) -> Box:
    """Ask for the box of the segment, or of all that are smoothed together, and what the kernel reaches around it."""
    reach_mm = number(values, "kernel_mm") if values["way"] in _BY_KERNEL.values else _reach_mm(number(values, "sigma_mm"))
    box = box_around(labels, segment, reach_mm)
    if values["way"] != "joint" or segment is None:
        return box
    boxes = [box_around(labels, one, reach_mm) for one in together(labels, segment) if labels.box(one) is not None]
    return Box.union_of(boxes) or box


def together(labels: Segmentation, segment: Segment) -> list[Segment]:
    """Return the segments that are smoothed together with one: those of its layer that are seen and not locked."""
    return [
        one
        for one in labels.segments
        if one.layer_id == segment.layer_id and one.role is SegmentRole.STRUCTURE and one.visible and not one.locked
    ]


def work(given: Given, values: Values, context: JobContext) -> Result:
    """Return the smoothed segment or segments."""
    geometry, way = given.geometry, values["way"]
    between = context.raise_if_cancelled
    if way == "joint":
        return Result(joint(given, number(values, "sigma_mm"), context), note=_along_axes(geometry))
    mask = given.mask()
    if way == "gaussian":
        smooth = softened(geometry, mask, number(values, "sigma_mm"), between)
        return Result({given.active.segment_id: smooth}, note=_along_axes(geometry))
    kernel_mm = number(values, "kernel_mm")
    if way == "median":
        size = kernel_voxels(geometry, kernel_mm)
        smooth = median(mask, size, between)
        k, j, i = size
        note = _("The kernel has {i} × {j} × {k} voxels.").format(i=i, j=j, k=k)
        return Result({given.active.segment_id: smooth}, note=note)
    first, then = (shrunk, grown) if way == "open" else (grown, shrunk)
    context.progress(0.1, _("Measuring distances"))
    halfway = first(geometry, mask, kernel_mm / 2, between)
    context.progress(0.35, _("Measuring distances"))
    return Result({given.active.segment_id: then(geometry, halfway, kernel_mm / 2, between)})


def _along_axes(geometry: Geometry) -> str:
    return _("The slices were tilted: the Gaussian follows the axes of the grid.") if geometry.sheared else ""


def kernel_voxels(geometry: Geometry, kernel_mm: float) -> tuple[int, int, int]:
    """Return the odd numbers of voxels along k, j, i whose extent comes nearest to a kernel's, and is at least one."""
    k, j, i = (2 * max(0, round((kernel_mm / spacing - 1) / 2)) + 1 for spacing in geometry.spacing_kji_mm)
    return k, j, i


def median(mask: Mask, size_kji: tuple[int, int, int], between: Callable[[], None] = nothing) -> Mask:
    """Return the median of a mask in a box of an odd number of voxels; beyond the array lies what its edge holds."""
    from scipy import ndimage

    half = int(np.prod(size_kji)) // 2

    def most(part: Mask) -> Mask:
        counts: npt.NDArray[np.int32] = part.astype(np.int32)
        for axis, size in enumerate(size_kji):
            if size > 1:
                counts = ndimage.correlate1d(counts, np.ones(size, dtype=np.int32), axis=axis, mode="nearest")
        return np.asarray(counts > half)

    return by_slabs(mask, size_kji[0] // 2, most, between)


def gaussian(geometry: Geometry, mask: Mask, sigma_mm: float) -> npt.NDArray[np.float32]:
    """Return how much of a Gaussian around each voxel lies in a mask, 0 to 1; beyond the array lies what its edge holds.

    On a sheared grid the Gaussian follows the axes of the grid.
    """
    from scipy import ndimage

    sigma = [sigma_mm / spacing for spacing in geometry.spacing_kji_mm]
    smooth = mask.astype(np.float32)
    ndimage.gaussian_filter(smooth, sigma, output=smooth, mode="nearest", truncate=_TRUNCATE)
    return smooth


def softened(geometry: Geometry, mask: Mask, sigma_mm: float, between: Callable[[], None] = nothing) -> Mask:
    """Return where at least half of a Gaussian around a voxel lies in a mask."""
    reach_k = int(_TRUNCATE * sigma_mm / geometry.spacing_kji_mm[0] + 0.5)
    return by_slabs(mask, reach_k, lambda part: gaussian(geometry, part, sigma_mm) >= 0.5, between)


def joint(given: Given, sigma_mm: float, context: JobContext) -> dict[str, Mask | OfMap]:
    """Return the segments of the layer smoothed as one thing, whose voxels go to the one that weighs most there.

    Segments that touch still touch afterwards: no gap opens between them, and none lies over another.
    """
    geometry, labels = given.geometry, given.labels
    segments = [one for one in together(labels, given.active) if given.totals.get(one.segment_id, 1)]
    most = np.zeros(geometry.shape_kji, dtype=np.float32)
    total = np.zeros(geometry.shape_kji, dtype=np.float32)
    winner = np.zeros(geometry.shape_kji, dtype=np.uint8)
    reach = tuple(int(np.ceil(_reach_mm(sigma_mm) / spacing)) for spacing in geometry.spacing_kji_mm)
    for n, segment in enumerate(segments, start=1):
        context.raise_if_cancelled()
        context.progress(0.6 * n / (len(segments) + 1), _("Smoothing {name}").format(name=segment.name))
        mask = labels.mask(segment)
        box = Box.around(mask)
        if box is None:
            continue
        part = box.padded((reach[0], reach[1], reach[2])).clipped(geometry.shape_kji).slices
        weight = gaussian(geometry, mask[part], sigma_mm)
        total[part] += weight
        better = weight > most[part]
        most[part][better] = weight[better]
        winner[part][better] = n
    winner[total < 0.5] = 0
    return {segment.segment_id: OfMap(winner, n) for n, segment in enumerate(segments, start=1)}


def _reach_mm(sigma_mm: float) -> float:
    return _TRUNCATE * sigma_mm


EFFECT = Effect(
    "smooth",
    "Smooth",
    _("Smooth"),
    _("Evens out the outline of the active segment"),
    "mdi6.blur",
    (
        Choice(
            "way",
            _("Way"),
            _("How it is smoothed"),
            (
                Option("median", _("Median"), _("Each voxel goes with most of its neighbours: steps and crumbs go")),
                Option("open", _("Remove what sticks out"), _("Opening: what is thinner than the kernel goes")),
                Option("close", _("Fill what is thin"), _("Closing: gaps and notches narrower than the kernel are filled")),
                Option("gaussian", _("Gaussian"), _("Softest; small pieces may vanish")),
                Option(
                    "joint",
                    _("Together with neighbours"),
                    _("All segments of the layer that are seen and not locked; no gap opens between them"),
                ),
            ),
        ),
        Number("kernel_mm", _("Kernel"), _("Diameter, in the patient"), 3.0, 0.1, 50.0, "mm", when=_BY_KERNEL),
        Number("sigma_mm", _("Deviation"), _("Standard deviation of the Gaussian"), 1.5, 0.1, 20.0, "mm", when=_BY_SIGMA),
    ),
    region,
    work,
)
