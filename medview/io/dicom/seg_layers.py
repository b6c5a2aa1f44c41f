"""Overlapping masks into as few label layers as hold them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from medview.core.segmentation import VALUES_PER_LAYER, LabelArray


class LayerStack:
    """Puts masks one after another into the first layer where they overlap nothing."""

    def __init__(self, shape_kji: tuple[int, int, int]) -> None:
        self._shape = shape_kji
        self._used: list[int] = []
        self.layers: dict[int, LabelArray] = {}

    def add(self, frames: Iterable[tuple[int, npt.NDArray[np.bool_]]]) -> tuple[int, int]:
        """Add a mask given as (k, slice mask) pairs and return its (layer id, value)."""
        pairs = [(k, mask) for k, mask in frames if mask.any()]
        for layer_id, used in enumerate(self._used):
            if used < VALUES_PER_LAYER and not any(self.layers[layer_id][k][mask].any() for k, mask in pairs):
                break
        else:
            layer_id = len(self._used)
            self._used.append(0)
            self.layers[layer_id] = np.zeros(self._shape, dtype=np.uint8)
        self._used[layer_id] += 1
        value = self._used[layer_id]
        for k, mask in pairs:
            self.layers[layer_id][k][mask] = value
        return layer_id, value
