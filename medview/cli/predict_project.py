"""``medview predict MODEL P.medview``: a model on every case of a project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medview.cli.output import print_json, progress, readers, say, show
from medview.core.errors import ModelError
from medview.workspace.project_predict import ProjectRun, predict_project


def run_on_project(run: ProjectRun, *, json: bool, quiet: bool) -> None:
    """Run, say how each case ended, and fail when any failed.

    Raises
    ------
    ModelError
        Naming the cases that failed.
    """
    with progress(quiet=quiet or json) as context, readers() as pool:
        document = predict_project(run, context, pool)
    if json:
        print_json(document)
    else:
        for case in document["cases"]:
            again = " (from an earlier run)" if case["resumed"] else ""
            show(f"case {case['case']}: {case['status']}{again}{': ' if case['reason'] else ''}{case['reason']}")
        say(
            f"{run.pack.spec.name}: {document['done']} cases done, {document['skipped']} skipped, "
            f"{document['failed']} failed; the results are in {run.output}."
        )
    if document["failed"]:
        raise ModelError(f"{document['failed']} of {len(document['cases'])} cases failed: {failures(document)}.")


def failures(document: Mapping[str, Any], most: int = 5) -> str:
    """Return which cases failed and why, in one line; empty where none did."""
    failed = [case for case in document["cases"] if case["status"] == "failed"]
    listed = "; ".join(f"case {case['case']}: {case['reason'].rstrip('.')}" for case in failed[:most])
    more = f"; and {len(failed) - most} more" if len(failed) > most else ""
    return f"{listed}{more}" if failed else ""
