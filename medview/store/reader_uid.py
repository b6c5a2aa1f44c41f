"""What a reader who is new to a project is known by in all copies of it."""

from __future__ import annotations

import hashlib
import uuid

from sqlalchemy import Connection, select

from medview.store import schema
from medview.store.codec import canonical
from medview.store.holder import user_name


def new_reader_uid(connection: Connection, name: str) -> str:
    """Return the uid that somebody gets who is called ``name`` and opens a project for the first time.

    Whoever opens two fresh copies of a project under one login and name gets the same uid in both, so that they are one
    reader once the copies are merged: what they did on different cases comes together, and where they went two ways on one
    case, both ways are kept beside each other. Another login is another person, whatever they are called.
    """
    facts = schema.facts.c
    project = connection.execute(select(facts.value).where(facts.key == "project_uid")).scalar()
    if not project:
        return uuid.uuid4().hex
    return hashlib.sha256(canonical([project, user_name(), name]).encode()).hexdigest()[:32]
