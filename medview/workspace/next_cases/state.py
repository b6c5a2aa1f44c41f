"""What to label next in the project that is open: which model is asked, how far it is, what is proposed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol

from psygnal import Signal

from medview.core.effort_rate import GUESS, EffortRate
from medview.ml.next_cases.strategy import Strategy
from medview.ml.packs import ModelPack
from medview.workspace.view_state import Mode

if TYPE_CHECKING:
    # The database library is imported when a project is opened, which is after the window stands.
    from medview.store.cases import CaseRow
    from medview.workspace.next_cases.batch import NextCase
    from medview.workspace.workspace import Workspace

SHOWN = (Strategy.UNCERTAINTY, Strategy.FOREGROUND_RANDOM)
"""What is proposed, and what chance would give."""

COUNT = 5


class Scorer(Protocol):
    """Who asks the model about cases."""

    def load(self, digest: str) -> None:
        """Read what a model made of cases before; of the project's own where none is named."""

    def go_on(self) -> None:
        """Look at the next case, unless one is looked at."""

    def stop(self) -> None:
        """Stop looking at the case that is looked at."""

    def propose(self) -> None:
        """Choose again among the cases with scores."""

    def let_go(self) -> None:
        """Forget the project."""


class NextCases:
    """Nothing is looked at before somebody asks for it; what was looked at earlier is shown at once.

    Attributes
    ----------
    packs : tuple of ModelPack
        Models that may be asked: those of the project first.
    pack : ModelPack or None
        The one that is.
    strategy : Strategy
        Which of the two batches is shown.
    batches : dict
        Strategy -> cases.
    seed : int
        Of chance; another one gives another batch.
    loaded, known : bool
        Somebody wants to see it, and what is known of the project's cases was read.
    problem : str
        Why it could not be read; empty where it could.
    looking : bool
        Cases are looked at in the background.
    looked, total : int
        How many cases have scores or cannot have any, and how many there are.
    failed : dict of int to str
        Case -> why the model cannot be run on it.
    held_out : int
        Cases of patients of validation and test, which are never proposed.
    rate : EffortRate
        What minutes follow from.
    """

    changed = Signal()
    """Anything of it changed."""
    revealed = Signal()
    """Somebody wants to see it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._scorer: Scorer | None = None
        self._closing: object = None
        self.forget()
        workspace.worklist.changed.connect(self._on_list)
        workspace.models_changed.connect(self._on_models)

    def forget(self) -> None:
        """Begin anew, as in another project."""
        self.packs: tuple[ModelPack, ...] = ()
        self.pack: ModelPack | None = None
        self.strategy = Strategy.UNCERTAINTY
        self.batches: dict[Strategy, tuple[NextCase, ...]] = {}
        self.seed = 0
        self.looking = self.loaded = self.known = False
        self.problem = ""
        self.looked = self.total = self.held_out = 0
        self._asked = ""
        self._listed: set[int] = set()
        self.failed: dict[int, str] = {}
        self.rate: EffortRate = GUESS

    @property
    def shown(self) -> tuple[NextCase, ...]:
        """The batch that is shown."""
        return self.batches.get(self.strategy, ())

    @property
    def wanted(self) -> bool:
        """Whether there is a project with cases to choose from."""
        return self._workspace.services.project is not None and len(self._workspace.worklist.rows) > 1

    def row(self, case: NextCase) -> CaseRow | None:
        """Return the line of a proposed case, or None where it is gone."""
        return self._workspace.worklist.row(case.case_id)

    def reveal(self) -> None:
        """Show the part of the column that it stands in, which is one of annotation."""
        bench = self._workspace.bench
        bench.panels_visible, bench.mode = True, Mode.ANNOTATE
        self.revealed.emit()

    def load(self) -> None:
        """Read what is known, once for a project; nothing any more of one that is being closed."""
        if self.wanted and not self.loaded and self._workspace.services.project is not self._closing:
            self.loaded, self._listed = True, self._ids()
            self.scorer.load("")
            self.changed.emit()

    def try_again(self) -> None:
        """Read what is known, where that did not work before."""
        if self.problem:
            self.problem = ""
            self.scorer.load(self._asked)
            self.changed.emit()

    def not_known(self, problem: str) -> None:
        """Say why what is known could not be read; it is not tried again by itself."""
        self.problem = problem
        self.changed.emit()

    def ask(self, digest: str) -> None:
        """Ask another of the models."""
        if self.pack is None or digest != self.pack.digest:
            self._asked, self.looking = digest, False
            self.scorer.load(digest)

    def begin(self) -> None:
        """Look at cases, one after the other."""
        if self.pack is not None and not self.looking:
            self.looking = True
            self.changed.emit()
            self.scorer.go_on()

    def pause(self) -> None:
        """Look at no further case."""
        if self.looking:
            self.looking = False
            self.scorer.stop()
            self.changed.emit()

    def show(self, strategy: Strategy) -> None:
        """Show one of the two batches."""
        if strategy is not self.strategy:
            self.strategy = strategy
            self.changed.emit()

    def draw_again(self) -> None:
        """Propose other cases: chance has a part in both batches."""
        self.seed += 1
        self.scorer.propose()

    def put_first(self) -> None:
        """Put the cases that are shown first in the list of cases, in this order."""
        self._workspace.worklist.changes.put_first([case.case_id for case in self.shown])

    def open(self, case: NextCase) -> None:
        """Open a case at the slice the model is most unsure of."""
        self._workspace.arrival.open_at(case.case_id, case.ranges[0].best if case.ranges else None)

    def let_go(self) -> None:
        """Get ready for the project to be closed."""
        if self._scorer is not None:
            self._scorer.let_go()
        self._closing = self._workspace.services.project
        self.forget()
        self.changed.emit()

    def stay(self) -> None:
        """The project stays open after all."""
        self._closing = None
        self.changed.emit()

    @property
    def scorer(self) -> Scorer:
        """Made when it is needed: it imports what reads series."""
        if self._scorer is None:
            module = importlib.import_module("medview.workspace.operations.next_cases")
            made: Scorer = module.CaseScorer(self._workspace, self)
            self._scorer = made
        return self._scorer

    def _on_models(self) -> None:
        # A new version of the project's own counts, unless somebody asks a certain model.
        if self.loaded:
            self.scorer.load(self._asked)

    def _on_list(self) -> None:
        if self.loaded and self._scorer is not None:
            if new := self._ids() - self._listed:
                # What is known of the images was read before they came.
                self._listed |= new
                self._scorer.load(self._asked)
            else:
                # Cases were begun or done: others are proposed.
                self._scorer.propose()
        self.changed.emit()

    def _ids(self) -> set[int]:
        return {row.case_id for row in self._workspace.worklist.rows}
