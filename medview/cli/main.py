"""The table of subcommands."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

COMMANDS: dict[str, str] = {
    "demo": "Show what MedView does on a computed patient; without a display, write pictures and files",
    "scan": "List what is in a folder, file or zip",
    "check": "Say what was found, assumed and wrong about a series",
    "render": "Write one slice as a picture",
    "models": "List, inspect, add and remove model packs",
    "predict": "Run a model and write what it finds",
    "convert": "Turn images and labels from one format into another",
    "project": "Create, fill, inspect, merge, verify, recover and export projects",
    "train": "Train a model on reviewed labels, go on with a training, follow one",
    "evaluate": "Say how good a model is on labelled cases",
    "agree": "Say how far the readers of a project go together",
    "doctor": "Say what this computer can do and whether MedView is whole",
}
"""Subcommand -> what it does. Each is a module of the same name with an ``app``; only the one asked for is imported."""

_INTERRUPTED = 130
"""With which typer ends a command that got a KeyboardInterrupt."""


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code: 0 done, 1 failed, 2 wrong use or ambiguous input."""
    first = arguments[0]
    if first == "--version":
        from medview import __version__

        print(f"medview {__version__}")
        return 0
    if first == "--help":
        print(_help())
        return 0
    return _run_app(first, arguments[1:])


def _run_app(name: str, arguments: Sequence[str]) -> int:
    from medview.cli.output import report_errors

    with report_errors() as outcome:
        # Interrupted while it is read, too, a command says so in one word.
        app = importlib.import_module(f"medview.cli.{name}").app
        try:
            app(args=list(arguments), prog_name=f"medview {name}")
        except SystemExit as end:
            if end.code == _INTERRUPTED:
                raise KeyboardInterrupt from end
            # How typer ends a command: 0, or 2 with the usage on stderr.
            outcome.code = end.code if isinstance(end.code, int) else 1
    return outcome.code


def _help() -> str:
    width = max(len(name) for name in COMMANDS)
    rows = "\n".join(f"  medview {name:<{width}}  {text}" for name, text in COMMANDS.items())
    return f"""MedView: open DICOM series, label them, run models on them. Research use. Not a medical device.

  medview [PATH...]{" " * (width - 8)}  Open the window, with these folders or files
{rows}

Each command explains itself with --help."""
