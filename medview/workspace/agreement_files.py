"""How far readers go together, as tables for spreadsheets and one JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from medview.io.csv_table import write_csv
from medview.workspace.exports import prepare_folder, write_json
from medview.workspace.project_agreement import ProjectAgreement


def write_agreement(found: ProjectAgreement, folder: Path, *, overwrite: bool) -> list[str]:
    """Write ``agreement.json`` and a CSV for each table that has rows; return the names of the files.

    Raises
    ------
    WriteError, DiskFullError
    """
    prepare_folder(folder, overwrite=overwrite)
    report = found.report
    tables: dict[str, list[Mapping[str, object]]] = {
        "segments.csv": [line.flat() for line in report.segments],
        "segments_by_case.csv": [row.document() for row in report.rows],
        "boxes.csv": [line.flat() for line in report.boxes],
        "boxes_by_case.csv": [row.document() for row in report.box_rows],
        "answers.csv": [row for answer in report.answers for row in answer.flat()],
    }
    names: list[str] = []
    for name, rows in tables.items():
        if rows:
            write_csv(folder / name, _cells(rows))
            names.append(name)
    write_json(folder / "agreement.json", found.document())
    return [*names, "agreement.json"]


def _cells(rows: list[Mapping[str, object]]) -> list[list[str]]:
    columns = list(rows[0])
    return [columns, *([_cell(row[column]) for column in columns] for row in rows)]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    # What is 0 but for the last digits of floating point is 0 to whoever reads the table.
    return f"{round(value, 12) + 0.0:.10g}" if isinstance(value, float) else str(value)
