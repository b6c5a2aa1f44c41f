"""Foreign tools that judge what is read: SimpleITK file by file, and dcm2niix."""

from __future__ import annotations

import functools
import itertools
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK

from medview.core.geometry import Geometry
from medview.core.plane import Plane, SlicePlane, letters
from medview.core.volume import Volume
from medview.io.nifti import read_header, read_voxels
from medview.io.plain_header import PlainHeader

FloatArray = npt.NDArray[np.float64]

CLOSE_MM = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class ItkFile:
    """One file as SimpleITK reads it.

    Attributes
    ----------
    image : SimpleITK.Image
        Never with fewer than three axes.
    values : ndarray
        (k, j, i), (k, j, i, component) or (t, k, j, i).
    """

    image: Any
    values: npt.NDArray[Any]

    def frame_corners_lps_mm(self, number: int) -> FloatArray:
        """The four corners of one frame: (j, i) = (0, 0), (0, last), (last, 0), (last, last); shape (4, 3)."""
        i, j = self.image.GetSize()[:2]
        ends = itertools.product((0, j - 1), (0, i - 1))
        return np.asarray([self.image.TransformIndexToPhysicalPoint((i, j, number)) for j, i in ends])

    @property
    def orientation(self) -> str:
        """Three letters that say where i, j and k grow to, as SimpleITK names them: ``LPS`` for the identity."""
        directions = self.image.GetDirection()
        return str(SimpleITK.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(directions))


@functools.lru_cache(maxsize=4)
def itk_file(path: str) -> ItkFile:
    """Read one file.

    Raises
    ------
    RuntimeError
        When SimpleITK cannot.
    """
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    image = SimpleITK.ReadImage(path)
    values = SimpleITK.GetArrayFromImage(image)
    if image.GetDimension() == 4:
        image = image[:, :, :, 0]
    if image.GetDimension() == 2:
        image, values = SimpleITK.JoinSeries(image), values[None]
    return ItkFile(image, values)


@functools.lru_cache(maxsize=64)
def itk_order(folder: str, series_uid: str) -> tuple[str, ...]:
    """Files of a series in the order in which SimpleITK stacks them."""
    return tuple(SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(folder, series_uid))


def by_dcm2niix(source: Path, target: Path) -> list[Path]:
    """Convert everything below a folder, or one file; skips the test where dcm2niix is not installed."""
    tool = Path(sys.executable).parent / "dcm2niix"
    if not tool.exists():
        pytest.skip("dcm2niix is not installed; pip install dcm2niix")
    target.mkdir(parents=True)
    single = ["-s", "y"] if source.is_file() else ["-d", "9"]
    # -l o, -p n: numbers as stored, no private scaling; -x n: no cropping or rotating; -d 9: folders in folders.
    switches = ["-b", "n", "-z", "n", "-l", "o", "-p", "n", "-x", "n", *single, "-f", "%s_%j"]
    command = [str(tool), *switches, "-o", str(target), str(source)]
    subprocess.run(command, capture_output=True, timeout=120, check=False)
    return sorted(target.glob("*.nii"))


@dataclass(frozen=True, slots=True)
class Converted:
    """One NIfTI file that dcm2niix wrote."""

    path: Path
    header: PlainHeader

    def volume(self, time: int) -> Volume:
        return Volume(read_voxels(str(self.path), time), self.header.geometry, rescale=self.header.rescale)


def converted(paths: Sequence[Path]) -> list[Converted]:
    return [Converted(path, read_header(str(path))) for path in paths]


def near(theirs: FloatArray, ours: FloatArray) -> bool:
    """Whether both sets of corners are the same eight points, in whatever order."""
    apart = np.linalg.norm(theirs[:, None] - ours[None], axis=2)
    return bool(apart.min(axis=0).max() <= CLOSE_MM and apart.min(axis=1).max() <= CLOSE_MM)


def on_our_grid(array: npt.NDArray[Any], theirs: Geometry, ours: Geometry) -> npt.NDArray[Any]:
    """Their voxels in our order: both grids have the same corners, the axes may be permuted and turned."""
    # Where a single slice would go on decides nothing about where its voxels are.
    mine = [axis for axis in range(3) if ours.shape_kji[axis] > 1]
    other = [axis for axis in range(3) if theirs.shape_kji[axis] > 1]
    between = np.linalg.pinv(theirs.affine_lps[:3, other]) @ ours.affine_lps[:3, mine]
    whole = np.rint(between)
    assert np.abs(between - whole).max() < 0.01, "the grids differ"
    sources = {axis: other[int(np.flatnonzero(whole[:, n])[0])] for n, axis in enumerate(mine)}
    turned = np.flip(array, [sources[axis] for n, axis in enumerate(mine) if whole[:, n].sum() < 0])
    single = [axis for axis in range(3) if axis not in other]
    axes = [sources[axis] if axis in sources else single.pop() for axis in range(3)]
    return turned.transpose(*axes, *range(3, array.ndim))


def orientation_of(geometry: Geometry) -> str:
    """Where i, j and k of a grid grow to, by our own letters, with SimpleITK's names for head and feet."""
    names = {"H": "S", "F": "I"}
    strongest = [letters(direction)[0] for direction in geometry.directions_kji[::-1]]
    return "".join(names.get(letter, letter) for letter in strongest)


def edge_letters(geometry: Geometry) -> list[tuple[str, str, str, str]]:
    """The letters at the edges of the screen in all three planes; the same however a grid is stored."""
    return [SlicePlane.of(plane, geometry).edge_letters(geometry) for plane in Plane]
