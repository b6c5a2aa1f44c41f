"""Entry point: the window, or the command line when given a subcommand."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence


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
    from medview.gui.app import run_window

    return run_window(list(arguments))


def main() -> None:
    """Run MedView with the arguments of this process."""
    multiprocessing.freeze_support()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
