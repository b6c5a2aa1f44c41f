"""The cases of an open project and the journal their gestures go to."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Collection, Iterator

from sqlalchemy import Connection, update

from medview.core.answer import Answer, AnswerKey
from medview.core.effort import Effort
from medview.core.errors import StoreError
from medview.core.geometry import Geometry
from medview.core.prediction import ProposedMasks
from medview.store import recover, schema
from medview.store.answers import case_answers
from medview.store.ballast import Ballast, Reserve
from medview.store.cases import (
    CaseKey,
    CaseRow,
    CaseSources,
    CaseStatus,
    add_case,
    check_identities,
    find_case,
    get_case,
    list_cases,
    move_sources,
    other_pixels,
)
from medview.store.clock import Clock, iso
from medview.store.efforts import case_efforts, proposed_masks
from medview.store.faults import damaged_database
from medview.store.journal import Journal
from medview.store.label_set_book import LabelSetBook
from medview.store.project_folder import CHECKED_BYTES, OpenFolder, explained
from medview.store.queue_book import QueueBook
from medview.store.recover import LoadedCase
from medview.store.salvage import is_sound


class CaseBook:
    """What can be asked and said about the cases of a project. Methods may be called from any thread.

    Attributes
    ----------
    path : Path
        The project folder.
    journal : Journal
        Where gestures go.
    queue : QueueBook
        What models are still to run on.
    label_set : LabelSetBook
        What there is to label and to ask in it.
    reader : str
        Who labels.
    read_only : bool
        A copy is read; nothing can be changed.
    read_only_reason : str
        One sentence, or empty.
    notices : tuple of str
        What a person should know about how it was opened, one sentence each.
    """

    def __init__(self, folder: OpenFolder, reader: str, clock: Clock) -> None:
        self.path = folder.path
        self.read_only = folder.lock is None
        only_read = f"{self.path.name} is open for reading only, so its labels cannot be changed."
        self.read_only_reason = (folder.why_copy or only_read) if self.read_only else ""
        self.notices = folder.notices
        self._folder = folder
        self._unchecked = not self.read_only and folder.database.path.stat().st_size > CHECKED_BYTES
        self._database = folder.database
        self._lock = folder.lock
        self._clock = clock
        self._blobs = folder.blobs
        self.reader = reader
        self._reader = (reader, uuid.uuid4().hex)
        reserve = Reserve(None if self.read_only else Ballast(self.path), self._database.title)
        self.queue = QueueBook(self._database, self._changing, clock)
        self.label_set = LabelSetBook(self._database, self._changing)
        self.journal = Journal(self._database, self._blobs, self._reader, self._check_writable, clock, reserve)

    def cases(self) -> list[CaseRow]:
        """Return all cases, oldest first."""
        with self._database.reading() as connection:
            return list_cases(connection)

    def find_case(self, key: CaseKey, geometry: Geometry) -> CaseRow | None:
        """Return the case of a series on a grid, or None when nobody has worked on it."""
        with self._database.reading() as connection:
            return find_case(connection, key, geometry)

    def case(self, key: CaseKey, geometry: Geometry, sources: CaseSources, create: bool = True) -> CaseRow:
        """Return the case of a series on a grid, adding it when it is new.

        Raises
        ------
        StoreError
            When it is new and may not be added, or when the images are not those it was labelled on.
        """
        with self._database.reading() as connection:
            found = find_case(connection, key, geometry, sources.sop_instance_uids)
        if found is None and not create:
            raise StoreError(f"{self.path.name} holds no labels of this series.")
        if found is not None:
            if found.sources.sop_instance_uids != sources.sop_instance_uids:
                raise other_pixels()
            if found.sources == sources or self.read_only:
                return found
        with self._changing() as connection:
            if found is None:
                # A damaged case is found by nobody: an empty one in its place would look as if nothing had been drawn.
                check_identities(connection)
                return add_case(connection, key, geometry, sources, iso(self._clock.utc()))
            move_sources(connection, found, sources)
            return get_case(connection, found.case_id)

    def set_status(self, case_id: int, status: CaseStatus) -> None:
        """Say how far the work on a case is."""
        with self._changing() as connection:
            cases = schema.cases
            connection.execute(update(cases).where(cases.c.case_id == case_id).values(status=status.value))

    def attach_pixels(self, case_id: int, sha256: str, *, in_place_of: str = "") -> None:
        """Record the hash of the voxels a case is drawn on, or compare with the one recorded.

        Parameters
        ----------
        in_place_of : str
            A hash that spoke for fewer slices, and that these voxels were compared with.

        Raises
        ------
        StoreError
            When the labels were drawn on other voxels.
        """
        with self._database.reading() as connection:
            recorded = get_case(connection, case_id).pixels_sha256
        if recorded not in ("", sha256, in_place_of):
            raise other_pixels()
        if recorded != sha256 and not self.read_only:
            with self._changing() as connection:
                cases = schema.cases
                connection.execute(update(cases).where(cases.c.case_id == case_id).values(pixels_sha256=sha256))

    def load_case(self, case_id: int, *, beside: bool = False) -> LoadedCase:
        """Return the labels and undo stacks of a case as they were after its newest gesture.

        Parameters
        ----------
        beside : bool
            Only looked at, while somebody may be drawing on it: what can be undone there stays as it is.

        Raises
        ------
        StoreError
            When gestures wait that cannot be written, or there is no such case.
        """
        while True:
            head = self.journal.head(case_id)
            if not self.journal.flush():
                raise StoreError(f"Changes of {self.path.name} are not saved yet; the case can be opened once they are.")
            with self._database.reading() as connection:
                case = get_case(connection, case_id)
                loaded = recover.load_case(connection, case_id, case.geometry, self._blobs)
            # Set back to what was read, the journal would number the next row like one that came in meanwhile.
            if beside and head is not None:
                return loaded
            if self.journal.adopt(case_id, loaded.seq, loaded.stacks, head=head) or beside:
                return loaded

    def proposed_masks(self, case_id: int, job_ids: Collection[str]) -> ProposedMasks:
        """Return the masks that runs of models proposed for a case; those that cannot be read are left out."""
        self.journal.flush()
        with self._database.reading() as connection:
            return proposed_masks(connection, case_id, job_ids, self._blobs.get)

    def efforts(self) -> dict[int, dict[str, Effort]]:
        """Return what became of the segments that were accepted from models, by case and segment."""
        self.journal.flush()
        with self._database.reading() as connection:
            return case_efforts(connection)

    def answers(self) -> dict[int, dict[AnswerKey, Answer]]:
        """Return what was answered to questions of forms, by case."""
        self.journal.flush()
        with self._database.reading() as connection:
            return case_answers(connection)

    def _check_writable(self) -> None:
        if self._lock is None:
            raise StoreError(self.read_only_reason)
        if not self._lock.mine:
            raise self._lock.refusal()
        if self._unchecked:
            if not is_sound(self._database.path):
                raise damaged_database(self.path.name)
            self._unchecked = False

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Connection]:
        self._check_writable()
        with explained(self.path), self._database.writing() as connection:
            yield connection
