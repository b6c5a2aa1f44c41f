"""What every subcommand writes where: one JSON document to stdout, everything else to stderr."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from medview.core.errors import AmbiguousError, GraphicsError, MedViewError
from medview.core.job import Inline
from medview.core.language import in_language

if TYPE_CHECKING:
    from medview.io.reader_pool import Pool

_LOG = logging.getLogger("medview.cli")


@dataclass(slots=True)
class Outcome:
    """Exit code of the command."""

    code: int = 0


@contextmanager
def report_errors() -> Iterator[Outcome]:
    """Turn errors into one sentence on stderr and an exit code: 1 failed, 2 ambiguous input."""
    outcome = Outcome()
    try:
        yield outcome
    except MedViewError as error:
        way_out = " (--device cpu)" if isinstance(error, GraphicsError) else ""
        print(f"{in_language(error.sentence)}{way_out}", file=sys.stderr)
        _LOG.debug("%s", error.detail)
        outcome.code = 2 if isinstance(error, AmbiguousError) else 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        outcome.code = 1


def check_device(device: str) -> None:
    """Raise AmbiguousError unless ``--device`` names one, before anything is read or opened for it."""
    # Imported here so that commands that run no model answer sooner.
    from medview.ml.predict import DEVICES

    if device not in DEVICES:
        raise AmbiguousError(f"--device {device} is none; choose {', '.join(DEVICES[:-1])} or {DEVICES[-1]}.")


def print_json(document: Mapping[str, object]) -> None:
    """Write the one JSON document of a command; characters that stdout cannot take are escaped as JSON does."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    if _on_stdout(text) != text:
        # Names of files need not be text, and a terminal may know fewer letters than a patient's name has.
        text = json.dumps(document, indent=2, allow_nan=False)
    sys.stdout.write(f"{text}\n")


def show(text: str) -> None:
    """Write a line of a command's answer to stdout; characters that stdout cannot take are written as escapes."""
    print(_on_stdout(text))


def _on_stdout(text: str) -> str:
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def say(text: str) -> None:
    """Write a line for the person, to stderr."""
    print(in_language(text), file=sys.stderr)


class TerminalContext(Inline):
    """Shows progress on stderr."""

    def __init__(self, bar: Progress) -> None:
        super().__init__()
        self._bar = bar
        self._task = bar.add_task("", total=1.0)

    def progress(self, fraction: float, text: str) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=fraction, description=in_language(text))


@contextmanager
def progress(*, quiet: bool) -> Iterator[Inline]:
    """Yield a job context that shows a bar on a terminal, and nothing elsewhere or when ``quiet``."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield Inline()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        yield TerminalContext(bar)


@contextmanager
def readers() -> Iterator[Pool]:
    """Yield the processes that parse foreign files: a decoder that aborts or hangs costs one slice, not the command.

    They start with the first file, so a command that fails before it needs none, and end with the block.
    """
    # Imported here so that commands that read no foreign file answer sooner.
    from medview.io.reader_pool import ReaderPool

    pool = ReaderPool()
    try:
        yield pool
    finally:
        pool.close()
