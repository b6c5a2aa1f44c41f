"""One JSON object of a document such as ``model.json``, read key by key: strict, literal, nothing is ever evaluated."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import ClassVar, NoReturn, Self

from medview.core.errors import MedViewError, PackError
from medview.core.segmentation import COLOUR_CYCLE
from medview.ml.spec import MODEL_FILE

LARGEST_SIDE = 2048
"""Longest tile or input side in voxels."""

LONGEST_NAME = 80

LONGEST_LINE = 200
"""Longer texts may have several lines."""

_BREAKS = "\n\t"
_SPACES = "\u00a0\u202f\u3000"
"""What French and Japanese are set with."""


class Fields:
    """One JSON object, read key by key; what nobody asked for is an error.

    Attributes
    ----------
    document, remedy, error
        What sentences call the document, what they advise, and the error that they are of.
    """

    document: ClassVar[str] = MODEL_FILE
    remedy: ClassVar[str] = "ask its author for a proper pack"
    error: ClassVar[type[MedViewError]] = PackError

    def __init__(self, content: object, where: str) -> None:
        self.where = where
        if not isinstance(content, dict):
            raise self.error(f"{self.document} has no object at {where.rstrip('.') or 'the top'}; {self.remedy}.")
        self.content: dict[str, object] = content
        self._asked: set[str] = set()

    def wrong(self, key: str, expected: str) -> NoReturn:
        """Raise the error that says what has to be at ``key``."""
        raise self.error(
            f"{self.document} has nothing usable at {self.where}{_shown(key)}; it has to be {expected}.",
            detail=f"found {str(self.content.get(key))[:200]!r}",
        )

    def get(self, key: str) -> object:
        """Return what is at ``key``, None where it is absent, and remember that it was asked for."""
        self._asked.add(key)
        return self.content.get(key)

    def end(self) -> None:
        """Refuse keys nobody asked for."""
        unknown = sorted(set(self.content) - self._asked)
        if unknown:
            raise self.error(
                f"{self.document} has a key MedView does not know, {self.where}{_shown(unknown[0])}; "
                "remove it or update MedView."
            )

    def inside(self, key: str) -> Self:
        """Return the object at ``key``."""
        return type(self)(self.get(key), f"{self.where}{key}.")

    def objects(self, key: str, most: int) -> list[Self]:
        """Return the 1 to ``most`` objects listed at ``key``."""
        found = self.get(key)
        if not isinstance(found, list) or not 0 < len(found) <= most:
            self.wrong(key, f"a list of 1 to {most} objects")
        return [type(self)(item, f"{self.where}{key}[{n}].") for n, item in enumerate(found)]

    def text(self, key: str, most: int, default: str | None = None) -> str:
        """Return the text at ``key``; without ``default`` it may not be missing or blank."""
        found = self.get(key)
        if found is None and default is not None:
            return default
        if not isinstance(found, str) or len(found) > most or (default is None and not found.strip()):
            self.wrong(key, f"a text of at most {most} characters")
        if not _plain(found, lines=most > LONGEST_LINE):
            self.wrong(key, "a text without control characters")
        return found

    def pattern(self, key: str, pattern: re.Pattern[str], expected: str) -> str:
        """Return the text at ``key``, which has to match as a whole."""
        found = self.get(key)
        if not isinstance(found, str) or not pattern.fullmatch(found):
            self.wrong(key, expected)
        return found

    def choice(self, key: str, choices: Collection[str], default: str | None = None) -> str:
        """Return the text at ``key``, one of ``choices``; ``default`` where there is none."""
        found = self.get(key)
        if found is None and default is not None:
            return default
        if not isinstance(found, str) or found not in choices:
            self.wrong(key, f"one of {', '.join(choices)}")
        return found

    def number(self, key: str, low: float, high: float) -> float:
        """Return the number at ``key``, within ``low`` to ``high``."""
        found = self.get(key)
        if not isinstance(found, int | float) or isinstance(found, bool) or not low <= found <= high:
            self.wrong(key, f"a number from {low:g} to {high:g}")
        return float(found)

    def integer(self, key: str, low: int, high: int) -> int:
        """Return the whole number at ``key``, within ``low`` to ``high``."""
        found = self.get(key)
        if not isinstance(found, int) or isinstance(found, bool) or not low <= found <= high:
            self.wrong(key, f"a whole number from {low} to {high}")
        return found

    def flag(self, key: str) -> bool:
        """Return the truth value at ``key``, False where there is none."""
        found = self.get(key)
        if found is not None and not isinstance(found, bool):
            self.wrong(key, "true or false")
        return bool(found)

    def names(self) -> tuple[str, ...]:
        """Return all keys, which have to be names like those of ``texts``."""
        for key in self.content:
            if not _is_name(key):
                self.wrong(key, f"under a name of at most {LONGEST_NAME} characters")
        return tuple(self.content)

    def texts(self, key: str, most: int, *, empty: bool, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return the different, non-empty names listed at ``key``, at most ``most``; ``default`` where there are none."""
        found = self.get(key)
        if found is None and default is not None:
            return default
        if not isinstance(found, list) or len(found) > most or (not found and not empty):
            self.wrong(key, "a list of names")
        names = tuple(name for name in found if isinstance(name, str) and _is_name(name))
        if len(names) != len(found) or len(set(names)) != len(names):
            self.wrong(key, "a list of different names")
        return names

    def numbers(self, key: str, count: int, low: float, high: float) -> list[float]:
        """Return the ``count`` numbers listed at ``key``, each within ``low`` to ``high``."""
        found = self.get(key)
        if not isinstance(found, list) or len(found) != count:
            self.wrong(key, f"{count} numbers")
        numbers = [float(n) for n in found if isinstance(n, int | float) and not isinstance(n, bool) and low <= n <= high]
        if len(numbers) != count:
            self.wrong(key, f"{count} numbers from {low:g} to {high:g}")
        return numbers

    def shape(self, key: str, low: int) -> tuple[int, int, int]:
        """Return three whole numbers (k, j, i) at ``key``, none below ``low``."""
        numbers = self.numbers(key, 3, low, LARGEST_SIDE)
        if any(n != int(n) for n in numbers):
            self.wrong(key, "three whole numbers")
        k, j, i = (int(n) for n in numbers)
        return k, j, i

    def colour(self, key: str, position: int) -> tuple[int, int, int]:
        """Return the RGB colour at ``key``; where there is none, the one the palette has at ``position``."""
        if self.get(key) is None:
            return COLOUR_CYCLE[position % len(COLOUR_CYCLE)]
        red, green, blue = (int(n) for n in self.numbers(key, 3, 0, 255))
        return red, green, blue


def _is_name(text: str) -> bool:
    return bool(text.strip()) and len(text) <= LONGEST_NAME and _plain(text, lines=False)


def _shown(key: str) -> str:
    """Return a key as sentences show it: keys may be anything."""
    return key[:64] if key.isprintable() else ascii(key[:40])


def _plain(text: str, *, lines: bool) -> bool:
    """Whether a text is what it looks like, and can be written down.

    Nothing in it controls a terminal, turns the direction of what follows, breaks a line, takes no room or is half a
    character, which JSON can spell and files refuse.
    """
    allowed = _BREAKS + _SPACES if lines else ""
    return all(c.isprintable() or c in allowed for c in text)
