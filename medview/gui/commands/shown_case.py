"""Questions that let other work go on meanwhile: whether their answer is still about the series it was asked of."""

from __future__ import annotations

from medview.core.language import _
from medview.workspace.events import Severity
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace


def is_still_active(case: OpenCase | None, workspace: Workspace) -> bool:
    """Whether a case is the active one still; says so where it is not.

    Parameters
    ----------
    case : OpenCase or None
        The one that was active before a file was asked for. Series that are being read are shown behind that dialog.
    """
    if workspace.active is case:
        return True
    text = _("Another series is shown now than when the file was chosen; do it again.")
    workspace.say(text, Severity.WARNING)
    return False
