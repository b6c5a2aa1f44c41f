"""Modules that run in a process of their own: how that is started, from an installed program and from a frozen one."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence

CONVERT = "medview.ml.convert"
SELF_TEST = "medview.ml.runners.self_test"

_MODULES = (CONVERT, SELF_TEST)
_FLAG = "--run-module"


def child_command(module: str, *arguments: str) -> list[str]:
    """Return the command line that runs one of the modules above.

    A frozen program has no Python beside it that could be given ``-m``: it runs the module itself.
    """
    if getattr(sys, "frozen", False):
        return [sys.executable, _FLAG, module, *arguments]
    # -P: no module is ever looked for in the working folder, which could be a foreign one.
    return [sys.executable, "-P", "-s", "-m", module, *arguments]


def run_as_child(arguments: Sequence[str]) -> bool:
    """Run the module a command line of ``child_command`` names, and say whether it was one.

    Nothing but those modules is run this way.
    """
    if len(arguments) < 2 or arguments[0] != _FLAG or arguments[1] not in _MODULES:
        return False
    sys.argv = [arguments[1], *arguments[2:]]
    runpy.run_module(arguments[1], run_name="__main__")
    return True
