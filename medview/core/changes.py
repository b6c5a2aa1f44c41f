"""Reversible changes of the labels of one case, and the commands made of them."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.annotations import Annotation
from medview.core.answer import Answer
from medview.core.effort import Effort
from medview.core.label_patch import LabelPatch
from medview.core.marks import Marks
from medview.core.prediction import Proposal
from medview.core.prompt_log import PromptLog
from medview.core.segmentation import Segment


@dataclass(frozen=True, slots=True)
class SegmentChange:
    """A segment added (``before`` is None), removed (``after`` is None) or altered, at ``position`` in the list."""

    before: Segment | None
    after: Segment | None
    position: int

    def inverse(self) -> SegmentChange:
        """Return the change that takes this one back."""
        return SegmentChange(self.after, self.before, self.position)


@dataclass(frozen=True, slots=True)
class AnnotationChange:
    """An annotation added, removed or altered."""

    before: Annotation | None
    after: Annotation | None

    def inverse(self) -> AnnotationChange:
        """Return the change that takes this one back."""
        return AnnotationChange(self.after, self.before)


@dataclass(frozen=True, slots=True)
class ProposalChange:
    """A proposal put up, taken away or reduced to what is left after a part was accepted."""

    before: Proposal | None
    after: Proposal | None

    def inverse(self) -> ProposalChange:
        """Return the change that takes this one back."""
        return ProposalChange(self.after, self.before)


@dataclass(frozen=True, slots=True)
class MarksChange:
    """Slices marked done, or no longer."""

    before: Marks
    after: Marks

    def inverse(self) -> MarksChange:
        """Return the change that takes this one back."""
        return MarksChange(self.after, self.before)


@dataclass(frozen=True, slots=True)
class EffortChange:
    """A segment accepted from a model (``before`` is None), or what was measured of it since."""

    before: Effort | None
    after: Effort | None

    def inverse(self) -> EffortChange:
        """Return the change that takes this one back."""
        return EffortChange(self.after, self.before)


@dataclass(frozen=True, slots=True)
class PromptChange:
    """What was pointed at to find one segment: its log begun (no ``before``), forgotten (no ``after``) or gone on."""

    before: PromptLog | None
    after: PromptLog | None

    def inverse(self) -> PromptChange:
        """Return the change that takes this one back."""
        return PromptChange(self.after, self.before)


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """A question of a form answered (no ``before``), answered otherwise, or answered no longer (no ``after``)."""

    before: Answer | None
    after: Answer | None

    def inverse(self) -> AnswerChange:
        """Return the change that takes this one back."""
        return AnswerChange(self.after, self.before)


Change = (
    LabelPatch
    | SegmentChange
    | AnnotationChange
    | ProposalChange
    | MarksChange
    | EffortChange
    | PromptChange
    | AnswerChange
)


@dataclass(frozen=True, slots=True)
class Command:
    """One gesture: changes that are done, undone and journalled together.

    Attributes
    ----------
    name : str
        In the user's words, for the history: ``Brush Liver``.
    tool : str
        Which tool made it, for the record: ``brush``, ``accept``.
    """

    name: str
    changes: tuple[Change, ...]
    tool: str = ""

    def inverse(self) -> Command:
        """Return the command that takes this one back."""
        return Command(self.name, tuple(change.inverse() for change in reversed(self.changes)), self.tool)
