"""Which of one side's things belong to which of the other's, one to one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


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
    from scipy.optimize import linear_sum_assignment  # late: the window imports this module at start
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not first.size:
        return np.zeros(0, dtype=np.int64)
    firsts, a = np.unique(first, return_inverse=True)
    _, b = np.unique(second, return_inverse=True)
    count = len(firsts) + int(b.max()) + 1
    links = coo_array((np.ones(len(a)), (a, b + len(firsts))), shape=(count, count))
    _, group = connected_components(links, directed=False)
    group = group[a]
    order = np.argsort(group, kind="stable")
    chosen: list[int] = []
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        if len(members) == 1:
            chosen.append(int(members[0]))
            continue
        rows, row = np.unique(a[members], return_inverse=True)
        columns, column = np.unique(b[members], return_inverse=True)
        table = np.zeros((len(rows), len(columns)))
        table[row, column] = overlap[members]
        at = np.full(table.shape, -1, dtype=np.int64)
        at[row, column] = members
        picked = at[linear_sum_assignment(table, maximize=True)]
        chosen += picked[picked >= 0].tolist()
    return np.sort(np.asarray(chosen, dtype=np.int64))
