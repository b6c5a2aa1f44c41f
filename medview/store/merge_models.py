"""Model lines of two copies of a project are told, not mixed: what counts in one was never compared in the other."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Connection

from medview.store.merge_report import MergeReport
from medview.store.model_book import version_rows


def tell_models(mine: Connection, theirs: Connection, report: MergeReport) -> None:
    """Note which versions only the other copy has."""
    here = {row.made.digest for row in version_rows(mine)}
    there = Counter(row.made.line for row in version_rows(theirs) if row.made.digest not in here)
    for line, count in sorted(there.items()):
        versions = "1 version" if count == 1 else f"{count} versions"
        report.notes.append(
            f"{report.other} has {versions} of the model line {line} that this project has not; they stay there. To use "
            "one here take up its training: medview project models P --take RUN."
        )
