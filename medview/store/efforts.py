"""What the journal says of accepted segments: which mask they came from, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy import Connection, select

from medview.core.changes import ProposalChange
from medview.core.effort import Effort
from medview.core.errors import StoreError
from medview.core.prediction import ProposedMasks
from medview.core.reading_status import ReadingStatus
from medview.store import schema
from medview.store.codec import decode
from medview.store.codec_effort import decode_effort_change
from medview.store.reading_state import reading_states
from medview.store.standing import standing_changes

_RUN_TOOL = "predict"
_EFFORT_TOOLS = ("accept", "effort")
"""Tools of the commands that speak of efforts."""
_FINISHED = (ReadingStatus.DONE, ReadingStatus.APPROVED)


def proposed_masks(
    connection: Connection, reading_id: int, job_ids: Collection[str], get_blob: Callable[[str], bytes]
) -> ProposedMasks:
    """Return the masks that runs of models proposed for a case, as they came; those that cannot be read are left out."""
    found: ProposedMasks = {}
    journal = schema.journal.c
    rows = select(journal.document, journal.payload).where(journal.reading_id == reading_id, journal.tool == _RUN_TOOL)
    for row in connection.execute(rows.order_by(journal.seq.desc())):
        if not any(job_id in row.document for job_id in job_ids if job_id not in found):
            continue
        try:
            command = decode(row.document, row.payload, get_blob)
        except StoreError:
            continue
        for change in command.changes:
            put = change.after if isinstance(change, ProposalChange) else None
            if put is not None and put.prediction.mask is not None:
                found.setdefault(put.prediction.source.job_id, put.prediction.mask)
    return {job_id: mask for job_id, mask in found.items() if job_id in job_ids}


def done_efforts(connection: Connection) -> dict[int, list[dict[str, Effort]]]:
    """Return what became of accepted segments where the work is done: by case, of each of its readings by segment.

    What was only accepted so far, and what is still being corrected, would look as if nothing had been wrong with it.
    """
    efforts = _reading_efforts(connection)
    found: dict[int, list[dict[str, Effort]]] = {}
    for state in reading_states(connection):
        if state.status in _FINISHED and state.reading_id in efforts:
            found.setdefault(state.case_id, []).append(efforts[state.reading_id])
    return found


def _reading_efforts(connection: Connection) -> dict[int, dict[str, Effort]]:
    """Return what became of accepted segments, by reading and segment; nothing else is replayed for it.

    What was undone is left out. Rows that are damaged are passed over.
    """
    found: dict[int, dict[str, Effort]] = {}
    for reading_id, change in standing_changes(connection, "effort", _EFFORT_TOOLS, decode_effort_change):
        efforts = found.setdefault(reading_id, {})
        if change.before is not None:
            efforts.pop(change.before.segment_id, None)
        if change.after is not None:
            efforts[change.after.segment_id] = change.after
    return {reading_id: efforts for reading_id, efforts in found.items() if efforts}
