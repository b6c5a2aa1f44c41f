"""Labels with more segments than one layer holds, on their way into a case."""

from __future__ import annotations

import numpy as np

from medview.core.changes import Command, SegmentChange
from medview.core.geometry import Geometry
from medview.core.segmentation import Segment
from medview.edit.segments import new_segment
from medview.io.imported_labels import ImportedLabels
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.files import add_imported


def test_imported_segments_go_into_no_segment_that_waits_in_the_same_layer(case: OpenCase) -> None:
    for n in range(3):
        added = new_segment(case.labels.segmentation, f"Waiting {n}")
        assert case.do(Command("Add", (SegmentChange(None, added, n),), "segments"))
    waiting = [segment.segment_id for segment in case.labels.segmentation.segments]
    geometry: Geometry = case.volume.geometry
    voxels = np.zeros(geometry.shape_kji, dtype=np.uint8)
    voxels.ravel()[:255] = np.arange(1, 256)
    others = tuple(Segment(f"s{n}", f"Parcel {n}", (9, 9, 200), 0, n) for n in range(1, 256))
    add_imported(case, ImportedLabels(geometry, others, {0: voxels}), "parcels.nii.gz")
    segmentation = case.labels.segmentation
    assert len(segmentation.segments) == 258
    for segment in segmentation.segments:
        held = segmentation.mask(segment)
        if segment.segment_id in waiting:
            assert not held.any(), segment.name
        else:
            number = int(segment.name.split()[1])
            assert np.array_equal(held, voxels == number), segment.name
