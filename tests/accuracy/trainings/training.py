"""One training by the command line: begun, or gone on with where an earlier process ended."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.accuracy.trainings.command_line import CommandError, medview


def trained(source: Path, folder: Path, options: Sequence[object], say: Callable[[str], None]) -> None:
    """Train to the end.

    Parameters
    ----------
    source : Path
        A project or a dataset folder.
    folder : Path
        Of the training.
    options : sequence
        Of ``medview train`` for a new one.
    say : callable
        Told what goes on.

    Raises
    ------
    CommandError
        When it fails; a new one that has learnt nothing yet is removed, since going on would only fail again.
    """
    if (folder / "run.json").exists():
        say(f"going on; medview train --watch {folder} follows it")
        medview("train", "--run", folder, "--quiet")
        return
    # Without settings it was never made whole.
    shutil.rmtree(folder, ignore_errors=True)
    say(f"training; medview train --watch {folder} follows it")
    try:
        medview("train", source, *options, "-o", folder, "--quiet")
    except CommandError:
        if not any((folder / "checkpoints").glob("*")):
            shutil.rmtree(folder, ignore_errors=True)
        raise
