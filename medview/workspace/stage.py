"""What a tool may touch during a gesture."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Pointer
from medview.workspace.view_state import Bench

Drag = Generator[None, Pointer | None, None]
"""One gesture: primed with the press, fed with each move, ended by None. Closed early when the person presses Escape."""


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


DragTool = Callable[[Stage, Pointer], Drag]
