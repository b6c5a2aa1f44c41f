"""Drag: what is under the pointer is shown larger for as long as the button is down."""

from __future__ import annotations

from medview.workspace.pointer import Pointer
from medview.workspace.preview import LoupePreview
from medview.workspace.stage import Drag, Stage


def drag(_stage: Stage, press: Pointer) -> Drag:
    """Show the loupe; nothing changes."""
    at: Pointer | None = press
    while at is not None:
        at = yield LoupePreview(at.pane, at.row, at.column)
