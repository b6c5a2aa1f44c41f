"""The public command line, as a person would use it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


class CommandError(RuntimeError):
    """A command ended with something else than success; holds its last lines."""


def medview(*arguments: object) -> None:
    """Run ``medview`` with arguments. Raises CommandError."""
    run("-m", "medview", *arguments)


def run(*arguments: object) -> None:
    """Run Python with arguments from the root of the repository. Raises CommandError."""
    command = [sys.executable, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandError(f"{' '.join(command[1:6])} ...: {(done.stderr or done.stdout)[-1500:].strip()}")
