"""All segments in one label map, for formats that hold only that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from medview.core.errors import WriteError
from medview.core.segmentation import VALUES_PER_LAYER, LabelArray, Segment, Segmentation


def flatten(segmentation: Segmentation) -> tuple[LabelArray, list[Segment]]:
    """Return one label map (k, j, i) of all segments and the segments with the values they have in it.

    Segments keep their values where those differ; otherwise they are numbered from 1 in list order.

    Raises
    ------
    WriteError
        When segments overlap, which one label map cannot carry, or there are more than 255 or none.
    """
    segments = segmentation.segments
    if not segments:
        raise WriteError("There are no segments to write; draw one or accept a proposal first.")
    if len(segments) > VALUES_PER_LAYER:
        raise WriteError(
            f"One label map holds {VALUES_PER_LAYER} segments and there are {len(segments)}; write a SEG instead."
        )
    values = [segment.value for segment in segments]
    if len(set(values)) < len(values):
        values = list(range(1, len(values) + 1))
    merged = np.zeros(segmentation.geometry.shape_kji, dtype=np.uint8)
    for value, segment in zip(values, segments, strict=True):
        mask = segmentation.mask(segment)
        if merged[mask].any():
            raise WriteError(
                f"{segment.name} overlaps another segment, which one label map cannot hold; write a SEG instead."
            )
        merged[mask] = value
    return merged, [replace(s, value=v, layer_id=0) for v, s in zip(values, segments, strict=True)]
