"""Reads label sets away from the window."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from medview.core.job import JobContext
from medview.core.label_set import LabelSet
from medview.core.language import _
from medview.io.label_sets import read_label_set
from medview.io.reader_pool import Pool
from medview.workspace.jobs import Lane


@dataclass(frozen=True, slots=True)
class ReadLabelSet:
    """Request: a file of labels of this or another program."""

    path: Path
    pool: Pool

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Reading {name}").format(name=self.path.name)

    @property
    def lane(self) -> Lane:
        """Reading."""
        return Lane.READ

    def run(self, _context: JobContext) -> LabelSet:
        """Read in a reader process."""
        return read_label_set(self.path, self.pool)
