"""What the workspace tells those who listen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from medview.core.annotations import BoxAnnotation, Trace
from medview.core.box import Box
from medview.core.changes import AnnotationChange, AnswerChange, Change
from medview.core.label_patch import LabelPatch
from medview.core.measurement import Measurement

_FIGURES = (Measurement, BoxAnnotation, Trace)


@dataclass(frozen=True, slots=True)
class LabelsChanged:
    """Changes that were just applied to the labels of a case.

    Attributes
    ----------
    changes : tuple of Change
        In the order they were applied; empty when everything is to be drawn anew.
    by_itself : bool
        No person did it: what a model found arrived, or something was noted.
    """

    series_uid: str
    changes: tuple[Change, ...]
    by_itself: bool = False

    def boxes(self) -> list[Box]:
        """Boxes of label voxels that were written."""
        return [change.box for change in self.changes if isinstance(change, LabelPatch)]

    @property
    def only_voxels(self) -> bool:
        """Whether nothing but label voxels changed."""
        return bool(self.changes) and all(isinstance(change, LabelPatch) for change in self.changes)

    @property
    def only_figures(self) -> bool:
        """Whether nothing but measurements, boxes, traces or answers changed; panes need not draw labels anew."""
        return bool(self.changes) and all(
            isinstance(change, AnswerChange)
            or (isinstance(change, AnnotationChange) and isinstance(change.after or change.before, _FIGURES))
            for change in self.changes
        )


class Severity(Enum):
    """How a message is shown."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class WayOut:
    """What a person can do about a message with one press.

    Attributes
    ----------
    take : callable
        Does it. Holds no case: a message outlives what it is about.
    """

    title: str
    tip: str
    take: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Message:
    """One line for the person.

    Attributes
    ----------
    undo : bool
        Offer an Undo link: the message reports a change that can be taken back.
    way_out : WayOut or None
        Offered as a button.
    """

    text: str
    severity: Severity = Severity.INFO
    undo: bool = False
    way_out: WayOut | None = None
