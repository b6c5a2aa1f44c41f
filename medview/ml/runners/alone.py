"""Many short steps of arithmetic on one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def alone() -> Iterator[None]:
    """Let torch use one thread: the work is thousands of short steps, and each would wait for the other threads at its end.

    On a computer that is busy with other things that takes a hundred times as long.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
