"""Tables as CSV files."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from medview.core.atomic import replacing

_NUMBER = re.compile(r"[-+]?\d[\d.]*(e[-+]?\d+)?")
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(path: Path, rows: Sequence[Sequence[str]]) -> None:
    """Write rows, whole or not at all: UTF-8 with a mark that spreadsheets know it by, commas between.

    Raises
    ------
    WriteError, DiskFullError
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([[_inert(cell) for cell in row] for row in rows])
    with replacing(path) as file:
        file.write(text.getvalue().encode("utf-8-sig"))


def _inert(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: labels may come from files of others."""
    harmless = not cell.startswith(_STARTS_FORMULA) or _NUMBER.fullmatch(cell)
    return cell if harmless else f"'{cell}"
