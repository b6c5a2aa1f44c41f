"""The project of everything labelled without a project."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from medview.store.clock import Clock
from medview.store.project import Project
from medview.store.project_folder import DATABASE_NAME

FOLDER_NAME = "personal.medview"


def personal_project(data_folder: Path | None = None, *, or_read: bool = False, clock: Clock | None = None) -> Project:
    """Open the person's own project, making it at first use.

    Parameters
    ----------
    data_folder : Path, optional
        The user's data folder for MedView when left out.
    or_read : bool
        Read a copy where it cannot be written, as ``Project.open_or_read``.

    Raises
    ------
    MedViewError
        As ``Project.open`` and ``Project.create``; LockedError when another window has it.
    """
    folder = data_folder or Path(platformdirs.user_data_dir("MedView", appauthor=False))
    path = folder / FOLDER_NAME
    if not (path / DATABASE_NAME).is_file():
        project = Project.create(path, "Personal", clock=clock)
        # It knows where images lie, and computers are shared.
        path.chmod(0o700)
    else:
        project = Project.open_or_read(path, clock=clock) if or_read else Project.open(path, clock=clock)
    project.one_person = True
    return project
