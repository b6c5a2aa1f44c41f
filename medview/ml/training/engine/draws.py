"""Batches that hang on seed and step alone, drawn ahead in a thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

AHEAD = 3
"""Batches that wait."""

Numbered = tuple[int, int, Any]
"""Step, samples in it, batch."""

_LOOK_S = 0.2


class Batches:
    """The batches of the steps ``first`` to ``last`` of one process.

    The sample at a place of the batch of a step is drawn from a generator seeded by seed, step and place, so that it is the
    same whatever was drawn before, by whichever process.

    Parameters
    ----------
    draw : callable
        Returns a sample from a generator.
    collate : callable
        Returns a batch of samples.
    batch : int
        Samples per step over all processes.
    rank, processes : int
        This one takes the places rank, rank + processes, and so on.
    """

    def __init__(
        self,
        draw: Callable[[np.random.Generator], Any],
        collate: Callable[[list[Any]], Any],
        *,
        batch: int,
        seed: int,
        first: int,
        last: int,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self._draw, self._collate = draw, collate
        self._places = range(rank, batch, processes)
        self._seed, self._first, self._last = seed, first, last
        self._ready: queue.Queue[Numbered | BaseException | None] = queue.Queue(maxsize=AHEAD)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        return max(0, self._last - self._first)

    def at(self, step: int) -> Any:
        """Return the batch of a step, drawn here and now."""
        generators = (np.random.default_rng([self._seed, step, place]) for place in self._places)
        return self._collate([self._draw(rng) for rng in generators])

    def __iter__(self) -> Iterator[Numbered]:
        assert self._thread is None, "batches come once"
        self._thread = threading.Thread(target=self._work, name="batches", daemon=True)
        self._thread.start()
        while True:
            found = self._ready.get()
            if found is None:
                return
            if isinstance(found, BaseException):
                raise found
            yield found

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        try:
            for step in range(self._first, self._last):
                if not self._hand((step, len(self._places), self.at(step))):
                    return
            self._hand(None)
        except BaseException as error:  # noqa: BLE001 - it is raised where the batch is wanted
            self._hand(error)

    def _hand(self, found: Numbered | BaseException | None) -> bool:
        while not self._stop.is_set():
            try:
                self._ready.put(found, timeout=_LOOK_S)
            except queue.Full:
                continue
            return True
        return False
