"""The same frames in a real window under a virtual screen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.row import Row
from tests.end_to_end.driver import REPOSITORY, missing_tools, virtual_screen

MODULES = ("view_frames", "linked")


def rows() -> list[Row]:
    if missing_tools():
        print(f"  skipped: {', '.join(missing_tools())} not installed", file=sys.stderr)
        return []
    with virtual_screen((1920, 1080)) as display, tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "PYTHONPATH": str(REPOSITORY)}
        command = [sys.executable, "-m", "tests.benchmarks", *MODULES]
        subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        found = json.loads((Path(folder) / "out" / "bench.json").read_text(encoding="utf-8"))["rows"]
    return [Row(f"X11: {row['name']}", row["value"], row["unit"], row["budget"], row["note"]) for row in found]
