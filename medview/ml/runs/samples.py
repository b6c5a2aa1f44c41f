"""Slices of validation cases with what is true and what a training found at each look; small files in its folder.

``samples/slices.npz`` holds what does not change (``keys``, ``k``, ``aspect``, and ``grey<n>``, ``truth<n>``),
``samples/<step>.npz`` what was found (``found<n>``).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medview.core.atomic import replacing, write_error
from medview.core.errors import ReadError
from medview.ml.runs.folder import RunFolder

FIXED = "slices"
Plane = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class SampleSlice:
    """One slice that is shown again and again.

    Attributes
    ----------
    key : str
        Of the case, in the frozen dataset.
    k : int
        Which slice, on the grid of the network.
    aspect : float
        Height of a pixel by its width.
    grey : ndarray
        uint8 (j, i).
    truth : ndarray
        uint8 (j, i): class numbers, 0 for none, 255 where nobody knows.
    """

    key: str
    k: int
    aspect: float
    grey: Plane
    truth: Plane


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """The slices, and what was found on them after a step: class numbers, uint8 (j, i)."""

    step: int
    slices: tuple[SampleSlice, ...]
    found: tuple[Plane, ...]


def write_slices(run: RunFolder, slices: Sequence[SampleSlice]) -> None:
    """Write what stays the same. Raises WriteError."""
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "keys": np.array([one.key for one in slices]),
        "k": np.array([one.k for one in slices]),
        "aspect": np.array([one.aspect for one in slices]),
    }
    for n, one in enumerate(slices):
        arrays |= {f"grey{n}": one.grey, f"truth{n}": one.truth}
    _write(run.samples / f"{FIXED}.npz", arrays)


def write_found(run: RunFolder, step: int, found: Sequence[Plane]) -> None:
    """Write what was found after a step, in the order of the slices. Raises WriteError."""
    _write(run.samples / f"{step:09d}.npz", {f"found{n}": plane for n, plane in enumerate(found)})


def sample_steps(run: RunFolder) -> tuple[int, ...]:
    """Return the steps after which samples were taken, in order."""
    return tuple(sorted(int(file.stem) for file in run.samples.glob("*.npz") if file.stem.isdigit()))


def read_samples(run: RunFolder, step: int | None = None) -> Samples | None:
    """Return the samples of a step, of the last one unless given; None where there are none. Raises ReadError."""
    steps = sample_steps(run)
    if not steps or (step is not None and step not in steps):
        return None
    wanted = steps[-1] if step is None else step
    try:
        # Opened here: numpy leaves a damaged file open.
        with (run.samples / f"{FIXED}.npz").open("rb") as file, np.load(file) as fixed:
            slices = tuple(
                SampleSlice(str(key), int(k), float(aspect), fixed[f"grey{n}"], fixed[f"truth{n}"])
                for n, (key, k, aspect) in enumerate(zip(fixed["keys"], fixed["k"], fixed["aspect"], strict=True))
            )
        with (run.samples / f"{wanted:09d}.npz").open("rb") as file, np.load(file) as told:
            return Samples(wanted, slices, tuple(told[f"found{n}"] for n in range(len(slices))))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ReadError(
            f"The samples of {run.path.name} are damaged; delete its folder samples.", detail=str(error)
        ) from error


def _write(file: Path, arrays: dict[str, npt.NDArray[np.generic]]) -> None:
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]  # its stub takes names for flags
    try:
        file.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise write_error(file.parent, error) from error
    with replacing(file) as opened:
        opened.write(packed.getbuffer())
