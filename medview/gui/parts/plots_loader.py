"""Loading what draws curves when the first one is wanted, on the window's thread and in short steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from time import perf_counter
from types import ModuleType

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import QObject, QTimer

STEP_S = 0.005


class PlotsLoader(QObject):
    """Imports a module that draws curves and hands it on.

    pyqtgraph looks at every name of Qt when it is imported, and Qt's classes and enumerations are made when they are first
    looked at. Beside a window that paints, from another thread, that has ended in a crash; at once on this thread it would
    hold the window up. So names are looked at some milliseconds at a time, and little is left to do for the import.

    Parameters
    ----------
    then : callable
        Given the module. Not called once ``parent`` is gone.
    """

    def __init__(self, module: str, then: Callable[[ModuleType], None], parent: QObject) -> None:
        super().__init__(parent)
        self._module, self._then = module, then
        self._names = _looked_at()
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._step)
        self._timer.start()

    def _step(self) -> None:
        until = perf_counter() + STEP_S
        for _name in self._names:
            if perf_counter() > until:
                return
        self._timer.stop()
        self._then(import_module(self._module))


def _looked_at() -> Iterator[str]:
    for module in (QtCore, QtGui, QtWidgets):
        for name in dir(module):
            getattr(module, name)
            yield name
