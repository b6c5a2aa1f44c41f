"""How long until the window can be used, and until --help answers."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.row import Row

_WINDOW = """
import sys, time
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from medview.gui.app import Program
if __name__ == "__main__":
    application = QApplication([])
    program = Program(application)
    program.show()
    def usable():
        # The event loop turns: the window takes keys and clicks.
        print(time.time(), "torch" in sys.modules)
        sys.stdout.flush()
        program.window.close()
        program.close()
        application.quit()
    QTimer.singleShot(0, usable)
    application.exec()
"""


_WARM_UP = 1


def rows() -> list[Row]:
    help_s = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "medview", "--help"], check=True, capture_output=True)
        help_s.append(time.perf_counter() - started)
    window_s, torch_loaded = [], set()
    with tempfile.TemporaryDirectory() as place:
        environment = {**os.environ, "MEDVIEW_DATA": place, "MEDVIEW_CONFIG": place, "QT_QPA_PLATFORM": "offscreen"}
        # An installed program finds its bytecode; some development machines are told to write none.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = f"{place}/bytecode"
        script = Path(place) / "start.py"
        script.write_text(_WINDOW)
        for _ in range(_WARM_UP + 6):
            started = time.time()
            done = subprocess.run(
                [sys.executable, str(script)], check=True, capture_output=True, text=True, env=environment
            )
            usable_at, loaded = done.stdout.split()
            window_s.append(float(usable_at) - started)
            torch_loaded.add(loaded)
    del window_s[:_WARM_UP]
    note = "torch not imported" if torch_loaded == {"False"} else "TORCH IMPORTED"
    return [
        Row(
            "window usable after start",
            statistics.median(window_s),
            "s",
            1.0,
            f"{note}; whole process, median of 6, offscreen",
        ),
        Row("medview --help", statistics.median(help_s), "s", None, "median of 5"),
    ]
