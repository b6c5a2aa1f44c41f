"""The process of a training as those see it who started it or follow it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import medview
from medview.core.atomic import write_error
from medview.core.errors import CancelledError, ModelError, ReadError
from medview.core.job import JobContext
from medview.ml.runs.events import ENDS, Event, EventTail, read_events
from medview.ml.runs.folder import RunFolder

LOOK_S = 0.25
"""Between two looks at the events."""
BREAK_S = 120.0
"""Longest a training may take to come to a step's end, once it was asked to stop."""
_STARTING_S = 30.0
"""Longest from the start of a process to its first sign of life."""


def start_training(path: Path) -> subprocess.Popen[bytes]:
    """Start the process that trains in a run folder; Ctrl-C of this terminal does not reach it. Raises WriteError."""
    command = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-P", "-s", "-m", "medview"]
    code = str(Path(medview.__file__).resolve().parents[1])
    more: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        more = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    log = RunFolder(path).log
    try:
        # A file: nobody has to empty it while the training goes on.
        with log.open("ab") as file:
            return subprocess.Popen(
                [*command, "train", "--run", str(path), "--quiet"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=file,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([code, *filter(None, [os.environ.get("PYTHONPATH")])])},
                **more,
            )
    except OSError as error:
        raise write_error(log, error) from error


def wait_for(process: subprocess.Popen[bytes], path: Path, told: Callable[[Event], None]) -> dict[str, Any]:
    """Follow a training that this process started, and return its result.

    Parameters
    ----------
    told : callable
        Gets its events.

    Raises
    ------
    ModelError
        With the sentence it failed with.
    CancelledError
        After Ctrl-C: the training has written a checkpoint and ended.
    """
    run, tail = RunFolder(path), EventTail(RunFolder(path).events)
    asked = False
    try:
        while True:
            try:
                process.wait(LOOK_S)
            except subprocess.TimeoutExpired:
                pass
            except KeyboardInterrupt:
                asked = True
                _break(process)
            for event in tail.fresh():
                told(event)
            if process.poll() is not None:
                break
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    result = run.read_json(run.result)
    if process.returncode == 0 and result is not None:
        return result
    again = f"go on with medview train --run {path}."
    if asked:
        raise CancelledError(f"Training stopped; {again}")
    failed = [str(event["text"]) for event in read_events(run.events) if event["kind"] == "failed"]
    # Any other code is a crash.
    if failed and process.returncode == 1:
        raise ModelError(failed[-1])
    raise ModelError(f"The training process ended by itself; {again}", detail=f"{process.returncode}: {run.log}")


def _break(process: subprocess.Popen[bytes]) -> None:
    """Let the training come to the end of its step; not for ever, and not if Ctrl-C is pressed again."""
    ask_to_stop(process)
    try:
        process.wait(BREAK_S)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()


def ask_to_stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a training to end with its next step."""
    if sys.platform == "win32":
        process.send_signal(signal.CTRL_BREAK_EVENT)
    else:
        process.terminate()


def follow(path: Path, told: Callable[[Event], None], context: JobContext) -> dict[str, Any]:
    """Follow a training that somebody else started, to its end.

    Returns
    -------
    dict
        Its result; empty where it ended without one.

    Raises
    ------
    ReadError
        When the folder holds no training.
    """
    run = RunFolder(path)
    run.settings()
    if not run.events.exists() and not run.busy():
        raise ReadError(f"Nobody trains in {path.name}; start it with medview train --run {path}.")
    tail = EventTail(run.events)
    last: Sequence[Event] = ()
    while True:
        context.raise_if_cancelled()
        # Asked before reading on: what is written until the holder lets go is read once more.
        busy = run.busy()
        fresh = tail.fresh()
        for event in fresh:
            told(event)
        last = fresh or last
        if not busy:
            return run.read_json(run.result) or {}
        time.sleep(LOOK_S)  # the training is another process: nothing here is woken by what it writes


def ended(event: Event) -> bool:
    """Whether a process of a training ends with an event."""
    return event["kind"] in ENDS and (event["kind"] != "stopped" or event.get("reason") == "asked")
