"""The labels of one reading as changes that make them in another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from medview.core.box import Box
from medview.core.case_labels import CaseLabels
from medview.core.changes import AnnotationChange, AnswerChange, Change, MarksChange, SegmentChange
from medview.core.label_patch import LabelPatch
from medview.core.marks import Marks
from medview.core.segmentation import LabelLayer


def copied(labels: CaseLabels) -> Iterator[Change]:
    """Yield what makes the same of a case nobody has said anything about, with all sources; labels are only read.

    Segments, their voxels, annotations, marks and answers come along. Proposals, prompts and what was measured of
    corrections belong to whoever worked with them.
    """
    segmentation = labels.segmentation
    for position, segment in enumerate(segmentation.segments):
        yield SegmentChange(None, segment, position)
    held = {segment.layer_id for segment in segmentation.segments}
    for layer_id in sorted(held & set(segmentation.layers)):
        layer = segmentation.layers[layer_id]
        boxes = (segmentation.box(segment) for segment in segmentation.segments if segment.layer_id == layer_id)
        box = Box.union_of(box for box in boxes if box is not None)
        if box is not None:
            empty = LabelLayer(layer_id, np.zeros_like(layer.voxels))
            yield from LabelPatch.pieces(empty, box, layer.voxels[box.slices])
    yield from (AnnotationChange(None, annotation) for annotation in labels.annotations.values())
    if labels.marks != Marks():
        yield MarksChange(Marks(), labels.marks)
    yield from (AnswerChange(None, answer) for answer in labels.answers.values())
