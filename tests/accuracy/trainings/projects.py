"""Projects made of the datasets by ``medview project``, once, and used by all rows that train on them."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.accuracy.trainings.command_line import medview
from tests.accuracy.trainings.data import Data

READY = "imported"
"""A file beside a project that has all of its cases."""


def project_of(data: Data, root: Path, folder: Path, fold: int | None, folds: int) -> Path:
    """Return the project of a dataset, or of one fold of it; make it, or go on making it, where it is not whole.

    Parameters
    ----------
    root : Path
        What MEDVIEW_TEST_DATA names.
    folder : Path
        Of all projects.
    """
    named = f"{data.name}-{data.sha256(root)[:12]}" + ("" if fold is None else f"-fold{fold}of{folds}")
    own = folder / named
    project = own / f"{data.name}.medview"
    if (own / READY).exists():
        return project
    own.mkdir(parents=True, exist_ok=True)
    source, options = data.source(root), list(data.options)
    if data.cut is not None:
        shutil.rmtree(own / "part", ignore_errors=True)
        (own / "part").mkdir()
        data.cut(source, own / "part")
        source = own / "part"
    if fold is not None:
        splits = own / "splits.csv"
        data.write_fold(root, fold, folds, splits)
        options += ["--split-from", str(splits)]
    if not project.exists():
        medview("project", "create", project)
    medview("project", "import", project, source, *options, "--quiet")
    (own / READY).touch()
    return project
