"""The labels of a reading are made anew in another, voxel by voxel and with everything that was said."""

from __future__ import annotations

import numpy as np

from medview.core.annotations import BoxAnnotation
from medview.core.answer import Answer, Target
from medview.core.box import Box
from medview.core.case_labels import CaseLabels
from medview.core.changes import AnnotationChange, AnswerChange, Command, MarksChange, SegmentChange
from medview.core.form import Level
from medview.core.label_patch import LabelPatch
from medview.core.marks import Marks
from medview.core.segmentation import Segment
from medview.edit.copied import copied
from tests.store.painter import MODEL, oblique_geometry

SHAPE_KJI = (40, 150, 130)


def _drawn() -> CaseLabels:
    """Two segments that overlap in two layers, one of them large, an empty one, and voxels that no segment owns."""
    labels = CaseLabels.empty(oblique_geometry(SHAPE_KJI))
    rng = np.random.default_rng(4)
    segments = (
        Segment("a", "Liver", (1, 2, 3), 0, 1, source=MODEL),
        Segment("b", "Vessel", (4, 5, 6), 1, 9, locked=True),
        Segment("c", "Absent", (7, 8, 9), 0, 2, absent=True),
    )
    labels.apply([SegmentChange(None, segment, n) for n, segment in enumerate(segments)])
    for layer, value, box in ((0, 1, Box((1, 2, 3), (39, 149, 121))), (1, 9, Box((5, 30, 40), (9, 41, 44)))):
        voxels = (rng.random(box.shape_kji) < 0.5).astype(np.uint8) * value
        labels.apply(LabelPatch.pieces(labels.segmentation.layer(layer), box, voxels))
    thing = BoxAnnotation.on_grid("x", "nodule", labels.segmentation.geometry, (1, 2, 3), (4, 9, 11))
    answer = Answer(Target(Level.SLICE, k=3), "q1", "Sharp?", "yes", reader="Ada")
    labels.apply(
        [
            AnnotationChange(None, thing),
            AnswerChange(None, answer),
            MarksChange(Marks(), Marks().with_slice(3, done=True)),
        ]
    )
    return labels


def test_everything_that_was_said_is_there_again_and_goes_in_one_step() -> None:
    labels = _drawn()
    command = Command("Labels of Ada", tuple(copied(labels)))
    other = CaseLabels.empty(labels.segmentation.geometry)
    other.apply(command.changes)
    assert other.segmentation.segments == labels.segmentation.segments
    for layer_id, layer in labels.segmentation.layers.items():
        np.testing.assert_array_equal(other.segmentation.layer(layer_id).voxels, layer.voxels)
    assert (other.annotations, other.marks, other.answers) == (labels.annotations, labels.marks, labels.answers)
    other.apply(command.inverse().changes)
    assert other.segmentation.segments == []
    assert not any(layer.voxels.any() for layer in other.segmentation.layers.values())
    assert (other.annotations, other.marks, other.answers) == ({}, Marks(), {})


def test_nothing_comes_of_labels_nobody_made() -> None:
    assert list(copied(CaseLabels.empty(oblique_geometry()))) == []
