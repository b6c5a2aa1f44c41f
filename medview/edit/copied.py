"""The labels of one reading as changes that make them in another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from medview.core.annotations import BoxAnnotation, Trace
from medview.core.box import Box
from medview.core.case_labels import CaseLabels
from medview.core.changes import AnnotationChange, AnswerChange, Change, MarksChange, SegmentChange
from medview.core.label_patch import LabelPatch
from medview.core.marks import Marks
from medview.core.segmentation import LabelLayer
from medview.core.source import Source, SourceKind


def copied(labels: CaseLabels, drawn_by: Source | None = None) -> Iterator[Change]:
    """Yield what makes the same of a case nobody has said anything about, with all sources; labels are only read.

    Segments, their voxels, annotations, marks and answers come along. Proposals, prompts and what was measured of
    corrections belong to whoever worked with them.

    Parameters
    ----------
    drawn_by : Source, optional
        Put in place of the source of what was drawn by hand, where it is somebody else's hand from now on.
    """

    def source(of: Source) -> Source:
        return drawn_by if drawn_by is not None and of.kind is SourceKind.HAND else of

    segmentation = labels.segmentation
    for position, segment in enumerate(segmentation.segments):
        yield SegmentChange(None, replace(segment, source=source(segment.source)), position)
    held = {segment.layer_id for segment in segmentation.segments}
    for layer_id in sorted(held & set(segmentation.layers)):
        layer = segmentation.layers[layer_id]
        boxes = (segmentation.box(segment) for segment in segmentation.segments if segment.layer_id == layer_id)
        box = Box.union_of(box for box in boxes if box is not None)
        if box is not None:
            empty = LabelLayer(layer_id, np.zeros_like(layer.voxels))
            yield from LabelPatch.pieces(empty, box, layer.voxels[box.slices])
    for annotation in labels.annotations.values():
        # Whoever goes on with a box or a mark changes its source as they do that of a segment.
        own = isinstance(annotation, BoxAnnotation | Trace)
        yield AnnotationChange(None, replace(annotation, source=source(annotation.source)) if own else annotation)
    if labels.marks != Marks():
        yield MarksChange(Marks(), labels.marks)
    yield from (AnswerChange(None, answer) for answer in labels.answers.values())
