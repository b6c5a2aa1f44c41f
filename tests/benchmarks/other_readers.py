"""How others read a folder of slices into one array, for comparison."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import SimpleITK as sitk
from monai.transforms import LoadImage


def raw_bytes(files: list[Path]) -> list[bytes]:
    """All bytes, kept: memory that is used again for every file would cost nothing, and no volume can be made in it."""
    return [file.read_bytes() for file in files]


def simpleitk(files: list[Path]) -> sitk.Image:
    """Values; an array view of it lives no longer than the image."""
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(file) for file in files])
    return reader.Execute()


def pydicom_loop(files: list[Path]) -> npt.NDArray[Any]:
    """Stored numbers, no rescale."""
    return np.stack([pydicom.dcmread(file).pixel_array for file in files])


def monai(files: list[Path]) -> npt.NDArray[Any]:
    """Its reader on pydicom; the one on ITK needs the package itk, which nothing else here does."""
    logging.getLogger("monai").setLevel(logging.ERROR)
    return np.asarray(LoadImage(reader="PydicomReader", image_only=True)(files[0].parent))


OTHERS: dict[str, Callable[[list[Path]], npt.NDArray[Any]]] = {"pydicom in a loop": pydicom_loop, "MONAI LoadImage": monai}
