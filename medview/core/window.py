"""Grey-level windows: values to display levels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
import numpy.typing as npt


class WindowFunction(Enum):
    """VOI LUT Function (0028,1056), PS3.3 C.11.2.1.3."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True, slots=True)
class Window:
    """A display window in the unit of the volume's values (HU for CT).

    ``width`` is at least 1 for LINEAR and above 0 for the others.
    """

    center: float
    width: float
    function: WindowFunction = WindowFunction.LINEAR
    name: str = ""

    def __post_init__(self) -> None:
        smallest = 1.0 if self.function is WindowFunction.LINEAR else 1e-6
        if not self.width >= smallest:
            object.__setattr__(self, "width", smallest)

    @classmethod
    def from_range(cls, low: float, high: float, name: str = "") -> Window:
        """Return the exact linear window that maps ``low`` to black and ``high`` to white."""
        return cls((low + high) / 2.0, max(high - low, 1e-6), WindowFunction.LINEAR_EXACT, name)

    def adjusted(self, center: float, width: float) -> Window:
        """Return the same window elsewhere; it no longer is the one its name stood for."""
        return replace(self, center=center, width=width, name="")

    def levels(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
        """Map values to display levels 0 (black) to 255 (white), same shape, by PS3.3 C.11.2.1.2 and C.11.2.1.3."""
        return np.asarray(np.clip(np.rint(self.fraction(values) * 255.0), 0, 255), dtype=np.uint8)

    def fraction(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """Map values to 0 (black) to 1 (white) as float32; the unrounded form of ``levels``."""
        x = np.asarray(values, dtype=np.float32)
        center, width = np.float32(self.center), np.float32(self.width)
        if self.function is WindowFunction.SIGMOID:
            with np.errstate(over="ignore"):
                return np.asarray(1.0 / (1.0 + np.exp(-4.0 * (x - center) / width)), dtype=np.float32)
        if self.function is WindowFunction.LINEAR_EXACT:
            return np.asarray(np.clip((x - center) / width + np.float32(0.5), 0.0, 1.0), dtype=np.float32)
        if self.width == 1.0:
            return np.asarray(x > center - np.float32(0.5), dtype=np.float32)
        scaled = (x - (center - np.float32(0.5))) / (width - np.float32(1.0)) + np.float32(0.5)
        return np.asarray(np.clip(scaled, 0.0, 1.0), dtype=np.float32)
