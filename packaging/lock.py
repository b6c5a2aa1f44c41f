"""Write requirements.lock (what the program needs) and requirements-dev.lock (what tests and checks add).

Run it after changing dependencies in pyproject.toml: ``make lock``. torch is held at one version, since a newer one would
pull several gigabytes of CUDA packages on a machine without a GPU.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HELD = ["torch==2.13.0"]
BUILD = ["hatchling", "editables"]


def compile_lock(output: str, *arguments: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
        constraints.write("\n".join(HELD))
        constraints.flush()
        command = [
            *(sys.executable, "-m", "piptools", "compile", "--quiet", "--strip-extras", "--no-header", "--allow-unsafe"),
            *("--no-emit-find-links", "--no-emit-index-url", "--no-emit-trusted-host", "--no-annotate"),
            *("--constraint", constraints.name, "--output-file", output, *arguments),
        ]
        subprocess.run(command, cwd=ROOT, check=True)
    lock = ROOT / output
    # A local build tag (2.13.0+cpu) names one machine's wheel; without it every build of the version matches.
    lock.write_text(re.sub(r"(==[\d.]+)\+\w+", r"\1", lock.read_text()))


def main() -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".in") as build:
        build.write("\n".join(BUILD))
        build.flush()
        compile_lock("requirements.lock", "pyproject.toml", build.name)
        compile_lock("requirements-dev.lock", "--extra", "dev", "pyproject.toml", build.name)


if __name__ == "__main__":
    main()
