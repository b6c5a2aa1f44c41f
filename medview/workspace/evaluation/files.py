"""The report of an evaluation as files: JSON for programs, one HTML page for people."""

from __future__ import annotations

from pathlib import Path

from medview.core.atomic import replacing
from medview.workspace.evaluation.page import report_page
from medview.workspace.evaluation.report import EvaluationReport
from medview.workspace.exports import prepare_folder, write_json

REPORT_JSON, REPORT_PAGE = "report.json", "report.html"


def write_report(report: EvaluationReport, folder: Path, *, overwrite: bool) -> None:
    """Write ``report.json`` and ``report.html``, each whole or not at all.

    Raises
    ------
    WriteError, DiskFullError
    """
    prepare_folder(folder, overwrite=overwrite)
    document = report.document()
    write_json(folder / REPORT_JSON, document)
    with replacing(folder / REPORT_PAGE) as file:
        file.write(report_page(document, report.pictures).encode())
