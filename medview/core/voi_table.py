"""Tables that say how values are shown: the VOI LUT Sequence of radiographs (PS3.3 C.11.2.1.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.window import Window, WindowFunction


@dataclass(frozen=True, slots=True)
class VoiTable:
    """One display table.

    Attributes
    ----------
    first : float
        Value, in the unit of the volume, that the first entry stands for. Values outside take the nearest entry.
    entries : bytes
        Little endian uint16, one per value.
    bits : int
        Bits an entry is declared to use.
    """

    first: float
    entries: bytes
    bits: int
    name: str = ""

    @property
    def count(self) -> int:
        """Number of entries."""
        return len(self.entries) // 2

    @property
    def white(self) -> int:
        """The entry that is shown white.

        A table that stays below half of its declared range was written with fewer bits than it says; as declared the
        picture would be dark.
        """
        top = int(self._numbers.max())
        declared = (1 << self.bits) - 1
        return declared if top > declared // 2 else max((1 << top.bit_length()) - 1, 1)

    @property
    def center(self) -> float:
        """Centre of the values that the table tells apart."""
        return self.first + (self.count - 1) / 2.0

    @property
    def width(self) -> float:
        """How many values the table tells apart."""
        return float(max(self.count, 1))

    def adjusted(self, center: float, width: float) -> Window:
        """Return the window that takes over when a person changes centre or width."""
        return Window(center, width, WindowFunction.LINEAR_EXACT)

    def levels(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
        """Map values to display levels 0 (black) to 255 (white), same shape."""
        return np.asarray(np.clip(np.rint(self.fraction(values) * 255.0), 0, 255), dtype=np.uint8)

    def fraction(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """Map values to 0 (black) to 1 (white) as float32."""
        numbers = self._numbers
        at = np.rint(np.asarray(values, dtype=np.float64) - self.first)
        index = np.clip(np.nan_to_num(at), 0, numbers.size - 1).astype(np.intp)
        return np.asarray(np.minimum(numbers[index].astype(np.float32) / np.float32(self.white), 1.0), dtype=np.float32)

    @property
    def _numbers(self) -> npt.NDArray[np.uint16]:
        return np.frombuffer(self.entries, "<u2")


VoiTransform = Window | VoiTable
"""How values become grey: by a window or by the file's table."""
