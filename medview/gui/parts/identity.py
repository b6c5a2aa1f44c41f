"""What is shown while the patient's identity is hidden: files and folders are often named after patients.

What cannot be known to be free of names is left out, so that a new message can say too little but never too much.
"""

from __future__ import annotations

import re

from medview.core.language import _, in_language, is_fixed, speaks_english
from medview.core.study import Series
from medview.workspace.events import Message, Severity
from medview.workspace.jobs import Job, Lane
from medview.workspace.load_state import LoadState

_WITHHELD = {
    Severity.INFO: _("Done; show the identity again to read what."),
    Severity.WARNING: _("There is something to know; show the identity again to read it, since it may name the patient."),
    Severity.ERROR: _("Something did not work; show the identity again to read what, since it may name the patient."),
}

_KINDS = {
    Lane.READ: _("Reading"),
    Lane.AHEAD: _("Reading"),
    Lane.MODEL: _("Running a model"),
    Lane.WRITE: _("Writing"),
    Lane.COMPUTE: _("Computing"),
    Lane.TRAIN: _("Getting a training ready"),
}

_NAMES_A_FILE = (
    (re.compile(r"\bImport .+"), _("Import labels")),
    (re.compile(r"\bread from .+"), "read from a file."),
    (re.compile(r"^Wrote .+"), _("Wrote the file.")),
)
"""Ends of good news that are the name of a file, and what stands for them."""


def message_text(message: Message, *, hidden: bool) -> str:
    """Return a message as it may be shown. Warnings and errors mostly begin with the name of a file."""
    if not hidden:
        return message.text
    if not speaks_english() and not is_fixed(message.text):
        return _WITHHELD[message.severity]
    text = command_name(message.text, hidden=True)
    if message.severity is not Severity.INFO or "/" in text or "\\" in text:
        return _WITHHELD[message.severity]
    return text


def command_name(name: str, *, hidden: bool) -> str:
    """Return the name of a history entry; imports are named after their file."""
    for pattern, instead in _NAMES_A_FILE if hidden else ():
        name = pattern.sub(instead, name)
    return name


def job_text(job: Job, *, hidden: bool) -> str:
    """Return what a job does; only of what kind it is while hidden."""
    if hidden:
        return _KINDS.get(job.lane, _("Working"))
    return f"{job.title}: {in_language(job.text)}" if job.text else job.title


def series_description(series: Series, *, hidden: bool) -> str:
    """Return how a series is called; files without a DICOM header are called by their own name."""
    plain = any(entry.frames and not entry.dicom_paths for entry in series.volumes)
    return _("Image file") if hidden and plain else series.description


def load_sentence(load: LoadState, *, hidden: bool) -> str:
    """Return what is to be known about slices; without the reasons, which name files, while hidden."""
    bad = len(load.damaged)
    if not hidden or not load.complete or not bad:
        return load.sentence()
    what = (
        _("Slice {damaged} is damaged.").format(damaged=load.damaged[0] + 1)
        if bad == 1
        else _("{bad} slices are damaged.").format(bad=bad)
    )
    return " ".join((what, _("The other {total} are shown.").format(total=load.total - bad)))
