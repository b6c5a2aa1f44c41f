"""``python -m medview.ml.convert SRC DST``: turn a folder or zip of foreign weights into a model pack.

A process of its own, because what it reads is foreign: ``guard`` takes network, processes, memory and most of the disk away
from it, and a crash stays here. Exit code 0, or 1 with one sentence as the last line of stderr.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from pathlib import Path

from medview.core.errors import MedViewError
from medview.ml.convert.guard import forbid, leave_network, limit_resources


def main(arguments: list[str]) -> int:
    """Convert and return the exit code."""
    if len(arguments) != 2:
        sys.stderr.write("Use: python -m medview.ml.convert SRC DST\n")
        return 2
    limit_resources()
    leave_network()
    source, target = (Path(argument) for argument in arguments)
    try:
        # Libraries are looked for and threads started before the gate closes.
        from medview.ml.convert.formats import convert, load_formats

        load_formats()
        forbid([target.parent, Path(tempfile.gettempdir())])
        convert(source, target)
    except MedViewError as error:
        if error.detail:
            sys.stderr.write(f"{error.detail}\n")
        sys.stderr.write(f"{error.sentence}\n")
        return 1
    except MemoryError:
        sys.stderr.write(f"The weights in {source.name} need more memory than a conversion may use.\n")
        return 1
    except Exception:  # noqa: BLE001 - foreign files may trip anything; it is told, and nothing was installed.
        sys.stderr.write(f"{traceback.format_exc()}\n")
        sys.stderr.write(f"{source.name} could not be converted: its files are not what they say, so get them anew.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
