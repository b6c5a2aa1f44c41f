"""One thing a person can ask for by key, menu or search, and when it makes sense."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from medview.workspace.workspace import Workspace

Test = Callable[[Workspace], bool]
Run = Callable[[Workspace], None]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do.

    Attributes
    ----------
    action_id : str
        Key of the scheme's table of shortcuts.
    title : str
        In the user's words, sentence case.
    icon : str
        qtawesome name, or empty.
    enabled : callable
        Whether it makes sense now.
    """

    action_id: str
    title: str
    run: Run
    icon: str = ""
    enabled: Test = lambda _workspace: True


def has_case(workspace: Workspace) -> bool:
    """Whether a series is open."""
    return workspace.active is not None


def can_change(workspace: Workspace) -> bool:
    """Whether the labels of the active series can be changed now."""
    return workspace.active is not None and workspace.active.editable
