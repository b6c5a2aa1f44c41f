"""A copy of a dataset folder that stays as it is, whatever becomes of the folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from medview.core.atomic import write_error
from medview.io.datasets.checksums import CHECKSUMS, read_checksums
from medview.io.datasets.neutral import IMAGES


def copy_neutral(source: Path, target: Path) -> None:
    """Copy a dataset folder; pictures share the disk's blocks where they can.

    Labels and what is said of cases do not: whoever writes them again in place would change the copy.

    Raises
    ------
    ReadError
        When the folder's checksums cannot be read.
    WriteError
        When the copy cannot be written.
    """
    try:
        for name in (CHECKSUMS, *read_checksums(source)):
            file = target / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if not (name.startswith(f"{IMAGES}/") and _linked(source / name, file)):
                shutil.copyfile(source / name, file)
    except OSError as error:
        raise write_error(target, error) from error


def _linked(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:
        return False
    return True
