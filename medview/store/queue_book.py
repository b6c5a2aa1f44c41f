"""What models are still to run on in a project, so that a killed program goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from medview.store import schema
from medview.store.clock import Clock, iso
from medview.store.database import Database


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One model on one series.

    Attributes
    ----------
    position : int
        Its place in the list; rows come back in this order.
    model : str
        ``id@version``.
    series : str
        JSON that says which series it is and where its files were.
    state, sentence : str
        How it went, in the words of the workspace.
    attempts : int
        How often it was begun.
    """

    task_uid: str
    position: int
    model: str
    series: str
    state: str
    sentence: str = ""
    attempts: int = 0


class QueueBook:
    """Reads and writes the rows. Its methods may be called from any thread.

    Parameters
    ----------
    changing : callable
        Gives a connection in a transaction, or raises where the project cannot be written.
    """

    def __init__(
        self, database: Database, changing: Callable[[], AbstractContextManager[Connection]], clock: Clock
    ) -> None:
        self._database, self._changing, self._clock = database, changing, clock

    def rows(self) -> list[QueueRow]:
        """Return all rows in their order."""
        with self._database.reading() as connection:
            q = schema.queue.c
            found = connection.execute(select(schema.queue).order_by(q.position, q.task_uid))
            return [
                QueueRow(row.task_uid, row.position, row.model, row.series, row.state, row.sentence, row.attempts)
                for row in found
            ]

    def keep(self, rows: Iterable[QueueRow], gone: Iterable[str] = ()) -> None:
        """Write rows, in place of those with the same uid, and delete others, all or nothing.

        Raises
        ------
        MedViewError
            When the project cannot be written.
        """
        now = iso(self._clock.utc())
        with self._changing() as connection:
            for uid in gone:
                connection.execute(delete(schema.queue).where(schema.queue.c.task_uid == uid))
            values = [
                {
                    "task_uid": row.task_uid,
                    "position": row.position,
                    "model": row.model,
                    "series": row.series,
                    "state": row.state,
                    "sentence": row.sentence,
                    "attempts": row.attempts,
                    "changed_utc": now,
                }
                for row in rows
            ]
            if values:
                connection.execute(insert(schema.queue).prefix_with("OR REPLACE"), values)
