"""Drag: what is under the pointer is shown larger for as long as the button is down."""

from __future__ import annotations

from medview.workspace.pointer import Pointer
from medview.workspace.stage import Drag, Stage


def drag(_stage: Stage, _press: Pointer) -> Drag:
    """Change nothing; the hands show the loupe while this goes on."""
    while (yield) is not None:
        pass
