"""The process of a training as those see it who started it or follow it."""

from __future__ import annotations

import contextlib
import os
import shutil
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
from medview.ml.runs.control import Ask, ask
from medview.ml.runs.events import Event, EventTail, read_events
from medview.ml.runs.folder import RunFolder

LOOK_S = 0.25
"""Between two looks at the events."""
BREAK_S = 120.0
"""Longest a training may take to come to a step's end, once it was asked to stop."""
NICE = 10
"""Added to the niceness of a training in the background."""
_STARTING_S = 30.0
"""Longest from the start of a process to its first sign of life."""


def start_training(path: Path, *, background: bool = False, enough: bool = False) -> subprocess.Popen[bytes]:
    """Start the process that trains in a run folder; Ctrl-C of this terminal does not reach it.

    Parameters
    ----------
    background : bool
        It gives way to everything else, the disk included: somebody reads and draws meanwhile.
    enough : bool
        It makes no more steps: the best weights so far are judged and become the pack.

    Raises
    ------
    WriteError
    """
    command = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-P", "-s", "-m", "medview"]
    code = str(Path(medview.__file__).resolve().parents[1])
    asked = ["--stop" if enough else "--run", str(path), *(["--background"] if background else [])]
    if background and (idle_disk := shutil.which("ionice")):
        command = [idle_disk, "-c", "3", *command]
    more: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        lower = subprocess.BELOW_NORMAL_PRIORITY_CLASS if background else 0
        more = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | lower}
    log = RunFolder(path).log
    try:
        # A file: nobody has to empty it while the training goes on.
        with log.open("ab") as file:
            return subprocess.Popen(
                [*command, "train", *asked, "--quiet"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=file,
                env=_environment(code, background=background),
                **more,
            )
    except OSError as error:
        raise write_error(log, error) from error


def _environment(code: str, *, background: bool) -> dict[str, str]:
    made = dict(os.environ)
    made["PYTHONPATH"] = os.pathsep.join([code, *filter(None, [os.environ.get("PYTHONPATH")])])
    if background:
        # Threads that wait for one another spin, as a rule: where another program has one of the cores they burn the other.
        # Asleep they make 2.8 times as many steps beside others (two cores, two threads), with the same sums.
        made.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return made


def wait_for(
    process: subprocess.Popen[bytes], path: Path, told: Callable[[Event], None], asked: Callable[[], bool]
) -> dict[str, Any]:
    """Follow a training that this process started, and return its result.

    Parameters
    ----------
    told : callable
        Gets its events.
    asked : callable
        Whether somebody wants a break: the training ends with its next step then. A KeyboardInterrupt ends it at once.

    Raises
    ------
    ModelError
        With the sentence it failed with.
    CancelledError
        After a break, asked for here or by somebody else: the training has written a checkpoint and ended.
    """
    run, tail = RunFolder(path), EventTail(RunFolder(path).events)
    again = f"go on with medview train --run {path}."
    until = None
    try:
        while process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_S)
            for event in tail.fresh():
                told(event)
            if asked() and until is None:
                until = time.monotonic() + BREAK_S
                ask_to_stop(process)
            if until is not None and time.monotonic() > until:
                process.kill()
        for event in tail.fresh():
            told(event)
    except KeyboardInterrupt as stop:
        raise CancelledError(f"Training stopped; {again}") from stop
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    result = run.read_json(run.result)
    if process.returncode == 0 and result is not None:
        return result
    ends = [event for event in read_events(run.events) if event["kind"] in ("failed", "stopped")]
    # Any other code is a crash.
    last = ends[-1] if ends and process.returncode == 1 else None
    if until is not None or (last is not None and last.get("reason") == "asked"):
        raise CancelledError(f"Training stopped; {again}")
    if last is not None and last["kind"] == "failed":
        raise ModelError(str(last["text"]))
    raise ModelError(f"The training process ended by itself; {again}", detail=f"{process.returncode}: {run.log}")


def ask_to_stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a training to end with its next step."""
    if sys.platform == "win32":
        process.send_signal(signal.CTRL_BREAK_EVENT)
    else:
        process.terminate()


def give_way() -> None:
    """Let this process wait for all others that want the processor; on Windows whoever starts it says so."""
    if sys.platform == "win32":
        return
    os.nice(NICE)
    with contextlib.suppress(OSError):
        # Linux weighs sessions against each other before processes: nice alone would count among our own threads only.
        Path("/proc/self/autogroup").write_text(str(NICE))


def ask_to_pause(path: Path) -> None:
    """Ask the training in a folder to end with its next step.

    Raises
    ------
    ReadError
        When there is none, or nobody trains there.
    """
    run = RunFolder(path)
    run.settings()
    if not run.busy():
        raise ReadError(f"Nobody trains in {path.name}; go on with it with medview train --run {path}.")
    ask(run, Ask.PAUSE)


def ask_to_end(path: Path) -> bool:
    """Ask the training in a folder to make no more steps; False where nobody trains there.

    Raises
    ------
    ReadError
        When there is none, or it is over.
    """
    run = RunFolder(path)
    run.settings()
    if run.result.exists():
        raise ReadError(f"{path.name} is over; its model is in {run.pack}.")
    if not run.busy():
        return False
    ask(run, Ask.STOP)
    return True


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
    ModelError
        With the sentence it failed with.
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
            break
        time.sleep(LOOK_S)  # the training is another process: nothing here is woken by what it writes
    result = run.read_json(run.result)
    if result is None and last and last[-1]["kind"] == "failed":
        raise ModelError(str(last[-1]["text"]))
    return result or {}
