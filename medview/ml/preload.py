"""torch's shared libraries, loaded without holding up the window."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

_LIBRARIES = ("libtorch_global_deps.so", "libc10.so", "libtorch_cpu.so", "libtorch.so", "libtorch_python.so")
"""In the order torch loads them."""


def load_torch_libraries() -> None:
    """Load them from a worker before the first ``import torch``; does nothing where that is not possible or was done.

    Python holds its lock while it loads a library; the largest of torch takes half a second, and the window would stand still.
    ``dlopen`` called as a foreign function runs without the lock (measured: longest stall 670 ms before, 70 ms after).
    """
    if not sys.platform.startswith("linux") or "torch" in sys.modules:
        return
    spec = importlib.util.find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        return
    folder = Path(spec.submodule_search_locations[0]) / "lib"
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.restype, dlopen.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_int)
    for name in _LIBRARIES:
        # The first one carries what the others look up by name, as in torch's own loader.
        scope = os.RTLD_GLOBAL if name == _LIBRARIES[0] else os.RTLD_LOCAL
        dlopen(os.fsencode(folder / name), os.RTLD_NOW | scope)
