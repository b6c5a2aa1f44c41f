"""What a tool may touch during a gesture."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Protocol

from medview.core.box import Box
from medview.edit.rules import LabelWriter
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Pointer
from medview.workspace.preview import Preview
from medview.workspace.view_state import Bench

Drag = Generator[Preview | None, Pointer | None, None]
"""One gesture: primed with the press, fed with each move, ended by None. Closed early when the person presses Escape.

It yields what it wants drawn until the next move; None leaves that to the tool's ``hover``."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The case under the hand, the bench, and a way to say something.

    Attributes
    ----------
    say : callable
        Shows one line, e.g. why a stroke changed nothing.
    """

    bench: Bench
    case: OpenCase
    say: Callable[[str], None]

    def writer(self, box: Box) -> LabelWriter:
        """Return what turns masks of a box into changes, within the rules of the bench."""
        return LabelWriter(self.case.labels.segmentation, box, self.bench.rules, self.case.anchor.volume)


DragTool = Callable[[Stage, Pointer], Drag]


class Clicks(Protocol):
    """A gesture that goes on from click to click. What changes its state says whether the gesture is over."""

    @property
    def case(self) -> OpenCase:
        """The case it is drawn on."""

    def press(self, pointer: Pointer) -> bool:
        """Take a further press."""

    def release(self, pointer: Pointer) -> bool:
        """Take the end of a drag."""

    def close(self) -> bool:
        """Finish with what was clicked so far, where that is enough."""

    def back(self) -> bool:
        """Forget the last click."""

    def preview(self, pointer: Pointer | None) -> Preview | None:
        """Return what is to be drawn meanwhile; None on another slice than that it was begun on."""
