"""Descriptions of foreign models, read key by key; what is not understood is named by file and key."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import NoReturn, TypeGuard

from medview.core.errors import PackError

LARGEST_BYTES = 64 << 20
"""Plans of nnU-Net name every case of a large training set."""


def is_number(found: object) -> TypeGuard[int | float]:
    """Whether something read from JSON is a number that floats can hold: whole ones may have thousands of digits."""
    return isinstance(found, int | float) and not isinstance(found, bool) and abs(found) <= sys.float_info.max


class ForeignObject:
    """One JSON object of a foreign file.

    Parameters
    ----------
    file : str
        Name of the file it is from, for sentences.
    where : str
        Way of keys to it, ending in a dot unless empty.
    """

    def __init__(self, content: object, file: str, where: str = "") -> None:
        self.file = file
        self.where = where
        if not isinstance(content, dict):
            raise PackError(f"{file} has no object at {where.rstrip('.') or 'the top'}; get the model's folder anew.")
        self.content: dict[str, object] = content

    @classmethod
    def read(cls, path: Path) -> ForeignObject:
        """Read a JSON file.

        Raises
        ------
        PackError
            When there is none, or it is not readable JSON.
        """
        try:
            with path.open("rb") as opened:
                text = opened.read(LARGEST_BYTES + 1)
            if len(text) > LARGEST_BYTES:
                raise PackError(f"{path.name} in {path.parent.name} is larger than a description of a model can be.")
            return cls(json.loads(text), path.name)
        except (OSError, ValueError, RecursionError) as error:
            raise PackError(f"{path.name} in {path.parent.name} cannot be read as JSON.", detail=repr(error)) from error

    def cannot(self, key: str, why: str) -> NoReturn:
        """Raise the PackError that says what of ``key`` keeps the model from being converted."""
        found = json.dumps(self.content.get(key), default=str)
        raise PackError(f"{self.file} says {self.where}{key} = {found[:80]}, {why}.", detail=found[:400])

    def lacks(self, key: str, wanted: str) -> NoReturn:
        """Raise the PackError that says that ``key`` does not hold what it has to."""
        found = json.dumps(self.content.get(key), default=str)
        raise PackError(f"{self.file} has nothing usable at {self.where}{key}; it has to be {wanted}.", detail=found[:400])

    def has(self, key: str) -> bool:
        """Whether something other than null stands at ``key``."""
        return self.content.get(key) is not None

    def inside(self, key: str) -> ForeignObject:
        """Return the object at ``key``."""
        return ForeignObject(self.content.get(key), self.file, f"{self.where}{key}.")

    def text(self, key: str, default: str | None = None) -> str:
        """Return the text at ``key``; ``default`` where there is nothing."""
        found = self.content.get(key)
        if found is None and default is not None:
            return default
        if not isinstance(found, str):
            self.lacks(key, "a text")
        return found

    def flag(self, key: str, *, default: bool) -> bool:
        """Return the truth value at ``key``; ``default`` where there is nothing."""
        found = self.content.get(key)
        if found is None:
            return default
        if not isinstance(found, bool):
            self.lacks(key, "true or false")
        return found

    def number(self, key: str) -> float:
        """Return the finite number at ``key``."""
        found = self.content.get(key)
        if not is_number(found):
            self.lacks(key, "a number")
        return float(found)

    def items(self, key: str, counts: Collection[int] | None = None) -> list[object]:
        """Return the list at ``key``, of one of the lengths ``counts``."""
        found = self.content.get(key)
        if not isinstance(found, list) or (counts is not None and len(found) not in counts):
            self.lacks(key, "a list" if counts is None else f"a list of {' or '.join(map(str, sorted(counts)))}")
        return found

    def whole_numbers(self, key: str, counts: Collection[int] | None = None) -> list[int]:
        """Return the whole numbers listed at ``key``."""
        found = [n for n in self.items(key, counts) if isinstance(n, int) and not isinstance(n, bool)]
        if len(found) != len(self.items(key)):
            self.lacks(key, "whole numbers")
        return found

    def numbers(self, key: str, counts: Collection[int] | None = None) -> list[float]:
        """Return the finite numbers listed at ``key``."""
        listed = self.items(key, counts)
        found = [float(n) for n in listed if is_number(n)]
        if len(found) != len(listed):
            self.lacks(key, "numbers")
        return found
