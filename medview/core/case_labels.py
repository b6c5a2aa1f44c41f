"""Everything people and models have said about one case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from medview.core.annotations import Annotation, tells_models
from medview.core.answer import Answer, AnswerKey
from medview.core.changes import (
    AnnotationChange,
    AnswerChange,
    Change,
    EffortChange,
    MarksChange,
    PromptChange,
    ProposalChange,
    SegmentChange,
)
from medview.core.effort import Effort
from medview.core.errors import LabelError
from medview.core.geometry import Geometry
from medview.core.label_patch import LabelPatch
from medview.core.marks import Marks
from medview.core.prediction import Proposal
from medview.core.prompt_log import PromptLog
from medview.core.segmentation import Segment, Segmentation


def counts_as_revision(change: Change) -> bool:
    """Whether a change alters what a model may have looked at: voxels and annotations, not names, colours or proposals."""
    if isinstance(change, AnnotationChange):
        return tells_models(change.before, change.after)
    return isinstance(change, LabelPatch)


@dataclass(slots=True)
class CaseLabels:
    """The segmentation, annotations and live proposals of one case. ``apply`` is the only door.

    Attributes
    ----------
    efforts : dict of str to Effort
        By segment id: which class of which model a segment was accepted from, and what was done to it since. Stays when
        the segment is deleted, and goes when the acceptance is undone.
    prompts : dict
        What was pointed at to find segments, by their ids; of one that was removed, in case it comes back.
    answers : dict of AnswerKey to Answer
        To questions of forms, those that are asked no longer too.
    revision : int
        Grows with every applied change of voxels or annotations.
    """

    segmentation: Segmentation
    annotations: dict[str, Annotation] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    marks: Marks = Marks()
    efforts: dict[str, Effort] = field(default_factory=dict)
    prompts: dict[str, PromptLog] = field(default_factory=dict)
    answers: dict[AnswerKey, Answer] = field(default_factory=dict)
    revision: int = 0

    @classmethod
    def empty(cls, geometry: Geometry) -> CaseLabels:
        """Return a case nobody has said anything about."""
        return cls(Segmentation(geometry))

    def apply(self, changes: Iterable[Change]) -> None:
        """Apply changes in order; all of them, or none.

        Raises
        ------
        LabelError
            When a change does not fit the present state; what was applied before it is taken back.
        """
        done: list[Change] = []
        try:
            for change in changes:
                if self._apply_one(change):
                    done.append(change)  # noqa: PERF401 - what was done before one fails has to be known
        except (LabelError, KeyError) as error:
            for change in reversed(done):
                self._apply_one(change.inverse())
            if isinstance(error, LabelError):
                raise
            raise LabelError("This change does not fit the labels as they are now.", detail=repr(error)) from error

    def _apply_one(self, change: Change) -> bool:
        if isinstance(change, LabelPatch):
            change.apply(self.segmentation.layer(change.layer_id))
        elif isinstance(change, SegmentChange):
            self._apply_segment(change)
        elif isinstance(change, AnnotationChange):
            self._apply_annotation(change)
        elif isinstance(change, MarksChange):
            if change.before != self.marks:
                raise LabelError("The slices marked as done are no longer those this change expects.")
            self.marks = change.after
        elif isinstance(change, EffortChange):
            self._apply_effort(change)
        elif isinstance(change, PromptChange):
            self._apply_prompts(change)
        elif isinstance(change, AnswerChange):
            self._apply_answer(change)
        elif not self._apply_proposal(change):
            return False
        self.revision += counts_as_revision(change)
        return True

    def _apply_effort(self, change: EffortChange) -> None:
        # Measurements come beside the history, so what is there need not be what an undone acceptance had put there.
        if change.before is not None:
            self.efforts.pop(change.before.segment_id, None)
        if change.after is not None:
            self.efforts[change.after.segment_id] = change.after

    def _apply_annotation(self, change: AnnotationChange) -> None:
        before, after = change.before, change.after
        if before is not None and before.annotation_id not in self.annotations:
            raise LabelError(f"The annotation {before.label} is no longer there.")
        altered = before is not None and after is not None and before.annotation_id == after.annotation_id
        if before is not None and not altered:
            del self.annotations[before.annotation_id]
        if after is not None:
            # Overwriting another one would lose it: the inverse of this change knows nothing of it.
            if not altered and after.annotation_id in self.annotations:
                raise LabelError(f"The annotation {after.label} is already there.")
            # One that is altered keeps its place in the list.
            self.annotations[after.annotation_id] = after

    def _apply_segment(self, change: SegmentChange) -> None:
        segments = self.segmentation.segments
        if change.before is not None:
            if change.position >= len(segments) or segments[change.position].segment_id != change.before.segment_id:
                raise LabelError(
                    f"The segment {change.before.name} is no longer where this change expects it.",
                    detail=f"position {change.position} of {len(segments)}",
                )
            del segments[change.position]
        if change.after is not None:
            if change.before is None and self._collides(change.after):
                raise LabelError(f"The segment {change.after.name} is already there.")
            segments.insert(change.position, change.after)

    def _collides(self, segment: Segment) -> bool:
        return any(
            other.segment_id == segment.segment_id or (other.layer_id, other.value) == (segment.layer_id, segment.value)
            for other in self.segmentation.segments
        )

    def _apply_prompts(self, change: PromptChange) -> None:
        some = change.after or change.before
        if some is None:
            return
        if self.prompts.get(some.segment_id) != change.before:
            raise LabelError("The prompts of this segment are no longer those this change expects.")
        if change.after is None:
            del self.prompts[some.segment_id]
        else:
            self.prompts[some.segment_id] = change.after

    def _apply_answer(self, change: AnswerChange) -> None:
        before, after = change.before, change.after
        some = after or before
        if some is None:
            return
        if self.answers.get(some.key) != before:
            raise LabelError(f"The answer to {some.question} is no longer the one this change expects.")
        if after is None:
            del self.answers[some.key]
        else:
            self.answers[some.key] = after

    def _apply_proposal(self, change: ProposalChange) -> bool:
        """Apply it, or do nothing where a newer run of the model took the place of the proposal it speaks of.

        Runs come beside the history, so a person may take back what was done to a proposal that is gone. What comes by
        itself then stays: one proposal of a model, or one of each part of its result, is live.
        """
        before, after = change.before, change.after
        if before is not None:
            if before.proposal_id not in self.proposals:
                return False
            del self.proposals[before.proposal_id]
        if after is not None:
            if not after.prediction.geometry.same_grid(self.segmentation.geometry):
                raise LabelError("This proposal was made on another grid; run the model on this series.")
            if before is None and after.proposal_id in self.proposals:
                raise LabelError("This proposal is already there.", detail=after.proposal_id)
            if before is None and any(
                (live.model_id, live.part) == (after.model_id, after.part) for live in self.proposals.values()
            ):
                return False
            self.proposals[after.proposal_id] = after
        return True
