"""Changes of the list of cases on their way into the project."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medview.core.job import JobContext
from medview.core.language import _
from medview.workspace.jobs import Lane

if TYPE_CHECKING:
    from medview.store.project import Project

Write = Callable[["Project"], None]


class Waiting:
    """What is to be written, in order. Each change is written once, by a job or by who closes the project.

    May be used from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changes: deque[Write] = deque()

    @property
    def empty(self) -> bool:
        """Whether nothing is to be written."""
        return not self._changes

    def add(self, change: Write) -> None:
        """Take a change in."""
        self._changes.append(change)

    def write(self, project: Project) -> None:
        """Write what waits; what fails is not tried again. Raises MedViewError of the first that does."""
        with self._lock:
            while self._changes:
                self._changes.popleft()(project)


@dataclass(frozen=True, slots=True, eq=False)
class WriteCases:
    """Request: write what waits."""

    project: Project
    waiting: Waiting
    title: str = field(default=_("Saving the list of cases"))
    lane: Lane = field(default=Lane.WRITE)

    def run(self, _context: JobContext) -> None:
        """Write in a worker."""
        self.waiting.write(self.project)
