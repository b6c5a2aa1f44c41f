"""Many small tasks in few messages; a batch that fails is repeated one by one, so that only the culprit is marked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from medview.core.errors import MedViewError
from medview.io import boundary
from medview.io.reader_pool import FILE_TIMEOUT_S, Pool


def each_in_batches(
    pool: Pool,
    function: Callable[..., Any],
    items: Sequence[tuple[Any, ...]],
    size: int,
    while_waiting: Callable[[], None] | None = None,
) -> Iterator[tuple[int, Any]]:
    """Yield (index, value or MedViewError) for each item, in any order; as ``Pool.each`` with ``size`` items a message.

    The watchdog gives a whole batch as long as one file: who needs longer is tried again alone.
    """
    starts = range(0, len(items), size)
    tasks = [(items[start][0], function, list(items[start : start + size])) for start in starts]
    alone: list[int] = []
    for batch, outcomes in pool.each(run_batch, tasks, FILE_TIMEOUT_S, while_waiting):
        indices = range(starts[batch], starts[batch] + len(tasks[batch][2]))
        if isinstance(outcomes, MedViewError):
            alone += indices
        else:
            yield from zip(indices, outcomes, strict=True)
    for position, outcome in pool.each(function, [items[index] for index in alone], FILE_TIMEOUT_S, while_waiting):
        yield alone[position], outcome


def run_batch(path: str, function: Callable[..., Any], items: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Run a task for each item; ``path`` names the batch for the sentence when the process dies."""
    return [boundary.run(function, args) for args in items]
