"""Grids for the edit room: anisotropic, oblique, permuted, sheared; never symmetric."""

from __future__ import annotations

import numpy as np

from medview.core.geometry import Geometry
from medview.core.segmentation import Segment, Segmentation

SHAPE_KJI = (14, 33, 41)


def _turn(axis: int, degrees: float) -> np.ndarray:
    a = np.deg2rad(degrees)
    rows = [r for r in range(3) if r != axis]
    turn = np.eye(3)
    turn[np.ix_(rows, rows)] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
    return turn


def grid(kind: str) -> Geometry:
    """Return a grid by name."""
    axes = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]], dtype=float)
    spacing = np.array([3.1, 0.9, 0.7])
    affine = np.eye(4)
    affine[:3, 3] = (-31.0, 17.0, -203.0)
    if kind == "axial":
        affine[:3, :3] = axes * spacing
    elif kind == "oblique":
        affine[:3, :3] = _turn(2, 23.0) @ _turn(0, -14.0) @ axes * spacing
    elif kind == "sagittal":
        affine[:3, :3] = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], dtype=float) * spacing
    elif kind == "tilted":
        # Gantry tilt: k leans towards j by 20 degrees.
        lean = axes.copy()
        lean[:, 0] = np.cos(np.deg2rad(20)) * axes[:, 0] + np.sin(np.deg2rad(20)) * axes[:, 1]
        affine[:3, :3] = lean * spacing
    return Geometry(SHAPE_KJI, affine, "1.2.3")


KINDS = ("axial", "oblique", "sagittal", "tilted")


def segment(value: int, *, layer: int = 0, locked: bool = False, name: str = "") -> Segment:
    """Return a segment with a given value."""
    return Segment(f"s{layer}-{value}", name or f"Segment {value}", (value, 2, 3), layer, value, locked=locked)


def segmentation(kind: str = "oblique", *segments: Segment) -> Segmentation:
    """Return an empty segmentation with segments."""
    return Segmentation(grid(kind), segments=list(segments))


def distance_to_way_mm(geometry: Geometry, start_kji: np.ndarray, end_kji: np.ndarray) -> np.ndarray:
    """Return each voxel centre's distance in the patient to the line from start to end, shape (k, j, i), in millimetres.

    Written the long way: every voxel is placed in the patient, in double precision.
    """
    index = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape_kji), indexing="ij"), axis=-1)
    points = geometry.point_lps_mm(index)
    a, b = geometry.point_lps_mm(start_kji), geometry.point_lps_mm(end_kji)
    way = b - a
    length = float(way @ way)
    t = np.clip(((points - a) @ way) / length, 0, 1) if length > 0 else np.zeros(points.shape[:3])
    return np.linalg.norm(points - (a + t[..., None] * way), axis=-1)
