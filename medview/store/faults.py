"""What went wrong with a disk or database, as one sentence."""

from __future__ import annotations

import errno
import sqlite3

from sqlalchemy.exc import SQLAlchemyError

from medview.core.errors import DamagedError, DiskFullError, MedViewError, StoreError, WriteError

SQLITE_FAULTS = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises; what it says of a damaged table may itself be no text."""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_PERMISSION = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_PRIMARY_CODE = 0xFF


def explain(error: BaseException, project: str) -> MedViewError:
    """Return the MedView error for an operating system or database error.

    Parameters
    ----------
    error : BaseException
        An OSError, sqlite3.Error or SQLAlchemyError; a MedViewError is returned as it is.
    project : str
        File name of the project, for the sentence.
    """
    if isinstance(error, MedViewError):
        return error
    if isinstance(error, OSError):
        # Without the path: people name folders after patients.
        return _explain_os(error, project, f"{type(error).__name__} {error.errno}: {error.strerror}")
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, UnicodeDecodeError):
        return damaged_database(project, detail)
    original = getattr(error, "orig", None) if isinstance(error, SQLAlchemyError) else error
    if isinstance(original, sqlite3.Error):
        code = getattr(original, "sqlite_errorcode", 0)
        return _explain_sqlite(code, project, f"{detail} (code {code})")
    return StoreError(f"{project} could not be used because of an unexpected fault; see the log.", detail=detail)


def damaged_database(project: str, detail: str = "") -> DamagedError:
    """Return the error for a database that SQLite finds damaged."""
    return DamagedError(
        f"The database of {project} is damaged and can only be read; recover what is left of it into a sound project.",
        detail=detail,
    )


def _explain_os(error: OSError, project: str, detail: str) -> MedViewError:
    if error.errno in _NO_ROOM:
        return _full(project, detail)
    if error.errno in _NO_PERMISSION:
        return _forbidden(project, detail)
    return WriteError(f"The disk failed while {project} was being used; check the disk and its connection.", detail=detail)


def _explain_sqlite(code: int, project: str, detail: str) -> MedViewError:
    primary = code & _PRIMARY_CODE
    if primary == sqlite3.SQLITE_FULL:
        return _full(project, detail)
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return _forbidden(project, detail)
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError(f"Another program is writing {project}; close it there and try again.", detail=detail)
    if primary == sqlite3.SQLITE_NOTADB:
        return StoreError(f"{project} is not a MedView project; choose a folder that MedView made.", detail=detail)
    if primary == sqlite3.SQLITE_CORRUPT:
        return damaged_database(project, detail)
    return WriteError(f"The disk refused to write {project}; check its free space and its connection.", detail=detail)


def _full(project: str, detail: str) -> DiskFullError:
    return DiskFullError(
        f"The disk has no room for {project}; free some space and saving goes on by itself.", detail=detail
    )


def _forbidden(project: str, detail: str) -> WriteError:
    return WriteError(
        f"{project} may not be opened for writing here; ask for the right to write this folder, or choose another.",
        detail=detail,
    )
