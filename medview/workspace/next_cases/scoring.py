"""One case looked at by a model for what it is unsure of. Belongs into a worker."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from medview.core.errors import ModelError
from medview.core.job import JobContext, JobPart
from medview.core.language import _
from medview.io.library import Library
from medview.io.reader_pool import Pool
from medview.ml.next_cases.case_scores import CaseScores
from medview.ml.packs import ModelPack
from medview.ml.runners.quiet_import import import_torch
from medview.ml.spec import Task
from medview.store.case_images import CaseImages
from medview.workspace.case_request import request_of_case
from medview.workspace.input_preparation import prepared
from medview.workspace.jobs import Lane
from medview.workspace.next_cases.shelf import ScoreShelf

_READ = 0.1
"""Part of the work that reading a case is taken to be."""


def check_pack(pack: ModelPack) -> None:
    """Raise ModelError where a model cannot say what it is unsure of."""
    if pack.spec.task is Task.INTERACTIVE:
        raise ModelError(f"{pack.spec.name} waits for clicks, so nothing says what it is unsure of; choose another model.")
    if not pack.available:
        raise ModelError(pack.reason)


def score_case(
    pack: ModelPack,
    row: CaseImages,
    rows: Sequence[CaseImages],
    shelf: ScoreShelf,
    context: JobContext,
    pool: Pool,
    device: str = "auto",
    library: Library | None = None,
) -> CaseScores:
    """Return what a model makes of a case: from the shelf, or worked out and put there.

    Raises
    ------
    ModelError
        When the model is not for this case, or cannot run on this computer.
    MedViewError
        When the case cannot be read.
    CancelledError
    """
    known = shelf.get(row)
    if known is not None:
        return known
    case = request_of_case(pack, row, rows, JobPart(context, 0.0, _READ), pool, device, library)
    request, part = prepared(case.request, JobPart(context, _READ, 1.0))
    import_torch()
    found: CaseScores = importlib.import_module("medview.ml.runners.run").unsure(request, part)
    shelf.put(row, found)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class ScoreCase:
    """Request: what a model is unsure of in one case; nobody waits for it.

    Attributes
    ----------
    give_way : callable
        Called, on the workspace's thread, when a person asks for a model: it cancels this and begins it anew later.
    """

    pack: ModelPack
    row: CaseImages
    rows: tuple[CaseImages, ...]
    shelf: ScoreShelf
    pool: Pool
    number: int
    count: int
    give_way: Callable[[], None]
    library: Library | None = None

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Looking for what to label next, case {number} of {count}").format(number=self.number, count=self.count)

    @property
    def lane(self) -> Lane:
        """The one GPU lane."""
        return Lane.MODEL

    def run(self, context: JobContext) -> CaseScores:
        """Run in a worker."""
        return score_case(self.pack, self.row, self.rows, self.shelf, context, self.pool, library=self.library)


def shelf_of(project: Path, pack: ModelPack) -> ScoreShelf:
    """Return where the scores of a model on the cases of a project are."""
    return ScoreShelf(project, pack.digest)
