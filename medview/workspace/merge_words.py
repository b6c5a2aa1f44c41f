"""What came of merging a copy of a project, in words."""

from __future__ import annotations

from medview.core.language import _, in_language, plural
from medview.workspace.merging import MergedCopy


def joined(merged: MergedCopy) -> str:
    """Return what was taken from a copy in one line."""
    report = merged.report
    if report is None:
        return in_language(merged.problem)
    counts = (
        (report.cases, plural("{n} new case", "{n} new cases", report.cases)),
        (report.patients, plural("{n} new patient", "{n} new patients", report.patients)),
        (report.readers, plural("{n} new reader", "{n} new readers", report.readers)),
        (report.readings, plural("{n} new reading", "{n} new readings", report.readings)),
        (
            len(report.extended),
            plural("{n} reading that goes on further", "{n} readings that go on further", len(report.extended)),
        ),
        (report.gestures, plural("{n} gesture", "{n} gestures", report.gestures)),
        (report.settled, plural("{n} later decision", "{n} later decisions", report.settled)),
    )
    parts = [text.format(n=count) for count, text in counts if count]
    if parts:
        return _("Joined: {what}.").format(what=", ".join(parts))
    return _("Only notes of its activity were new.") if report.changed else _("It holds nothing new.")


def beside(merged: MergedCopy) -> list[str]:
    """Return where both copies went on, so that both stay; one sentence each."""
    return [in_language(line) for line in merged.report.conflicts] if merged.report is not None else []


def to_know(merged: MergedCopy) -> list[str]:
    """Return what else somebody should know, one sentence each."""
    report = merged.report
    if report is None:
        return []
    lines = [in_language(line) for line in report.notes]
    if report.pseudonyms:
        called = ", ".join(
            _("{theirs} is {mine}").format(theirs=theirs, mine=mine) for theirs, mine in sorted(report.pseudonyms.items())
        )
        lines.append(_("Patients who are called otherwise here than there: {called}.").format(called=called))
    return lines
