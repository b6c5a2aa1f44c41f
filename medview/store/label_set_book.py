"""The one label set of a project, its forms included, as the text of its JSON."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection, insert, select

from medview.store import schema
from medview.store.activity import ActivityBook, ActivityKind
from medview.store.database import Database

_KEY, _BEFORE = "label_set", "label_set_before"
"""Of the rows in ``facts``: the label set, and the one in whose place it was put. Programs that know none leave them."""


class LabelSetBook:
    """Reads and writes it. Its methods may be called from any thread.

    Parameters
    ----------
    changing : callable
        Gives a connection in a transaction, or raises where the project cannot be written.
    activity : ActivityBook
        Where it is written down that it was changed.
    """

    def __init__(
        self,
        database: Database,
        changing: Callable[[], AbstractContextManager[Connection]],
        activity: ActivityBook,
    ) -> None:
        self._database, self._changing, self._activity = database, changing, activity

    def text(self) -> str:
        """Return the JSON, or nothing where the project has none."""
        facts = schema.facts.c
        with self._database.reading() as connection:
            return connection.execute(select(facts.value).where(facts.key == _KEY)).scalar_one_or_none() or ""

    def keep(self, text: str) -> None:
        """Write the JSON in place of what is there, which is kept beside it until the next time.

        Raises
        ------
        MedViewError
            When the project cannot be written.
        """
        before = self.text()
        with self._changing() as connection:
            if before:
                connection.execute(insert(schema.facts).prefix_with("OR REPLACE").values(key=_BEFORE, value=before))
            connection.execute(insert(schema.facts).prefix_with("OR REPLACE").values(key=_KEY, value=text))
            if text != before:
                self._activity.note(connection, ActivityKind.CHANGED, fact=_KEY)
