"""Commands that rows run: what they say when they fail, and that they are waited for when somebody stops."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from tests.accuracy.trainings.command_line import CommandError, run

WAITS = """
import pathlib, signal, sys
try:
    pathlib.Path(sys.argv[1]).touch()
    signal.pause()
except KeyboardInterrupt:
    pathlib.Path(sys.argv[2]).touch()
"""


def test_a_command_that_fails_is_told_with_what_it_said() -> None:
    with pytest.raises(CommandError, match="no such luck"):
        run("-c", "import sys; sys.exit('no such luck')")


def test_a_command_ends_by_itself_when_somebody_stops(tmp_path: Path) -> None:
    begun, ended = tmp_path / "begun", tmp_path / "ended"

    def stop() -> None:
        while not begun.exists():
            threading.Event().wait(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(KeyboardInterrupt):
        run("-c", WAITS, begun, ended)
    stopper.join()
    assert ended.exists()
