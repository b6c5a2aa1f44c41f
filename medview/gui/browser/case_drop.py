"""What may be dropped on the list of cases: series and studies of this window, folders, files and tables."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData

from medview.core.study import Series
from medview.gui.parts.series_mime import decode_series
from medview.workspace.project_place import is_project
from medview.workspace.workspace import Workspace


def dropped_cases(data: QMimeData, workspace: Workspace) -> tuple[list[Path], list[Series]] | None:
    """Return the places and the series that are dragged; None for what becomes no case, as a project does."""
    if workspace.services.project is None:
        return None
    if series := decode_series(data, workspace):
        return [], list(series)
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return (paths, []) if paths and not any(is_project(path) for path in paths) else None
