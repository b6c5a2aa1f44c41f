"""Entry point: the window, or the command line when given a subcommand."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence
from pathlib import Path


def has_display() -> bool:
    """Whether a window can be shown on this computer."""
    if sys.platform != "linux":
        return True
    if os.environ.get("QT_QPA_PLATFORM") in ("offscreen", "minimal"):
        return False
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def run(arguments: Sequence[str]) -> int:
    """Run MedView with these arguments and return the exit code."""
    from medview.cli.main import COMMANDS, run_command

    first = arguments[0] if arguments else ""
    if first == "demo" and has_display() and not {"--help", "--offscreen"} & set(arguments):
        from medview.gui.app import run_window

        return run_window(demo=True)
    if first in COMMANDS or first in ("--help", "--version"):
        return run_command(arguments)
    missing = [path for path in arguments if not Path(path).exists()]
    if missing:
        print(f"{missing[0]} is no command and no file or folder; medview --help lists the commands.", file=sys.stderr)
        return 2
    if not has_display():
        print("There is no display to open a window on; medview --help lists what works without one.", file=sys.stderr)
        return 1
    from medview.gui.app import run_window

    return run_window(list(arguments))


def main() -> None:
    """Run MedView with the arguments of this process."""
    multiprocessing.freeze_support()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
