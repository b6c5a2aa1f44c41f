"""What the workspace works with besides the document: readers, models, the index of known files, the project."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medview.io.library import Library, user_library
from medview.io.reader_pool import Pool
from medview.ml.registry import Registry

if TYPE_CHECKING:
    # The database library is imported when a project is opened, which is after the window stands.
    from medview.store.project import Project


@dataclass(slots=True)
class Services:
    """Long-lived helpers, made once at start.

    Attributes
    ----------
    project : Project or None
        Where labels are kept; None when no project could be opened, and ``project_problem`` says why.
    library : Library
        Which files were looked at before.
    """

    pool: Pool
    registry: Registry
    project: Project | None = None
    project_problem: str = ""
    library: Library = field(default_factory=user_library)
