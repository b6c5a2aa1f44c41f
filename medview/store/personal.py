"""The project of everything labelled without a project."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from medview.store.clock import Clock
from medview.store.project import Project
from medview.store.project_folder import DATABASE_NAME

FOLDER_NAME = "personal.medview"


def personal_project(data_folder: Path | None = None, *, read_only: bool = False, clock: Clock | None = None) -> Project:
    """Open the person's own project, making it at first use.

    Parameters
    ----------
    data_folder : Path, optional
        The user's data folder for MedView when left out.

    Raises
    ------
    MedViewError
        As ``Project.open`` and ``Project.create``; LockedError when another window has it.
    """
    folder = data_folder or Path(platformdirs.user_data_dir("MedView", appauthor=False))
    path = folder / FOLDER_NAME
    if not (path / DATABASE_NAME).is_file() and not read_only:
        project = Project.create(path, "Personal", clock=clock)
        # It knows where images lie, and computers are shared.
        path.chmod(0o700)
        return project
    return Project.open(path, read_only, clock=clock)
