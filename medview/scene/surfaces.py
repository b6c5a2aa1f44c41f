"""Smooth surfaces around labelled voxels."""

from __future__ import annotations

from typing import Any

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPolyData
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkCommonTransforms import vtkMatrixToLinearTransform
from vtkmodules.vtkFiltersCore import vtkPolyDataNormals, vtkSurfaceNets3D, vtkWindowedSincPolyDataFilter
from vtkmodules.vtkFiltersGeneral import vtkTransformFilter

from medview.scene.grid import Grid

_SMOOTHINGS = 40
_PASS_BAND = 0.01
"""Lower is smoother (Taubin 1996); detail finer than this part of the highest frequency goes."""
_EMPTY_EDGE = 1
"""Voxels of background around a segment, so that one that touches the edge of the grid is closed there."""


def image_of(grid: Grid) -> Any:
    """Return a vtkImageData of a grid in millimetres along its own axes; ``to_patient`` brings it to the patient."""
    k, j, i = grid.voxels.shape
    dk, dj, di = grid.spacing_kji_mm
    image = vtkImageData()
    image.SetDimensions(i, j, k)
    image.SetSpacing(di, dj, dk)
    image.GetPointData().SetScalars(numpy_to_vtk(grid.voxels.reshape(-1), deep=True))
    return image


def to_patient(grid: Grid) -> Any:
    """Return the vtkMatrix4x4 from the millimetres of ``image_of`` to LPS; oblique and sheared axes included."""
    matrix = np.eye(4)
    matrix[:3, :3] = (grid.affine_lps[:3, :3] / grid.spacing_kji_mm)[:, ::-1]
    matrix[:3, 3] = grid.affine_lps[:3, 3]
    found = vtkMatrix4x4()
    found.DeepCopy(matrix.ravel().tolist())
    return found


def surface(grid: Grid, value: int) -> Any:
    """Return the vtkPolyData around the voxels with a value, in LPS millimetres, with normals; None if there are none."""
    mask = grid.voxels == value
    spans = [np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    if not spans[0].size:
        return None
    starts = [int(span[0]) for span in spans]
    cut = mask[tuple(slice(int(span[0]), int(span[-1]) + 1) for span in spans)]
    affine = grid.affine_lps.copy()
    affine[:3, 3] += affine[:3, :3] @ (np.asarray(starts) - _EMPTY_EDGE)
    padded = Grid(np.pad(cut.astype(np.uint8), _EMPTY_EDGE), affine)

    nets = vtkSurfaceNets3D()
    nets.SetInputData(image_of(padded))
    nets.SetNumberOfLabels(1)
    nets.SetLabel(0, 1)
    nets.SetOutputMeshTypeToTriangles()
    # Its own smoothing draws a surface together: a ball of 14 voxels' radius loses four per cent of its volume.
    nets.SmoothingOff()
    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(nets.GetOutputPort())
    smooth.SetNumberOfIterations(_SMOOTHINGS)
    smooth.SetPassBand(_PASS_BAND)
    smooth.NormalizeCoordinatesOn()
    smooth.NonManifoldSmoothingOn()
    smooth.BoundarySmoothingOff()
    smooth.FeatureEdgeSmoothingOff()
    placed = vtkTransformFilter()
    transform = vtkMatrixToLinearTransform()
    transform.SetInput(to_patient(padded))
    placed.SetTransform(transform)
    placed.SetInputConnection(smooth.GetOutputPort())
    normals = vtkPolyDataNormals()
    normals.SetInputConnection(placed.GetOutputPort())
    normals.SplittingOff()
    normals.ConsistencyOn()
    normals.AutoOrientNormalsOn()
    normals.Update()
    found = vtkPolyData()
    found.ShallowCopy(normals.GetOutput())
    return found
