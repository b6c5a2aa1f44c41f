"""The other end of ``painter_process``, and what has to hold of a project after whatever happened to its painter."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medview.store.project import Project
from tests.faults.kept import READER, Images, Mirror, open_kept
from tests.helpers.annotating import counted_anew, fingerprint

ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Life:
    """What a painter said until it died.

    Attributes
    ----------
    told : dict of str to str
        The last it said of each kind: ``pid``, ``open``, ``saved``, ``calls``, ``failed``, ``dead``.
    """

    told: dict[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """How it ended, negative for a signal."""
        return int(self.told["dead"])

    @property
    def saved(self) -> int:
        """The newest row it was told is on disk; 0 for none."""
        return int(self.told.get("saved", "0"))

    @property
    def failed(self) -> str:
        """Why it ended by itself, or empty."""
        return str(json.loads(self.told["failed"])) if "failed" in self.told else ""

    def kill(self) -> None:
        """End it as a power cut would."""
        if "dead" not in self.told:
            with suppress(ProcessLookupError):
                os.kill(int(self.told["pid"]), signal.SIGKILL)


class Painters:
    """Lets painters live, one after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def live(self, order: dict[str, Any], kill_after_s: float | None = None, since: str = "pid") -> Life:
        """Give an order and follow the painter until it has ended, or was killed so long after it had said something."""
        life = self.begin(order)
        killer = None
        if kill_after_s is not None:
            self.follow(life, since)
            killer = threading.Timer(kill_after_s, life.kill)
            killer.start()
        self.follow(life)
        if killer is not None:
            killer.cancel()
            killer.join()
        return life

    def begin(self, order: dict[str, Any]) -> Life:
        """Give an order and return the painter, who has just been born."""
        assert self._process.stdin is not None
        print(json.dumps(order), file=self._process.stdin, flush=True)
        life = Life()
        self.follow(life, "pid")
        return life

    def follow(self, life: Life, until: str = "dead") -> None:
        """Listen until the painter has said something of a kind, or has ended."""
        assert self._process.stdout is not None
        if until in life.told or "dead" in life.told:
            return
        for line in self._process.stdout:
            what, _, rest = line.rstrip("\n").partition(" ")
            life.told[what] = rest
            if what in (until, "dead"):
                return


@contextmanager
def painters(**environment: str) -> Iterator[Painters]:
    """Start the program that painters come from."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.painter_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        # A fork of a program with threads of its own is a gamble.
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **environment},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        try:
            yield Painters(process)
            process.stdin.close()
            process.wait(30)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def reopened(path: Path, mirror: Mirror, saved: int, of: Images | None = None) -> tuple[float, float]:
    """Open a project again and compare it with what it has to be; return the seconds until the labels were there.

    Parameters
    ----------
    saved : int
        The newest row somebody was told is on disk.

    Returns
    -------
    tuple of float
        By the clock, and of the processor alone: other programs run beside these tests.
    """
    began, busy = time.perf_counter(), time.process_time()
    project = Project.open(path, reader=READER)
    try:
        kept = open_kept(project, of)
        took_s = (time.perf_counter() - began, time.process_time() - busy)
        assert not kept.case.read_only
        assert kept.case.losses == ()
        assert kept.seq >= saved, f"row {saved} was said to be saved, and there are only {kept.seq}"
        assert fingerprint(kept.case) == mirror.go_to(kept.seq), f"another state than after row {kept.seq}"
        assert counted_anew(kept.case.labels.segmentation)
        assert project.verify().problems == ()
    finally:
        project.close()
    return took_s
