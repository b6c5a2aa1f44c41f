"""What a project looks like on the disk; the window asks while it starts, so no database and no images are known here."""

from __future__ import annotations

from pathlib import Path


def is_project(path: Path) -> bool:
    """Whether a folder is a project."""
    return (path / "project.db").is_file()
