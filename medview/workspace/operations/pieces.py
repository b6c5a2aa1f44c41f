"""Pieces of what models propose: finding them, and taking one over or giving it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod

from medview.analysis.proposed_pieces import find_pieces, piece_at
from medview.core.box import Box
from medview.core.changes import Change
from medview.core.job import JobContext
from medview.core.label_patch import PIECE_KJI
from medview.core.language import _
from medview.core.prediction import PredictedMask, PredictedSegment, Proposal, ProposedPiece
from medview.edit.hindrance import hindrances
from medview.edit.rules import LabelWriter, Mask
from medview.edit.take_over import begin, empty_out, fill, first_taken, in_pieces, would_take
from medview.workspace.events import Severity
from medview.workspace.jobs import Lane, Outcome
from medview.workspace.open_case import OpenCase
from medview.workspace.review import counterpart
from medview.workspace.rule_words import why_nothing
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)
class FindPieces:
    """Request: what the classes of a proposed mask fall into."""

    mask: PredictedMask
    title: str = _("Looking for the pieces of what is proposed")
    lane: Lane = Lane.COMPUTE

    def run(self, context: JobContext) -> tuple[ProposedPiece, ...]:
        """Look in a worker."""
        return find_pieces(self.mask, context)


@dataclass(frozen=True, slots=True, eq=False)
class FindPiece:
    """Request: the piece of a proposed mask that holds a voxel."""

    mask: PredictedMask
    at_kji: tuple[int, int, int]
    title: str = _("Looking for the piece")
    lane: Lane = Lane.EDIT

    def run(self, context: JobContext) -> tuple[Box, Mask] | None:
        """Look in a worker."""
        return piece_at(self.mask, self.at_kji, context)


def want_pieces(workspace: Workspace, masks: list[PredictedMask], then: Callable[[], None]) -> bool:
    """Have the pieces of masks found and call ``then``, at once where they are known; whether they are."""
    unknown = [mask for mask in masks if mask.pieces is None]
    if not unknown:
        then()
        return True
    mask = unknown[0]

    def done(value: object) -> None:
        if isinstance(value, tuple):
            mask.keep_pieces(value)
            want_pieces(workspace, masks, then)

    workspace.runner.submit(FindPieces(mask), Outcome(done, failed=workspace.report))
    return False


def take_piece(
    workspace: Workspace,
    case: OpenCase,
    proposal: Proposal,
    predicted: PredictedSegment,
    at_kji: tuple[int, int, int],
    *,
    back: bool = False,
) -> None:
    """Take over the piece of a proposed class that holds a voxel, or give it back; it is looked for in a job."""
    mask = proposal.prediction.mask
    if mask is None:
        return

    def done(value: object) -> None:
        if isinstance(value, tuple) and workspace.cases.get(case.key) is case:
            box, piece = value
            case.after_gesture(lambda: _write(workspace, case, proposal, predicted, box, piece, back=back))

    workspace.runner.submit(FindPiece(mask, at_kji), Outcome(done, failed=workspace.report))


def _write(
    workspace: Workspace,
    case: OpenCase,
    proposal: Proposal,
    predicted: PredictedSegment,
    box: Box,
    piece: Mask,
    *,
    back: bool,
) -> None:
    model = proposal.prediction.model_name
    if proposal.proposal_id not in case.labels.proposals:
        workspace.say(_("What {model} proposed is gone.").format(model=model), Severity.WARNING)
        return
    segment = counterpart(case, workspace.bench, proposal, predicted)
    if segment is None and back:
        workspace.say(_nothing("", back=True))
        return
    if segment is not None and segment.locked:
        workspace.say(_("{name} is locked; unlock it in the segment list to change it.").format(name=segment.name))
        return
    segmentation, rules, volume = case.labels.segmentation, workspace.bench.rules, case.anchor.volume
    source = proposal.prediction.source

    def changes() -> Iterator[Change | None]:
        into, written = segment, 0
        pieces = [(part, mask) for part, mask in in_pieces(box, piece) if mask.any()]
        if into is None or not (back or segmentation.count(into)):
            if into is None:
                into, beginning = begin(segmentation, predicted, source)
            else:
                beginning = first_taken(segmentation, case.labels.efforts, predicted, into, source)
            # Nothing is begun that would stay empty.
            while pieces and not would_take(LabelWriter(segmentation, pieces[0][0], rules, volume), into, pieces[0][1]):
                del pieces[0]
                yield None
            yield from beginning if pieces else ()
        if back:
            found = empty_out(segmentation, into.segment_id, pieces, rules, volume)
        else:
            found = fill(segmentation, into.segment_id, pieces, source, rules, volume)
        for change in found:
            written += change is not None
            yield change
        if not written:
            tried = next((part, mask) for part, mask in in_pieces(box, piece) if mask.any())
            kept_out = hindrances(segmentation, into, *tried, rules, volume, erase=back)
            workspace.say(why_nothing(kept_out, into.name, rules, volume) or _nothing(into.name, back=back))
        elif not case.active_segment:
            case.view.active_segment_id = into.segment_id

    total = 2 * prod(-(-extent // step) for extent, step in zip(box.shape_kji, PIECE_KJI, strict=True))
    if back:
        case.pour(f"Give a piece of {predicted.name} back to {model}", "accept", changes(), total)
    else:
        case.pour(f"Accept a piece of {predicted.name} from {model}", "accept", changes(), total)


def _nothing(name: str, *, back: bool) -> str:
    """Return why nothing was written although no rule is against it."""
    if back:
        return _("Nothing of this was taken over, so there is nothing to give back.")
    return _("{name} holds all of this piece already.").format(name=name)
