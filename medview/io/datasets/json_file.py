"""JSON files of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from medview.core.errors import ReadError, RefusedError

MOST_BYTES = 256 << 20


def read_json(path: str, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """Return the object a JSON file holds.

    Raises
    ------
    ReadError, RefusedError
        When it is damaged, something else or too large.
    """
    file = Path(path)
    try:
        if file.stat().st_size > most_bytes:
            raise RefusedError(f"{file.name} is larger than {most_bytes >> 20} MB; it was not opened.")
        document = json.loads(file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ReadError(
            f"{file.name} cannot be read; check that it is there and may be read.", detail=repr(error)
        ) from error
    except (ValueError, RecursionError) as error:
        raise ReadError(f"{file.name} is damaged: it is no JSON; copy it again.", detail=str(error)[:200]) from error
    if not isinstance(document, dict):
        raise ReadError(f"{file.name} holds no object but something else; choose another file.")
    return document
