"""What the rows of a project stand in, united with that of another copy: readers, patients, cases, facts, activity."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from medview.store import schema
from medview.store.activity import ActivityKind
from medview.store.codec import canonical
from medview.store.merge_log import MergeLog, settled
from medview.store.merge_report import MergeReport
from medview.store.patients import add_patient
from medview.store.review_links import moved

_OWN_FACTS = ("project_uid", "name", "created_utc", "recovered_utc", "label_set_before")
"""Of each copy for itself."""

_FACT_WORDS = {"label_set": "label set", "instructions": "instructions", "reading_rule": "reading rule"}


class MergeFrame:
    """Finds the numbers that things of the other copy have in this one, and adds what is new.

    Parameters
    ----------
    mine : Connection
        In a transaction of the project that is written.
    theirs : Connection
        Of the copy that is only read.
    """

    def __init__(self, mine: Connection, theirs: Connection, report: MergeReport) -> None:
        self.mine, self.theirs, self._report = mine, theirs, report
        self.logs = MergeLog(mine), MergeLog(theirs)
        self._readers: dict[int, int] = {0: 0}
        self._patients: dict[int, int] = {0: 0}
        self.cases: dict[int, int] = {0: 0}

    def reader(self, their_id: int) -> int:
        """Return the number of a reader here, adding who is new; 0 for nobody."""
        if their_id not in self._readers:
            readers = schema.readers.c
            row = self.theirs.execute(select(schema.readers).where(readers.reader_id == their_id)).one_or_none()
            self._readers[their_id] = 0 if row is None else self._reader(row)
        return self._readers[their_id]

    def _reader(self, row: Row[Any]) -> int:
        readers = schema.readers.c
        known = self.mine.execute(select(readers.reader_id).where(readers.reader_uid == row.reader_uid)).scalar()
        if known is not None:
            return int(known)
        taken = set(self.mine.execute(select(readers.name)).scalars())
        name, number = row.name, 2
        while name in taken:
            name, number = f"{row.name} ({number})", number + 1
        if name != row.name:
            self._report.notes.append(f"Another {row.name} labelled {self._report.other}; they are called {name} here.")
        self._report.readers += 1
        new = insert(schema.readers).values(reader_uid=row.reader_uid, name=name, rows=0, head_sha256="")
        self.mine.execute(new)
        return int(self.mine.execute(select(readers.reader_id).where(readers.reader_uid == row.reader_uid)).scalar_one())

    def _patient(self, their_id: int) -> int:
        """Return the number of a patient here, adding who is new; 0 where nothing tells who it is."""
        if their_id not in self._patients:
            patients = schema.patients.c
            row = self.theirs.execute(select(schema.patients).where(patients.patient_id == their_id)).one_or_none()
            self._patients[their_id] = 0 if row is None else self._known_patient(row)
        return self._patients[their_id]

    def _known_patient(self, row: Row[Any]) -> int:
        patients = schema.patients.c
        known = self.mine.execute(
            select(patients.patient_id, patients.pseudonym).where(patients.key_sha256 == row.key_sha256)
        ).one_or_none()
        if known is None:
            self._report.patients += 1
            number = add_patient(self.mine, row.key_sha256, row.identity)
            pseudonym = self.mine.execute(select(patients.pseudonym).where(patients.patient_id == number)).scalar_one()
        else:
            number, pseudonym = known
        if pseudonym != row.pseudonym:
            self._report.pseudonyms[row.pseudonym] = pseudonym
        return int(number)

    def unite_cases(self) -> None:
        """Put cases that are new at the end of the list, and settle what is said of those in both."""
        listed = schema.worklist.c
        mine = {row.identity_sha256: row for row in self.mine.execute(select(*_light())).all()}
        last = self.mine.execute(select(func.coalesce(func.max(listed.position), 0))).scalar_one()
        for row in self.theirs.execute(select(*_light()).order_by(listed.position, listed.case_id)).all():
            patient = self._patient(row.patient_id)
            known = mine.get(row.identity_sha256)
            if known is not None:
                self.cases[row.case_id] = known.case_id
                self._settle_case(known, row, patient)
                continue
            whole = self.theirs.execute(select(schema.worklist).where(listed.case_id == row.case_id)).one()
            last += 1
            values = {c.key: whole._mapping[c] for c in schema.worklist.c if c.key != "case_id"}
            values |= {"patient_id": patient, "position": last}
            added = self.mine.execute(insert(schema.worklist).values(**values)).inserted_primary_key
            self.cases[row.case_id] = int(added[0]) if added is not None else 0
            self._report.cases += 1

    def _settle_case(self, mine: Row[Any], theirs: Row[Any], patient: int) -> None:
        report, change = self._report, dict[str, Any]()
        if patient and not mine.patient_id:
            change["patient_id"] = patient
        elif patient and patient != mine.patient_id:
            report.conflicts.append(f"Case {mine.case_id} is of another patient in {report.other}; who it was stays.")
        for name, kinds, word in (
            ("excluded", (ActivityKind.EXCLUDED, ActivityKind.INCLUDED), "left out for"),
            ("split", (ActivityKind.SPLIT,), "of the split"),
        ):
            values = getattr(mine, name), getattr(theirs, name)
            here, there = self.logs
            decided = here.last(*kinds, case_id=mine.case_id), there.last(*kinds, case_id=theirs.case_id)
            # Where nothing is written down what is empty gives way.
            order = ("", values[1]) if not values[0] else (values[1], values[0]) if not values[1] else ()
            which = settled(values, decided, self.logs, order)
            if which.theirs:
                change[name] = values[1]
            if which.disputed:
                one, other = (f"{word} “{value}”" if value else f"not {word} anything" for value in values)
                report.conflicts.append(
                    f"Case {mine.case_id} is {one} here and {other} in {report.other}; "
                    f"{'the latter' if which.theirs else 'the former'} counts."
                )
        if change:
            report.settled += 1
            listed = schema.worklist
            self.mine.execute(update(listed).where(listed.c.case_id == mine.case_id).values(**change))

    def unite_facts(self) -> None:
        """Take over what only the other copy changed of label set, instructions and rules."""
        facts = schema.facts.c
        mine, theirs = (
            {row.key: row.value for row in connection.execute(select(facts.key, facts.value))}
            for connection in (self.mine, self.theirs)
        )
        report = self._report
        for key, value in sorted(theirs.items()):
            if key in _OWN_FACTS or mine.get(key) == value:
                continue
            if key in mine and not self._theirs_counts(key, mine, theirs):
                continue
            if key == "label_set" and key in mine:
                self._keep("label_set_before", mine[key])
            self._keep(key, value)
            report.settled += 1

    def _theirs_counts(self, key: str, mine: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
        """Whether only the other copy changed a fact; where both did, it is said."""
        here, there = (log.last(ActivityKind.CHANGED, fact=key).uid for log in self.logs)
        changed_here, changed_there = (
            bool(here and here not in self.logs[1].uids),
            bool(there and there not in self.logs[0].uids),
        )
        if changed_here == changed_there:
            # Nothing is written down, or of both: what was there before may tell.
            changed_here, changed_there = mine.get(f"{key}_before") == theirs[key], theirs.get(f"{key}_before") == mine[key]
        if changed_here == changed_there:
            word = _FACT_WORDS.get(key, key)
            self._report.conflicts.append(f"The {word} of {self._report.other} is another; that of this project is kept.")
        return changed_there and not changed_here

    def _keep(self, key: str, value: str) -> None:
        self.mine.execute(insert(schema.facts).prefix_with("OR REPLACE").values(key=key, value=value))

    def unite_activity(self, readings: dict[int, int]) -> bool:
        """Take over entries that are not there yet; return whether one of them is more than another merge.

        Parameters
        ----------
        readings : dict of int to int
            Numbers of readings here by those of the other copy.
        """
        activity, fresh = schema.activity.c, False
        for row in self.theirs.execute(select(schema.activity).order_by(activity.activity_id)).all():
            if row.activity_uid in self.logs[0].uids:
                continue
            self._report.entries += 1
            fresh = fresh or row.kind != ActivityKind.MERGED.value
            self.mine.execute(
                insert(schema.activity).values(
                    activity_uid=row.activity_uid,
                    case_id=self.cases.get(row.case_id, 0),
                    reading_id=readings.get(row.reading_id, 0),
                    reader_id=self.reader(row.reader_id),
                    kind=row.kind,
                    document=_document(row, readings),
                    created_utc=row.created_utc,
                )
            )
        return fresh


def _document(row: Row[Any], readings: Mapping[int, int]) -> str:
    """Return what an entry says, with the numbers that readings have here."""
    if row.kind not in (ActivityKind.REVIEWED.value, ActivityKind.CONSENSUS.value):
        return str(row.document)
    try:
        return canonical(moved(json.loads(row.document), readings))
    except (TypeError, ValueError, AttributeError):
        return str(row.document)


def _light() -> list[Any]:
    listed = schema.worklist.c
    return [listed.case_id, listed.identity_sha256, listed.patient_id, listed.split, listed.excluded]
