from __future__ import annotations

import numpy as np

from medview.core.marks import Marks


def test_slices_are_marked_and_unmarked_across_each_axis_apart() -> None:
    marks = Marks().with_slice(3, done=True).with_slice(3, done=True, axis=2).with_slice(1, done=True, axis=1)
    assert [marks.done(axis) for axis in range(3)] == [(3,), (1,), (3,)]
    assert marks.is_done(3)
    assert not marks.is_done(3, axis=1)
    assert marks.with_slice(3, done=False).done(0) == ()
    assert marks.with_slice(3, done=False).done(2) == (3,)


def test_a_voxel_is_known_where_any_slice_through_it_is_done() -> None:
    marks = Marks().with_slice(2, done=True).with_slice(4, done=True, axis=1)
    known = marks.known((3, 5, 4))
    k, j, _ = np.indices((3, 5, 4))
    assert np.array_equal(known, (k == 2) | (j == 4))
