"""Polygon and lasso: clicks put corners, a drag draws with a free hand; once closed it is adjusted, then filled."""

from __future__ import annotations

from medview.workspace.label_writing import may_write
from medview.workspace.outline_clicks import OutlineClicks, OutlineKind
from medview.workspace.outline_fill import fill
from medview.workspace.pointer import Modifiers, Pointer
from medview.workspace.stage import Stage

_KIND = OutlineKind(fill)


def begin(stage: Stage, press: Pointer) -> OutlineClicks | None:
    """Begin an outline where labels can be changed; Ctrl erases."""
    return OutlineClicks(stage, press, _KIND) if may_write(stage, erase=Modifiers.CTRL in press.modifiers) else None
