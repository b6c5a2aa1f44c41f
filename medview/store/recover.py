"""From the last good snapshot and the rows after it to labels and undo stacks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from medview.core.case_labels import CaseLabels
from medview.core.changes import Command
from medview.core.errors import StoreError
from medview.core.geometry import Geometry
from medview.core.label_patch import LabelPatch
from medview.core.segmentation import LabelArray
from medview.store.blobs import BlobStore
from medview.store.codec import decode
from medview.store.entry import EntryKind
from medview.store.replay import ReplayedCase
from medview.store.rows import JournalRow, StoredRow, read_rows, readers_cut_short
from medview.store.snapshots import newest_good
from medview.store.undo_stacks import UndoStacks

UNDO_STEPS_KEPT = 1000
"""Undo steps that come back with a case; older ones stay in the journal."""

UNDO_BYTES_KEPT = 16 * 1024 * 1024
"""Voxels that undo steps hold, packed; steps beyond come back only where they are among the newest few."""

_FEW_STEPS = 20

_FAR = 1000
"""A damaged row whose number is this far from where it stands has another number."""

log = logging.getLogger("medview.store")


@dataclass(slots=True)
class LoadedCase:
    """A case as it was after its newest row.

    Attributes
    ----------
    undo, redo : list of Command
        Newest last.
    stacks : UndoStacks
        The rows of ``undo`` and ``redo``, in the same order.
    losses : list of str
        What could not be brought back, one sentence each; empty when nothing is missing.
    """

    labels: CaseLabels
    undo: list[Command] = field(default_factory=list)
    redo: list[Command] = field(default_factory=list)
    stacks: UndoStacks = field(default_factory=UndoStacks)
    losses: list[str] = field(default_factory=list)
    seq: int = 0


def load_reading(connection: Connection, reading_id: int, geometry: Geometry, blobs: BlobStore) -> LoadedCase:
    """Return the labels, annotations, proposals and undo stacks of a case.

    A snapshot that is damaged is passed over for the one before it, in the end for the whole journal. A row that is damaged
    is left out and named in ``losses``; what was done after it is kept, what came before it can no longer be undone.
    """
    replayed = replay(connection, reading_id, geometry, blobs)
    source = _Commands(connection, reading_id, blobs)
    undo_seqs, undo = source.newest(replayed.stacks.undo)
    redo_seqs, redo = source.newest(replayed.stacks.redo)
    return LoadedCase(
        labels=replayed.finish(),
        undo=undo,
        redo=redo,
        stacks=UndoStacks(undo_seqs, redo_seqs),
        losses=[*replayed.losses, *newest_missing(connection), *replayed.recorded],
        seq=replayed.seq,
    )


def replay(
    connection: Connection,
    reading_id: int,
    geometry: Geometry,
    blobs: BlobStore,
    *,
    from_start: bool = False,
    after_row: Callable[[ReplayedCase], None] = lambda _case: None,
) -> ReplayedCase:
    """Return the state of a case after its newest row, voxels in bricks.

    Parameters
    ----------
    from_start : bool
        Replay every row ever written, without snapshots; for checking.
    after_row : callable
        Is shown the state after each row.
    """
    case = None if from_start else newest_good(connection, reading_id, geometry, blobs)
    if case is None:
        case = ReplayedCase(geometry)
    source = _Commands(connection, reading_id, blobs)
    # Damaged rows out of place: their number may be what is damaged, and the next sound row tells which one is missing.
    unplaced: list[StoredRow] = []
    newest_row_id = 0
    for stored in read_rows(connection, reading_id, case.seq):
        row = stored.row
        if row.seq != case.seq + 1:
            if not stored.intact:
                unplaced.append(stored)
                continue
            _lose_missing(case, case.seq + 1, row.seq - 1, row.created_utc)
        newest_row_id = stored.row_id
        try:
            command = source.of(stored)
        except StoreError as error:
            log.warning("row %d of case %d is lost: %s %s", row.seq, reading_id, error.sentence, error.detail)
            case.lose(row.seq, _lost(stored))
            continue
        case.follow(row.kind, row.seq, row.target_seq, command, row.revision)
        after_row(case)
    last = last_of_unplaced(unplaced, newest_row_id, case.seq)
    if last > case.seq:
        _lose_missing(case, case.seq + 1, last, "")
    return case


def last_of_unplaced(unplaced: Iterable[StoredRow], newest_row_id: int, seq: int) -> int:
    """Return the number of the newest of the damaged rows that follow the last sound one, row ``seq``; ``seq`` for none.

    What is done next must not get the number of a row that is there.

    Parameters
    ----------
    newest_row_id : int
        Of the last sound row.
    """
    at_the_end = [stored.row.seq for stored in unplaced if stored.row_id > newest_row_id]
    near = [number for number in at_the_end if seq < number <= seq + _FAR]
    return max(near, default=seq + bool(at_the_end))


class _Commands:
    """Commands by row; those just read are kept for the undo rows that follow them."""

    def __init__(self, connection: Connection, reading_id: int, blobs: BlobStore) -> None:
        self._connection = connection
        self._reading_id = reading_id
        self._blobs = blobs
        self._masks: dict[str, LabelArray] = {}
        self._known: dict[int, Command | StoreError] = {}

    def of(self, stored: StoredRow) -> Command:
        """Return the command a row does, undoes or redoes. Raises StoreError when it is damaged."""
        if not stored.intact:
            raise StoreError("The row does not match its checksum.")
        if stored.row.kind.carries_command:
            self._forget_old()
            return self._decode(stored)
        return self.at(stored.row.target_seq)

    def at(self, seq: int) -> Command:
        """Return the command of row ``seq``. Raises StoreError when it is damaged or gone."""
        if seq not in self._known:
            self._fetch({seq})
        found = self._known[seq]
        if isinstance(found, StoreError):
            raise found
        return found

    def newest(self, seqs: Iterable[int]) -> tuple[list[int], list[Command]]:
        """Return the newest rows of a stack with their commands, back to the first that is damaged; newest last."""
        wanted = list(seqs)[: -UNDO_STEPS_KEPT - 1 : -1]
        self._fetch({seq for seq in wanted if seq not in self._known})
        kept: list[int] = []
        commands: list[Command] = []
        size_bytes = 0
        for seq in wanted:
            try:
                command = self.at(seq)
            except StoreError as error:
                log.warning("steps up to row %d of case %d cannot be undone: %s", seq, self._reading_id, error.detail)
                break
            size_bytes += sum(change.size_bytes for change in command.changes if isinstance(change, LabelPatch))
            if size_bytes > UNDO_BYTES_KEPT and len(kept) >= _FEW_STEPS:
                break
            commands.append(command)
            kept.append(seq)
        return kept[::-1], commands[::-1]

    def _forget_old(self) -> None:
        # A replay from the first row would otherwise keep every change ever made.
        if len(self._known) > UNDO_STEPS_KEPT:
            del self._known[next(iter(self._known))]
            self._masks.clear()

    def _fetch(self, seqs: set[int]) -> None:
        for seq in seqs:
            self._known[seq] = StoreError("The change this step refers to is damaged or missing.", detail=f"row {seq}")
        for stored in read_rows(self._connection, self._reading_id, only=seqs):
            if stored.intact and stored.row.kind.carries_command:
                try:
                    self._decode(stored)
                except StoreError as error:
                    self._known[stored.row.seq] = error

    def _decode(self, stored: StoredRow) -> Command:
        command = decode(stored.row.document, stored.row.payload, self._blobs.get, self._masks)
        self._known[stored.row.seq] = command
        return command


def newest_missing(connection: Connection) -> list[str]:
    """Name readers whose newest row is not the one they are known to have written last: no row after it can tell."""
    return [
        f"The newest changes of {reader} are gone from the project; those made on this case are missing from the labels."
        for reader in readers_cut_short(connection)
    ]


def _lost(stored: StoredRow) -> str:
    return f"{described(stored.row)} is damaged on disk and is missing from the labels."


def described(row: JournalRow) -> str:
    """Return the words for a gesture: what, when, with which tool, which row."""
    what = {EntryKind.UNDO: "Undo of ", EntryKind.REDO: "Redo of "}.get(row.kind, "")
    name, tool = ("".join(c for c in text if c.isprintable()) for text in (row.name, row.tool))
    with_tool = f"tool {tool}, " if tool else ""
    return f"“{what}{name}” of {in_words(row.created_utc)} ({with_tool}change {row.seq})"


def in_words(created_utc: str) -> str:
    """Return a stored time for people, to the second, UTC."""
    try:
        return datetime.fromisoformat(created_utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    except ValueError:
        return "an unknown time"


def _lose_missing(case: ReplayedCase, first: int, last: int, before_utc: str) -> None:
    when = f", made before {in_words(before_utc)}," if before_utc else ""
    which = f"Change {first}{when} is" if first == last else f"Changes {first} to {last}{when} are"
    case.lose(last, f"{which} gone from the project and missing from the labels.")
