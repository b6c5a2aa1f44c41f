"""How readings and what was said of them are told to a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from medview.core.language import _
from medview.core.reading_status import Role
from medview.workspace.case_words import STATUS, spent

if TYPE_CHECKING:
    from medview.store.reading_state import ReadingState
    from medview.store.review_book import ReviewComment
    from medview.workspace.reviewing import CaseReview

_KINDS = {"sent back": _("{who} sent back"), "approved": _("{who} approved"), "commented": _("{who}")}


def who_text(one: ReadingState) -> str:
    """Return whose reading it is, and what for."""
    if one.role is Role.CONSENSUS:
        return _("Consensus")
    name = one.reader or _("Nobody known")
    if one.role is Role.REVIEW:
        name = _("{name}, review").format(name=name)
    return _("{name}, copy {n}").format(name=name, n=one.copy + 1) if one.copy else name


def reading_text(one: ReadingState, *, own: bool, gone_on: Sequence[str] = ()) -> str:
    """Return a reading in one line: whose, how far, how long it took, and who went on since where it is a consensus."""
    parts = [_("You ({name})").format(name=one.reader) if own else who_text(one), STATUS[one.status]]
    if one.seconds >= 1:
        parts.append(spent(one.seconds))
    if gone_on:
        parts.append(_("older than the labels of {names}").format(names=", ".join(gone_on)))
    return " · ".join(parts)


def comment_text(comment: ReviewComment, state: CaseReview | None) -> str:
    """Return a comment: who said what of whose labels, and on which slice."""
    said = _KINDS.get(comment.kind, _("{who}")).format(who=comment.who)
    of = state.reading(comment.reading_id) if state is not None else None
    about = f"{said} → {who_text(of)}" if of is not None else said
    text = f"{about}: {comment.text}" if comment.text else about
    if comment.pin is not None:
        text = _("{text} (slice {n})").format(text=text, n=comment.pin.index_kji[0] + 1)
    return text
