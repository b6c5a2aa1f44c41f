"""Entry point: the window, or the command line when given a subcommand."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from medview.core.child_module import run_as_child
from medview.core.language import _, use_language


def has_display() -> bool:
    """Whether a window can be shown on this computer."""
    if sys.platform != "linux":
        return True
    if os.environ.get("QT_QPA_PLATFORM") in ("offscreen", "minimal"):
        return False
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def speak() -> None:
    """Use the language that ``MEDVIEW_LANGUAGE`` names, else that of the settings, else that of the system."""
    from medview.workspace.settings import load_settings

    use_language(os.environ.get("MEDVIEW_LANGUAGE") or load_settings().language)


def run(arguments: Sequence[str]) -> int:
    """Run MedView with these arguments and return the exit code."""
    # Before anything else is imported: titles in tables are made on import.
    speak()
    from medview.cli.main import COMMANDS, run_command

    first = arguments[0] if arguments else ""
    if first == "demo" and has_display() and not {"--help", "--offscreen"} & set(arguments):
        from medview.gui.app import run_window

        return run_window(demo=True)
    if first in COMMANDS or first in ("--help", "--version"):
        return run_command(arguments)
    missing = [path for path in arguments if not Path(path).exists()]
    if missing:
        sentence = _("{path} is no command and no file or folder; medview --help lists the commands.")
        print(sentence.format(path=missing[0]), file=sys.stderr)
        return 2
    if not has_display():
        print(_("There is no display to open a window on; medview --help lists what works without one."), file=sys.stderr)
        return 1
    from medview.gui.app import run_window

    return run_window(list(arguments))


def main() -> None:
    """Run MedView with the arguments of this process."""
    multiprocessing.freeze_support()
    if run_as_child(sys.argv[1:]):
        return
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
