from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medview.core.annotations import BoxAnnotation, ImageLabel
from medview.core.box import Box
from medview.core.case_labels import CaseLabels
from medview.core.changes import AnnotationChange, Change, Command, ProposalChange, SegmentChange
from medview.core.errors import LabelError, StalePatchError
from medview.core.geometry import Geometry
from medview.core.label_patch import LabelPatch
from medview.core.prediction import Prediction, Proposal
from medview.core.segmentation import Segment
from medview.core.source import Source

GEOMETRY = Geometry.from_spacing((5, 7, 9), (5.0, 0.9, 0.6), frame_of_reference_uid="1.2.3")
LIVER = Segment("a", "Liver", (1, 2, 3), 0, 1)
SPLEEN = Segment("b", "Spleen", (4, 5, 6), 0, 2)
BOX = BoxAnnotation.on_grid("box", "nodule", GEOMETRY, (1, 2, 3), (2, 4, 6), 0.7)
PROPOSAL = Proposal("p", Prediction("detection", "Boxes", Source(model_id="m"), GEOMETRY, boxes=(BOX,)))


def _patch(labels: CaseLabels, low: tuple[int, int, int], high: tuple[int, int, int], value: int) -> LabelPatch | None:
    box = Box(low, high)
    return LabelPatch.between(labels.segmentation.layer(0), box, np.full(box.shape_kji, value, dtype=np.uint8))


def _state(labels: CaseLabels) -> object:
    voxels = {n: layer.voxels.tobytes() for n, layer in labels.segmentation.layers.items() if layer.voxels.any()}
    return voxels, list(labels.segmentation.segments), dict(labels.annotations), dict(labels.proposals)


def test_changes_are_applied_in_order() -> None:
    labels = CaseLabels.empty(GEOMETRY)
    labels.apply((SegmentChange(None, LIVER, 0), SegmentChange(None, SPLEEN, 0), AnnotationChange(None, BOX)))
    assert labels.segmentation.segments == [SPLEEN, LIVER]
    assert labels.annotations == {"box": BOX}


def test_only_voxels_and_annotations_count_as_what_a_model_looked_at() -> None:
    labels = CaseLabels.empty(GEOMETRY)
    labels.apply((ProposalChange(None, PROPOSAL), SegmentChange(None, LIVER, 0)))
    labels.apply((SegmentChange(LIVER, replace(LIVER, visible=False), 0),))
    assert labels.revision == 0
    painted = _patch(labels, (1, 1, 1), (3, 4, 5), 1)
    assert painted is not None
    labels.apply((painted, AnnotationChange(None, BOX)))
    assert labels.revision == 2


def test_of_changes_that_do_not_all_fit_none_is_applied() -> None:
    labels = CaseLabels.empty(GEOMETRY)
    labels.apply((SegmentChange(None, LIVER, 0), AnnotationChange(None, BOX), ProposalChange(None, PROPOSAL)))
    painted = _patch(labels, (1, 1, 1), (3, 4, 5), 1)
    late = _patch(labels, (2, 2, 2), (4, 5, 6), 1)
    assert painted is not None
    assert late is not None
    before = _state(labels)
    with pytest.raises(StalePatchError):
        labels.apply((SegmentChange(None, SPLEEN, 1), ProposalChange(PROPOSAL, None), painted, late))
    assert _state(labels) == before


@pytest.mark.parametrize(
    "change",
    [
        SegmentChange(SPLEEN, None, 0),
        SegmentChange(LIVER, None, 1),
        SegmentChange(None, LIVER, 1),
        AnnotationChange(None, BOX),
        ProposalChange(None, PROPOSAL),
        AnnotationChange(ImageLabel("nobody", "x"), None),
    ],
)
def test_a_change_that_does_not_fit_is_a_label_error_and_changes_nothing(change: Change) -> None:
    labels = CaseLabels.empty(GEOMETRY)
    labels.apply((SegmentChange(None, LIVER, 0), AnnotationChange(None, BOX), ProposalChange(None, PROPOSAL)))
    before = _state(labels)
    with pytest.raises(LabelError):
        labels.apply((change,))
    assert _state(labels) == before


def test_a_command_and_its_inverse_leave_no_trace() -> None:
    labels = CaseLabels.empty(GEOMETRY)
    labels.apply((SegmentChange(None, LIVER, 0), ProposalChange(None, PROPOSAL)))
    before = _state(labels)
    painted = _patch(labels, (1, 1, 1), (3, 4, 5), 1)
    assert painted is not None
    command = Command(
        "Accept",
        (
            painted,
            SegmentChange(LIVER, replace(LIVER, locked=True), 0),
            AnnotationChange(None, BOX),
            ProposalChange(PROPOSAL, None),
        ),
    )
    labels.apply(command.changes)
    assert _state(labels) != before
    labels.apply(command.inverse().changes)
    assert _state(labels) == before
    assert command.inverse().inverse() == command


_MOVES = st.lists(
    st.tuples(st.sampled_from(["paint", "paint", "add", "remove", "alter", "box", "undo", "redo"]), st.integers(0, 2**31)),
    max_size=40,
)


@settings(max_examples=60)
@given(_MOVES)
def test_any_sequence_of_gestures_is_undone_and_redone_byte_for_byte(moves: list[tuple[str, int]]) -> None:
    labels = CaseLabels.empty(GEOMETRY)
    done: list[Command] = []
    undone: list[Command] = []
    states = [_state(labels)]
    for number, (what, seed) in enumerate(moves):
        rng = np.random.default_rng(seed)
        if what == "undo" and done:
            undone.append(done.pop())
            labels.apply(undone[-1].inverse().changes)
        elif what == "redo" and undone:
            done.append(undone.pop())
            labels.apply(done[-1].changes)
        else:
            command = _command(labels, what, rng, str(number))
            if command is None:
                continue
            labels.apply(command.changes)
            done.append(command)
            undone.clear()
            del states[len(done) :]
            states.append(_state(labels))
        assert _state(labels) == states[len(done)]
    while done:
        undone.append(done.pop())
        labels.apply(undone[-1].inverse().changes)
        assert _state(labels) == states[len(done)]
    while undone:
        done.append(undone.pop())
        labels.apply(done[-1].changes)
        assert _state(labels) == states[len(done)]


def _command(labels: CaseLabels, what: str, rng: np.random.Generator, name: str) -> Command | None:
    segments = labels.segmentation.segments
    position = int(rng.integers(0, len(segments) + 1))
    if what == "paint":
        low = rng.integers(0, (5, 7, 9))
        high = rng.integers(low + 1, (6, 8, 10))
        box = Box(tuple(map(int, low)), tuple(map(int, high)))
        noise = rng.integers(0, 3, box.shape_kji, dtype=np.uint8)
        patch = LabelPatch.between(labels.segmentation.layer(int(rng.integers(0, 2))), box, noise)
        return Command("Paint", (patch,)) if patch else None
    if what == "add":
        layer, value = labels.segmentation.free_slot()
        return Command("Add", (SegmentChange(None, Segment(name, "x", (1, 2, 3), layer, value), position),))
    if what == "box":
        return Command("Box", (AnnotationChange(None, replace(BOX, annotation_id=name)),))
    if position >= len(segments):
        return None
    segment = segments[position]
    after = None if what == "remove" else replace(segment, name=name)
    return Command(what, (SegmentChange(segment, after, position),)) if what in ("remove", "alter") else None


def test_an_annotation_that_is_altered_keeps_its_place_in_the_list() -> None:
    labels = CaseLabels.empty(GEOMETRY)
    boxes = [replace(BOX, annotation_id=name) for name in ("a", "b", "c")]
    labels.apply(AnnotationChange(None, box) for box in boxes)
    change = AnnotationChange(boxes[0], replace(boxes[0], label="Cyst"))
    labels.apply((change,))
    assert list(labels.annotations) == ["a", "b", "c"]
    labels.apply((change.inverse(),))
    assert list(labels.annotations.values()) == boxes
    with pytest.raises(LabelError, match="no longer there"):
        labels.apply((AnnotationChange(replace(BOX, annotation_id="x"), None),))
