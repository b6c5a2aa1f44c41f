"""Which of one side's things belong to which of the other's, one to one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

_SMALL = 1 << 12
"""Up to so many cells a table of overlaps is solved as a whole."""


def best_pairs(first: IntArray, second: IntArray, overlap: FloatArray) -> IntArray:
    """Choose among candidate pairs so that nothing is in two of them and the overlaps add up to the most.

    This is the assignment problem (Kuhn 1955), solved apart for every group of things that candidates link.

    Parameters
    ----------
    first, second : ndarray of int64, shape (n,)
        Numbers of the things of candidate pairs, from 0; each pair once.
    overlap : ndarray of float64, shape (n,)
        How much the two have in common, above 0.

    Returns
    -------
    ndarray of int64
        Positions of the chosen candidates, in order.
    """
    from scipy.sparse import coo_array  # late: the window imports this module at start
    from scipy.sparse.csgraph import connected_components

    if not first.size:
        return np.zeros(0, dtype=np.int64)
    firsts, a = np.unique(first, return_inverse=True)
    seconds, b = np.unique(second, return_inverse=True)
    count = len(firsts) + len(seconds)
    links = coo_array((np.ones(len(a)), (a, b + len(firsts))), shape=(count, count))
    group = connected_components(links, directed=False)[1][a]
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    sizes = np.diff(np.append(starts, order.size))
    chosen = [order[starts[sizes == 1]]]
    for start, size in zip(starts[sizes > 1], sizes[sizes > 1], strict=True):
        members = order[start : start + size]
        chosen.append(members[_best_of_group(a[members], b[members], overlap[members])])
    return np.sort(np.concatenate(chosen))


def _best_of_group(first: IntArray, second: IntArray, overlap: FloatArray) -> IntArray:
    from scipy.optimize import linear_sum_assignment

    firsts, row = np.unique(first, return_inverse=True)
    seconds, column = np.unique(second, return_inverse=True)
    if len(firsts) * len(seconds) > _SMALL:
        return _best_of_many(row, column, overlap)
    table = np.zeros((len(firsts), len(seconds)))
    table[row, column] = overlap
    partner = np.full(len(firsts), -1)
    rows, columns = linear_sum_assignment(table, maximize=True)
    partner[rows] = columns
    return np.flatnonzero(partner[row] == column)


def _best_of_many(row: IntArray, column: IntArray, overlap: FloatArray) -> IntArray:
    """Solve it on the candidates alone: a table of thousands by thousands would fill the memory."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    rows, columns = int(row.max()) + 1, int(column.max()) + 1
    # Each of the first side is paired: with a thing, or with a place of its own that stands for none.
    alone = np.arange(rows)
    at = np.append(row, alone), np.append(column, columns + alone)
    # One more for all, since a weight of 0 is no edge; as every row has one partner, it changes nothing.
    weights = np.append(overlap, np.zeros(rows)) + 1.0
    table = csr_array((weights, at), shape=(rows, columns + rows))
    partner = min_weight_full_bipartite_matching(table, maximize=True)[1]
    return np.flatnonzero(partner[row] == column)
