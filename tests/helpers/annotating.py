"""A person at work, by seed: strokes, figures, segments, boxes, marks and proposals, with undo and redo in between.

Step n of a seed does the same to the same labels wherever it runs, so another process knows what has to come out.
"""

from __future__ import annotations

import hashlib
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from medview.core.annotations import BoxAnnotation
from medview.core.answer import SERIES, Target
from medview.core.attributes import Attribute, Choice
from medview.core.case_labels import CaseLabels
from medview.core.changes import AnnotationChange, AnswerChange, Command, MarksChange, SegmentChange
from medview.core.form import Level
from medview.core.key_image import KeyImage
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.segmentation import Segment, Segmentation, SegmentRole, SegmentStatus
from medview.core.source import Source, SourceKind
from medview.core.trace import Trace, TraceKind
from medview.core.vector import triple
from medview.workspace import measuring
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.operations import segments as segment_ops
from tests.helpers.annotating_hand import Hand
from tests.helpers.forms import BAD, COMMENT, GOOD, LIMITED, MOTION, QUALITY, SURE, answer


class Annotator(Hand):
    """Works on the active case of a workspace through the hands and operations a window uses.

    A step makes one row in the journal, or none when it comes to nothing.

    Parameters
    ----------
    seed : int
        Of the whole script.
    """

    def step(self, number: int) -> str:
        """Do step ``number`` of the script and return what it was."""
        self._rng = np.random.default_rng([self._seed, number])
        with _ids_by(self._rng):
            # A redo is only there until something else is done, so it is wanted more while it is.
            again = self.case.history.next_redo() is not None
            weights = np.asarray([weight * (4 if again and work is Annotator._redo else 1) for work, weight in _WORK])
            work = _WORK[int(self._rng.choice(len(_WORK), p=weights / weights.sum()))][0]
            work(self)
        return work.__name__.strip("_")

    # ------------------------------------------------------------------------------------------ figures, boxes, marks

    def _move_figure(self) -> None:
        found = measuring.measurements(self.case)
        if found:
            one = found[int(self._rng.integers(len(found)))]
            moved = one.with_points(np.asarray(one.points_lps_mm) + self._rng.normal(0.0, 3.0, 3))
            self.case.do(Command("Change figure", (AnnotationChange(one, moved),), "measure"))

    def _rename_figure(self) -> None:
        found = measuring.measurements(self.case)
        if found:
            measuring.rename(self.case, found[int(self._rng.integers(len(found)))], f"lésion {self._rng.integers(99)}")

    def _box(self) -> None:
        geometry = self.case.volume.geometry
        low = self._rng.integers(0, np.asarray(geometry.shape_kji) - 3)
        high = low + self._rng.integers(1, 4, 3)
        box = BoxAnnotation.on_grid(uuid.uuid4().hex, f"nodule {self._rng.integers(9)}", geometry, low, high)
        self.case.do(Command("Box", (AnnotationChange(None, box),), "box"))

    def _trace(self) -> None:
        geometry, rng = self.case.volume.geometry, self._rng
        kind = list(TraceKind)[int(rng.integers(3))]
        points = rng.uniform((0, 0, 0), np.asarray(geometry.shape_kji) - 1, (kind.least, 3))
        place = tuple(triple(point) for point in geometry.point_lps_mm(points))
        grade = Choice(str(rng.choice(("low", "high"))), ("low", "high"))
        said = (Attribute("grade", grade), Attribute("size", float(rng.random())), Attribute("note", "Ärger"))
        trace = Trace(uuid.uuid4().hex, kind, place, f"vessel {rng.integers(9)}", said)
        self.case.do(Command("Line", (AnnotationChange(None, trace),), "polyline"))

    def _delete_annotation(self) -> None:
        found = list(self.case.labels.annotations)
        if found:
            which = found[int(self._rng.integers(len(found)))]
            labels.delete_annotations(self.case, [which])

    def _key_image(self) -> None:
        case, layout = self.case, self._plane()
        index = int(self._rng.integers(layout.count(case.volume.geometry)))
        image = case.image_of(index) if layout.acquired else ("", 0)
        one = KeyImage.of_slice(uuid.uuid4().hex, layout, case.volume.geometry, index, image)
        case.do(Command("Mark key image", (AnnotationChange(None, one),), "key image"))

    def _mark(self) -> None:
        before = self.case.labels.marks
        k = int(self._rng.integers(self.case.volume.geometry.shape_kji[0]))
        after = before.with_slice(k, done=k not in before.done_slices)
        self.case.do(Command("Slice done", (MarksChange(before, after),), "marks"))

    def _fill_in(self) -> None:
        """Answer a question of a form, answer it otherwise, or take the answer back."""
        rng, k = self._rng, int(self._rng.integers(self.case.volume.geometry.shape_kji[0]))
        question, value, target = (
            (QUALITY, ((GOOD, LIMITED, BAD)[int(rng.integers(3))],), SERIES),
            (SURE, float(rng.integers(101)), SERIES),
            (COMMENT, f"Größe {rng.integers(99)}", SERIES),
            (MOTION, (GOOD,), Target(Level.SLICE, k, *self.case.images.image(0, k))),
        )[int(rng.integers(4))]
        before = self.case.labels.answers.get((target.key, question.uid))
        after = None if before is not None and rng.random() < 0.3 else answer(question, value, target)
        if after != before:
            self.case.do(Command(f"Answer: {question.text}", (AnswerChange(before, after),), "form"))

    # ------------------------------------------------------------------------------------------ segments, proposals

    def _add_segment(self) -> None:
        labels.add_segment(self.case, f"Léber {self._rng.integers(40)}" if self._rng.random() < 0.7 else "")

    def _alter_segment(self) -> None:
        segment = self._segment()
        if segment is None:
            return
        rng, which = self._rng, segment.segment_id
        match int(rng.integers(6)):
            case 0:
                segment_ops.rename(self.case, which, f"Lung {rng.integers(99)}")
            case 1:
                segment_ops.set_colour(self.case, [which], (int(rng.integers(256)), 7, 200))
            case 2:
                segment_ops.set_visible(self.case, [which], visible=not segment.visible)
            case 3:
                # Seldom locked for long, or nothing would be painted any more.
                segment_ops.set_locked(self.case, [which], locked=not segment.locked and rng.random() < 0.4)
            case 4:
                self._alter(segment, replace(segment, status=SegmentStatus.DONE, group="lesions", opacity=0.5))
            case _:
                other = SegmentRole.STRUCTURE if segment.role is SegmentRole.IGNORE else SegmentRole.IGNORE
                self._alter(segment, replace(segment, role=other))

    def _arrange_segments(self) -> None:
        segment, before = self._segment(), self._segment()
        if segment is None or before is None:
            return
        match int(self._rng.integers(3)):
            case 0:
                segment_ops.new_instance(self.case, segment.segment_id)
            case 1:
                segment_ops.set_absent(self.case, [segment.segment_id], absent=not segment.absent)
            case _:
                segment_ops.move(self.case, [segment.segment_id], before.segment_id, "left" if before.name < "M" else "")

    def _alter(self, before: Segment, after: Segment) -> None:
        if before != after:
            position = self.case.labels.segmentation.segments.index(before)
            self.case.do(Command("Alter", (SegmentChange(before, after, position),), "segments"))

    def _delete_segment(self) -> None:
        segment = self._segment()
        if segment is not None:
            segment_ops.delete(self.case, [segment.segment_id])

    def _propose(self) -> None:
        rng, geometry = self._rng, self.case.volume.geometry
        voxels = np.zeros(geometry.shape_kji, dtype=np.uint8)
        for value in (1, 2, 3):
            low = rng.integers(0, np.asarray(geometry.shape_kji) - 4)
            k, j, i = low + rng.integers(3, 30, 3)
            voxels[low[0] : k, low[1] : j, low[2] : i] = value
        classes = tuple(PredictedSegment(n, name, (9 * n, 9, 200)) for n, name in ((1, "Lung"), (2, "Nodule"), (3, "Rib")))
        job = uuid.uuid4().hex
        source = Source(SourceKind.MODEL, f"organs-{rng.integers(2)}", "1.0", "ab" * 32, job)
        box = BoxAnnotation.on_grid(f"{job}-box", "nodule", geometry, (1, 2, 3), (4, 9, 11), 0.75, source)
        mask = PredictedMask.trimmed(voxels, classes)
        prediction = Prediction(
            "segmentation", "Organs", source, geometry, "", mask, (box,), {"nodule": float(rng.random())}
        )
        labels.propose(self.case, Proposal(f"p-{job}", prediction, self.case.labels.revision))

    def _answer(self) -> None:
        waiting = list(self.case.labels.proposals)
        if not waiting:
            return
        which = waiting[-1]
        prediction = self.case.labels.proposals[which].prediction
        match int(self._rng.integers(4)):
            case 0:
                labels.reject(self.case, which)
            case 1 if prediction.mask is not None and prediction.mask.segments:
                labels.accept(self.case, which, [prediction.mask.segments[0].value])
            case 2 if prediction.boxes:
                labels.accept_box(self.case, which, prediction.boxes[0].annotation_id)
            case _:
                labels.accept(self.case, which)

    # ------------------------------------------------------------------------------------------ history

    def _undo(self) -> None:
        self.case.undo()

    def _redo(self) -> None:
        self.case.redo()


_WORK: tuple[tuple[Callable[[Annotator], None], float], ...] = (
    (Annotator._brush, 20),
    (Annotator._erase, 7),
    (Annotator._brush_by_rules, 8),
    (Annotator._escape, 2),
    (Annotator._measure, 6),
    (Annotator._move_figure, 3),
    (Annotator._rename_figure, 2),
    (Annotator._box, 3),
    (Annotator._trace, 3),
    (Annotator._by_hand, 8),
    (Annotator._delete_annotation, 2),
    (Annotator._key_image, 2),
    (Annotator._mark, 3),
    (Annotator._fill_in, 4),
    (Annotator._add_segment, 4),
    (Annotator._alter_segment, 6),
    (Annotator._arrange_segments, 4),
    (Annotator._delete_segment, 1),
    (Annotator._propose, 4),
    (Annotator._answer, 5),
    (Annotator._undo, 18),
    (Annotator._redo, 10),
)


def content(said: CaseLabels, *, proposals: bool = True) -> str:
    """Return a hash of what is said about a case: the bytes of all voxels, segments, annotations, marks, and proposals."""
    digest = hashlib.sha256()
    for layer_id, layer in sorted(said.segmentation.layers.items()):
        if layer.voxels.any():
            digest.update(f"layer {layer_id}".encode())
            digest.update(np.ascontiguousarray(layer.voxels).data)
    digest.update(repr((said.segmentation.segments, sorted(said.marks.done_slices))).encode())
    # When something was drawn is the only thing that differs from one run of a script to the next.
    digest.update(re.sub("created_utc='[^']*'", "", repr(sorted(said.annotations.items()))).encode())
    digest.update(repr(sorted(said.answers.items())).encode())
    for _, proposal in sorted(said.proposals.items()) if proposals else ():
        prediction = proposal.prediction
        facts = (
            proposal.proposal_id,
            proposal.labels_revision,
            prediction.source,
            prediction.boxes,
            dict(prediction.scores),
        )
        digest.update(repr(facts).encode())
        if prediction.mask is not None:
            digest.update(repr((prediction.mask.box, prediction.mask.segments)).encode())
            digest.update(np.ascontiguousarray(prediction.mask.voxels).data)
    return digest.hexdigest()


def fingerprint(case: OpenCase) -> str:
    """Return a hash of everything that has to survive: the content, its order, what can be undone and redone, revision."""
    said = case.labels
    order = (list(said.annotations), list(said.proposals), said.revision, case.history.names, case.history.undone_names)
    return hashlib.sha256(repr((content(said), order)).encode()).hexdigest()


def counted_anew(segmentation: Segmentation) -> bool:
    """Whether counts and boxes of all segments are those that a look at every voxel gives."""
    for segment in segmentation.segments:
        where = np.argwhere(segmentation.mask(segment))
        box = segmentation.box(segment)
        if segmentation.count(segment) != len(where) or (box is None) != (len(where) == 0):
            return False
        if box is not None and (box.min_kji, box.max_kji) != (tuple(where.min(axis=0)), tuple(where.max(axis=0) + 1)):
            return False
    return True


@contextmanager
def _ids_by(rng: np.random.Generator) -> Iterator[None]:
    """Let new things get the same ids wherever a step runs. Other threads go on with ids of their own."""
    real, mine = uuid.uuid4, threading.get_ident()

    def by_seed() -> uuid.UUID:
        return uuid.UUID(bytes=rng.bytes(16), version=4) if threading.get_ident() == mine else real()

    uuid.uuid4 = by_seed
    try:
        yield
    finally:
        uuid.uuid4 = real
