"""What a project is, in a few facts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, select

from medview.core.effort import model_efforts
from medview.store import schema
from medview.store.activity import ActivityKind, activity_entries
from medview.store.ballast import FILE_NAME as BALLAST_NAME
from medview.store.efforts import done_efforts
from medview.store.migrate import past_migrations
from medview.store.model_book import current_models


def project_info(connection: Connection, folder: Path) -> dict[str, Any]:
    """Return what a project is, ready for JSON.

    Returns
    -------
    dict
        ``name``, ``path``, ``project_uid``, ``created_utc``, ``schema_version``, ``cases`` and ``gestures`` (counts; undo
        and redo are gestures too), ``readers`` (names), ``size_bytes``, ``migrations`` (``from``, ``to``, ``made_utc``,
        ``backup``), ``correction_effort`` (of each version of each model, in cases that are done: ``model_id``,
        ``model_version``, ``model_sha256``, ``cases``, ``segments``, ``measured_segments``, ``mean_dice``, ``added_ml``,
        ``removed_ml``, ``minutes_per_case``, ``proposed_voxels``, ``corrected_voxels``, ``corrected_per_proposed``,
        ``first_utc``), ``test_openings`` (every time the test cases were opened: ``who``, ``when_utc``, ``model``,
        ``version``, ``cases``), ``models`` (of each model line the version that counts: ``line``, ``version``, ``model``,
        ``since_utc``, and how many ``versions`` there are).
    """
    facts = {row.key: row.value for row in connection.execute(select(schema.facts))}
    files = (file for file in folder.rglob("*") if file.is_file() and file.name != BALLAST_NAME)
    return {
        "name": facts["name"],
        "path": str(folder),
        "project_uid": facts["project_uid"],
        "created_utc": facts["created_utc"],
        "schema_version": int(connection.exec_driver_sql("PRAGMA user_version").scalar_one()),
        "cases": _count(connection, schema.worklist),
        "gestures": _count(connection, schema.journal),
        "readers": list(connection.execute(select(schema.readers.c.name)).scalars()),
        "size_bytes": sum(file.stat().st_size for file in files),
        "migrations": past_migrations(connection),
        "correction_effort": [one.document() for one in model_efforts(done_efforts(connection).values())],
        "test_openings": test_openings(connection),
        "models": current_models(connection),
    }


def test_openings(connection: Connection) -> list[dict[str, Any]]:
    """Return who opened the locked test cases with which model, oldest first."""
    entries = activity_entries(connection, schema.activity.c.kind == ActivityKind.EVALUATED.value)
    said = ("model", "version", "cases")
    return [
        {"who": entry.who, "when_utc": entry.when_utc, **{name: entry.details.get(name) for name in said}}
        for entry in entries
    ]


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
