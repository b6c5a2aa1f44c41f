"""How unsure a model is of one case: class by class, and slice by slice."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

from medview.core.errors import ReadError

FloatArray = npt.NDArray[np.float32]

FORMAT = 1
"""Of what is stored; another one is worked out anew."""

UNITS = ("voxels", "boxes", "answers")
"""What ``foreground`` and ``errors`` count, by the task of the model."""


@dataclass(frozen=True, slots=True, eq=False)
class CaseScores:
    """What a model knows and does not know about one case. Slices are those of the case's own first axis (k).

    Attributes
    ----------
    classes : tuple of str
        What the model finds.
    unit : str
        What is counted: ``voxels`` (of the case's grid), ``boxes`` or ``answers``.
    unsure : ndarray of float32, shape (classes,)
        How unsure it is of each class where it takes it to be, 0 to 1. Comparable between cases, not between classes.
    foreground : ndarray of float32, shape (classes,)
        How much of each class it finds.
    errors : ndarray of float32, shape (classes,)
        How much of that is expected to be wrong, or missing, if its probabilities are right.
    unsure_slices, foreground_slices : ndarray of float32, shape (classes, slices)
        The same by slice, as sums: where in the case it is. All 0 where that is not known.
    features : ndarray of float32, shape (n,)
        What the case looks like to the model; cases that look alike lie near one another. The same n for one model.
    looks : int
        How many views of the case were compared.
    """

    classes: tuple[str, ...]
    unit: str
    unsure: FloatArray
    foreground: FloatArray
    errors: FloatArray
    unsure_slices: FloatArray
    foreground_slices: FloatArray
    features: FloatArray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    looks: int = 1

    def __post_init__(self) -> None:
        count = len(self.classes)
        if self.unit not in UNITS:
            raise ValueError(f"unit has to be one of {UNITS}, not {self.unit}")
        if any(one.shape != (count,) for one in (self.unsure, self.foreground, self.errors)):
            raise ValueError(f"{count} classes need as many numbers")
        if self.unsure_slices.shape != self.foreground_slices.shape or self.unsure_slices.shape[:1] != (count,):
            raise ValueError("what is said of slices has to have a row for each class")

    @property
    def slices(self) -> int:
        """How many slices the case has."""
        return int(self.unsure_slices.shape[1])

    def stored(self) -> bytes:
        """Return it as ``read_scores`` takes it: a zip of plain arrays."""
        held = io.BytesIO()
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        np.savez_compressed(
            held, format=np.int64(FORMAT), classes=np.asarray(self.classes, dtype=np.str_), unit=np.str_(self.unit),
            looks=np.int64(self.looks), **arrays,
        )  # fmt: skip
        return held.getvalue()


_ARRAYS = tuple(one.name for one in fields(CaseScores) if one.name not in ("classes", "unit", "looks"))


def read_scores(stored: bytes) -> CaseScores:
    """Return what ``CaseScores.stored`` made.

    Raises
    ------
    ReadError
        When it is damaged, or of another format.
    """
    try:
        with np.load(io.BytesIO(stored), allow_pickle=False) as found:
            if int(found["format"]) != FORMAT:
                raise ReadError("What a model made of a case was noted by another MedView; it is worked out again.")
            arrays: Mapping[str, FloatArray] = {name: _floats(found[name]) for name in _ARRAYS}
            classes = tuple(str(name) for name in found["classes"])
            return CaseScores(classes, str(found["unit"]), looks=int(found["looks"]), **arrays)
    except ReadError:
        raise
    except Exception as error:  # numpy, zipfile and zlib raise what they like on damaged files
        raise ReadError("What a model made of a case is damaged; it is worked out again.", detail=repr(error)) from error


def _floats(found: npt.NDArray[np.generic]) -> FloatArray:
    numbers = np.asarray(found, dtype=np.float32)
    if not np.isfinite(numbers).all():
        raise ValueError("a number is not finite")
    return numbers
