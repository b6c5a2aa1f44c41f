"""How readings and what was said of them are told to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medview.core.language import _
from medview.core.reading_status import Role
from medview.workspace.case_words import STATUS, spent

if TYPE_CHECKING:
    from medview.store.reading_state import ReadingState
    from medview.store.review_book import ReviewComment
    from medview.workspace.reviewing import CaseReview

_KINDS = {"sent back": _("{who} sent back"), "approved": _("{who} approved"), "commented": _("{who}")}


def who_text(one: ReadingState, state: CaseReview | None = None) -> str:
    """Return whose reading it is, and what for; of a review, whose labels it corrects where that is known."""
    if one.role is Role.CONSENSUS:
        return _("Consensus")
    name = one.reader or _("Nobody known")
    if one.role is Role.REVIEW:
        of = None if state is None else state.reading(state.reviewed.get(one.reading_id, 0))
        if of is not None:
            return _("{name}, review of {reader}").format(name=name, reader=who_text(of))
        name = _("{name}, review").format(name=name)
    return _("{name}, copy {n}").format(name=name, n=one.copy + 1) if one.copy else name


def reading_text(one: ReadingState, state: CaseReview) -> str:
    """Return a reading in one line: whose, how far, whether it is out of date, and how long it took."""
    own = one.reading_id == state.own
    parts = [_("You ({name})").format(name=one.reader) if own else who_text(one, state), STATUS[one.status]]
    if state.gone_on.get(one.reading_id):
        parts.append(_("out of date"))
    if one.seconds >= 1:
        parts.append(spent(one.seconds))
    return " · ".join(parts)


def overtaken_text(one: ReadingState, state: CaseReview) -> str:
    """Return who went on after a consensus was last worked on, and what to do; empty where nobody did."""
    names = ", ".join(state.gone_on.get(one.reading_id, ()))
    if not names:
        return ""
    return _("Labels of {names} changed after this was last worked on: press Consensus to see them.").format(names=names)


def comment_text(comment: ReviewComment, state: CaseReview | None) -> str:
    """Return a comment: who said what of whose labels, and on which slice."""
    said = _KINDS.get(comment.kind, _("{who}")).format(who=comment.who)
    of = state.reading(comment.reading_id) if state is not None else None
    about = f"{said} → {who_text(of, state)}" if of is not None else said
    if comment.with_edit:
        about = _("{text}, as corrected").format(text=about)
    text = f"{about}: {comment.text}" if comment.text else about
    if comment.pin is not None:
        text = _("{text} (slice {n})").format(text=text, n=comment.pin.index_kji[0] + 1)
    return text
