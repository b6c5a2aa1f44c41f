"""The process of its own in which foreign weights are converted: how it is started, watched and stopped."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import medview
from medview.core.child_module import CONVERT, child_command
from medview.core.errors import PackError
from medview.core.job import JobContext
from medview.core.language import _

LIMIT_S = 300.0

LOOK_S = 0.1
"""Between two looks at Cancel."""

_KEPT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SYSTEMROOT",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
)
"""Variables a Python with torch needs to start."""


def convert_apart(source: Path, target: Path, context: JobContext) -> None:
    """Convert foreign weights into the pack ``target``, whose folder is all the process may write to.

    Raises
    ------
    PackError
        With the sentence of the converting process, or when it crashed or took too long.
    CancelledError
        When the job was cancelled; the process is gone then.
    """
    room = target.parent
    command = child_command(CONVERT, str(source.absolute()), str(target))
    context.progress(0.0, _("Converting the weights"))
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        cwd=room,
        env=bare_environment(room),
    )
    try:
        told = _waited(process, source, context)
    finally:
        process.kill()
        process.communicate()
    if process.returncode != 0:
        # Any other code is a crash, whose last line is no sentence.
        lines = told.strip().splitlines() if process.returncode == 1 else []
        raise PackError(
            lines[-1] if lines else f"{source} is not a model pack and could not be converted.",
            detail=f"{process.returncode}: {told}",
        )


def bare_environment(room: Path) -> dict[str, str]:
    """Return the environment of the converting process: where its code lies and where it may write, and no secrets."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    code = str(Path(medview.__file__).resolve().parents[1])
    here = str(room)
    return {**kept, "PYTHONPATH": code, "HOME": here, "USERPROFILE": here, "TMPDIR": here, "TEMP": here, "TMP": here}


def _waited(process: subprocess.Popen[str], source: Path, context: JobContext) -> str:
    """Return what the process wrote, once it ended."""
    ends = time.monotonic() + LIMIT_S
    while True:
        try:
            return process.communicate(timeout=LOOK_S)[1]
        except subprocess.TimeoutExpired as error:
            context.raise_if_cancelled()
            if time.monotonic() > ends:
                raise PackError(f"Converting {source} took too long and was stopped; the files may be damaged.") from error
