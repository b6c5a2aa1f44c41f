"""The table of subcommands."""

from __future__ import annotations

from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code: 0 done, 1 failed, 2 wrong use or ambiguous input."""
    raise NotImplementedError(arguments)
