"""How long until the window can be used, and until --help answers."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from tests.benchmarks.row import Row

_WINDOW = """
import sys, time
started = time.perf_counter()
from medview.gui.app import build_window
from PySide6.QtCore import QTimer
application, window = build_window()
window.show()
def usable():
    print(time.perf_counter() - started, "torch" in sys.modules)
    window.close()
    application.quit()
QTimer.singleShot(0, usable)
application.exec()
"""


def rows() -> list[Row]:
    help_s = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "medview", "--help"], check=True, capture_output=True)
        help_s.append(time.perf_counter() - started)
    window_s, torch_loaded = [], set()
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", _WINDOW], check=True, capture_output=True, text=True)
        seconds, loaded = done.stdout.split()
        window_s.append(float(seconds))
        torch_loaded.add(loaded)
    note = "torch not imported" if torch_loaded == {"False"} else "TORCH IMPORTED"
    return [
        Row("window usable after start", statistics.median(window_s), "s", 1.0, f"{note}, median of 5"),
        Row("medview --help", statistics.median(help_s), "s", None, "median of 5"),
    ]
