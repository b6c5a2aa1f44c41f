"""Where the files shipped with MedView are."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def resource_path(name: str = "") -> Path:
    """Return the path of a shipped file or folder, e.g. ``resource_path("windows")``.

    In the wheel they are ``medview/_resources``; in a checkout the folder ``resources`` beside the package.

    Raises
    ------
    FileNotFoundError
        When the installation lacks it.
    """
    package = Path(str(resources.files("medview")))
    for root in (package / "_resources", package.parent / "resources"):
        path = root / name
        if path.exists():
            return path
    raise FileNotFoundError(f"MedView's own file {name!r} is missing; install MedView again.")
