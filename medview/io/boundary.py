"""The edge between foreign bytes and the rest: whatever a decoder throws becomes one sentence about one file."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from medview.core.errors import CancelledError, MedViewError, ReadError
from medview.io.sources import name_of

LOG = logging.getLogger("medview.io")


def run(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Return what ``function(*args)`` returns, or the MedViewError that says why it could not.

    Rust decoders panic with a BaseException, so everything is caught except what ends a process on purpose.
    """
    try:
        return function(*args)
    except CancelledError:
        raise
    except MedViewError as error:
        return error
    except MemoryError as error:
        return ReadError(f"{subject(args)} needs more memory than one file may take.", detail=repr(error))
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit)):
            raise
        # Texts of foreign exceptions may quote the file, so only their kind is kept.
        detail = f"{type(error).__name__} in {getattr(function, '__name__', function)}"
        return ReadError(f"{subject(args)} could not be read: it is damaged or of an unknown kind.", detail=detail)


def subject(args: tuple[Any, ...]) -> str:
    """Return the name of the source a task is about: its first argument, by convention."""
    return name_of(str(args[0])) if args and isinstance(args[0], (str, Path)) else "A file"
