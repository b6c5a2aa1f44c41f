"""As few label maps as hold masks of which some share voxels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.prediction import PredictedMask, PredictedSegment
from medview.core.segmentation import VALUES_PER_LAYER, Code

Mask = npt.NDArray[np.bool_]


class LabelMaps:
    """Label maps that grow mask by mask. Each mask goes into the first map in which nothing is under it."""

    def __init__(self) -> None:
        self._maps: list[_Map] = []

    def add(
        self, name: str, code: Code | None, colour: tuple[int, int, int], box: Box | None, mask: Mask | None
    ) -> tuple[int, int]:
        """Put a mask, shape ``box.shape_kji``, into a map; return the number of the map and the value there.

        A mask that is None or empty gets a value too.
        """
        held = None if mask is None else Box.around(mask)
        place, cut = None, None
        if box is not None and mask is not None and held is not None:
            place, cut = held.shifted(box.min_kji), mask[held.slices].copy()
        number = next((n for n, one in enumerate(self._maps) if one.takes(place, cut)), len(self._maps))
        if number == len(self._maps):
            self._maps.append(_Map())
        return number, self._maps[number].put(name, code, colour, place, cut)

    def masks(self) -> tuple[PredictedMask, ...]:
        """Return the maps, each cut to the box that holds anything."""
        return tuple(one.mask() for one in self._maps)


class _Map:
    def __init__(self) -> None:
        self._segments: list[PredictedSegment] = []
        self._held: list[tuple[Box, Mask, int]] = []

    def takes(self, box: Box | None, mask: Mask | None) -> bool:
        if len(self._segments) == VALUES_PER_LAYER:
            return False
        if box is None or mask is None:
            return True
        for other_box, other, _ in self._held:
            common = box.intersection(other_box)
            if not common.empty and (mask[common.within(box).slices] & other[common.within(other_box).slices]).any():
                return False
        return True

    def put(self, name: str, code: Code | None, colour: tuple[int, int, int], box: Box | None, mask: Mask | None) -> int:
        value = len(self._segments) + 1
        self._segments.append(PredictedSegment(value, name, colour, code))
        if box is not None and mask is not None:
            self._held.append((box, mask, value))
        return value

    def mask(self) -> PredictedMask:
        box = Box.union_of(held for held, _, _ in self._held) or Box((0, 0, 0), (0, 0, 0))
        voxels = np.zeros(box.shape_kji, dtype=np.uint8)
        for inner, mask, value in self._held:
            voxels[inner.within(box).slices][mask] = value
        return PredictedMask(box, voxels, tuple(self._segments))
