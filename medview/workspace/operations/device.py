"""What is offered when the computer, not the model, was to blame for a run that failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from medview.core.errors import GraphicsError, MedViewError
from medview.core.language import _
from medview.workspace.events import WayOut

if TYPE_CHECKING:
    from medview.workspace.workspace import Workspace


def reporting(workspace: Workspace, key: str, again: Callable[[], object]) -> Callable[[MedViewError], None]:
    """Return what reports a run that failed; where the graphics card was to blame it offers the processor.

    Parameters
    ----------
    key : str
        Of the case it ran on. The offer does nothing once another is the active one.
    again : callable
        Runs the model once more on the active case, on the processor. Holds no case.
    """

    def take() -> None:
        active = workspace.active
        if active is not None and active.key == key:
            again()
        else:
            workspace.say(_("That series is no longer the open one; open it and run the model there."))

    def report(error: MedViewError) -> None:
        offered = isinstance(error, GraphicsError)
        tip = _("Run it again without the graphics card; it takes longer")
        workspace.report(error, WayOut(_("Run on the CPU"), tip, take) if offered else None)

    return report
