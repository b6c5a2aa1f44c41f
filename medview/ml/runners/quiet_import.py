"""Loads torch in a worker without holding up the window.

Python holds its interpreter lock while it opens an extension's shared libraries and while it collects garbage. For torch
that is half a second and a tenth of a second in one piece, in which no window can draw.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import importlib.util
import os
import sys
from pathlib import Path

from medview.ml.runners.device_errors import not_loaded

_LIBRARIES = ("libtorch_global_deps.so", "libtorch_python.so")
"""The two that pull in all others, in the order torch itself opens them."""


def import_torch() -> None:
    """Import torch and what runs models; later calls do nothing.

    Raises
    ------
    DeviceError
        When torch is missing or cannot be loaded.
    """
    if "torch" in sys.modules:
        return
    collecting = gc.isenabled()
    gc.disable()
    try:
        _open_libraries()
        try:
            importlib.import_module("medview.ml.runners.run")
        except (ImportError, OSError) as error:
            raise not_loaded(error) from error
        # What the import made stays for good; without it later collections are short.
        gc.freeze()
    finally:
        if collecting:
            gc.enable()


def _open_libraries() -> None:
    """Open torch's libraries through the system's own dlopen: what ctypes calls runs without the interpreter lock."""
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None or not hasattr(os, "RTLD_NOW"):
        return
    system = ctypes.CDLL(None)
    system.dlopen.restype, system.dlopen.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_int)
    for name in _LIBRARIES:
        # One that cannot be opened is reported by the import that follows.
        system.dlopen(os.fsencode(Path(found.origin).parent / "lib" / name), os.RTLD_NOW)
