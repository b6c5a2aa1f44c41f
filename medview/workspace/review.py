"""Which proposed class hands take over, and to which segment it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from medview.analysis.agreement.things import folded
from medview.core.language import _
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.segmentation import Segment
from medview.core.source import Source
from medview.workspace.heat_picture import shown_heat
from medview.workspace.open_case import OpenCase
from medview.workspace.review_state import NEW_SEGMENT, Class
from medview.workspace.view_state import Bench, CaseView

NOTHING_PROPOSED = _("No model proposes a mask here; run one first.")


def in_hand(case: OpenCase, bench: Bench) -> tuple[Proposal, PredictedMask, tuple[PredictedSegment, ...]] | None:
    """Return the proposal that hands take over from, its mask and those of its classes that are wanted; None without one.

    That is the class a person chose, or every class of the newest proposal with a mask.
    """
    proposals = case.labels.proposals
    if bench.review.wanted is not None:
        proposal_id, value = bench.review.wanted
        chosen = proposals.get(proposal_id)
        mask = chosen.prediction.mask if chosen is not None else None
        found = tuple(s for s in mask.segments if s.value == value) if mask is not None else ()
        if chosen is not None and mask is not None and found:
            return chosen, mask, found
    for proposal in reversed(proposals.values()):
        mask = proposal.prediction.mask
        if mask is not None and mask.segments:
            return proposal, mask, mask.segments
    return None


def counterpart(case: OpenCase, bench: Bench, proposal: Proposal, predicted: PredictedSegment) -> Segment | None:
    """Return the segment that a proposed class belongs to, None where one is still to be made.

    That is the one a person chose; else what was taken over of this class before; else the one with its code or its name.
    """
    segmentation = case.labels.segmentation
    chosen = bench.review.into.get((proposal.proposal_id, predicted.value))
    if chosen == NEW_SEGMENT:
        return begun(case, proposal, predicted.value)
    if chosen is not None and (found := segmentation.find(chosen)) is not None:
        return found
    return begun(case, proposal, predicted.value) or _alike(case, predicted)


def same_label(
    segments: Sequence[Segment], predicted: PredictedSegment, classes: Sequence[PredictedSegment], source: Source
) -> Segment | None:
    """Return the segment that is the same label as a class another reader drew, None where there is none.

    That is the one with its code and name; else with its name, but for case and blanks; else with its code, where no other
    segment and no other class has that code, since both kidneys may share one.

    Parameters
    ----------
    classes : sequence of PredictedSegment
        All that stand in the proposal with it.
    source : Source
        Of the proposal: another class of the same reader was made into a segment of its own.
    """
    name, code = folded(predicted.name), _code(predicted)
    named = [segment for segment in segments if folded(segment.name) == name]
    both = [segment for segment in named if code is not None and _code(segment) == code]
    if both or named:
        return (both or named)[0]
    coded = [segment for segment in segments if code is not None and _code(segment) == code]
    alone = len(coded) == 1 and sum(_code(one) == code for one in classes) == 1
    if not alone or coded[0].source.job_id == source.job_id != "" or _instances(coded[0].name, predicted.name):
        return None
    return coded[0]


def begun(case: OpenCase, proposal: Proposal, value: int) -> Segment | None:
    """Return the segment that was made of a class of this very proposal, if there is one."""
    run = proposal.prediction.source
    for effort in case.labels.efforts.values():
        if effort.value == value and effort.source.same_run(run):
            segment = case.labels.segmentation.find(effort.segment_id)
            if segment is not None:
                return segment
    return None


def of_segment(
    case: OpenCase, bench: Bench, proposal: Proposal, classes: Sequence[PredictedSegment]
) -> PredictedSegment | None:
    """Return the class that belongs to the active segment, None where none does."""
    active = case.active_segment
    for predicted in classes:
        if active is not None and counterpart(case, bench, proposal, predicted) == active:
            return predicted
    return None


def probability_name(name: str) -> str:
    """Return what the heat map is called that shows how probable a class is."""
    return _("Probability of {name}").format(name=name)


def seen_as_probability(view: CaseView, prediction: Prediction) -> set[int]:
    """Return the values of the classes of a prediction whose probability lies over the picture."""
    heat = shown_heat(view)
    if heat is None or prediction.mask is None or not heat.source.same_run(prediction.source):
        return set()
    return {s.value for s in prediction.mask.segments if heat.name == probability_name(s.name)}


def want(bench: Bench, wanted: Class | None) -> None:
    """Let hands take over one class only, or every class of the newest proposal."""
    bench.review = replace(bench.review, wanted=wanted)


def set_exactly(bench: Bench, *, exactly: bool) -> None:
    """Let strokes also take away what is not proposed, or not."""
    bench.review = replace(bench.review, exactly=exactly)


def take_into(bench: Bench, which: Class, segment_id: str) -> None:
    """Let a class go to a segment, or to a new one (NEW_SEGMENT)."""
    bench.review = replace(bench.review, into={**bench.review.into, which: segment_id})


def _code(one: Segment | PredictedSegment) -> tuple[str, str] | None:
    return None if one.code is None else (one.code.scheme, one.code.value)


def _instances(one: str, other: str) -> bool:
    """Whether two names differ by a number at their end only: ``Nodule`` and ``Nodule 2`` are two things."""
    return one != other and folded(one).rstrip("0123456789 ") == folded(other).rstrip("0123456789 ")


def _alike(case: OpenCase, predicted: PredictedSegment) -> Segment | None:
    segments, code = case.labels.segmentation.segments, predicted.code
    if code is not None:
        coded = [segment for segment in segments if _code(segment) == (code.scheme, code.value)]
        # Left and right may share a code.
        named = [segment for segment in coded if folded(segment.name) == folded(predicted.name)]
        if coded:
            return (named or coded)[0]
    return next((s for s in segments if s.name.casefold() == predicted.name.casefold()), None)
