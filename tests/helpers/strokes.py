"""Labels drawn without a hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.label_patch import LabelPatch
from medview.core.plane import SlicePlane
from medview.core.segmentation import LabelLayer, Segment, Segmentation
from medview.edit.paint import capsule_mask
from medview.edit.rules import EditRules, LabelWriter


def write_mask(
    labels: Segmentation,
    segment: Segment,
    box: Box,
    mask: npt.NDArray[np.bool_],
    *,
    erase: bool = False,
    rules: EditRules = EditRules(),
) -> LabelPatch | None:
    """Return the one patch that a mask comes to; None when it changes nothing."""
    writer = LabelWriter(labels, box, rules)
    if erase:
        writer.erase(segment, mask)
    else:
        writer.add(segment, mask)
    changes = writer.changes()
    assert len(changes) < 2
    patch = changes[0] if changes else None
    assert patch is None or isinstance(patch, LabelPatch)
    return patch


def stroke_patch(
    labels: Segmentation,
    segment: Segment,
    start_kji: npt.ArrayLike,
    end_kji: npt.ArrayLike,
    *,
    radius_mm: float,
    plane: SlicePlane | None = None,
    erase: bool = False,
) -> LabelPatch | None:
    """Return the patch of one piece of a brush stroke; None when it changes nothing."""
    swept = capsule_mask(labels.geometry, start_kji, end_kji, radius_mm, plane)
    return None if swept is None else write_mask(labels, segment, *swept, erase=erase)


def fill_layer(labels: Segmentation, layer_id: int, voxels: npt.ArrayLike) -> None:
    """Let a layer hold these voxels, or one value everywhere, as if it had just been loaded."""
    dense = np.empty(labels.geometry.shape_kji, dtype=np.uint8)
    dense[...] = voxels
    labels.layers[layer_id] = LabelLayer.drawn(layer_id, dense)
