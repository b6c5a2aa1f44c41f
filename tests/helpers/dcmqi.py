"""What dcmqi makes of a DICOM SEG: the judge of segmentation objects that its authors wrote for archives."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK

from medview.core.geometry import Geometry


@dataclass(frozen=True, eq=False)
class Read:
    """One segment as dcmqi reads it.

    Attributes
    ----------
    said : dict
        Its attributes in dcmqi's own JSON.
    points_lps_mm : ndarray, shape (n, 3)
        Where its voxels lie.
    """

    said: dict[str, Any]
    points_lps_mm: npt.NDArray[np.float64]

    def on_grid(self, geometry: Geometry) -> npt.NDArray[np.bool_]:
        """Return its voxels on a grid; fails where one lies between voxels or outside."""
        mask = np.zeros(geometry.shape_kji, dtype=np.bool_)
        if len(self.points_lps_mm):
            index = geometry.index_kji(self.points_lps_mm)
            whole = np.rint(index).astype(int)
            assert np.abs(index - whole).max() < 0.02, "dcmqi puts voxels elsewhere"
            mask[tuple(whole.T)] = True
            assert mask.sum() == len(whole)
        return mask

    def code(self, which: str = "SegmentedPropertyTypeCodeSequence") -> tuple[str, str, str]:
        """Return value, scheme and meaning of a code."""
        code = self.said[which]
        return code["CodeValue"], code["CodingSchemeDesignator"], code["CodeMeaning"]


def by_dcmqi(path: Path, target: Path) -> dict[str, Read]:
    """Return the segments of a SEG by their label; the test is skipped where dcmqi is not installed."""
    tool = Path(sys.executable).parent / "segimage2itkimage"
    if not tool.exists():
        pytest.skip("dcmqi is not installed; pip install dcmqi")
    target.mkdir(parents=True)
    command = [str(tool), "--inputDICOM", str(path), "--outputDirectory", str(target), "-t", "nrrd", "-p", "s"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    groups = json.loads((target / "s-meta.json").read_text())["segmentAttributes"]
    found: dict[str, Read] = {}
    for number, group in enumerate(groups, start=1):
        image = SimpleITK.ReadImage(str(target / f"s-{number}.nrrd"))
        voxels = SimpleITK.GetArrayFromImage(image)
        affine = np.asarray(image.GetDirection()).reshape(3, 3) * np.asarray(image.GetSpacing())
        for said in group:
            index_kji = np.argwhere(voxels == said["labelID"])
            points = index_kji[:, ::-1] @ affine.T + np.asarray(image.GetOrigin())
            found[said["SegmentLabel"]] = Read(said, points)
    return found
