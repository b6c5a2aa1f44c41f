"""What a case of a project is called, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medview.core.language import _, in_language, plural
from medview.core.reading_status import ReadingStatus
from medview.workspace.case_filter import FINISHED, Order, Which, Who

if TYPE_CHECKING:
    from medview.store.cases import CaseRow

STATUS = {
    ReadingStatus.TO_DO: _("To do"),
    ReadingStatus.IN_WORK: _("In work"),
    ReadingStatus.DONE: _("Done"),
    ReadingStatus.FLAGGED: _("Flagged"),
    ReadingStatus.RETURNED: _("Sent back"),
    ReadingStatus.APPROVED: _("Approved"),
}
WHICH = {
    Which.ALL: _("All cases"),
    Which.MINE: _("Mine to do"),
    Which.DONE: _("Done"),
    Which.FLAGGED: _("Flagged"),
    Which.EXCLUDED: _("Left out"),
}
ORDER = {
    Order.LIST: _("As listed"),
    Order.STATUS: _("By status"),
    Order.PATIENT: _("By patient"),
    Order.DESCRIPTION: _("By kind of series"),
    Order.TIME: _("Longest work first"),
    Order.NEWEST: _("Worked on last first"),
}
_MINUTE_S, _HOUR_S = 60, 3600


def case_title(row: CaseRow, *, hidden: bool = False) -> str:
    """Return what a case is called: its patient's pseudonym and the series, never a name.

    Parameters
    ----------
    hidden : bool
        Identity is hidden: files without a DICOM header are called by their own name, which may tell.
    """
    who = row.patient or _("Case {number}").format(number=row.case_id)
    if hidden and not row.modality:
        return _("{who} · Image file").format(who=who)
    series = " ".join(part for part in (row.modality, row.description) if part)
    return f"{who} · {series}" if series else who


def case_detail(row: CaseRow, who: Who, lacking: int = 0) -> str:
    """Return how far a case is: status, time of work, split, who else has begun.

    Parameters
    ----------
    lacking : int
        Required answers that their own reading lacks; said once it is finished.
    """
    if row.excluded:
        return _("Left out: {reason}").format(reason=in_language(row.excluded))
    reading = who.reading(row)
    parts = [STATUS[who.status(row)]]
    if lacking and who.status(row) in FINISHED:
        parts.append(plural("{n} answer missing", "{n} answers missing", lacking).format(n=lacking))
    if reading is not None and reading.seconds >= 1:
        parts.append(spent(reading.seconds))
    if row.split:
        parts.append(row.split)
    others = who.others(row)
    if others:
        parts.append(_("also {readers}").format(readers=", ".join(others)))
    agreed = row.consensus
    if agreed is not None and agreed.status is not ReadingStatus.TO_DO:
        parts.append(_("Consensus: {status}").format(status=STATUS[agreed.status]))
    return " · ".join(parts)


def spent(seconds: int) -> str:
    """Return a time of work: ``40 s``, ``12 min``, ``1 h 05``."""
    if seconds < _MINUTE_S:
        return _("{n} s").format(n=seconds)
    if seconds < _HOUR_S:
        return _("{n} min").format(n=round(seconds / _MINUTE_S))
    hours, rest = divmod(round(seconds / _MINUTE_S), 60)
    return _("{hours} h {minutes:02d}").format(hours=hours, minutes=rest)
