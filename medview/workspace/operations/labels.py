"""Segments and proposals: every wish becomes one command."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod

from medview.core.case_labels import counts_as_revision
from medview.core.changes import AnnotationChange, Change, Command, ProposalChange, SegmentChange
from medview.core.distinct_colours import distinct_colours
from medview.core.errors import LabelError
from medview.core.label_patch import PIECE_KJI
from medview.core.prediction import Proposal
from medview.core.segmentation import Segment
from medview.core.source import SourceKind
from medview.edit.rules import EditRules
from medview.edit.segments import new_segment
from medview.workspace.accepted import Accepted
from medview.workspace.accepting import annotations_of, placed_box
from medview.workspace.events import Severity
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.taking_in import taken_in
from medview.workspace.proposed_boxes import without_box
from medview.workspace.review_state import Class
from medview.workspace.workspace import Workspace


def add_segment(case: OpenCase, name: str = "") -> Segment | None:
    """Add a segment at the end of the list and make it the active one; None when the case cannot be changed now."""
    segmentation = case.labels.segmentation
    segment = new_segment(segmentation, name)
    if not case.do(Command(f"Add {segment.name}", (SegmentChange(None, segment, len(segmentation.segments)),), "segments")):
        return None
    case.view.active_segment_id = segment.segment_id
    return segment


def accept(
    case: OpenCase,
    proposal_id: str,
    values: Collection[int] | None = None,
    rules: EditRules = EditRules(),
    into: Mapping[Class, str] = {},
    told: Callable[[Accepted], None] = lambda _accepted: None,
) -> bool:
    """Take a proposal into the labels: all of it, or only the segments with these mask values; False when that cannot be.

    Voxels of segments that are already there stay; what overlaps them goes to a layer of its own. What another reader
    drew goes to the segment that is the same label, where there is one; what a model found becomes a new one, unless a
    segment of its name or code is there and holds nothing yet, as those of a label set. A class of
    which the rules let nothing in begins no segment and stays proposed.

    Parameters
    ----------
    rules : EditRules
        Where labels may be changed, and whether what is drawn is kept whole.
    into : mapping
        Segments that a person chose for classes of another reader.
    told : callable
        Given what it came to, once all of it is made.
    """
    if not case.editable:
        return False
    proposal = case.labels.proposals[proposal_id]
    prediction = proposal.prediction
    mask = prediction.mask
    wanted = [s for s in mask.segments if values is None or s.value in values] if mask is not None else []
    annotations = annotations_of(case, proposal) if values is None else []
    names = [segment.name for segment in wanted] + [a.label for a in annotations]
    if not names and values is not None:
        return False
    fresh = not stale(case, proposal)

    def changes() -> Iterator[Change | None]:
        accepted = Accepted()
        known = {segment.segment_id for segment in case.labels.segmentation.segments}
        if mask is not None:
            yield from taken_in(case, proposal, mask, wanted, rules, into, accepted)
        for annotation in annotations:
            accepted.taken.append(annotation.label)
            if annotation.annotation_id not in case.labels.annotations:
                yield AnnotationChange(None, annotation)
        rest = _without(proposal, values, accepted.values)
        if accepted.kept_out and not accepted.taken:
            # Nothing was let in, so nothing is decided either.
            told(accepted)
            return
        # What is left of a proposal is not stale because a part of it was accepted.
        if rest is not None and fresh:
            rest = replace(rest, labels_revision=case.labels.revision)
        yield ProposalChange(proposal, rest)
        # Nor are the other parts of the same result.
        for part in list(case.labels.proposals.values()) if fresh else ():
            if part.model_id == proposal.model_id and part.part != proposal.part:
                yield ProposalChange(part, replace(part, labels_revision=case.labels.revision))
        added = [s for s in case.labels.segmentation.segments if s.segment_id not in known]
        if added and not case.active_segment:
            case.view.active_segment_id = added[0].segment_id
        told(accepted)

    what = ", ".join(dict.fromkeys(names)) or "nothing"
    pieces = 3 * prod(-(-extent // step) for extent, step in zip(mask.box.shape_kji, PIECE_KJI, strict=True)) if mask else 0
    return case.pour(f"Accept {what} from {prediction.model_name}", "accept", changes(), total=pieces)


def accept_and_say(
    workspace: Workspace, case: OpenCase, proposal_id: str, values: Collection[int] | None, whole: str
) -> None:
    """Accept within the rules of the bench, and say what it came to; ``whole`` where all was taken as it was proposed."""

    def told(accepted: Accepted) -> None:
        some = bool(accepted.taken) or not accepted.kept_out
        severity = Severity.WARNING if accepted.kept_out else Severity.INFO
        # Once it is in the history: there is something to be undone then.
        case.after_gesture(lambda: workspace.say(accepted.text(whole), severity, undo=some))

    accept(case, proposal_id, values, workspace.bench.rules, workspace.bench.review.into, told)


def accept_box(case: OpenCase, proposal_id: str, annotation_id: str) -> bool:
    """Take one box of a proposal into the labels; False when the case cannot be changed now."""
    if not case.editable:
        return False
    proposal = case.labels.proposals[proposal_id]
    prediction = proposal.prediction
    box = next(b for b in prediction.boxes if b.annotation_id == annotation_id)
    taken = AnnotationChange(None, placed_box(case, box))
    left = without_box(proposal, annotation_id)
    if left is not None and not stale(case, proposal):
        # What is left of a proposal is not stale because a part of it was accepted.
        left = replace(left, labels_revision=case.labels.revision + counts_as_revision(taken))
    return case.do(
        Command(f"Accept {box.label} from {prediction.model_name}", (taken, ProposalChange(proposal, left)), "accept")
    )


def reject_box(case: OpenCase, proposal_id: str, annotation_id: str) -> bool:
    """Take one box away from a proposal; Undo brings it back. False when the case cannot be changed now."""
    if not case.editable:
        return False
    proposal = case.labels.proposals[proposal_id]
    prediction = proposal.prediction
    box = next(b for b in prediction.boxes if b.annotation_id == annotation_id)
    change = ProposalChange(proposal, without_box(proposal, annotation_id))
    return case.do(Command(f"Reject {box.label} from {prediction.model_name}", (change,), "reject"))


def reject(case: OpenCase, proposal_id: str) -> bool:
    """Take a proposal away; Undo brings it back. False when the case cannot be changed now."""
    proposal = case.labels.proposals[proposal_id]
    return case.do(Command(f"Reject {proposal.prediction.model_name}", (ProposalChange(proposal, None),), "reject"))


def propose(case: OpenCase, put: Proposal, then: Callable[[], None] = lambda: None) -> None:
    """Put a proposal up in place of an earlier one of the same model; during a gesture, right after it.

    An empty one is not put up: the earlier one gives way to nothing.

    Segments that share voxels become proposals of their own: none is cut by another, each is taken over whole.

    Its classes keep their colours where these are not those of segments or other proposals, else they get others.

    On a case that cannot be changed the proposal is shown all the same, and kept nowhere.

    Raises
    ------
    LabelError
        When the prediction was made on another series or grid.
    """
    prediction = put.prediction
    other_series = prediction.series_uid not in ("", case.volume.series_uid)
    if other_series or not prediction.geometry.same_grid(case.volume.geometry):
        raise LabelError(f"{prediction.model_name} ran on another series than this one; run it again here.")

    def put_up() -> None:
        parts = told_apart(put, case.labels.proposals.values(), [s.colour for s in case.labels.segmentation.segments])
        earlier = [p for p in case.labels.proposals.values() if p.model_id == put.model_id]
        changes: list[Change] = [ProposalChange(p, None) for p in earlier]
        # The one put up last is listed first.
        changes += [ProposalChange(None, part) for part in reversed(parts)]
        command = Command(f"Run {prediction.model_name}", tuple(changes), "predict")
        if changes and not case.note(command):
            case.show_only(changes)
        then()

    case.after_gesture(put_up)


def told_apart(put: Proposal, live: Iterable[Proposal], taken: Sequence[tuple[int, int, int]]) -> list[Proposal]:
    """Return the parts of a proposal in colours that nothing else of its case has, nor another part; none of an empty one.

    Parameters
    ----------
    live : iterable of Proposal
        Those of the case; earlier ones of the same model give way.
    taken : sequence of tuple
        Colours (RGB) of the segments of the case.
    """
    others = [one for one in live if one.model_id != put.model_id]
    parts: list[Proposal] = []
    for part in () if put.empty else put.parts():
        masks = (one.prediction.mask for one in (*others, *parts))
        parts.append(_coloured(part, [*taken, *(s.colour for mask in masks if mask is not None for s in mask.segments)]))
    return parts


def _coloured(proposal: Proposal, taken: Sequence[tuple[int, int, int]]) -> Proposal:
    """Return a proposal in other colours than those taken."""
    mask = proposal.prediction.mask
    if mask is None:
        return proposal
    colours = distinct_colours([s.colour for s in mask.segments], taken)
    segments = tuple(replace(s, colour=colour) for s, colour in zip(mask.segments, colours, strict=True))
    if segments == mask.segments:
        return proposal
    return replace(proposal, prediction=replace(proposal.prediction, mask=mask.reduced_to(segments)))


def stale(case: OpenCase, proposal: Proposal) -> bool:
    """Whether the labels have moved on since the model of this proposal was started; what readers drew is never stale."""
    by_reader = proposal.prediction.source.kind is SourceKind.READER
    return not by_reader and case.labels.revision != proposal.labels_revision


def delete_annotations(case: OpenCase, annotation_ids: Sequence[str]) -> None:
    """Remove boxes or image labels, in one step."""
    some = [case.labels.annotations[one] for one in annotation_ids]
    if some:
        case.do(Command(f"Delete {some[0].label}", tuple(AnnotationChange(one, None) for one in some), "annotations"))


def _without(proposal: Proposal, values: Collection[int] | None, kept_out: Collection[int]) -> Proposal | None:
    """Return what is still to be decided of a proposal once some of its classes, or all but those kept out, were taken."""
    mask, prediction = proposal.prediction.mask, proposal.prediction
    if mask is None:
        return None
    left = tuple(s for s in mask.segments if s.value in kept_out or (values is not None and s.value not in values))
    reduced = replace(prediction, mask=mask.reduced_to(left))
    rest = replace(proposal, prediction=reduced if values is not None else replace(reduced, boxes=(), scores={}))
    return None if rest.empty else rest
