"""The drag that goes on, while there is one."""

from __future__ import annotations

from medview.workspace.pointer import Pointer
from medview.workspace.preview import Preview, RegionPreview
from medview.workspace.stage import Drag


class Dragging:
    """Holds one gesture of a tool and the moves that wait for the next frame.

    Attributes
    ----------
    shown : Preview or None
        What the gesture wants drawn.
    """

    def __init__(self) -> None:
        self._drag: Drag | None = None
        self._waiting: list[Pointer] = []
        self.shown: Preview | None = None

    @property
    def going_on(self) -> bool:
        """Whether there is one."""
        return self._drag is not None

    @property
    def finding(self) -> bool:
        """Whether what is shown is a part of what is being found."""
        return self.going_on and isinstance(self.shown, RegionPreview) and not self.shown.complete

    def begin(self, drag: Drag) -> None:
        """Take a gesture and let it see its press; one that ends at once is let go."""
        self._drag = drag
        self._step(first=True)

    def send(self, pointer: Pointer | None) -> None:
        """Let it see a move."""
        if self._drag is not None:
            self._step(pointer)

    def finish(self) -> None:
        """Let it end as it wants to."""
        self.send(None)
        self._let_go()

    def give_up(self) -> None:
        """Let it take back what it did."""
        if self._drag is not None:
            self._drag.close()
        self._let_go()

    def wait(self, pointer: Pointer) -> None:
        """Keep a move for the next frame."""
        self._waiting.append(pointer)

    @property
    def waits(self) -> bool:
        """Whether moves wait."""
        return bool(self._waiting)

    def take(self) -> list[Pointer]:
        """Return the moves that waited; they wait no longer."""
        waited, self._waiting = self._waiting, []
        return waited

    def _step(self, pointer: Pointer | None = None, *, first: bool = False) -> None:
        assert self._drag is not None
        try:
            self.shown = next(self._drag) if first else self._drag.send(pointer)
        except StopIteration:
            self._let_go()

    def _let_go(self) -> None:
        self._drag = self.shown = None
