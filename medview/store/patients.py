"""Patients of a project and the pseudonyms they go by; the key between them never leaves the project."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from medview.store import schema
from medview.store.codec import canonical


@dataclass(frozen=True, slots=True)
class PatientIdentity:
    """What headers, or the names of files, say about who a case is of.

    Attributes
    ----------
    patient_id : str
        PatientID, or what stands for it in the names of the files; empty where nothing does.
    issuer : str
        IssuerOfPatientID: the same number in two hospitals is two people.
    name : str
        PatientName.
    birth_date : str
        PatientBirthDate; tells people without a number apart.
    """

    patient_id: str = ""
    issuer: str = ""
    name: str = ""
    birth_date: str = ""

    @property
    def known(self) -> bool:
        """Whether there is enough to say that two cases are of one person."""
        return bool(self.patient_id.strip() or (self.name.strip() and self.birth_date.strip()))

    def key_sha256(self) -> str:
        """Return what is the same for all cases of one person."""
        own = [self.patient_id.strip(), self.issuer.strip()]
        key = own if own[0] else ["", "", self.name.strip(), self.birth_date.strip()]
        return hashlib.sha256(canonical(key).encode()).hexdigest()


NOBODY = PatientIdentity()
"""Nothing is known of the patient."""


def patient_number(connection: Connection, identity: PatientIdentity) -> int:
    """Return the number of a patient, adding who is new; 0 where nothing tells who it is."""
    if not identity.known:
        return 0
    key = identity.key_sha256()
    patients = schema.patients.c
    known = connection.execute(select(patients.patient_id).where(patients.key_sha256 == key)).scalar()
    if known is not None:
        return int(known)
    said = {
        "patient_id": identity.patient_id,
        "issuer": identity.issuer,
        "name": identity.name,
        "birth_date": identity.birth_date,
    }
    return add_patient(connection, key, canonical(said))


def add_patient(connection: Connection, key_sha256: str, identity: str) -> int:
    """Add a patient with the next free pseudonym and return the number."""
    patients = schema.patients.c
    number = int(connection.execute(select(func.coalesce(func.max(patients.patient_id), 0))).scalar_one()) + 1
    connection.execute(
        insert(schema.patients).values(
            patient_id=number, pseudonym=f"P{number:04d}", key_sha256=key_sha256, identity=identity
        )
    )
    return number
