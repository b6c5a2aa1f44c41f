"""Follows the folder of a training from outside: by its lock, its events and the files that come out."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from medview.core.errors import ReadError
from medview.core.language import _
from medview.ml.runs.events import Event, EventTail
from medview.ml.runs.folder import RunFolder, RunSettings
from medview.ml.runs.samples import sample_steps
from medview.workspace.training.run_view import LookPoint, LossCurve, RunPhase, RunView

MOST_POINTS = 600
"""Of a loss curve; twice as many are made half as many."""
STARTING_S = 120.0
"""Longest from the start of a process to its first sign of life."""
QUEUED = "queued"
"""A file in the folder of a training that begins once no other one trains."""

_OF_CHECK = ("kind", "utc", "used", "step", "best")
_JUDGING = ("finish", "evaluate", "gate")


class Curve:
    """The loss so far, thinned out as it grows."""

    def __init__(self) -> None:
        self._steps: list[float] = []
        self._losses: list[float] = []
        self._each = 1
        self._waiting: list[tuple[float, float]] = []

    def add(self, step: int, loss: float) -> None:
        """Take a step."""
        self._waiting.append((step, loss))
        if len(self._waiting) < self._each:
            return
        self._steps.append(float(np.mean([one for one, _ in self._waiting])))
        self._losses.append(float(np.mean([loss for _, loss in self._waiting])))
        self._waiting.clear()
        if len(self._steps) >= 2 * MOST_POINTS:
            self._each *= 2
            self._steps, self._losses = _halved(self._steps), _halved(self._losses)

    def back_to(self, step: int) -> None:
        """Forget what is made again."""
        self._waiting.clear()
        keep = sum(one <= step for one in self._steps)
        del self._steps[keep:], self._losses[keep:]

    def curve(self) -> LossCurve:
        """Return it as it is now."""
        return LossCurve(np.array(self._steps), np.array(self._losses))


def _halved(values: list[float]) -> list[float]:
    return [(one + other) / 2 for one, other in zip(values[::2], values[1::2], strict=False)]


class RunTail:
    """One folder of a training, read on where the last look ended. Not for two threads at once.

    Parameters
    ----------
    clock : callable
        Seconds that only grow.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.run = RunFolder(path)
        self.started_at: float | None = None
        """When this window started a process of it that has not shown itself yet."""
        self._clock = clock
        self._silent, self._died = False, 0
        self._tail = EventTail(self.run.events)
        self._settings: RunSettings | None = None
        self._curve = Curve()
        self._looks: list[LookPoint] = []
        self._stage = self._text = ""
        self._ended: Event | None = None
        self._step = self._steps = 0
        self._used = 0.0
        self._documents: dict[Path, tuple[int, dict[str, Any] | None]] = {}

    def started(self) -> None:
        """Take note that this window started a process of it."""
        self.started_at, self._silent, self._died = self._clock(), True, 0

    def ended(self, code: int) -> None:
        """Take note how the process ended that this window started."""
        self.started_at, self._died = None, code if self._silent else 0

    def look(self) -> RunView:
        """Return how it is now. Raises ReadError where its folder is damaged."""
        run = self.run
        if self._settings is None and run.settings_file.exists():
            self._settings = run.settings()
        result = self._document(run.result)
        # Asked before reading on: what is written until the holder lets go is read with it.
        busy = self._settings is not None and result is None and self._busy()
        for event in self._tail.fresh():
            self._take(event)
        phase, text = self._phase(busy=busy, done=result is not None)
        steps = sample_steps(run)
        plan = self._document(run.plan)
        return RunView(
            name=run.path.name,
            path=run.path,
            phase=phase,
            settings=self._settings,
            stage=self._stage,
            text=text,
            step=self._step,
            steps=self._steps,
            used_s=self._used,
            left_s=self._left(phase),
            looks=tuple(self._looks),
            loss=self._curve.curve(),
            of_line=run.line.exists(),
            guards=self._document(run.guards),
            result=result,
            gate=self._document(run.gate),
            taken=self._document(run.taken),
            borrowed=self._document(run.path / "borrowed.json"),
            sample_step=steps[-1] if steps else 0,
            pace=self._document(run.pace),
            batch=int(plan.get("batch", 0)) if plan is not None else 0,
        )

    def damaged(self, error: ReadError) -> RunView:
        """Return what is shown of a folder that cannot be read."""
        path = self.run.path
        return RunView(path.name, path, RunPhase.FAILED, text=error.sentence)

    def _busy(self) -> bool:
        try:
            return self.run.busy()
        except ReadError:
            # Where nothing can be opened nobody trains.
            return False

    def _take(self, event: Event) -> None:
        self.started_at, self._silent, self._died = None, False, 0
        kind, self._used = event["kind"], max(self._used, float(event["used"]))
        if kind != "note":
            self._ended = event if kind in ("failed", "done") or event.get("reason") == "asked" else None
        if kind == "stage":
            self._stage, self._text = str(event["name"]), ""
        elif kind == "step":
            self._step, self._steps = int(event["step"]), int(event["steps"])
            if isinstance(event.get("loss"), int | float):
                self._curve.add(self._step, float(event["loss"]))
        elif kind == "check":
            figures = {n: float(v) for n, v in event.items() if n not in _OF_CHECK and isinstance(v, int | float)}
            self._looks.append(LookPoint(int(event["step"]), bool(event["best"]), figures))
        elif kind == "resumed":
            self._step = int(event["step"])
            self._curve.back_to(self._step)
            self._looks = [look for look in self._looks if look.step <= self._step]

    def _phase(self, *, busy: bool, done: bool) -> tuple[RunPhase, str]:
        if busy:
            if self.run.control.exists():
                return RunPhase.STOPPING, self._text
            return (RunPhase.JUDGING if self._stage in _JUDGING else RunPhase.TRAINING), self._text
        if done:
            return RunPhase.DONE, ""
        if self.started_at is not None:
            if self._clock() - self.started_at < STARTING_S:
                return RunPhase.STARTING, ""
            self.started_at = None
        if (self.run.path / QUEUED).exists():
            return RunPhase.QUEUED, ""
        if self._died:
            return RunPhase.FAILED, self._last_words()
        if self._ended is not None and self._ended["kind"] == "failed":
            return RunPhase.FAILED, str(self._ended["text"])
        if self._ended is None and self.run.events.exists():
            return RunPhase.PAUSED, _("It was broken off; nothing is lost when it goes on.")
        return RunPhase.PAUSED, ""

    def _last_words(self) -> str:
        """Return why a process ended that wrote no event: what it said last, unless somebody else ended it."""
        try:
            lines = self.run.log.read_text("utf-8", "replace").split("\n") if self._died > 0 else []
        except OSError:
            lines = []
        said = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return said or _("Its process ended before it said anything; log.txt in its folder may say why.")

    def _left(self, phase: RunPhase) -> float | None:
        settings = self._settings
        if settings is None or phase.lasting or self._stage in _JUDGING:
            return None
        if settings.minutes:
            return max(0.0, settings.minutes * 60 - self._used)
        if self._step < 1 or self._steps <= self._step:
            return None
        return self._used / self._step * (self._steps - self._step)

    def _document(self, file: Path) -> dict[str, Any] | None:
        """Return a JSON document that is there, read again only where it changed."""
        try:
            stamp = file.stat().st_mtime_ns
        except OSError:
            self._documents.pop(file, None)
            return None
        known = self._documents.get(file)
        if known is None or known[0] != stamp:
            try:
                known = stamp, self.run.read_json(file)
            except ReadError:
                known = stamp, None
            self._documents[file] = known
        return known[1]
