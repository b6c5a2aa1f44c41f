"""pyqtgraph. To be imported only by what draws curves, and that only by ``PlotsLoader``: the window stands before."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


def _loaded() -> Any:
    # It puts a hook of its own in place of the one that reports what nobody expected.
    hook = sys.excepthook
    module = import_module("pyqtgraph")
    sys.excepthook = hook
    return module


pyqtgraph = _loaded()
