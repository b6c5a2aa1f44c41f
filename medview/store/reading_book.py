"""What the readers of an open project made of its cases, and the journal their gestures go to."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import Connection, func, select, update

from medview.core.answer import Answer, AnswerKey
from medview.core.effort import Effort
from medview.core.errors import StoreError
from medview.core.geometry import Geometry
from medview.core.prediction import ProposedMasks
from medview.store import recover, schema
from medview.store.activity import ActivityBook, ActivityKind
from medview.store.answers import reading_answers
from medview.store.ballast import Ballast, Reserve
from medview.store.begun import BegunReading, begin_readings
from medview.store.case_images import CaseImages, CaseKey, CaseSources, damaged_case, other_pixels
from medview.store.cases import CaseRow, list_cases
from medview.store.clock import Clock, iso
from medview.store.efforts import done_efforts, proposed_masks
from medview.store.faults import damaged_database
from medview.store.import_book import ImportBook
from medview.store.journal import Journal
from medview.store.label_set_book import LabelSetBook
from medview.store.model_book import ModelBook
from medview.store.model_files import ModelFiles
from medview.store.patients import NOBODY, PatientIdentity, patient_number
from medview.store.project_folder import CHECKED_BYTES, OpenFolder, explained
from medview.store.queue_book import QueueBook
from medview.store.reader_uid import new_reader_uid
from medview.store.reading_state import ReadingStatus, Role
from medview.store.readings import (
    ReadingRow,
    add_reading,
    check_identities,
    find_readings,
    get_reading,
    list_readings,
    move_sources,
)
from medview.store.recover import LoadedCase
from medview.store.review_book import ReviewBook
from medview.store.rows import UNKNOWN_READER, reader_id
from medview.store.salvage import is_sound
from medview.store.worklist import find_case, images_of_cases, tells_patient
from medview.store.worklist_book import WorklistBook


class ReadingBook:
    """What can be asked and said about the readings of a project. Methods may be called from any thread.

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
    activity : ActivityBook
        What was done beside labelling.
    worklist : WorklistBook
        Which cases there are, how they are split, who reads which, and what annotators are told.
    imports : ImportBook
        Which labels came from files.
    models : ModelBook
        Which models it trained, and which of them count.
    review : ReviewBook
        What reviewers say of readings, and what reviews and consensus begin.
    reader : str
        Who labels.
    one_person : bool
        Whatever somebody is called on this computer, it is theirs: set for the personal project.
    read_only : bool
        A copy is read; nothing can be changed.
    read_only_reason : str
        One sentence, or empty.
    notices : tuple of str
        What a person should know about how it was opened, one sentence each.
    """

    def __init__(self, folder: OpenFolder, reader: str, clock: Clock) -> None:
        self.path = folder.path
        self.one_person = False
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
        with self._database.reading() as connection:
            self._reader = (reader, new_reader_uid(connection, reader))
        reserve = Reserve(None if self.read_only else Ballast(self.path), self._database.title)
        self.queue = QueueBook(self._database, self._changing, clock)
        self.activity = ActivityBook(self._database, self._changing, self._reader, clock)
        self.label_set = LabelSetBook(self._database, self._changing, self.activity)
        self.imports = ImportBook(self._database, self._changing, self.activity)
        self.models = ModelBook(
            self._database, self._changing, self._check_writable, self.activity, clock, ModelFiles(self.path)
        )
        self.worklist = WorklistBook(self._database, self._changing, self.activity, clock)
        self.review = ReviewBook(self._database, self._changing, self.activity, self._reader, clock)
        self.journal = Journal(self._database, self._blobs, self._reader, self._check_writable, clock, reserve)

    def cases(self) -> list[CaseRow]:
        """Return all cases in the order of the list, with who has read them and how far; quick for thousands of them."""
        with self._database.reading() as connection:
            return list_cases(connection)

    def images(self) -> list[CaseImages]:
        """Return the images of all cases that are not excluded, in the order of the list."""
        with self._database.reading() as connection:
            return images_of_cases(connection, schema.worklist.c.excluded == "")

    def readings(self) -> list[ReadingRow]:
        """Return all readings with their images, oldest first; ``cases`` is quicker where images are not asked for."""
        with self._database.reading() as connection:
            return list_readings(connection)

    def pixels(self) -> dict[int, str]:
        """Return the hash of the voxels that each reading was drawn on; empty until a complete series was seen."""
        readings = schema.readings.c
        with self._database.reading() as connection:
            found = connection.execute(select(readings.reading_id, readings.pixels_sha256))
            return {int(row.reading_id): row.pixels_sha256 for row in found}

    def find_reading(
        self, key: CaseKey, geometry: Geometry, sop_instance_uids: Sequence[str] | None = None
    ) -> ReadingRow | None:
        """Return what the reader made of a series on a grid, or of just these images of it; None when they have not begun.

        In a copy that is only read, and in which only one person ever labelled, it is that person's.
        """
        with self._database.reading() as connection:
            return self._own(connection, find_readings(connection, key, geometry, sop_instance_uids))

    def reading(
        self,
        key: CaseKey,
        geometry: Geometry,
        sources: CaseSources,
        create: bool = True,
        *,
        patient: PatientIdentity = NOBODY,
    ) -> ReadingRow:
        """Return the reader's own reading of a series on a grid, beginning it when there is none.

        Images that are new to the project become a case of its worklist.

        Raises
        ------
        StoreError
            When it is new and may not be added, or when the images are not those it was labelled on.
        """
        with self._database.reading() as connection:
            others = find_readings(connection, key, geometry, sources.sop_instance_uids)
            found = self._own(connection, others)
        if found is None and not create:
            raise StoreError(f"{self.path.name} holds no labels of this series.")
        if any(row.sources.sop_instance_uids != sources.sop_instance_uids for row in others):
            raise other_pixels()
        if found is not None and (found.sources == sources or self.read_only):
            return found
        with self._changing() as connection:
            if found is None:
                # Whoever met the series at the same moment may have begun with it.
                found = self._own(connection, find_readings(connection, key, geometry, sources.sop_instance_uids))
            if found is None:
                self._check_not_lost(connection, key, geometry, sources)
                listed = find_case(connection, key, geometry, sources) is not None
                owner = reader_id(connection, *self._reader), Role.READER
                told = tells_patient(connection, key, geometry, sources)
                # Nothing of the personal project is written out by pseudonym, so it knows nobody.
                patient_id = 0 if told or self.one_person else patient_number(connection, patient)
                begun = add_reading(connection, (key, geometry, sources), owner, iso(self._clock.utc()), patient_id)
                if not listed:
                    self.activity.note(connection, ActivityKind.ADDED, begun.case_id)
                return begun
            move_sources(connection, found, sources)
            return get_reading(connection, found.reading_id)

    def begin(self, begun: Sequence[BegunReading]) -> list[int]:
        """Begin readings of series nobody here has begun with, all or none, and return their numbers.

        Raises
        ------
        StoreError
            When they may not be added.
        """
        with self._changing() as connection:
            for one in begun:
                self._check_not_lost(connection, one.key, one.geometry, one.sources)
            return begin_readings(connection, begun, reader_id(connection, *self._reader), iso(self._clock.utc()))

    def set_status(self, reading_id: int, status: ReadingStatus) -> None:
        """Say how far the work on a reading is."""
        with self._changing() as connection:
            state = schema.reading_state
            connection.execute(update(state).where(state.c.reading_id == reading_id).values(status=status.value))
            self.activity.note(connection, ActivityKind.STATUS, reading_id=reading_id, status=status.value)

    def add_time(self, reading_id: int, seconds: int) -> None:
        """Add to the time a reader has spent on a reading."""
        with self._changing() as connection:
            state = schema.reading_state
            spent = update(state).where(state.c.reading_id == reading_id).values(seconds=state.c.seconds + seconds)
            connection.execute(spent)

    def _own(self, connection: Connection, found: list[ReadingRow]) -> ReadingRow | None:
        readers = [row for row in found if row.state.role is Role.READER]
        mine = [row for row in readers if self.one_person or row.reader == self.reader]
        # Damage may have taken the name of whose it is; begun anew it would look as if nothing had been drawn.
        nobodys = [row for row in readers if row.reader.startswith(UNKNOWN_READER)]
        if not mine and len(nobodys) == 1:
            return nobodys[0]
        if mine or not self.read_only:
            # Of two ways that one person went on, one that was only opened is no work.
            return min(mine, key=lambda row: (not row.state.worked_on, row.state.copy), default=None)
        drew = select(func.count()).select_from(schema.readers).where(schema.readers.c.rows > 0)
        only_one = connection.execute(drew).scalar_one() <= 1
        return max(readers, key=lambda row: row.gestures, default=None) if only_one else None

    def _check_not_lost(self, connection: Connection, key: CaseKey, geometry: Geometry, sources: CaseSources) -> None:
        """A damaged reading is found by nobody: an empty one in its place would look as if nothing had been drawn."""
        case_id = find_case(connection, key, geometry, sources)
        if case_id is None:
            check_identities(connection)
            return
        state, readers = schema.reading_state.c, schema.readers.c
        begun = select(state.reading_id).join(schema.readers, state.reader_id == readers.reader_id)
        mine = begun.where(state.case_id == case_id, readers.name == self.reader, state.role == Role.READER.value)
        for lost in connection.execute(mine).scalars():
            raise damaged_case(int(lost), "a reading does not have the images of its case")

    def attach_pixels(self, reading_id: int, sha256: str, *, in_place_of: str = "") -> None:
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
            recorded = get_reading(connection, reading_id).pixels_sha256
        if recorded not in ("", sha256, in_place_of):
            raise other_pixels()
        if recorded != sha256 and not self.read_only:
            with self._changing() as connection:
                readings = schema.readings
                connection.execute(update(readings).where(readings.c.reading_id == reading_id).values(pixels_sha256=sha256))

    def load_reading(self, reading_id: int, *, beside: bool = False) -> LoadedCase:
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
            head = self.journal.head(reading_id)
            if not self.journal.flush():
                raise StoreError(f"Changes of {self.path.name} are not saved yet; the case can be opened once they are.")
            with self._database.reading() as connection:
                case = get_reading(connection, reading_id)
                loaded = recover.load_reading(connection, reading_id, case.geometry, self._blobs)
            # Set back to what was read, the journal would number the next row like one that came in meanwhile.
            if beside and head is not None:
                return loaded
            if self.journal.adopt(reading_id, loaded.seq, loaded.stacks, head=head) or beside:
                return loaded

    def proposed_masks(self, reading_id: int, job_ids: Collection[str]) -> ProposedMasks:
        """Return the masks that runs of models proposed for a case; those that cannot be read are left out."""
        self.journal.flush()
        with self._database.reading() as connection:
            return proposed_masks(connection, reading_id, job_ids, self._blobs.get)

    def done_efforts(self) -> dict[int, list[dict[str, Effort]]]:
        """Return what became of segments accepted from models, of cases that are done: by case, by reading, by segment."""
        self.journal.flush()
        with self._database.reading() as connection:
            return done_efforts(connection)

    def answers(self, reading_ids: Collection[int] | None = None) -> dict[int, dict[AnswerKey, Answer]]:
        """Return what was answered to questions of forms, by reading: in all, or in some."""
        self.journal.flush()
        with self._database.reading() as connection:
            return reading_answers(connection, reading_ids)

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
