"""``python -m medview.ml.convert SRC DST``: turn a folder or zip of foreign weights into a model pack.

A process of its own, because what it reads is foreign: memory and file sizes are limited, and a crash stays here. Exit
code 0, or 1 with one sentence as the last line of stderr.
"""

from __future__ import annotations

import sys
from pathlib import Path

from medview.core.errors import MedViewError

MEMORY_LIMIT_BYTES = 24 << 30
"""Address space; torch alone maps several gigabytes."""

FILE_LIMIT_BYTES = 8 << 30


def main(arguments: list[str]) -> int:
    """Convert and return the exit code."""
    if len(arguments) != 2:
        sys.stderr.write("Use: python -m medview.ml.convert SRC DST\n")
        return 2
    _limit_resources()
    from medview.ml.convert.formats import convert

    source, target = (Path(argument) for argument in arguments)
    try:
        convert(source, target)
    except MedViewError as error:
        if error.detail:
            sys.stderr.write(f"{error.detail}\n")
        sys.stderr.write(f"{error.sentence}\n")
        return 1
    except MemoryError:
        sys.stderr.write(f"The weights in {source.name} need more memory than a conversion may use.\n")
        return 1
    return 0


def _limit_resources() -> None:
    try:
        import resource
    except ImportError:  # Windows: the parent's time limit has to do.
        return
    for kind, limit in ((resource.RLIMIT_AS, MEMORY_LIMIT_BYTES), (resource.RLIMIT_FSIZE, FILE_LIMIT_BYTES)):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
