"""A process that forks another for every order, and kills it in the middle: at a call that is counted, not by the clock.

What orders need is imported once. ``python -m tests.faults.killed`` reads orders from stdin, one JSON object a line, and
answers each with a line: how the child ended, and how many calls it made where it came to its end.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from medview.core.job import Inline
from medview.io.datasets.foreign import DatasetRequest
from medview.io.reader_pool import InlinePool
from medview.store.model_book import NewVersion, VersionRow
from medview.store.project import Project
from medview.workspace import label_intake
from medview.workspace.dataset_import import ImportRun, import_dataset
from medview.workspace.dataset_import_report import ImportReport
from medview.workspace.export_selection import ExportRun
from medview.workspace.exporting import export_as

VERSION = "version"
"""In place of a format: a model becomes a version."""

AT_ONCE = 3
"""Cases that are begun together, so that there are several times of writing."""


def import_set(folder: Path, project: Project) -> ImportReport:
    """Import the pictures with masks below a folder."""
    run = ImportRun("image-mask", DatasetRequest(folder / "set", label_values={255: "LV"}))
    return import_dataset(run, project, Inline(), InlinePool())


def export_out(folder: Path, project: Project, form: str) -> None:
    """Write the project of a folder into ``out`` beside it."""
    export_as(ExportRun(form), project, folder / "out", Inline(), InlinePool(), lambda _said: None)


def take_version(folder: Path, project: Project) -> VersionRow:
    """Take the pack of a folder into the project as the next version of a model line, which counts from then on."""
    digest = hashlib.sha256((folder / "pack" / "model.json").read_bytes()).hexdigest()
    new = NewVersion("segmentation", "m@1.0.0", digest, verdict="promoted")
    return project.models.add(new, folder / "pack", counts="promoted")


class Doomed:
    """Has orders carried out, and those who do killed."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.faults.killed"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def calls_of(self, folder: Path, form: str = "") -> int:
        """Import, or export in a format, to the end, and return how many calls that took."""
        done = self._ask(folder, form, 0)
        assert done["status"] == 0, done
        return int(done["calls"])

    def kill_at(self, call: int, folder: Path, form: str = "") -> None:
        """Import, or export in a format, and be killed when a certain call is made."""
        done = self._ask(folder, form, call)
        assert done["status"] == -signal.SIGKILL, done

    def _ask(self, folder: Path, form: str, call: int) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"folder": str(folder), "form": form, "call": call}) + "\n")
        self._process.stdin.flush()
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return said

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


@contextmanager
def doomed() -> Iterator[Doomed]:
    """Give somebody who has orders carried out."""
    found = Doomed()
    try:
        yield found
    finally:
        found.end()


def _serve() -> None:
    label_intake.AT_ONCE = AT_ONCE
    for line in sys.stdin:
        order = json.loads(line)
        told, tells = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(told)
            _carry_out(order, tells)
        os.close(tells)
        with os.fdopen(told) as answer:
            calls = answer.read()
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps({"status": os.waitstatus_to_exitcode(status), "calls": int(calls or 0)}) + "\n")
        sys.stdout.flush()


def _carry_out(order: dict[str, Any], tells: int) -> None:
    counter = itertools.count(1)

    def count(_frame: object, event: str, _argument: object) -> None:
        # In whatever thread: the journal has its own.
        if event == "call" and next(counter) == order["call"]:
            os.kill(os.getpid(), signal.SIGKILL)

    folder, code = Path(order["folder"]), 1
    threading.setprofile(count)
    sys.setprofile(count)
    try:
        form = order["form"]
        with Project.open(folder / "p.medview", read_only=form not in ("", VERSION)) as project:
            if form == VERSION:
                take_version(folder, project)
            elif form:
                export_out(folder, project, form)
            else:
                import_set(folder, project)
        code = 0
    finally:
        sys.setprofile(None)
        os.write(tells, str(next(counter)).encode())
        os._exit(code)


if __name__ == "__main__":
    _serve()
