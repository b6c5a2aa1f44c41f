"""The public command line, as a person would use it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

PATIENCE_SECONDS = 120
"""That a command gets to end by itself."""


class CommandError(RuntimeError):
    """A command ended with something else than success; holds its last lines."""


def medview(*arguments: object) -> None:
    """Run ``medview`` with arguments. Raises CommandError."""
    run("-m", "medview", *arguments)


def run(*arguments: object) -> None:
    """Run Python with arguments from the root of the repository. Raises CommandError.

    When this process is to end, the command is told so as by Ctrl-C, and waited for: a training writes a checkpoint.
    """
    command = [sys.executable, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        # In a session of its own, or a Ctrl-C of the terminal would reach it twice, and the second one ends it at once.
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            process.wait()
        except BaseException:
            _end(process)
            raise
        if process.returncode:
            said.seek(0)
            raise CommandError(f"{' '.join(command[1:6])} ...: {said.read()[-1500:].strip()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
