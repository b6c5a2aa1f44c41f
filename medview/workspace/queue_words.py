"""How tasks of the queue of models are told to a person."""

from __future__ import annotations

from medview.core.language import _, in_language
from medview.workspace.queue import Queue, QueueTask, SeriesPlace, TaskState

_STATES = {
    TaskState.WAITING: _("Waiting"),
    TaskState.RUNNING: _("Running"),
    TaskState.DONE: _("Done"),
    TaskState.FAILED: _("Failed"),
    TaskState.SKIPPED: _("Skipped"),
    TaskState.CANCELLED: _("Cancelled"),
}


def place_text(place: SeriesPlace, *, hidden: bool) -> str:
    """Return how a queued series is called; files without a DICOM header are called by their own name, which may tell."""
    if hidden and not place.modality:
        return _("Image file")
    parts = (place.modality, place.description)
    return " ".join(part for part in parts if part) or _("Series")


def state_text(task: QueueTask, *, hidden: bool) -> str:
    """Return how far a task is, with what is to be known of it; sentences may name files, and are left out while hidden."""
    state = _STATES[task.state]
    return f"{state}: {in_language(task.sentence)}" if task.sentence and not hidden else state


def counts_text(queue: Queue, between: str) -> str:
    """Return how many tasks there are in each state that has any."""
    counts = queue.counts()
    words = {
        TaskState.RUNNING: _("{n} running"),
        TaskState.WAITING: _("{n} waiting"),
        TaskState.DONE: _("{n} done"),
        TaskState.FAILED: _("{n} failed"),
        TaskState.SKIPPED: _("{n} skipped"),
        TaskState.CANCELLED: _("{n} cancelled"),
    }
    return between.join(text.format(n=counts[state]) for state, text in words.items() if counts[state])
