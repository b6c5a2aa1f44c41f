"""Keeps slices of what is looked at during validation; what is looked at anyway costs no further look."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.errors import MedViewError
from medview.core.job import JobContext
from medview.ml.examples import UNKNOWN
from medview.ml.runs.folder import RunFolder
from medview.ml.runs.samples import Plane, SampleSlice, write_found, write_slices
from medview.ml.training.looked import Looked

SHOWN = 4
"""Examples, evenly spread over those of validation."""
LARGEST_SIDE = 256
"""Of a picture, in pixels; larger ones leave rows and columns out."""
_ENDS = (0.5, 99.5)

_log = logging.getLogger("medview.training")


class SampleTaker:
    """The context of a look at validation: takes what is handed over of some examples, and passes the rest on.

    Parameters
    ----------
    keys : sequence of str
        Of all validation examples.
    """

    def __init__(self, run: RunFolder, keys: Sequence[str], context: JobContext) -> None:
        self._run, self._context = run, context
        places = np.unique(np.linspace(0, len(keys) - 1, min(SHOWN, len(keys))).round().astype(int)).tolist()
        self._keys = [keys[n] for n in places]
        self._slices: dict[str, SampleSlice] = {}
        self._found: dict[str, Plane] = {}

    def progress(self, fraction: float, text: str) -> None:
        """Report it."""
        self._context.progress(fraction, text)

    def raise_if_cancelled(self) -> None:
        """Ask whoever started it."""
        self._context.raise_if_cancelled()

    def partial(self, value: object) -> None:
        """Take a slice of an example that is shown."""
        if not isinstance(value, Looked):
            self._context.partial(value)
        elif value.key in self._keys:
            if value.key not in self._slices:
                self._slices[value.key] = _slice_of(value)
            self._found[value.key] = _plane(value.found[:, self._slices[value.key].k])

    def write(self, step: int) -> None:
        """Write what was taken since the last time. A disk that is full costs pictures, not the training."""
        shown = [key for key in self._keys if key in self._slices]
        if not shown or not self._found:
            return
        try:
            # Again after a break: the same slices.
            write_slices(self._run, [self._slices[key] for key in shown])
            write_found(self._run, step, [self._found[key] for key in shown])
        except MedViewError as error:
            _log.info("no samples are kept: %s", error.sentence)
        self._found.clear()


def _slice_of(looked: Looked) -> SampleSlice:
    truth = np.asarray(looked.truth)
    drawn = ((truth > 0) & (truth != UNKNOWN)).sum(axis=(0, 2, 3))
    k = int(drawn.argmax()) if drawn.any() else truth.shape[1] // 2
    values = _thinned(np.asarray(looked.values[0, k], dtype=np.float32))
    low, high = np.percentile(values, _ENDS)
    grey = (np.clip((values - low) / max(high - low, 1e-6), 0, 1) * 255).astype(np.uint8)
    return SampleSlice(looked.key, k, looked.spacing_kji[1] / looked.spacing_kji[2], grey, _plane(truth[:, k]))


def _plane(layers: Plane) -> Plane:
    """Return layers (layers, j, i) as class numbers (j, i): where classes overlap, the last of them."""
    if len(layers) == 1:
        return np.ascontiguousarray(_thinned(layers[0]))
    found = np.zeros(layers.shape[1:], dtype=np.uint8)
    for number, layer in enumerate(layers, start=1):
        found[layer == 1] = number
    return np.ascontiguousarray(_thinned(found))


def _thinned(plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
    step = -(-max(plane.shape) // LARGEST_SIDE)
    return plane[::step, ::step]
