"""Tasks for reader processes that behave as decoders of damaged files do."""

from __future__ import annotations

import ctypes
import os
import time

import numpy as np

from medview.core.errors import ReadError
from medview.io.shared_block import BlockHandle, RowWriter


class PanicException(BaseException):
    """What Rust decoders raise: not an Exception."""


def double(path: str, number: int) -> int:
    return 2 * number


def refuse(path: str) -> None:
    raise ReadError("this one is bad")


def abort(path: str) -> None:
    os.abort()


def segfault(path: str) -> None:
    ctypes.string_at(0)


def leave(path: str) -> None:
    os._exit(0)


def end_politely(path: str) -> None:
    raise SystemExit(0)


def unsendable(path: str) -> object:
    return lambda: None


def panic(path: str) -> None:
    raise PanicException("index out of bounds in the file of Jane Doe")


def spin(path: str) -> None:
    while True:
        pass


def nap(path: str, seconds: float) -> int:
    time.sleep(seconds)
    return 1


def hoard(path: str, count: int) -> int:
    return int(np.ones(count, np.uint8).sum())


def double_or_die(path: str, number: int) -> int:
    if number == 13:
        os.abort()
    return 2 * number


def double_or_spin(path: str, number: int) -> int:
    while number == 13:
        pass
    return 2 * number


def fill_block(path: str, handle: BlockHandle) -> None:
    with RowWriter(handle) as rows:
        for k in range(handle.shape[0]):
            rows.write(k, np.full(handle.shape[1:], k + 1, handle.dtype))
