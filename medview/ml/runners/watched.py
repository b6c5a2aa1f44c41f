"""A network that looks at Cancel before every layer and says how far it is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from medview.core.job import JobContext
from medview.ml.networks.averaged import Maps
from medview.ml.runners.precision import Precision

REPORT_STEP = 0.005
"""Progress smaller than this is not worth a repaint."""

_STATM = Path("/proc/self/statm")


class Stopwatch:
    """Seconds per stage; a stage started inside another pauses it. Also samples the memory in use.

    Attributes
    ----------
    seconds : dict of str to float
    peak_bytes : int
        Largest resident memory of the process seen.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {"load": 0.0, "prepare": 0.0, "infer": 0.0, "finish": 0.0}
        self.peak_bytes = 0
        self._stages: list[str] = []
        self._since = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time inside for ``name``."""
        self._turn()
        self._stages.append(name)
        try:
            yield
        finally:
            self._turn()
            self._stages.pop()

    def sample_memory(self) -> None:
        """Look at the memory in use."""
        self.peak_bytes = max(self.peak_bytes, resident_bytes())

    def _turn(self) -> None:
        now = time.perf_counter()
        if self._stages:
            stage = self._stages[-1]
            self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._since
        self._since = now
        self.sample_memory()


class Progress:
    """Steps of equal length over one part of a job, reported as fractions of the whole.

    Parameters
    ----------
    first, last : float
        Fractions of the whole job at the start and end of this part.
    """

    def __init__(self, context: JobContext, first: float, last: float) -> None:
        self._context = context
        self._first = first
        self._last = last
        self._reported = -1.0

    def at(self, fraction: float, text: str) -> None:
        """Report that a fraction of this part is done."""
        overall = self._first + (self._last - self._first) * min(max(fraction, 0.0), 1.0)
        if overall - self._reported >= REPORT_STEP:
            self._reported = overall
            self._context.progress(overall, text)


class WatchedNetwork:
    """Calls a network; before each of its leaf modules Cancel is looked at and progress counted.

    Use as a context manager: the hooks are there only inside it.

    Parameters
    ----------
    precision : Precision, optional
        Full unless given.
    """

    def __init__(
        self,
        network: nn.Module,
        context: JobContext,
        progress: Progress,
        stopwatch: Stopwatch,
        precision: Precision | None = None,
    ) -> None:
        self.network = network
        self._precision = precision or Precision(torch.device("cpu"), None)
        self._context = context
        self._progress = progress
        self._stopwatch = stopwatch
        self._hooks: list[RemovableHandle] = []
        self._calls = 0
        self._tiles_done = 0
        self._tiles = 1
        self._in_batch = 1
        leaves = [m for m in network.modules() if next(m.children(), None) is None]
        self._leaves = leaves
        self._expected = float(max(1, len(leaves)))

    def __enter__(self) -> WatchedNetwork:
        """Attach the hooks."""
        self._hooks = [leaf.register_forward_pre_hook(self._before) for leaf in self._leaves]
        return self

    def __exit__(self, *_: object) -> None:
        """Take the hooks off again."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def plan(self, tiles: int) -> None:
        """Say how many tiles there will be."""
        self._tiles = max(1, tiles)

    def passed(self, tiles: int) -> None:
        """Count tiles that need not be looked at."""
        if tiles:
            self._tiles_done += tiles
            self._report()

    def run(self, tiles: torch.Tensor, *, counted: bool = True) -> Maps:
        """Return what the network makes of tiles (N, C, k, j, i).

        Parameters
        ----------
        counted : bool
            Whether these are among the planned tiles.

        Raises
        ------
        CancelledError
            Before the next layer after the person pressed Cancel.
        """
        self._calls = 0
        self._in_batch = tiles.shape[0] if counted else 0
        leaf_calls = getattr(self.network, "leaf_calls", None)
        if leaf_calls is not None:
            self._expected = float(leaf_calls(tuple(tiles.shape[2:])))
        found = self._precision.call(self.network, tiles)
        self._context.raise_if_cancelled()
        self._expected = float(max(1, self._calls))
        self._tiles_done += self._in_batch
        self._report()
        return found

    def _before(self, _module: nn.Module, _inputs: object) -> None:
        self._context.raise_if_cancelled()
        self._calls += 1
        self._stopwatch.sample_memory()
        self._report()

    def _report(self) -> None:
        inside = 0.0 if self._calls >= self._expected else self._calls / self._expected
        number = min(self._tiles, self._tiles_done + 1)
        text = "Looking at the volume" if self._tiles == 1 else f"Tile {number} of {self._tiles}"
        self._progress.at((self._tiles_done + inside * self._in_batch) / self._tiles, text)


def resident_bytes() -> int:
    """Return the memory the process holds now; where the system does not say, the most it ever held, or 0."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
