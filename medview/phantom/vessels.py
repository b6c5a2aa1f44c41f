"""Trees of tubes: lung vessels that branch and taper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.phantom.grid import EDGE_MM, Array, Grid

Points = npt.NDArray[np.float64]

DETOUR = 0.45
"""How much a branch minds a long way back to the root; 0 gives the shortest tree, 1 nearly straight spokes (Cuntz 2010)."""

MURRAY = 2.5
"""Radius of the parent to this power is the sum over its children."""

THINNEST_MM = 0.72
"""Radius of a branch at its tip."""


@dataclass(frozen=True, slots=True, eq=False)
class Tubes:
    """Tapering pieces of tube.

    Attributes
    ----------
    start_lps_mm, end_lps_mm : ndarray of float64, shape (n, 3)
    start_radius_mm, end_radius_mm : ndarray of float64, shape (n,)
    """

    start_lps_mm: Points
    end_lps_mm: Points
    start_radius_mm: npt.NDArray[np.float64]
    end_radius_mm: npt.NDArray[np.float64]

    @classmethod
    def along(cls, points_lps_mm: npt.ArrayLike, radius_mm: npt.ArrayLike) -> Tubes:
        """Return one tube through points, shape (n, 3), with a radius at each (or one for all)."""
        points = np.asarray(points_lps_mm, dtype=np.float64)
        radius = np.broadcast_to(np.asarray(radius_mm, dtype=np.float64), len(points))
        return cls(points[:-1], points[1:], radius[:-1], radius[1:])

    def thicker(self, by_mm: float) -> Tubes:
        """Return the same tubes with another wall."""
        return Tubes(self.start_lps_mm, self.end_lps_mm, self.start_radius_mm + by_mm, self.end_radius_mm + by_mm)

    def cover(self, grid: Grid, cover: Array) -> None:
        """Raise ``cover``, shape (k, j, i), to how much of each voxel lies in a tube.

        A tube thinner than a voxel covers less than all of it.
        """
        reach = np.maximum(self.start_radius_mm, self.end_radius_mm) + EDGE_MM
        low = np.minimum(self.start_lps_mm, self.end_lps_mm) - reach[:, None]
        high = np.maximum(self.start_lps_mm, self.end_lps_mm) + reach[:, None]
        for n in range(len(reach)):
            region = grid.around(low[n], high[n])
            part = cover[region]
            if part.size:
                np.maximum(part, self._piece(grid.part(region), n), out=part)

    def _piece(self, grid: Grid, n: int) -> Array:
        x0, y0, z0 = (np.float32(c) for c in self.start_lps_mm[n])
        dx, dy, dz = (np.float32(c) for c in self.end_lps_mm[n] - self.start_lps_mm[n])
        x, y, z = grid.x_mm - x0, grid.y_mm - y0, grid.z_mm - z0
        share = (x * dx + y * dy + z * dz) / np.float32(max(float(dx * dx + dy * dy + dz * dz), 1e-6))
        np.clip(share, 0, 1, out=share)
        distance = np.sqrt((x - share * dx) ** 2 + (y - share * dy) ** 2 + (z - share * dz) ** 2)
        radius = np.float32(self.start_radius_mm[n]) + share * np.float32(self.end_radius_mm[n] - self.start_radius_mm[n])
        # A thin tube never fills a voxel: its cover ends at the share of the ramp it takes.
        return np.asarray(np.clip((radius - distance) / np.float32(EDGE_MM) + np.float32(0.5), 0, 1), dtype=np.float32)


def grow_tree(root_lps_mm: npt.ArrayLike, tips_lps_mm: Points, rng: np.random.Generator, root_radius_mm: float) -> Tubes:
    """Connect tips to a root by a branching tree that tapers.

    Parameters
    ----------
    root_lps_mm : array_like, shape (3,)
    tips_lps_mm : ndarray, shape (n, 3)
        Points the tree has to reach.
    root_radius_mm : float
        No branch is wider.

    Returns
    -------
    Tubes
        Two bent pieces per branch.
    """
    nodes = np.vstack([np.asarray(root_lps_mm, dtype=np.float64), tips_lps_mm])
    parent = _parents(nodes)
    leaves = np.zeros(len(nodes))
    order = np.argsort(parent.way)[::-1]
    has_child = np.zeros(len(nodes), dtype=bool)
    has_child[parent.of[1:]] = True
    for node in order:
        leaves[node] += 0.5 if has_child[node] else 1.0
        if node:
            leaves[parent.of[node]] += leaves[node]
    radius = np.minimum(THINNEST_MM * leaves ** (1 / MURRAY), root_radius_mm)
    start, end = nodes[parent.of[1:]], nodes[1:]
    length = np.linalg.norm(end - start, axis=1, keepdims=True)
    middle = (start + end) / 2 + rng.normal(0, 0.06, start.shape) * length
    # A branch leaves its parent at its own width, not at the parent's.
    first = np.minimum(radius[parent.of[1:]], radius[1:] * 1.15)
    half = (first + radius[1:]) / 2
    return Tubes(np.vstack([start, middle]), np.vstack([middle, end]), np.r_[first, half], np.r_[half, radius[1:]])


@dataclass(frozen=True, slots=True, eq=False)
class _Parents:
    of: npt.NDArray[np.int64]
    way: npt.NDArray[np.float64]


def _parents(nodes: Points) -> _Parents:
    """Prim's tree with the way back to the root in the cost."""
    count = len(nodes)
    parent = np.zeros(count, dtype=np.int64)
    way = np.zeros(count)
    gap = np.linalg.norm(nodes - nodes[0], axis=1)
    cost = gap.copy()
    step = gap.copy()
    open_nodes = np.ones(count, dtype=bool)
    open_nodes[0] = False
    for _ in range(count - 1):
        new = int(np.where(open_nodes, cost, np.inf).argmin())
        open_nodes[new] = False
        way[new] = way[parent[new]] + step[new]
        gap = np.linalg.norm(nodes - nodes[new], axis=1)
        through = gap + DETOUR * (way[new])
        better = open_nodes & (through < cost)
        cost[better] = through[better]
        parent[better] = new
        step[better] = gap[better]
    return _Parents(parent, way)
