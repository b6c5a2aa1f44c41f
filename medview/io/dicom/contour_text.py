"""The contours of segments as the decimal strings of an RT structure set."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from medview.core.errors import WriteError
from medview.core.geometry import Geometry
from medview.core.job import JobContext
from medview.core.segmentation import Segmentation
from medview.io.dicom.contour_trace import contours_of

FloatArray = npt.NDArray[np.float64]

LONGEST_NUMBER = 16
"""Characters of a decimal string."""
LONGEST_VALUE_BYTES = 65_534
"""Of an attribute in explicit VR."""
MOST_CONTOURS = 100_000
"""More are noise, and no reader takes as many parts."""
FINE_VOXELS = 1e-4
"""Coordinates are written to this part of a voxel or finer."""


@dataclass(frozen=True, slots=True)
class ContourText:
    """One closed contour.

    Attributes
    ----------
    k : int
        Its slice.
    value : bytes
        x, y and z of its points in LPS millimetres, joined by backslashes, of even length.
    """

    k: int
    points: int
    value: bytes


def contour_texts(segmentation: Segmentation, name: str, context: JobContext) -> list[list[ContourText]]:
    """Return the contours of every segment, traced as ``contour_trace`` says.

    Parameters
    ----------
    name : str
        Of what is to be written, for the sentence.

    Raises
    ------
    WriteError
        When there are too many.
    CancelledError
    """
    geometry = segmentation.geometry
    decimals, longest = _precision(geometry)
    most_points = LONGEST_VALUE_BYTES // (3 * (longest + 1))
    found: list[list[ContourText]] = []
    count = 0
    for segment in segmentation.segments:
        context.progress(len(found) / len(segmentation.segments), "Tracing the outlines")
        own: list[ContourText] = []
        found.append(own)
        box = segmentation.box(segment)
        if box is None:
            continue
        _, rows, columns = box.slices
        for k in range(box.min_kji[0], box.max_kji[0]):
            context.raise_if_cancelled()
            mask = segmentation.layer(segment.layer_id).voxels[k, rows, columns] == segment.value
            for contour in contours_of(mask, most_points):
                index = np.column_stack((np.full(len(contour), k), contour + box.min_kji[1:]))
                own.append(ContourText(k, len(contour), _as_text(geometry.point_lps_mm(index), decimals)))
            if count + len(own) > MOST_CONTOURS:
                raise WriteError(
                    f"{name} was not written: the segments are in more than {MOST_CONTOURS} pieces; remove islands first "
                    "or export a DICOM SEG."
                )
        count += len(own)
    return found


def _precision(geometry: Geometry) -> tuple[int, int]:
    """Return how many decimals coordinates are written with, and the characters of the longest one."""
    ends = geometry.point_lps_mm(np.array(list(product((-1, 1), repeat=3))) * geometry.shape_kji)
    # A sign and a point.
    whole = len(f"{np.abs(ends).max():.0f}") + 2
    wanted = int(np.ceil(-np.log10(FINE_VOXELS * min(geometry.spacing_kji_mm))))
    decimals = max(min(wanted, LONGEST_NUMBER - whole), 0)
    return decimals, whole + decimals


def _as_text(points_lps_mm: FloatArray, decimals: int) -> bytes:
    # A minus before a zero would be all that is left of a rounding error.
    rounded = np.round(points_lps_mm, decimals).ravel() + 0.0
    words = [f"{value:.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{value:.0f}" for value in rounded]
    joined = "\\".join(words).encode("ascii")
    return joined + b" " * (len(joined) % 2)
